"""The demo provider's memory: one sqlite file, written before anything is answered.

Only the event loop's thread uses it. Write-ahead logging keeps every committed line through
`kill -9`; a power cut may lose the last moments, which a demo can bear.
"""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY,
    endpoint TEXT NOT NULL,
    key TEXT UNIQUE,
    subject TEXT NOT NULL,
    status TEXT NOT NULL,
    input TEXT NOT NULL,
    output TEXT,
    error TEXT,
    doom TEXT,
    accepted_at REAL NOT NULL,
    started_at REAL,
    finished_at REAL,
    webhook TEXT,
    origin TEXT,
    wire TEXT
);
CREATE INDEX IF NOT EXISTS jobs_subject ON jobs (subject, accepted_at);
CREATE TABLE IF NOT EXISTS counts (
    subject TEXT NOT NULL,
    what TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (subject, what)
);
"""


LATER_COLUMNS = ("webhook", "origin", "wire")  # absent from the files of an earlier version


class Status(StrEnum):
    """RunPod's words. Source: docs.runpod.io/serverless/endpoints/job-states, 2026-08-20."""

    IN_QUEUE = "IN_QUEUE"  # left by the workshop, when a place in the lane is free
    IN_PROGRESS = "IN_PROGRESS"  # left by the workshop, when the drawing ends
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"  # moved here by a cancel request


UNFINISHED = frozenset({Status.IN_QUEUE, Status.IN_PROGRESS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One accepted job. `subject` is whose ledger page it stands on; times are Unix seconds."""

    id: str
    endpoint: str
    key: str | None
    subject: str
    status: Status
    output: dict[str, Any] | None
    error: str | None
    doom: str | None  # the error it must end with, because a test asked for that
    accepted_at: float
    started_at: float | None
    finished_at: float | None
    webhook: str | None  # where the news of its end is sent
    origin: str | None  # scheme and host as the caller reached us, for the addresses in that news
    wire: dict[str, Any] | None = None  # the company's wire it came by, if not RunPod's, and notes

    @property
    def is_finished(self) -> bool:
        """Nothing will change this job any more."""
        return self.status not in UNFINISHED


class Store:
    """Jobs and counters in a file; every call is one committed transaction."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(SCHEMA)
        self._add_later_columns()

    def _add_later_columns(self) -> None:
        have = {row["name"] for row in self._db.execute("PRAGMA table_info(jobs)")}
        for column in LATER_COLUMNS:
            if column not in have:
                self._db.execute(f"ALTER TABLE jobs ADD COLUMN {column} TEXT")

    def close(self) -> None:
        """Close the file; the store is of no use afterwards."""
        self._db.close()

    def insert(self, job: Job, job_input: dict[str, Any]) -> None:
        """Write a newly accepted job down, with what it was asked to draw."""
        self._db.execute(
            "INSERT INTO jobs VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                job.id,
                job.endpoint,
                job.key,
                job.subject,
                job.status,
                json.dumps(job_input),
                None,
                None,
                job.doom,
                job.accepted_at,
                None,
                None,
                job.webhook,
                job.origin,
                None if job.wire is None else json.dumps(job.wire),
            ),
        )

    def update(self, job: Job) -> None:
        """Write down everything about a job that can change."""
        self._db.execute(
            "UPDATE jobs SET status=?, output=?, error=?, doom=?, started_at=?, finished_at=?"
            " WHERE id=?",
            (
                job.status,
                None if job.output is None else json.dumps(job.output),
                job.error,
                job.doom,
                job.started_at,
                job.finished_at,
                job.id,
            ),
        )

    def forget_input(self, job_id: str) -> None:
        """Let go of the pictures a finished job was given; they can be 10 MB."""
        self._db.execute("UPDATE jobs SET input='{}' WHERE id=?", (job_id,))

    def jobs(self) -> Iterator[Job]:
        """Yield every job ever accepted, oldest first."""
        for row in self._db.execute(
            "SELECT id, endpoint, key, subject, status, output, error, doom, accepted_at,"
            " started_at, finished_at, webhook, origin, wire FROM jobs ORDER BY accepted_at, rowid"
        ):
            fields = dict(row)
            fields["status"] = Status(fields["status"])
            for name in ("output", "wire"):
                fields[name] = json.loads(fields[name]) if fields[name] else None
            yield Job(**fields)

    def input_of(self, job_id: str) -> dict[str, Any]:
        """Return what an unfinished job was asked to draw."""
        row = self._db.execute("SELECT input FROM jobs WHERE id=?", (job_id,)).fetchone()
        loaded: dict[str, Any] = json.loads(row["input"])
        return loaded

    def count(self, subject: str, what: str) -> None:
        """Add one to a counter."""
        self._db.execute(
            "INSERT INTO counts VALUES (?,?,1) ON CONFLICT DO UPDATE SET n = n + 1",
            (subject, what),
        )

    def put(self, subject: str, what: str, n: int) -> None:
        """Set a counter."""
        self._db.execute(
            "INSERT INTO counts VALUES (?,?,?) ON CONFLICT DO UPDATE SET n = excluded.n",
            (subject, what, n),
        )

    def counts(self) -> dict[str, dict[str, int]]:
        """Return every counter, by subject and then by what was counted."""
        found: dict[str, dict[str, int]] = {}
        for row in self._db.execute("SELECT subject, what, n FROM counts ORDER BY rowid"):
            found.setdefault(row["subject"], {})[row["what"]] = row["n"]
        return found

"""What the provider was asked, counted per generation: the witness in tests.

The caller's generation is read from its idempotency key, `<generation uuid>-<attempt>`, or else
from its webhook's address, `.../webhooks/<provider>/<generation uuid>/<attempt>/<token>`.
"""

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from emulators.store import Job, Store

COUNTED = ("submits", "submit_requests", "polls", "cancels", "downloads", "webhooks")
ANSWERS = "webhook_answers"  # the last HTTP status a webhook of the subject was answered with
ALL = ""  # the subject that counts requests which belong to no job, for the totals
UUID = r"([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"
KEY_OF_GENERATION = re.compile(rf"{UUID}-\d+")
PATH_OF_GENERATION = re.compile(rf".*/webhooks/[^/]+/{UUID}/\d+/[^/]+")


def generation_of(key: str) -> str:
    """Return the generation an idempotency key speaks of; a foreign key stands for itself."""
    match = KEY_OF_GENERATION.fullmatch(key)
    return match.group(1).lower() if match else key


def generation_of_webhook(url: str) -> str | None:
    """Return the generation a webhook's address speaks of, if it does."""
    match = PATH_OF_GENERATION.fullmatch(urlsplit(url).path)
    return match.group(1).lower() if match else None


def timestamp(seconds: float) -> str:
    """Return a Unix time as RFC 3339 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


class Ledger:
    """Counters per subject (a generation, or a job without a key), and waiting for them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._counts = store.counts()
        self._jobs: dict[str, dict[str, Job]] = {}
        self._changed: dict[str, asyncio.Event] = {}  # only of subjects somebody waits for
        for job in store.jobs():
            self._page(job)[job.id] = job

    def _page(self, job: Job) -> dict[str, Job]:
        return self._jobs.setdefault(job.subject, {})

    def count(self, subject: str, what: str) -> None:
        """Add one to a counter of a subject, in the file too."""
        self._store.count(subject, what)
        counts = self._counts.setdefault(subject, {})
        counts[what] = counts.get(what, 0) + 1
        self._tell(subject)

    def counted(self, subject: str, what: str) -> int:
        """Return a counter of a subject."""
        return self._counts.get(subject, {}).get(what, 0)

    def note_answer(self, subject: str, status: int) -> None:
        """Take notice of the HTTP status a webhook was answered with."""
        self._store.put(subject, ANSWERS, status)
        self._counts.setdefault(subject, {})[ANSWERS] = status
        self._tell(subject)

    def note(self, job: Job) -> None:
        """Take notice of a job's new state."""
        self._page(job)[job.id] = job
        self._tell(job.subject)

    def _tell(self, subject: str) -> None:
        if changed := self._changed.pop(subject, None):
            changed.set()

    def page(self, subject: str) -> dict[str, Any]:
        """Return the counters and jobs of one subject."""
        counts = self._counts.get(subject, {})
        jobs = self._jobs.get(subject, {}).values()
        return {
            **{what: counts.get(what, 0) for what in COUNTED},
            ANSWERS: counts.get(ANSWERS),
            "jobs": [
                {
                    "id": job.id,
                    "endpoint": job.endpoint,
                    "status": str(job.status),
                    "key": job.key,
                    "accepted_at": timestamp(job.accepted_at),
                }
                for job in jobs
            ],
        }

    def read(self) -> dict[str, Any]:
        """Return the whole ledger as `GET /_ledger` shows it."""
        unkeyed = {s for s, jobs in self._jobs.items() if s in jobs}
        subjects = [s for s in {**self._counts, **self._jobs} if s != ALL]
        return {
            "generations": {s: self.page(s) for s in subjects if s not in unkeyed},
            "unkeyed": [self.page(s) for s in subjects if s in unkeyed],
            "totals": {
                what: sum(counts.get(what, 0) for counts in self._counts.values())
                for what in COUNTED
            },
        }

    async def wait(self, is_true: Callable[[dict[str, Any]], bool], subject: str) -> None:
        """Return as soon as a subject's page satisfies the question; the caller bounds the time."""
        while not is_true(self.page(subject)):
            await self._changed.setdefault(subject, asyncio.Event()).wait()

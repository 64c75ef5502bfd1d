"""The demo provider's memory: what an earlier version wrote is read on."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

from emulators.store import Job, Status, Store

EARLIER = """
CREATE TABLE jobs (
    id TEXT PRIMARY KEY, endpoint TEXT NOT NULL, key TEXT UNIQUE, subject TEXT NOT NULL,
    status TEXT NOT NULL, input TEXT NOT NULL, output TEXT, error TEXT, doom TEXT,
    accepted_at REAL NOT NULL, started_at REAL, finished_at REAL
);
INSERT INTO jobs VALUES
    ('one-u1', 'demo-image', 'k', 'k', 'COMPLETED', '{}', '{"cost": 1}', NULL, NULL, 1, 2, 3);
"""
OLD = Job(
    id="one-u1",
    endpoint="demo-image",
    key="k",
    subject="k",
    status=Status.COMPLETED,
    output={"cost": 1},
    error=None,
    doom=None,
    accepted_at=1,
    started_at=2,
    finished_at=3,
    webhook=None,
    origin=None,
)


def test_a_file_without_webhooks_is_read_and_written_on(tmp_path: Path) -> None:
    path = tmp_path / "demo.sqlite3"
    earlier = sqlite3.connect(path)
    earlier.executescript(EARLIER)
    earlier.close()
    new = replace(
        OLD,
        id="two-u1",
        key=None,
        status=Status.IN_QUEUE,
        output=None,
        accepted_at=4,
        started_at=None,
        finished_at=None,
        webhook="http://127.0.0.1/hook",
        origin="http://127.0.0.1:8790",
    )
    for _ in range(2):
        store = Store(path)
        assert next(store.jobs()) == OLD
        if len(list(store.jobs())) == 1:
            store.insert(new, {"prompt": "a fox"})
        store.close()
    store = Store(path)
    assert list(store.jobs()) == [OLD, new]
    store.close()

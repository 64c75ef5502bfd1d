"""`make soak`: half an hour of steady load on the real server, and whether anything grows.

People draw (a tenth of it with faults), cancel, try again, read, and leave streams open, at about
half a core. Every ten seconds the server is weighed; in the end nothing may be left unsettled, the
provider's ledger must show every job once, and nothing but the history may have grown. A slope
counts when it is steeper than allowed for an hour and has made a difference in this run; the first
part of it, in which caches fill, is left out.

    .venv/bin/python -m bench.soak [--minutes 30]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import uvloop

from bench.memory import cpu_s, weigh
from bench.place import workplace
from bench.report import RESULTS, conditions, describe, machine
from bench.soak_load import Load
from bench.threads import make_database
from db.embedded import EmbeddedPostgres
from tests.demo_process import Demo, start_demo
from tests.house import serve

EVERY_S = 10.0
WARM_PART = 0.25
SETTLED_WITHIN_S = 120.0
QUERY = """
    select (select count(*) from kinora.generations
            where status in ('queued', 'submitting', 'in_progress', 'storing')) as open_rows,
           (select count(*) from jobs.procrastinate_jobs) as job_rows,
           (select count(*) from jobs.procrastinate_events) as event_rows,
           (select count(*) from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid()) as connections,
           (select count(*) from kinora.generations) as generations
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """How steep something may be, and how much of a difference is none."""

    per_hour: float
    noise: float
    unit: str = ""


ALLOWED = {
    "rss_mib": Allowed(per_hour=20, noise=12, unit="MiB"),
    "descriptors": Allowed(per_hour=6, noise=12),
    "threads": Allowed(per_hour=2, noise=6),
    "open_rows": Allowed(per_hour=10, noise=15),
    "job_rows": Allowed(per_hour=10, noise=15),
    "event_rows": Allowed(per_hour=20, noise=60),
    "connections": Allowed(per_hour=2, noise=8),
}
Sample = dict[str, float]


def sample(pid: int, url: str, began: float) -> Sample:
    """The server and its rows as they are now."""
    process = Path(f"/proc/{pid}")
    status = (process / "status").read_text("ascii", errors="replace").splitlines()
    threads = next(int(line.split()[1]) for line in status if line.startswith("Threads:"))
    with psycopg.connect(url) as connection:
        found = connection.execute(QUERY)
        names = [column.name for column in found.description or ()]
        rows = dict(zip(names, found.fetchone() or (), strict=True))
    return {
        "at_s": time.monotonic() - began,
        "cpu_s": cpu_s(pid),
        "rss_mib": weigh(pid).rss_mib,
        "descriptors": len(list((process / "fd").iterdir())),
        "threads": threads,
        **rows,
    }


async def sampled(pid: int, url: str, seconds: float) -> list[Sample]:
    """A sample every ten seconds."""
    began, samples = time.monotonic(), []
    while (at_s := time.monotonic() - began) < seconds:
        samples.append(await asyncio.to_thread(sample, pid, url, began))
        if len(samples) % 6 == 1:
            print(f"  {at_s:5.0f} s  {told(samples[-1])}", flush=True)
        await asyncio.sleep(EVERY_S - (time.monotonic() - began) % EVERY_S)
    return samples


def told(one: Sample) -> str:
    """A sample in words."""
    return ", ".join(f"{name} {one[name]:.0f}" for name in (*ALLOWED, "generations"))


async def left_open(url: str) -> int:
    """How many are not settled when all had time to be."""
    end = time.monotonic() + SETTLED_WITHIN_S
    while (count := await asyncio.to_thread(_open_rows, url)) and time.monotonic() < end:  # noqa: ASYNC110
        await asyncio.sleep(1.0)
    return count


def _open_rows(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(QUERY).fetchone()
    return int(row[0]) if row else -1


async def wrong_in_ledger(demo: Demo, url: str) -> list[str]:
    """Generations with more jobs at the provider than attempts, or with a key that made two."""
    book = (await demo.client.get("/_ledger")).json()
    with psycopg.connect(url) as connection:
        rows = connection.execute("select id::text, attempt from kinora.generations").fetchall()
    attempts: dict[str, int] = dict(rows)
    wrong = [
        f"{generation_id}: {page['submits']} jobs, {attempts.get(generation_id, 0)} attempts"
        for generation_id, page in book["generations"].items()
        if page["submits"] > attempts.get(generation_id, 0)
        or len({job["key"] for job in page["jobs"]}) != len(page["jobs"])
    ]
    return wrong + [f"a job of nobody's: {page}" for page in book["unkeyed"]]


def statuses(url: str) -> dict[str, int]:
    """How they ended."""
    with psycopg.connect(url) as connection:
        query = "select status, count(*) from kinora.generations group by 1 order by 1"
        return dict(connection.execute(query).fetchall())


def slopes(samples: list[Sample]) -> dict[str, tuple[float, float, bool]]:
    """For each thing: its slope for an hour, by how much it has grown, whether that is too much."""
    kept = samples[int(len(samples) * WARM_PART) :]
    found = {}
    hours = [one["at_s"] / 3600 for one in kept]
    for name, allowed in ALLOWED.items():
        line = statistics.linear_regression(hours, [one[name] for one in kept])
        grown = line.slope * (hours[-1] - hours[0])
        found[name] = line.slope, grown, line.slope > allowed.per_hour and grown > allowed.noise
    return found


async def soak(minutes: float) -> dict[str, Any]:
    """Run the load, then look at what is left."""
    with workplace() as folder:
        (folder / "postgres").mkdir(mode=0o711)
        server = EmbeddedPostgres(folder / "postgres")
        address = await asyncio.to_thread(server.enter)
        try:
            url = await asyncio.to_thread(make_database, address, "soak")
            settings = {"DATABASE_URL": url, "REQUESTS_PER_MINUTE": "0", "LOG_FORMAT": "json"}
            async with (
                start_demo(folder / "demo") as demo,
                serve(folder / "data", **settings, DEMO_BASE_URL=demo.url) as served,
            ):
                pid, seconds = served.process.pid, minutes * 60
                load = Load(served.client, pid, random.Random(1))  # noqa: S311 - no secret
                samples, _ = await asyncio.gather(sampled(pid, url, seconds), load.run(seconds))
                return {
                    "minutes": minutes,
                    "asked": dict(load.counts),
                    "unsettled": await left_open(url),
                    "wrong_in_ledger": await wrong_in_ledger(demo, url),
                    "statuses": statuses(url),
                    "samples": samples,
                }
        finally:
            await asyncio.to_thread(server.leave)


def verdict(found: dict[str, Any]) -> bool:
    """Print what was seen; whether all of it is as it should be."""
    samples, good = found["samples"], True
    share = (samples[-1]["cpu_s"] - samples[0]["cpu_s"]) / samples[-1]["at_s"]
    print(f"soak of {found['minutes']:g} minutes, {share:.0%} of a core")
    print(f"{'':14}{'first':>8}{'last':>8}{'per hour':>10}  allowed")
    for name, (slope, _, is_steep) in slopes(samples).items():
        allowed = ALLOWED[name]
        said = f"<= {allowed.per_hour:g} {allowed.unit} {'GROWS' if is_steep else 'flat'}"
        first, last = samples[int(len(samples) * WARM_PART)][name], samples[-1][name]
        print(f"{name:14}{first:8.0f}{last:8.0f}{slope:10.1f}  {said}")
        good = good and not is_steep
    print(f"ended: {found['statuses']}; asked: {found['asked']}")
    for name in ("unsettled", "wrong_in_ledger"):
        print(f"{name}: {found[name] or 'none'}")
        good = good and not found[name]
    for name in ("unanswered", "refused"):
        good = good and not found["asked"].get(name)
    print("good" if good else "NOT GOOD", flush=True)
    return good


def main() -> int:
    """Soak, show, keep; returns the exit code."""
    parser = argparse.ArgumentParser(description="whether anything grows under steady load")
    parser.add_argument("--minutes", type=float, default=30.0)
    options = parser.parse_args()
    before = conditions()
    print(f"machine before: {describe(before)}", flush=True)
    found = uvloop.run(soak(options.minutes))
    good = verdict(found)
    facts = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {**machine(), "before": before, "after": conditions()},
        "good": good,
        "allowed": {name: asdict(allowed) for name, allowed in ALLOWED.items()},
        "slopes_per_hour": {
            name: slope for name, (slope, _, _) in slopes(found["samples"]).items()
        },
        **found,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "soak.json").write_text(json.dumps(facts, indent=1) + "\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

"""Everything the wires share, opened once per process and closed in reverse."""

import contextlib
import shutil
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from emulators.endpoints import ENDPOINTS
from emulators.faults import Faults
from emulators.jobs import Jobs
from emulators.ledger import Ledger
from emulators.store import Store
from emulators.webhooks import Webhooks
from emulators.workshop import Workshop

RESULTS_KEPT_S = 7 * 86_400  # as long as RunPod's public endpoints keep theirs (docs, 2026-07-27)

WEBHOOK_TIMEOUT = httpx.Timeout(10, pool=None)  # many ends at once wait for each other, unbounded


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One running demo provider."""

    data_dir: Path
    ledger: Ledger
    jobs: Jobs
    workshop: Workshop
    faults: Faults
    webhooks: Webhooks

    @property
    def results_dir(self) -> Path:
        """Where finished pictures and films lie, one folder per job."""
        return self.data_dir / "results"


@contextlib.asynccontextmanager
async def open_desk(data_dir: Path) -> AsyncIterator[Desk]:
    """Open the memory, draw unfinished jobs again, and leave them so that it can be done again."""
    results_dir = data_dir / "results"
    results_dir.mkdir(parents=True, exist_ok=True)
    remove_old_results(results_dir)
    async with contextlib.AsyncExitStack() as stack:
        store = Store(data_dir / "demo.sqlite3")
        stack.callback(store.close)
        client = httpx.AsyncClient(trust_env=False, timeout=WEBHOOK_TIMEOUT)
        await stack.enter_async_context(client)
        ledger, faults = Ledger(store), Faults()
        webhooks = Webhooks(client, ledger, faults)
        stack.push_async_callback(webhooks.close)
        jobs = Jobs(store, ledger, webhooks.tell)
        workshop = Workshop(jobs, results_dir)
        stack.push_async_callback(workshop.close)
        for job in jobs.unfinished():
            if job.endpoint in ENDPOINTS:
                workshop.begin(job)
        yield Desk(
            data_dir=data_dir,
            ledger=ledger,
            jobs=jobs,
            workshop=workshop,
            faults=faults,
            webhooks=webhooks,
        )


def remove_old_results(results_dir: Path) -> None:
    """Delete results that are older than a provider would keep them."""
    oldest = time.time() - RESULTS_KEPT_S
    for folder in results_dir.iterdir():
        if folder.stat().st_mtime < oldest:
            shutil.rmtree(folder, ignore_errors=True)

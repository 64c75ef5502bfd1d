"""Everything the wires share, opened once per process and closed in reverse."""

import contextlib
import shutil
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from emulators.endpoints import ENDPOINTS
from emulators.faults import Faults
from emulators.jobs import Jobs
from emulators.ledger import Ledger
from emulators.store import Store
from emulators.workshop import Workshop

RESULTS_KEPT_S = 7 * 86_400  # as long as RunPod's public endpoints keep theirs (docs, 2026-07-27)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One running demo provider."""

    data_dir: Path
    ledger: Ledger
    jobs: Jobs
    workshop: Workshop
    faults: Faults

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
    store = Store(data_dir / "demo.sqlite3")
    try:
        ledger = Ledger(store)
        jobs = Jobs(store, ledger)
        workshop = Workshop(jobs, results_dir)
        for job in jobs.unfinished():
            if job.endpoint in ENDPOINTS:
                workshop.begin(job)
        try:
            yield Desk(
                data_dir=data_dir, ledger=ledger, jobs=jobs, workshop=workshop, faults=Faults()
            )
        finally:
            await workshop.close()
    finally:
        store.close()


def remove_old_results(results_dir: Path) -> None:
    """Delete results that are older than a provider would keep them."""
    oldest = time.time() - RESULTS_KEPT_S
    for folder in results_dir.iterdir():
        if folder.stat().st_mtime < oldest:
            shutil.rmtree(folder, ignore_errors=True)

"""From the command to a page that can be used, what the app weighs then, and how soon it is gone.

A second start is what a person waits for each day, so it is measured in rounds, beside the bare
import of Chainlit, which is most of it. `--cold` adds the first start on a fresh machine: it
downloads every package, and its seconds say as much about the network as about us.

    .venv/bin/python -m bench.start [--rounds 5] [--cold]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import Browser

from bench.browser import open_browser
from bench.memory import Weight, cpu_s, weigh
from bench.place import AS_A_PERSON, workplace
from bench.report import Figure, keeping
from bench.stock import Imported, import_chainlit
from bench.visit import fetch_page
from settings import ROOT
from tests.house import free_port, serve
from tests.journeys.conftest import new_visit

START_GOAL_S = 6.0
IDLE_GOAL_MIB = 220.0
END_GOAL_S = 2.0
SETTLE_S = 5.0
COLD_LIMIT_S = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One life of the server, from its start to its end."""

    #: How busy the machine was just before, as processes that wanted to run.
    load: float
    ready_s: float
    ready_cpu_s: float
    idle: Weight
    visited: Weight
    end_s: float


@contextlib.asynccontextmanager
async def page_open(browser: Browser | None, url: str) -> AsyncIterator[None]:
    """Somebody looks at the page: by a browser, or without one by fetching all its files."""
    if browser is None:
        await fetch_page(url)
        yield
        return
    async with new_visit(browser, url) as visit:
        await visit.open()
        yield


async def live_once(data_dir: Path, browser: Browser | None) -> Run:
    """Start the server, weigh it idle and after a visit, and end it while the page is open."""
    load, began = os.getloadavg()[0], time.perf_counter()
    async with serve(data_dir, **AS_A_PERSON) as served:
        ready_s, ready_cpu_s = time.perf_counter() - began, cpu_s(served.process.pid)
        await asyncio.sleep(SETTLE_S)
        idle = weigh(served.process.pid)
        async with page_open(browser, served.url):
            await asyncio.sleep(SETTLE_S)
            visited = weigh(served.process.pid)
            asked = time.perf_counter()
            served.signal(signal.SIGTERM)
            code = await served.ended()
            end_s = time.perf_counter() - asked
        if code != 0:
            raise RuntimeError(f"the server ended with {code}")
    return Run(
        load=load, ready_s=ready_s, ready_cpu_s=ready_cpu_s, idle=idle, visited=visited, end_s=end_s
    )


async def start_uncompiled(data_dir: Path, empty: Path) -> float:
    """Seconds to ready where Python may not keep what it compiles, as on many build machines."""
    began = time.perf_counter()
    away = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": str(empty)}
    async with serve(data_dir, **(AS_A_PERSON | away)):
        return time.perf_counter() - began


async def measure(rounds: int) -> list[Figure]:
    """Make a data folder by a first start, then start again and again beside the bare import."""
    with workplace() as folder:
        async with open_browser() as browser:
            first = await live_once(folder / "data", browser)
            await import_chainlit(folder / "stock")
            runs: list[Run] = []
            bare: list[Imported] = []
            uncompiled_s: list[float] = []
            for _ in range(rounds):
                bare.append(await import_chainlit(folder / "stock"))
                runs.append(await live_once(folder / "data", browser))
                uncompiled_s.append(await start_uncompiled(folder / "data", folder / "empty"))
    uncompiled = Figure(
        name="second start, nothing compiled kept",
        unit="s",
        rounds=uncompiled_s,
        goal=START_GOAL_S,
    )
    return [*figures_of(first, runs, bare), uncompiled]


def figures_of(first: Run, runs: list[Run], bare: list[Imported]) -> list[Figure]:
    """All that the rounds say."""
    bare_s, bare_cpu, bare_rss = (
        f"import chainlit.server{what}" for what in ("", ", CPU", ", RSS")
    )

    def ours(name: str, unit: str, of: Callable[[Run], float], **more: Any) -> Figure:
        return Figure(name=name, unit=unit, rounds=[of(run) for run in runs], **more)

    start, idle, end = START_GOAL_S, IDLE_GOAL_MIB, END_GOAL_S
    return [
        ours("second start to /readyz", "s", lambda r: r.ready_s, goal=start, beside=bare_s),
        Figure(name=bare_s, unit="s", rounds=[one.took_s for one in bare]),
        ours("second start, CPU", "s", lambda r: r.ready_cpu_s, beside=bare_cpu),
        Figure(name=bare_cpu, unit="s", rounds=[one.cpu_s for one in bare]),
        Figure(name="start that makes the database", unit="s", rounds=[first.ready_s]),
        ours("idle, RSS", "MiB", lambda r: r.idle.rss_mib, goal=idle, beside=bare_rss),
        Figure(name=bare_rss, unit="MiB", rounds=[one.rss_mib for one in bare]),
        ours("idle, PSS", "MiB", lambda r: r.idle.pss_mib, goal=idle),
        ours("after a page load, RSS", "MiB", lambda r: r.visited.rss_mib, goal=idle),
        ours("after a page load, PSS", "MiB", lambda r: r.visited.pss_mib, goal=idle),
        ours("SIGTERM to exit, page open", "s", lambda r: r.end_s, goal=end),
        ours("load average at each start", "", lambda r: r.load),
    ]


def copy_of_the_checkout(target: Path) -> None:
    """What git tracks, or would track, as it is now."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


async def start_cold() -> list[Figure]:
    """`make run` in a fresh copy with empty caches, to the first 200 of /readyz."""
    with workplace() as folder:
        checkout = folder / "kinora"
        copy_of_the_checkout(checkout)
        port = free_port()
        environment = {
            **os.environ,
            **AS_A_PERSON,
            "UV_CACHE_DIR": str(folder / "uv-cache"),
            "PIP_CACHE_DIR": str(folder / "pip-cache"),
            "TMPDIR": str(folder),
            "DATA_DIR": str(folder / "data"),
            "PORT": str(port),
        }
        environment.pop("VIRTUAL_ENV", None)
        began = time.perf_counter()
        with (folder / "run.log").open("wb") as log:
            make = await asyncio.create_subprocess_exec(
                *("make", "run"), cwd=checkout, env=environment, stdout=log, stderr=log
            )
            try:
                await until_ready(f"http://127.0.0.1:{port}/readyz", make)
                took_s = time.perf_counter() - began
            except (RuntimeError, TimeoutError):
                print((folder / "run.log").read_text("utf-8", errors="replace"))
                raise
            finally:
                with contextlib.suppress(ProcessLookupError):
                    make.terminate()
                await make.wait()
        packages = len(list(checkout.glob(".venv/lib/python3*/site-packages/*.dist-info")))
        fetched = "uv too" if (checkout / ".uv").is_dir() else "uv was there"
        return [
            Figure(name=f"make run from nothing, {fetched}", unit="s", rounds=[took_s]),
            Figure(name="packages it installs", unit="", rounds=[packages]),
        ]


async def until_ready(url: str, make: asyncio.subprocess.Process) -> None:
    """Wait for the first 200. Raises: RuntimeError when `make` has ended, TimeoutError."""
    async with asyncio.timeout(COLD_LIMIT_S), httpx.AsyncClient(trust_env=False) as client:
        while make.returncode is None:
            with contextlib.suppress(httpx.TransportError):
                if (await client.get(url)).status_code == 200:
                    return
            await asyncio.sleep(0.1)
    raise RuntimeError("make run has ended")


def main() -> None:
    """Measure, show, keep."""
    parser = argparse.ArgumentParser(description="start, idle memory and end of the server")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cold", action="store_true", help="also install from nothing: downloads")
    options = parser.parse_args()
    with keeping("start") as figures:
        if options.cold:
            figures += asyncio.run(start_cold())
        figures += asyncio.run(measure(options.rounds))


if __name__ == "__main__":
    main()

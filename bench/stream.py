"""A film of a gibibyte passes through: fetched from its provider, stored, served again.

First the fetching alone, in a process of its own; then the whole way in a real server: made by a
provider, collected, and read by a client that pauses in the middle. What counts is how much larger
the process was at its largest than before the first byte. A small film goes ahead of the large
one, so that what any first film loads (its decoder above all) is told apart.

    .venv/bin/python -m bench.stream [--mib 1024] [--rounds 3]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.large_film import MIB, draw_film, provider_of
from bench.memory import Growth
from bench.place import AS_A_PERSON, workplace
from bench.report import Figure, keeping
from providers.addresses import origin_of
from providers.download import fetch_result, open_result_clients
from providers.sink import FETCH_LIMITS
from settings import child_environment
from tests.house import Served, serve

GROWTH_GOAL_MIB = 30.0
SETTLED = ("completed", "failed", "cancelled", "unknown")
PAUSE_S = 2.0
SMALL_MIB = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """One film on one stretch of its way."""

    grown_mib: float
    took_s: float
    cpu_s: float = 0.0


async def fetch_here(url: str, path: Path, size_bytes: int) -> Passed:
    """Fetch in this very process, which has done nothing before."""
    async with open_result_clients() as clients:
        growth, began, cpu = Growth(os.getpid()), time.perf_counter(), time.process_time()
        fetched = await fetch_result(
            clients,
            url,
            path,
            allowed_hosts=(),
            origin=origin_of(url),
            limits=FETCH_LIMITS["video"],
        )
        passed = Passed(
            grown_mib=growth.peak_mib(),
            took_s=time.perf_counter() - began,
            cpu_s=time.process_time() - cpu,
        )
    check_size(fetched.size_bytes, size_bytes)
    return passed


async def fetch_apart(url: str, path: Path, mib: int) -> Passed:
    """Fetch in a fresh process, and hear from it how it went."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.stream", "--fetch", url, str(path), "--mib", str(mib)),
        env=child_environment(),
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError("the film could not be fetched")
    return Passed(**json.loads(said))


async def make_film(served: Served, mib: int) -> tuple[dict[str, Any], Passed]:
    """Have a film of this size made and stored; returns its generation too."""
    growth, began = Growth(served.process.pid), time.perf_counter()
    order = {"prompt": str(mib), "model": "demo-video-quick"}
    asked = await served.client.post("/api/tools/generate_video", json=order)
    asked.raise_for_status()
    generation: dict[str, Any] = asked.json()
    while generation["status"] not in SETTLED:
        address = f"/api/generations/{generation['id']}"
        generation = (await served.client.get(address, params={"wait": 60})).json()
    if generation["status"] != "completed":
        raise RuntimeError(f"the film was not made: {generation['error']}")
    passed = Passed(grown_mib=growth.peak_mib(), took_s=time.perf_counter() - began)
    return generation, passed


async def read_film(served: Served, asset_id: str, size_bytes: int) -> Passed:
    """Read a stored film to its end, pausing in the middle as a player with a full buffer does."""
    growth, began, received, paused = Growth(served.process.pid), time.perf_counter(), 0, False
    async with served.client.stream("GET", f"/media/{asset_id}") as response:
        response.raise_for_status()
        async for chunk in response.aiter_raw():
            received += len(chunk)
            if not paused and received >= size_bytes // 2:
                paused = True
                await asyncio.sleep(PAUSE_S)
    took_s = time.perf_counter() - began - PAUSE_S
    check_size(received, size_bytes)
    return Passed(grown_mib=growth.peak_mib(), took_s=took_s)


def check_size(received: int, expected: int) -> None:
    """Raises: RuntimeError when a part of the film is missing."""
    if received != expected:
        raise RuntimeError(f"{received} bytes of {expected} have arrived")


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """A film on its whole way."""

    fetched: Passed
    first: Passed
    made: Passed
    read: Passed


async def pass_once(folder: Path, film: bytes, mib: int) -> Round:
    """Fetch alone, then make, store and read in a fresh server."""
    async with provider_of(film) as provider:
        fetched = await fetch_apart(f"{provider.url}/films/{mib}.mp4", folder / "film", mib)
        async with serve(folder / "data", DEMO_BASE_URL=provider.url, **AS_A_PERSON) as served:
            _, first = await make_film(served, SMALL_MIB)
            generation, made = await make_film(served, mib)
            asset_id = generation["assets"][0]["id"]
            read = await read_film(served, asset_id, mib * MIB)
            await served.client.delete(f"/api/generations/{generation['id']}")
    return Round(fetched=fetched, first=first, made=made, read=read)


async def measure(mib: int, rounds: int) -> list[Figure]:
    """All rounds, each with a fresh process and a fresh server."""
    with workplace() as folder:
        film = await draw_film(folder)
        done = [await pass_once(folder, film, mib) for _ in range(rounds)]
    of = f"{mib} MiB"
    grown = [
        (f"{of} fetched, growth of a fresh process", [one.fetched for one in done]),
        (f"{of} made and stored, growth of the server", [one.made for one in done]),
        (f"{of} read from /media, growth of the server", [one.read for one in done]),
    ]
    return [
        *(
            Figure(
                name=name,
                unit="MiB",
                rounds=[passed.grown_mib for passed in all_],
                goal=GROWTH_GOAL_MIB,
            )
            for name, all_ in grown
        ),
        Figure(
            name="the first film of all, growth of the server",
            unit="MiB",
            rounds=[one.first.grown_mib for one in done],
        ),
        Figure(name=f"{of} fetched", unit="s", rounds=[one.fetched.took_s for one in done]),
        Figure(name=f"{of} fetched, CPU", unit="s", rounds=[one.fetched.cpu_s for one in done]),
        Figure(name=f"{of} made and stored", unit="s", rounds=[one.made.took_s for one in done]),
        Figure(name=f"{of} read from /media", unit="s", rounds=[one.read.took_s for one in done]),
    ]


def main() -> None:
    """Measure, show, keep; or be the process that fetches."""
    parser = argparse.ArgumentParser(description="memory while a large film passes through")
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--fetch", nargs=2, metavar=("URL", "PATH"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fetch:
        url, path = options.fetch
        passed = asyncio.run(fetch_here(url, Path(path), options.mib * MIB))
        print(json.dumps(asdict(passed)))
        return
    with keeping("stream") as figures:
        figures += asyncio.run(measure(options.mib, options.rounds))


if __name__ == "__main__":
    main()

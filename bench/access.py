"""What it costs to be let in: a picture accepted by an API key beside a bare insert of its row, the
layers in front of every door, a login, and two hundred wrong ones at once.

The accepted request passes everything that a real one does (guard, key, rate, arguments, budgets,
the transaction, its answer) in a process whose engine was stopped; beside it the same row is
inserted by one statement, through the same pool. CPU is that of this process, Postgres's is not
counted. Logins are tried at a real server in password mode (`bench.logins`).

    .venv/bin/python -m bench.access [--rounds 7] [--requests 200] [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from bench.access_rounds import Took
from bench.logins import logins
from bench.place import AS_A_PERSON, workplace
from bench.report import Figure, keeping
from bench.threads import make_database, ratio
from db.embedded import EmbeddedPostgres
from settings import child_environment
from tests.demo_process import start_demo
from tests.generations.money import models_file
from tests.house import chainlit_root
from tests.people import SECRET

QUICK_ROUNDS, QUICK_REQUESTS = 3, 100
POST_GOAL = 4.0
#: High enough for every request here, and yet counted.
COUNTED = {"REQUESTS_PER_MINUTE": "100000000"}
BUDGETS = {"BUDGET_USD_PER_USER_PER_DAY": "100000", "BUDGET_USD_PER_DAY": "100000"}
WAYS = {"without budgets": {}, "with budgets": BUDGETS}


async def measure(rounds: int, requests: int) -> AsyncIterator[Figure]:
    """A database of its own for each way, then the logins."""
    with workplace() as folder:
        (folder / "data").mkdir(mode=0o711)
        server = EmbeddedPostgres(folder / "data")
        address = await asyncio.to_thread(server.enter)
        try:
            async with start_demo(folder / "demo") as demo:
                for number, (way, settings) in enumerate(WAYS.items()):
                    url = await asyncio.to_thread(make_database, address, f"access_{number}")
                    settings = settings | {"DATABASE_URL": url, "DEMO_BASE_URL": demo.url}
                    took = await measure_apart(folder, settings, rounds, requests)
                    for figure in figures_of(way, took):
                        yield figure
                    if number == 0:
                        for figure in layer_figures(took["layers"]):
                            yield figure
                url = await asyncio.to_thread(make_database, address, "logins")
                for figure in await logins(folder / "logins", url, demo.url, rounds):
                    yield figure
        finally:
            await asyncio.to_thread(server.leave)


async def measure_apart(
    folder: Path, settings: dict[str, str], rounds: int, requests: int
) -> dict[str, Took]:
    """Have `bench.access_rounds` ask, with settings of its own."""
    data_dir = folder / "asking"
    data_dir.mkdir(mode=0o711, exist_ok=True)
    environ = {
        "DATA_DIR": str(data_dir),
        "CHAINLIT_APP_ROOT": str(chainlit_root(data_dir)),
        "AUTH_MODE": "password",
        "CHAINLIT_AUTH_SECRET": SECRET,
        "MODELS_FILE": models_file(folder),
        **COUNTED,
        **settings,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.access_rounds", str(rounds), str(requests)),
        env=child_environment() | AS_A_PERSON | environ,
        stdout=asyncio.subprocess.PIPE,
        # Each accepted request leaves a line in the log.
        stderr=asyncio.subprocess.DEVNULL,
    )
    said, _ = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError("requests could not be measured")
    measured: dict[str, Took] = json.loads(said.splitlines()[-1])
    return measured


def figures_of(way: str, took: dict[str, Took]) -> Iterator[Figure]:
    """Milliseconds a request, and ratios, round by round."""
    posts = took["posts"]
    name, bare = f"a picture accepted, {way}", f"its row inserted, {way}"
    yield Figure(name=f"{name}: CPU", unit="ms", rounds=posts["post CPU"], beside=f"{bare}: CPU")
    yield Figure(name=f"{bare}: CPU", unit="ms", rounds=posts["insert CPU"])
    yield ratio(f"{name}: CPU / bare insert", posts["post CPU"], posts["insert CPU"], POST_GOAL)
    yield Figure(name=name, unit="ms", rounds=posts["post"], beside=bare)
    yield Figure(name=bare, unit="ms", rounds=posts["insert"])
    yield Figure(name=f"{name}, over a socket: CPU", unit="ms", rounds=took["socket"]["CPU"])


def layer_figures(took: Took) -> Iterator[Figure]:
    """Microseconds that each layer adds to the one before, by the medians of the same rounds."""
    names = list(took)
    for before, name in zip(names, names[1:], strict=False):
        if name == "count":
            yield Figure(name="of that, counting", unit="us", rounds=took[name])
            continue
        added = [one - other for one, other in zip(took[name], took[before], strict=True)]
        yield Figure(name=f"layer: {name}, added CPU", unit="us", rounds=added)


async def collected(rounds: int, requests: int) -> list[Figure]:
    """All figures."""
    return [figure async for figure in measure(rounds, requests)]


def main() -> None:
    """Measure, show, keep."""
    parser = argparse.ArgumentParser(description="accepted requests, layers and logins")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=200, help="of each round")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and requests")
    options = parser.parse_args()
    rounds, requests = options.rounds, options.requests
    if options.quick:
        rounds, requests = QUICK_ROUNDS, QUICK_REQUESTS
    with keeping("access") as figures:
        figures += asyncio.run(collected(rounds, requests))


if __name__ == "__main__":
    main()

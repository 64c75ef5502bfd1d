"""What durability costs: hundreds and thousands of generations at once beside bare tasks.

The bare side makes a task for each generation: the same HTTP by the same client, looks at the same
moments, the same row updates, nothing that would outlive the process. Each runs in a process of its
own, in turn, on its own database, against the same provider (`bench.light_provider`).
CPU is that of the process; Postgres's is told apart. A round of everything takes ten minutes.

    .venv/bin/python -m bench.generations [load looks line restart] [--rounds 3] [--quick]
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import AsyncIterator, Callable

import uvloop

from bench.generations_place import Place, open_place, run_apart
from bench.generations_restart import restart
from bench.report import Figure, keeping
from bench.threads import ratio
from bench.transport import PATH, measure, raw_sockets, serving

PARTS = ("load", "looks", "line", "restart")
#: How many at once, and how many times the bare makespan that may take.
LOADS = {500: 1.10, 2000: 1.25}
CPU_GOAL, LOOK_GOAL, MEMORY_GOAL_MIB, RESTART_GOAL_S = 1.5, 3.0, 4.0, 2.0
WAITING, LOOKED_S, LOOK_EVERY_S = 2000, 15.0, 5.0
PEOPLE, EACH = 20, 20
JOB_S = 5.0
Took = dict[str, list[float]]


async def load(place: Place, rounds: int, loads: dict[int, float]) -> AsyncIterator[Figure]:
    """So many of 5 s at once; the third way also stores as ours does."""
    for count, goal in loads.items():
        took: Took = defaultdict(list)
        for _ in range(rounds):
            for way, module, words in (
                ("bare", "bench.generations_bare", (count,)),
                ("ours", "bench.generations_ours", ("load", count, 0)),
                ("storing", "bench.generations_bare", (count, "stores")),
            ):
                settings = place.settings(place.fresh_database())
                for name, value in (await run_apart(module, settings, *words)).items():
                    took[f"{way} {name}"].append(value)
        name = f"{count} of 5 s at once"
        own, bare = f"{name}: last completed", f"{name}, bare: last completed"
        yield Figure(name=own, unit="s", rounds=took["ours makespan_s"], beside=bare)
        yield Figure(name=bare, unit="s", rounds=took["bare makespan_s"])
        spans = took["ours makespan_s"], took["bare makespan_s"]
        yield ratio(f"{name}: makespan / bare", *spans, goal)
        yield Figure(name=f"{name}: last sent", unit="s", rounds=took["ours sent_s"])
        yield Figure(name=f"{name}: CPU", unit="s", rounds=took["ours cpu_s"])
        yield Figure(name=f"{name}, bare: CPU", unit="s", rounds=took["bare cpu_s"])
        yield ratio(f"{name}: CPU / bare", took["ours cpu_s"], took["bare cpu_s"], CPU_GOAL)
        yield ratio(f"{name}: CPU / bare that stores", took["ours cpu_s"], took["storing cpu_s"])
        for way in ("ours", "bare"):
            database = took[f"{way} database_cpu_s"]
            yield Figure(name=f"{name}, {way}: CPU of Postgres", unit="s", rounds=database)


async def looks(place: Place, rounds: int, count: int) -> AsyncIterator[Figure]:
    """Many that wait at the provider: what they weigh, and what a look at one costs."""
    took: Took = defaultdict(list)
    for _ in range(rounds):
        async with serving() as port, raw_sockets(f"http://127.0.0.1:{port}{PATH}") as poll:
            each_second = int(count / LOOK_EVERY_S)
            await measure(poll, each_second, 0.5)
            took["raw"].append((await measure(poll, each_second, LOOKED_S / 2)).cpu_ms)
        settings = place.settings(place.fresh_database())
        words = ("waiting", count, LOOKED_S)
        waited = await run_apart("bench.generations_ours", settings, *words)
        asked = LOOKED_S / LOOK_EVERY_S * count
        took["look"].append(waited["cpu_s"] / asked * 1000)
        took["memory"].append(waited["grown_mib"] / count * 1000)
    name = f"a look at one of {count:,} that wait, CPU"
    raw = "a look by raw sockets, CPU"
    yield Figure(name=name, unit="ms", rounds=took["look"], beside=raw)
    yield Figure(name=raw, unit="ms", rounds=took["raw"])
    yield ratio(f"{name} / raw sockets", took["look"], took["raw"], LOOK_GOAL)
    weight = "memory of 1,000 in flight"
    yield Figure(name=weight, unit="MiB", rounds=took["memory"], goal=MEMORY_GOAL_MIB)


async def line(place: Place, rounds: int, count: int) -> AsyncIterator[Figure]:
    """Many of twenty people, of whom each may have twenty at work: the line is passed on."""
    took: Took = defaultdict(list)
    for _ in range(rounds):
        settings = place.settings(place.fresh_database(), MAX_IN_FLIGHT_PER_USER=str(EACH))
        words = ("load", count, PEOPLE)
        for name, value in (await run_apart("bench.generations_ours", settings, *words)).items():
            took[name].append(value)
    name = f"{count:,} of {PEOPLE} people, {EACH} each at a time"
    best_s = [JOB_S * count / (PEOPLE * EACH)] * rounds
    yield Figure(name=f"{name}: last completed", unit="s", rounds=took["makespan_s"])
    yield ratio(f"{name}: makespan / best possible", took["makespan_s"], best_s)
    yield Figure(name=f"{name}: all accepted", unit="s", rounds=took["accepted_s"])
    yield Figure(name=f"{name}: CPU", unit="s", rounds=took["cpu_s"])
    yield Figure(name=f"{name}: CPU of Postgres", unit="s", rounds=took["database_cpu_s"])


async def restarts(place: Place, rounds: int, count: int) -> AsyncIterator[Figure]:
    """Kill -9 with a hundred at the provider."""
    took: Took = defaultdict(list)
    for _ in range(rounds):
        for name, value in (await restart(place)).items():
            took[name].append(value)
    name = "100 at work, kill -9, restart"
    last = took["beyond_need_s"]
    yield Figure(name=f"{name}: reachable again", unit="s", rounds=took["ready_s"])
    what = f"{name}: last result beyond the provider's need"
    yield Figure(name=what, unit="s", rounds=last, goal=RESTART_GOAL_S)
    yield Figure(name=f"{name}: longest of all", unit="s", rounds=took["longest_s"])
    yield Figure(name=f"{name}: jobs at the provider", unit="", rounds=took["jobs"])


async def collected(parts: list[str], rounds: int, *, quick: bool) -> list[Figure]:
    """All figures of these parts."""
    count = WAITING // 4 if quick else WAITING
    loads = {500: LOADS[500]} if quick else LOADS
    makers: dict[str, Callable[[Place], AsyncIterator[Figure]]] = {
        "load": lambda place: load(place, rounds, loads),
        "looks": lambda place: looks(place, rounds, count),
        "line": lambda place: line(place, rounds, count),
        "restart": lambda place: restarts(place, rounds, count),
    }
    async with open_place() as place:
        return [figure for part in parts async for figure in makers[part](place)]


def main() -> None:
    """Measure, show, keep."""
    parser = argparse.ArgumentParser(description="generations beside bare tasks")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="all by default")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="500 at once, one round")
    options = parser.parse_args()
    rounds = 1 if options.quick else options.rounds
    with keeping("generations") as figures:
        parts = options.parts or list(PARTS)
        figures += uvloop.run(collected(parts, rounds, quick=options.quick))


if __name__ == "__main__":
    main()

"""How soon the first words of an answer come, and what a thousand of them cost the server.

Kinora beside two bare Chainlits: the smallest app, which makes its words up, and one that asks the
same demo model by the same SDK. Kinora asks it too, and stores the thread, the question, the turn
and the answer in Postgres. All three run all the time and are asked in turn, by a socket without a
browser. The first words are those of short answers in new conversations; the CPU is that of the
server's process alone while a long answer comes at the pace of the demo model (20 words a second),
without the model's and without Postgres's; what it uses in as much time when nobody asks is told.

    .venv/bin/python -m bench.tokens [--words 300] [--rounds 3] [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from bench.bare import ASKING, SMALLEST, Running, serve_bare
from bench.memory import cpu_s
from bench.place import AS_A_PERSON, workplace
from bench.report import Figure, keeping
from bench.talk import talk_with
from emulators.brain.answer import SLOW_PAUSE_S
from tests.demo_process import start_demo
from tests.house import serve

QUICK_WORDS, QUICK_ROUNDS = 100, 2
SHORT_ANSWERS, SHORT_WORDS = 5, 3
PATIENCE_S = 30.0
IDLE_S = 10.0
FIRST_GOAL, CPU_GOAL = 1.0, 0.8
OURS, BARE, BARE_ASKING = "ours", "bare", "bare, same model"
Measured = dict[str, dict[str, list[float]]]


@asynccontextmanager
async def serve_ours(data_dir: Path, demo_url: str) -> AsyncIterator[Running]:
    """Kinora, as a person starts it."""
    async with serve(data_dir, DEMO_BASE_URL=demo_url, **AS_A_PERSON) as served:
        yield Running(url=served.url, pid=served.process.pid)


async def first_words_ms(server: Running) -> float:
    """From a message to the first words of its answer, in a conversation that begins with it."""
    async with talk_with(server.url) as talk:
        answered = await talk.say(f"[[slow: {SHORT_WORDS} words]]", PATIENCE_S)
    if answered.first_s is None:
        raise RuntimeError(f"{server.url} said nothing")
    return answered.first_s * 1000


async def long_answer(server: Running, words: int) -> tuple[float, float]:
    """CPU seconds for a thousand words, and in how many pieces those came."""
    async with talk_with(server.url) as talk:
        before = cpu_s(server.pid)
        answered = await talk.say(f"[[slow: {words} words]]", PATIENCE_S + words * SLOW_PAUSE_S * 3)
        used_s = cpu_s(server.pid) - before
    if answered.words != words:
        raise RuntimeError(f"{answered.words} of {words} words have come from {server.url}")
    return used_s * 1000 / words, answered.events * 1000 / words


async def idle_cpu_s(server: Running) -> float:
    """CPU seconds it uses unasked, in as much time as a thousand words take."""
    before, began = cpu_s(server.pid), time.perf_counter()
    await asyncio.sleep(IDLE_S)
    share = (cpu_s(server.pid) - before) / (time.perf_counter() - began)
    return share * 1000 * SLOW_PAUSE_S


async def measure(words: int, rounds: int) -> list[Figure]:
    """Start all three, warm them up, and ask them in turn."""
    took: Measured = defaultdict(lambda: defaultdict(list))
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(workplace())
        demo = await stack.enter_async_context(start_demo(folder / "demo"))
        servers = {
            OURS: await stack.enter_async_context(serve_ours(folder / "data", demo.url)),
            BARE: await stack.enter_async_context(serve_bare(folder / "bare", SMALLEST)),
            BARE_ASKING: await stack.enter_async_context(
                serve_bare(folder / "asking", ASKING.format(url=demo.url))
            ),
        }
        for name, server in servers.items():
            await first_words_ms(server)
            took[name]["idle"].append(await idle_cpu_s(server))
        for _ in range(rounds):
            for name, server in servers.items():
                firsts = [await first_words_ms(server) for _ in range(SHORT_ANSWERS)]
                used_s, pieces = await long_answer(server, words)
                took[name]["first"].append(statistics.median(firsts))
                took[name]["cpu"].append(used_s)
                took[name]["pieces"].append(pieces)
    return list(figures_of(took))


def figures_of(took: Measured) -> Iterator[Figure]:
    """What each took, and ours as a multiple of the others'."""
    for what, name, unit, goal in (
        ("first", "message to first words", "ms", FIRST_GOAL),
        ("cpu", "CPU for 1,000 words", "s", CPU_GOAL),
    ):
        for who, its in took.items():
            yield Figure(name=f"{name}: {who}", unit=unit, rounds=its[what])
        for who in (BARE, BARE_ASKING):
            pairs = zip(took[OURS][what], took[who][what], strict=True)
            yield Figure(
                name=f"{name}: ours / {who}",
                unit="x",
                rounds=[own / other for own, other in pairs],
                goal=goal if who == BARE else None,
            )
    for what, name, unit in (
        ("pieces", "pieces for 1,000 words", ""),
        ("idle", "CPU in as much time, idle", "s"),
    ):
        for who, its in took.items():
            yield Figure(name=f"{name}: {who}", unit=unit, rounds=its[what])


def main() -> None:
    """Measure, show, keep."""
    parser = argparse.ArgumentParser(description="first words, and CPU for a thousand of them")
    parser.add_argument("--words", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help=f"answers of {QUICK_WORDS} words")
    options = parser.parse_args()
    words, rounds = options.words, options.rounds
    if options.quick:
        words, rounds = QUICK_WORDS, QUICK_ROUNDS
    with keeping("tokens") as figures:
        figures += asyncio.run(measure(words, rounds))


if __name__ == "__main__":
    main()

"""How soon a person can type, and whether somebody else's page load makes an answer stutter.

Kinora and the stock server with the smallest app take turns, each in a fresh process. A page is
usable when text can be typed and sent. An answer of words at an even pace comes by the socket: the
largest gap between two of them says how long the server's loop stood still.

    .venv/bin/python -m bench.page [--rounds 3]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, fields
from pathlib import Path

from playwright.async_api import Browser

from bench.browser import open_browser
from bench.place import workplace
from bench.report import Figure, keeping
from bench.stock import serve_stock
from bench.visit import fetch_page
from emulators.brain.answer import SLOW_PAUSE_S
from settings import child_environment
from tests.house import serve
from tests.journeys.conftest import new_visit

WORDS = 80
#: What both are asked; the stock app answers anything so.
QUESTION = f"[[slow: {WORDS} words]]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one server did in one round; the page loads are missing without a browser."""

    first_load_s: float | None
    second_load_s: float | None
    gap_alone_ms: float
    gap_at_fetch_ms: float
    gap_at_load_ms: float | None


NAMES = {
    "first_load_s": "first load of a fresh server",
    "second_load_s": "second load, same browser",
    "gap_alone_ms": "largest gap, nothing else",
    "gap_at_fetch_ms": "largest gap, page fetched",
    "gap_at_load_ms": "largest gap, browser's first load",
}


async def load_twice(browser: Browser, url: str) -> tuple[float, float]:
    """Open the page in a new browser profile, and once more in another tab of it."""
    async with new_visit(browser, url) as visit:
        began = time.perf_counter()
        await visit.open()
        first_s = time.perf_counter() - began
        visit.page = await visit.context.new_page()
        began = time.perf_counter()
        await visit.open()
        return first_s, time.perf_counter() - began


async def load_once(browser: Browser, url: str) -> None:
    """Open the page in a new browser profile."""
    async with new_visit(browser, url) as visit:
        await visit.open()


async def largest_gap_ms(url: str, meanwhile: Callable[[], Awaitable[object]] | None) -> float:
    """Listen to an answer while something else happens; how long it paused at most."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.visit", url, QUESTION),
        env=child_environment(),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    await process.stdout.readline()
    if meanwhile is not None:
        await meanwhile()
    said, _ = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"no answer from {url}")
    moments = json.loads(said)
    if len(moments) < WORDS - 1:  # the first word may come with the message itself
        raise RuntimeError(f"{len(moments)} pieces of {WORDS} words have come from {url}")
    return max(later - one for one, later in zip(moments, moments[1:], strict=False)) * 1000


async def look_at(
    start: Callable[[], AbstractAsyncContextManager[str]], browser: Browser | None
) -> Seen:
    """Measure one server: its loads in one life, its answers in the next."""
    first_s = second_s = gap_at_load_ms = None
    if browser is not None:
        async with start() as url:
            first_s, second_s = await load_twice(browser, url)
    async with start() as url:
        alone_ms = await largest_gap_ms(url, None)
        if browser is not None:
            gap_at_load_ms = await largest_gap_ms(url, lambda: load_once(browser, url))
        return Seen(
            first_load_s=first_s,
            second_load_s=second_s,
            gap_alone_ms=alone_ms,
            gap_at_fetch_ms=await largest_gap_ms(url, lambda: fetch_page(url)),
            gap_at_load_ms=gap_at_load_ms,
        )


@contextlib.asynccontextmanager
async def start_ours(data_dir: Path) -> AsyncIterator[str]:
    """Kinora, as a person starts it."""
    async with serve(data_dir) as served:
        yield served.url


async def measure(rounds: int) -> list[Figure]:
    """Let both take turns."""
    async with open_browser() as browser:
        with workplace() as folder:
            ours: list[Seen] = []
            stock: list[Seen] = []
            for _ in range(rounds):
                stock.append(
                    await look_at(
                        lambda: serve_stock(folder / "stock", WORDS, SLOW_PAUSE_S), browser
                    )
                )
                ours.append(await look_at(lambda: start_ours(folder / "data"), browser))
    return [*figures_of(ours, stock)]


def figures_of(ours: list[Seen], stock: list[Seen]) -> list[Figure]:
    """Each of ours, and beside it the stock server's."""
    figures = []
    for field in fields(Seen):
        name, unit = NAMES[field.name], field.name.rpartition("_")[2]
        for who, all_ in (("ours", ours), ("stock", stock)):
            rounds = [value for seen in all_ if (value := getattr(seen, field.name)) is not None]
            if rounds:
                beside = f"{name}: stock" if who == "ours" else None
                figures.append(
                    Figure(name=f"{name}: {who}", unit=unit, rounds=rounds, beside=beside)
                )
    return figures


def main() -> None:
    """Measure, show, keep."""
    parser = argparse.ArgumentParser(description="page loads, and answers while a page loads")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with keeping("page") as figures:
        figures += asyncio.run(measure(options.rounds))


if __name__ == "__main__":
    main()

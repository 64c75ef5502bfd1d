"""How soon a person can type, and whether somebody else's page load makes an answer stutter.

Kinora and the stock server with the smallest app take turns, each in a fresh process. A page is
usable when text can be typed and sent. An answer of words at an even pace comes by the socket, ours
in somewhat larger pieces; what tells more is how long the server took for a trifle meanwhile, since
that is how long its loop stood still. The browser gets left-over CPU time only, as if it were
somebody else's machine; on two cores some of it shows all the same.

    .venv/bin/python -m bench.page [--rounds 3]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from playwright.async_api import Browser

from bench.browser import open_browser
from bench.place import AS_A_PERSON, workplace
from bench.report import Figure, keeping
from bench.stock import serve_stock
from bench.visit import Heard, fetch_page
from emulators.brain.answer import SLOW_PAUSE_S
from settings import child_environment
from tests.house import serve
from tests.journeys.conftest import new_visit

WORDS = 80
PIECES_MIN = WORDS // 4
#: What both are asked; the stock app answers anything so.
QUESTION = f"[[slow: {WORDS} words]]"
Start = Callable[[], AbstractAsyncContextManager[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stutter:
    """How unevenly one answer came."""

    longest_pause_ms: float
    longest_wait_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one server did in one round; what needs a browser is missing without one."""

    loads_s: dict[str, float]
    answers: dict[str, Stutter]


async def load_twice(browser: Browser, url: str) -> dict[str, float]:
    """Open the page in a new browser profile, and once more in another tab of it."""
    took_s = {}
    async with new_visit(browser, url) as visit:
        for which in ("first load", "second load"):
            began = time.perf_counter()
            await visit.open()
            took_s[which] = time.perf_counter() - began
            visit.page = await visit.context.new_page()
    return took_s


async def load_once(browser: Browser, url: str) -> None:
    """Open the page in a new browser profile."""
    async with new_visit(browser, url) as visit:
        await visit.open()


async def listen(url: str, meanwhile: Callable[[], Awaitable[object]]) -> Stutter:
    """Listen to an answer while something else happens."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.visit", url, QUESTION),
        env=child_environment(),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    await process.stdout.readline()
    await meanwhile()
    said, _ = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"no answer from {url}")
    heard = Heard(**json.loads(said))
    if len(heard.pieces) < PIECES_MIN:
        raise RuntimeError(f"{len(heard.pieces)} pieces of {WORDS} words have come from {url}")
    pauses = (later - one for one, later in zip(heard.pieces, heard.pieces[1:], strict=False))
    return Stutter(longest_pause_ms=max(pauses) * 1000, longest_wait_ms=max(heard.waits) * 1000)


async def look_at(start: Start, browser: Browser | None, polite: Browser | None) -> Seen:
    """Measure one server: its loads in one life, its answers in the next."""
    loads_s: dict[str, float] = {}
    if browser is not None:
        async with start() as url:
            loads_s = await load_twice(browser, url)
    async with start() as url:
        answers = {"nothing else": await listen(url, nothing)}
        if polite is not None:
            for which in ("first browser", "second browser"):
                answers[which] = await listen(url, partial(load_once, polite, url))
        answers["files fetched"] = await listen(url, partial(fetch_page, url))
    return Seen(loads_s=loads_s, answers=answers)


async def nothing() -> None:
    """Let the answer alone."""


@contextlib.asynccontextmanager
async def start_ours(data_dir: Path) -> AsyncIterator[str]:
    """Kinora, as a person starts it."""
    async with serve(data_dir, **AS_A_PERSON) as served:
        yield served.url


async def measure(rounds: int) -> list[Figure]:
    """Let both take turns."""
    seen: dict[str, list[Seen]] = {"ours": [], "stock": []}
    with workplace() as folder:
        starts: dict[str, Start] = {
            "stock": partial(serve_stock, folder / "stock", WORDS, SLOW_PAUSE_S),
            "ours": partial(start_ours, folder / "data"),
        }
        async with open_browser() as browser, open_browser(polite_in=folder) as polite:
            for _ in range(rounds):
                for who, start in starts.items():
                    seen[who].append(await look_at(start, browser, polite))
    return list(figures_of(seen))


def figures_of(seen: dict[str, list[Seen]]) -> Iterator[Figure]:
    """Each of ours, and beside it the stock server's."""
    measured = {
        who: [
            {f"page usable, {which}": (took, "s") for which, took in one.loads_s.items()}
            | {f"longest wait, {w}": (s.longest_wait_ms, "ms") for w, s in one.answers.items()}
            | {f"longest pause, {w}": (s.longest_pause_ms, "ms") for w, s in one.answers.items()}
            for one in all_
        ]
        for who, all_ in seen.items()
    }
    for name, (_, unit) in measured["ours"][0].items():
        for who, rounds in measured.items():
            yield Figure(
                name=f"{name}: {who}",
                unit=unit,
                rounds=[one[name][0] for one in rounds],
                beside=f"{name}: stock" if who == "ours" else None,
            )


def main() -> None:
    """Measure, show, keep."""
    parser = argparse.ArgumentParser(description="page loads, and answers while a page loads")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with keeping("page") as figures:
        figures += asyncio.run(measure(options.rounds))


if __name__ == "__main__":
    main()

"""A worker: drives generations and answers nobody. As many as one likes stand beside the servers,
on any machine that reaches the database and the files.

It reads the same settings as a server. Two things differ: it drives whatever WORKER says, since
that is for the servers which share its `.env`; and when its background work ends by a mistake it
ends too, since nobody could ask it for its health.
"""

from __future__ import annotations

import asyncio
import signal
import sys

import structlog
import uvloop

from command import leave, one_line_errors
from logs import configure_logging
from runtime import Runtime, open_runtime
from settings import Loaded, load

log = structlog.get_logger(__name__)

#: Nobody can ask a worker for its figures, so it logs them.
FIGURES_EVERY_S = 60.0
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Orders:
    """What the signals have said: the first hands everything over, the second waits for nothing."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self._runtime: Runtime | None = None
        self._loop = asyncio.get_running_loop()
        for number in SIGNALS:
            self._loop.add_signal_handler(number, self._hear)

    def concern(self, runtime: Runtime) -> None:
        """The runtime is open; a signal that came before counts."""
        self._runtime = runtime
        if self.stop.is_set():
            runtime.drain()

    def _hear(self) -> None:
        if self._runtime is None:
            # Still opening; the second one ends the process as it would any other.
            for number in SIGNALS:
                self._loop.remove_signal_handler(number)
        elif self.stop.is_set():
            self._runtime.hurry()
        else:
            self._runtime.drain()
        self.stop.set()


async def work(loaded: Loaded) -> int:
    """Drive generations until a signal comes; the process's exit code."""
    orders = Orders()
    async with open_runtime(loaded, is_worker=True) as runtime:
        orders.concern(runtime)
        if not orders.stop.is_set():
            say_what_it_is(runtime)
        await until_it_ends(runtime, orders.stop)
        broken = runtime.broken.is_set()
    log.info("worker ended", code=int(broken), **runtime.meters.totals())
    return int(broken)


async def until_it_ends(runtime: Runtime, stop: asyncio.Event) -> None:
    """Return when a signal has come or nothing works any more; log the figures meanwhile."""
    ends = [asyncio.create_task(event.wait()) for event in (stop, runtime.broken)]
    try:
        while not (
            await asyncio.wait(ends, timeout=FIGURES_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
        )[0]:
            log.info("worker at work", **runtime.meters.totals())
    finally:
        for end in ends:
            end.cancel()


def say_what_it_is(runtime: Runtime) -> None:
    """A line for each thing that a person at the terminal wants to know, or one for a machine."""
    loaded, painters = runtime.loaded, runtime.in_use()
    if loaded.settings.log_format == "json":
        log.info("worker ready", painters=painters, not_used=loaded.ignored)
        return
    lines = [
        "",
        "  Kinora's worker is ready: it drives generations and has no page (Ctrl-C ends it)",
        *(f"  painter:          {p['label']} ({p['source']})" for p in painters),
        *(f"  not used:         {name} (a later version's)" for name in loaded.ignored),
        "",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Read the settings, work, end."""
    with one_line_errors():
        loaded = load()
        configure_logging(loaded.settings.log_format)
        leave(uvloop.run(work(loaded)))


if __name__ == "__main__":
    main()

"""The laboratory: houses that die, a client that asks until it is answered, and the account."""

from __future__ import annotations

import asyncio
import functools
import itertools
import random
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.demo_process import Demo
from tests.durability.account import Account, account
from tests.durability.book import Book
from tests.durability.processes import Ended, House, Supervised, start_house
from tests.durability.routes import Route, settings_for
from tests.journeys.cards import outage

FOX = "a red fox"
ASK_S = 180.0
SETTLE_S = 60.0


@dataclass(kw_only=True)
class Lab:
    """Houses on one database and one folder, and what was accepted in them, by key."""

    book: Book
    demo: Demo
    folder: Path
    route: Route
    settings: dict[str, str]
    constants: dict[str, Any] = field(default_factory=dict)
    acknowledged: dict[str, str] = field(default_factory=dict)
    jobs_before: frozenset[str] = frozenset()
    provider_url: str = ""
    #: Each order has a seed of its own: that tells whose job it is where no key says so.
    first_seed: int = field(default_factory=lambda: random.randrange(1, 2_000_000) * 1000)
    opened: list[Supervised | House] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    async def open(self) -> None:
        """Note what the provider has done before."""
        self.provider_url = self.provider_url or self.demo.url
        pages = (await self.demo.client.get("/_ledger")).json()["unkeyed"]
        self.jobs_before = frozenset(job["id"] for page in pages for job in page["jobs"])

    async def close(self) -> None:
        """End every house."""
        await asyncio.gather(*(one.close() for one in self.opened))

    def how(self) -> dict[str, Any]:
        """What a house is started with."""
        settings = settings_for(self.folder, self.provider_url)
        more = {"MAX_IN_FLIGHT_PER_USER": "0", **settings, **self.settings}
        return {
            "database_url": self.book.url,
            "demo_url": self.provider_url,
            "folder": str(self.folder),
            "settings": more,
            "constants": self.constants,
        }

    async def supervised(self, **environ: str) -> Supervised:
        """A house that is started again whenever it dies; the environment is the first life's."""
        return await self.supervise(functools.partial(start_house, self.how()), **environ)

    async def supervise(self, start: Callable[..., Awaitable[House]], **environ: str) -> Supervised:
        """The same for what is started in another way."""
        one = Supervised(start, **environ)
        self.opened.append(one)
        await one.open()
        return one

    async def begin(self, **environ: str) -> House:
        """A house that has just been started, with one life."""
        one = await start_house(self.how(), **environ)
        self.opened.append(one)
        return one

    async def house(self, **environ: str) -> House:
        """A house that is ready, with one life."""
        one = await self.begin(**environ)
        assert await one.until_ready(), "\n".join(one.lines)
        return one

    async def ask(
        self, how_many: int, *doors: Supervised | House, route: Route | None = None
    ) -> list[str]:
        """Ask for so many pictures at once, each until it is acknowledged; their ids."""
        asked = (self.ask_for(FOX, doors[n % len(doors)], route) for n in range(how_many))
        async with asyncio.timeout(ASK_S):
            return list(await asyncio.gather(*asked))

    async def ask_for(
        self, prompt: str, door: Supervised | House, route: Route | None = None
    ) -> str:
        """Ask for a picture until that is acknowledged; its id."""
        number = next(self.numbers)
        key = f"order-{number}"
        order = {
            "key": key,
            "prompt": prompt,
            "model": (route or self.route).model,
            "seed": self.first_seed + number,
        }
        while True:
            house = await door.ready() if isinstance(door, Supervised) else door
            try:
                generation_id = await house.order(**order)
            except Ended:
                # As a client does it: again, with the same key, a little later.
                await outage(0.05)
                continue
            self.acknowledged[key] = generation_id
            return generation_id

    @property
    def ids(self) -> list[str]:
        """Everything that was acknowledged."""
        return list(self.acknowledged.values())

    async def settled(self, within_s: float = SETTLE_S) -> Account:
        """Wait until all that was acknowledged is settled; the account."""
        await self.book.settled(self.ids, within_s)
        return await account(
            self.book,
            self.demo,
            self.folder / "files",
            self.acknowledged,
            jobs_before=self.jobs_before,
        )


def tell(what: str, **figures: Any) -> None:
    """One line of figures, seen with `-rP`."""
    words = (f"{name} {_short(value)}" for name, value in figures.items())
    sys.stdout.write(f"{what}: {', '.join(words)}\n")


def _short(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def p50_p95(seconds: Sequence[float]) -> dict[str, float]:
    """Of sorted figures."""
    return {
        "p50_s": seconds[len(seconds) // 2],
        "p95_s": seconds[min(len(seconds) - 1, int(len(seconds) * 0.95))],
    }

"""A served house with every company switched on, and the book of the one emulator behind them."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import psycopg
from PIL import Image

from tests.demo_process import Demo
from tests.house import Served, free_port, serve
from tests.providers.conformance import COMPANIES, Company

Reading = dict[str, Any]

WITHIN_S = 25.0
LOOK_S = 0.02  # from one look into a book to the next
SETTLED = ("completed", "failed", "cancelled", "unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A served house with every company switched on, the emulator behind all of them, and what the
    emulator had in its book before each generation.
    """

    served: Served
    demo: Demo
    database_url: str
    before: dict[str, set[str]] = field(default_factory=dict)

    async def begin(self, company: Company, mark: str = "", suffix: str = "", **more: Any) -> str:
        """Ask for a fox; returns the generation's id."""
        known = set() if company.is_named else set(await self._unnamed())
        wanted = {"prompt": f"a red fox {mark}".strip(), "model": f"{company.name}{suffix}", **more}
        answer = await self.served.client.post(f"/api/tools/generate_{company.kind}", json=wanted)
        assert answer.status_code == 202, answer.text
        generation_id = str(answer.json()["id"])
        self.before[generation_id] = known
        return generation_id

    async def until(self, generation_id: str, is_true: Callable[[Reading], bool]) -> Reading:
        """The first reading of which this is true; fails when it is settled before."""
        url = f"/api/generations/{generation_id}/events"
        reading: Reading = {"status": None, "error": None}
        async with asyncio.timeout(WITHIN_S), self.served.client.stream("GET", url) as events:
            async for line in events.aiter_lines():
                if line.startswith("data:"):
                    reading = json.loads(line.removeprefix("data:"))
                    if is_true(reading):
                        return reading
        raise AssertionError(f"it ended as {reading['status']}: {reading['error']}")

    async def ended(self, generation_id: str) -> Reading:
        """The generation once it is settled."""
        return await self.until(generation_id, lambda reading: reading["status"] in SETTLED)

    async def made(self, generation_id: str) -> Reading:
        """The generation, which is completed in the end."""
        done = await self.ended(generation_id)
        assert done["status"] == "completed", done["error"]
        return done

    async def cancel(self, generation_id: str) -> None:
        answer = await self.served.client.post(f"/api/generations/{generation_id}/cancel")
        assert answer.is_success, answer.text

    async def book(
        self, company: Company, generation_id: str, is_true: Callable[[Reading], bool] = bool
    ) -> Reading:
        """The emulator's page about a generation, as soon as this is true of it."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                if company.is_named:
                    page: Reading | None = await self.demo.ledger(generation_id)
                else:
                    pages = await self._unnamed()
                    new = set(pages) - self.before[generation_id]
                    assert len(new) <= 1, "somebody else asks at the same time"
                    page = pages[new.pop()] if new else None
                if page and is_true(page):
                    return page
                await asyncio.sleep(LOOK_S)

    async def accepted(self, company: Company, generation_id: str, status: str) -> None:
        """Return when its one job stands so at the provider."""
        await self.book(company, generation_id, lambda page: standing(page) == status)

    async def _unnamed(self) -> dict[str, Reading]:
        book = (await self.demo.client.get("/_ledger")).json()["unkeyed"]
        return {page["jobs"][0]["id"]: page for page in book}

    async def sizes(self, done: Reading) -> list[tuple[int, int]]:
        """The sizes of what was made, each decoded to its end."""
        files = [await self.served.client.get(asset["url"]) for asset in done["assets"]]
        assert all(file.status_code == 200 for file in files)
        return [decoded(file.content, done["kind"]) for file in files]

    def forget_pauses(self) -> None:
        """Let every company be asked again."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute("delete from kinora.provider_pauses")


def standing(page: Reading) -> str | None:
    """The status of the newest job of a page."""
    jobs = page.get("jobs")
    return jobs[-1]["status"] if jobs else None


def decoded(content: bytes, kind: str) -> tuple[int, int]:
    """Width and height of a picture or a film, all of which can be read."""
    if kind == "image":
        with Image.open(io.BytesIO(content)) as picture:
            picture.load()
            return picture.size
    with av.open(io.BytesIO(content), "r") as film:
        (*_, last) = film.decode(video=0)
        return last.width, last.height


@asynccontextmanager
async def stage(demo: Demo, database_url: str, folder: Path) -> AsyncIterator[Stage]:
    """Serve a house that has every company, all of them at the one emulator."""
    models, port = folder / "models.toml", str(free_port())
    models.write_text("".join(company.models() for company in COMPANIES), "utf-8")
    there = {name: value for company in COMPANIES for name, value in company.settings.items()}
    settings = {
        **{name: f"{demo.url}{v}" if name.endswith("_URL") else v for name, v in there.items()},
        "PORT": port,
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "DATABASE_URL": database_url,
        "DEMO_BASE_URL": demo.url,
        "MODELS_FILE": str(models),
        "REQUESTS_PER_MINUTE": "0",
        "MAX_IN_FLIGHT_PER_USER": "0",
    }
    async with serve(folder / "data", **settings) as served:
        yield Stage(served=served, demo=demo, database_url=database_url)

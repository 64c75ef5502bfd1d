"""The MCP door with its own clock turned: the end of a wait, of the server's time, of a page; and a
tool that was added.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from mcp.shared.exceptions import McpError

from api.mcp_door import calls, resources
from api.mcp_door.progress import ordinal, words_of
from runtime import Runtime
from tests.api.mcp_clients import (
    QUICK,
    Heard,
    links,
    mcp_session,
    pictures,
    refusal,
    serve_here,
    structured,
)
from tests.demo_process import Demo
from tests.house import open_house
from tests.proxy import wire_to
from tools import registry


@dataclass(frozen=True, slots=True)
class Here:
    """The door in this process."""

    runtime: Runtime
    url: str


@pytest.fixture
async def here(database_url: str, calm_demo: Demo, tmp_path: Path) -> AsyncIterator[Here]:
    async with (
        open_house(database_url, calm_demo.url, tmp_path / "data") as runtime,
        serve_here(runtime) as url,
    ):
        yield Here(runtime, url)


async def test_a_wait_that_is_over_answers_with_the_unfinished_generation(
    here: Here, calm_demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert calls.WAIT_S == 50
    monkeypatch.setattr(calls, "WAIT_S", 1.0)
    await calm_demo.hold(True)
    heard = Heard()
    async with asyncio.timeout(15), mcp_session(here.url) as session:
        result = await session.call_tool("generate_image", QUICK, progress_callback=heard)
    assert not result.isError
    reading = structured(result)
    assert reading["status"] in ("queued", "submitting", "in_progress")
    assert heard.amounts == sorted(set(heard.amounts))
    assert not pictures(result)
    [link] = links(result)
    assert str(link.uri) == f"kinora://generations/{reading['id']}"


async def test_a_wait_ends_when_the_server_does(here: Here, calm_demo: Demo) -> None:
    await calm_demo.hold(True)
    heard = Heard()
    async with asyncio.timeout(15), mcp_session(here.url) as session:
        calling = asyncio.create_task(
            session.call_tool("generate_image", QUICK, progress_callback=heard)
        )
        await heard.first.wait()
        here.runtime.drain()
        result = await calling
    assert structured(result)["finished_at"] is None


async def test_resources_come_in_pages(
    here: Here, calm_demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    await calm_demo.hold(True)
    monkeypatch.setattr(resources, "PAGE", 2)
    async with mcp_session(here.url) as session:
        made = [
            structured(await session.call_tool("generate_image", QUICK))["resource_uri"]
            for _ in range(3)
        ]
        first = await session.list_resources()
        assert first.nextCursor is not None
        second = await session.list_resources(cursor=first.nextCursor)
        assert second.nextCursor is None
        found = [str(one.uri) for one in (*first.resources, *second.resources)]
        assert found == made[::-1]


async def test_a_tool_that_is_added_to_the_list_is_at_the_door(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = replace(registry.find("list_models"), name="count_models")
    monkeypatch.setattr(registry, "TOOLS", (*registry.TOOLS, added))
    async with mcp_session(here.url) as session:
        told = (await session.list_tools()).tools[-1]
        assert (told.name, told.title) == ("count_models", "Count models")
        assert structured(await session.call_tool("count_models", {}))["data"]


async def test_what_was_started_is_told_even_when_the_database_goes(
    database_url: str, calm_demo: Demo, tmp_path: Path
) -> None:
    """Told that it failed, a model would start it, and pay, again."""
    await calm_demo.hold(True)
    async with (
        wire_to(database_url, tmp_path) as wire,
        open_house(wire.url, calm_demo.url, tmp_path / "data") as runtime,
        serve_here(runtime) as url,
        asyncio.timeout(30),
        mcp_session(url) as session,
    ):
        heard = Heard()
        calling = asyncio.create_task(
            session.call_tool("generate_image", QUICK, progress_callback=heard)
        )
        await heard.first.wait()
        wire.cut()
        result = await calling
        assert not result.isError
        started = structured(result)
        assert refusal(await session.call_tool("list_generations", {}))["code"] == "unavailable"
        with pytest.raises(McpError, match="cannot be reached"):
            await session.list_resources()
        wire.mend()
        named = {"generation": started["id"]}
        assert structured(await session.call_tool("get_generation", named))["id"] == started["id"]


async def test_a_mistake_of_ours_is_answered_without_its_insides(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the stream has begun: a client whose stream merely ended would go on waiting."""

    async def stumble(*_: object) -> dict[str, Any]:
        raise LookupError("insides")

    broken = replace(registry.find("list_models"), name="stumble", run=stumble)
    monkeypatch.setattr(registry, "TOOLS", (*registry.TOOLS, broken))
    async with asyncio.timeout(15), mcp_session(here.url) as session:
        for heard in (None, Heard()):
            with pytest.raises(McpError) as told:
                await session.call_tool("stumble", {}, progress_callback=heard)
            assert told.value.error.code == -32603
            assert "insides" not in str(told.value.error)


@pytest.mark.parametrize(
    ("status", "progress", "place", "words"),
    [
        ("queued", None, None, "in line"),
        ("queued", None, 3, "in line, 3rd"),
        ("submitting", None, None, "being sent"),
        ("in_progress", 0.42, None, "painting 42 %"),
        ("in_progress", None, None, "painting"),
        ("storing", 1.0, None, "being stored"),
        ("failed", 0.5, None, "failed"),
    ],
)
def test_progress_is_told_in_a_few_words(
    status: str, progress: float | None, place: int | None, words: str
) -> None:
    reading = {"status": status, "progress": progress, "queue_position": place, "kind": "image"}
    assert words_of(reading) == words


def test_places_in_line_are_counted_as_people_count() -> None:
    counted = [ordinal(number) for number in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111)]
    assert counted == "1st 2nd 3rd 4th 11th 12th 13th 21st 102nd 111th".split()

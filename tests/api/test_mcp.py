"""The MCP door in local mode, by the official client: every tool, waiting, pictures, films."""

from __future__ import annotations

import asyncio
import json
import time
from io import BytesIO

import httpx
from mcp.types import TextResourceContents

from api.mcp_door.pictures import BYTES_MAX
from db.films import inspect_film
from tests.api.mcp_clients import (
    BOTH,
    DOOR,
    QUICK,
    QUICK_FILM,
    Heard,
    links,
    mcp_session,
    message,
    pictures,
    structured,
)
from tests.demo_process import Demo
from tests.house import Served
from tools import registry


async def test_the_tools_are_the_one_list_with_titles_hints_and_schemas(server: Served) -> None:
    over_http = (await server.client.get("/api/tools")).json()["tools"]
    async with mcp_session(server.url) as session:
        listed = (await session.list_tools()).tools
    assert [
        {"name": one.name, "description": one.description, "parameters": one.inputSchema}
        for one in listed
    ] == [tool["function"] for tool in over_http]
    hints = {one.name: one.annotations for one in listed}
    for one, tool in zip(listed, registry.TOOLS, strict=True):
        assert one.outputSchema is not None
        assert one.outputSchema["type"] == "object"
        assert one.title
        told = hints[one.name]
        assert told is not None
        assert told.readOnlyHint is (tool.scope == "read")
        assert told.destructiveHint is (one.name == "cancel_generation")
        assert told.idempotentHint is not tool.starts
        assert told.openWorldHint is (tool.scope == "generate")


async def test_every_tool_can_be_called(server: Served, calm_demo: Demo) -> None:
    """The client checks every answer against the tool's output schema and raises if it is off."""
    heard = Heard()
    async with mcp_session(server.url) as session:
        painted = structured(
            await session.call_tool("generate_image", QUICK, progress_callback=heard)
        )
        edit = {**QUICK, "image": painted["id"]}
        edited = structured(await session.call_tool("edit_image", edit, progress_callback=heard))
        film = structured(
            await session.call_tool("generate_video", QUICK_FILM, progress_callback=heard)
        )
        assert [one["status"] for one in (painted, edited, film)] == ["completed"] * 3
        named = {"generation": painted["id"]}
        got = structured(await session.call_tool("get_generation", named))
        assert got["assets"][0]["id"] == painted["assets"][0]["id"]
        listed = structured(await session.call_tool("list_generations", {"limit": 3}))
        assert {one["id"] for one in listed["data"]} == {painted["id"], edited["id"], film["id"]}
        await calm_demo.hold(True)
        held = structured(await session.call_tool("generate_image", QUICK))
        await calm_demo.until(held["id"], "submits:1")
        stopped = {"generation": held["id"]}
        cancelled = structured(await session.call_tool("cancel_generation", stopped))
        assert cancelled["cancel_requested_at"]
        over = await server.client.get(f"/api/generations/{held['id']}", params={"wait": 20})
        assert over.json()["status"] == "cancelled"
        await calm_demo.hold(False)
        again = structured(
            await session.call_tool("retry_generation", stopped, progress_callback=heard)
        )
        assert (again["status"], again["attempt"]) == ("completed", 2)
        models = structured(await session.call_tool("list_models", {"kind": "video"}))
        assert "demo-video-quick" in [model["id"] for model in models["data"]]
    called = "generate_image edit_image generate_video get_generation list_generations "
    called += "cancel_generation retry_generation list_models"
    assert set(called.split()) == {tool.name for tool in registry.TOOLS}


async def test_a_picture_comes_scaled_beside_links_to_the_whole(
    server: Served, calm_demo: Demo
) -> None:
    wanted = {**QUICK, "size": "1600x800", "n": 2}
    async with mcp_session(server.url) as session:
        result = await session.call_tool("generate_image", wanted, progress_callback=Heard())
    reading = structured(result)
    assert [image.size for image in pictures(result)] == [(1024, 512)] * 2
    whole = [(one["url"], one["media_type"]) for one in reading["assets"]]
    assert [(str(link.uri), link.mimeType) for link in links(result)] == whole
    encoded = [one.data for one in result.content if one.type == "image"]
    assert sum(map(len, encoded)) < BYTES_MAX * 4 / 3 + 8
    async with httpx.AsyncClient(trust_env=False) as anybody:
        for asset in reading["assets"]:
            assert asset["url"].startswith(f"{server.url}/media/")
            opened = await anybody.get(asset["url"])
            assert (opened.status_code, len(opened.content)) == (200, asset["size_bytes"])


async def test_a_film_comes_as_a_link_and_a_still_after_rising_progress(
    server: Served, calm_demo: Demo
) -> None:
    heard = Heard()
    async with mcp_session(server.url) as session:
        began = time.monotonic()
        result = await session.call_tool("generate_video", QUICK_FILM, progress_callback=heard)
        assert time.monotonic() - began < 50
    assert not result.isError
    assert heard.amounts == sorted(set(heard.amounts))
    assert heard.amounts[0] == 0
    assert heard.amounts[-1] == 1
    assert heard.words[0] == "in line"
    assert "filming" in " ".join(heard.words)
    assert heard.words[-1] == "completed"
    [link] = links(result)
    assert link.mimeType == "video/mp4"
    [still] = pictures(result)
    async with httpx.AsyncClient(trust_env=False) as anybody:
        opened = await anybody.get(str(link.uri))
    assert opened.headers["content-type"] == "video/mp4"
    film = inspect_film(BytesIO(opened.content))
    assert still.size == (film.width_px, film.height_px)


async def test_without_a_progress_token_a_call_answers_at_once(
    server: Served, calm_demo: Demo
) -> None:
    """The painter is held, so whoever waited would wait long."""
    await calm_demo.hold(True)
    async with asyncio.timeout(10), mcp_session(server.url) as session:
        result = await session.call_tool("generate_image", QUICK)
        reading = structured(result)
        assert reading["status"] != "completed"
        [link] = links(result)
        assert str(link.uri) == reading["resource_uri"] == f"kinora://generations/{reading['id']}"
        [read] = (await session.read_resource(link.uri)).contents
        assert isinstance(read, TextResourceContents)
        assert json.loads(read.text)["id"] == reading["id"]


async def test_whoever_goes_away_stops_nothing(server: Served, calm_demo: Demo) -> None:
    """Neither a cancelled request nor a closed connection: the work is paid for."""
    await calm_demo.hold(True)
    call = message(
        "tools/call", name="generate_image", arguments=QUICK, _meta={"progressToken": "t"}
    )
    async with (
        asyncio.timeout(20),
        server.client.stream("POST", DOOR, json=call, headers=BOTH) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert "no" in answer.headers["x-accel-buffering"]
        async for line in answer.aiter_lines():
            if "being sent" in line or "painting" in line:
                break
        cancelled = message("notifications/cancelled", None, requestId=1, reason="no patience")
        assert (await server.client.post(DOOR, json=cancelled, headers=BOTH)).status_code == 202
    newest = (await server.client.get("/api/generations", params={"limit": 1})).json()["data"][0]
    assert newest["cancel_requested_at"] is None
    await calm_demo.hold(False)
    over = await server.client.get(f"/api/generations/{newest['id']}", params={"wait": 20})
    assert over.json()["status"] == "completed"


async def test_a_generation_that_came_to_nothing_is_told_as_an_error(
    server: Served, calm_demo: Demo
) -> None:
    async with mcp_session(server.url) as session:
        await calm_demo.fault(on="submit", fault="fail", times=1)
        result = await session.call_tool("generate_image", QUICK, progress_callback=Heard())
        assert result.isError
        failed = structured(result)
        assert (failed["status"], links(result)[0].mimeType) == ("failed", "application/json")
        assert failed["error"]["message"]
        looked = await session.call_tool("get_generation", {"generation": failed["id"]})
        assert not looked.isError

"""What came from an old system, at every door: shown, found, deleted; nothing is promised of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import jsonschema_rs
import pytest

from agent.digest import digest
from agent.history import finished_line
from tests.api.conftest import PasswordServer
from tests.api.mcp_clients import mcp_session, refusal, structured
from tests.generations.imported_rows import insert_file, insert_imported
from tests.people import Person, a_person
from tools.answers import OLD_SYSTEMS, SCHEMAS


@dataclass(frozen=True, slots=True)
class Heir:
    """Somebody with things of an old system's; the films by their status."""

    person: Person
    url: str
    sound: UUID
    left_open: UUID
    failed: UUID
    lost: UUID
    elsewhere: UUID

    def films(self) -> set[str]:
        return {str(one) for one in (self.left_open, self.failed, self.lost, self.elsewhere)}


@pytest.fixture
async def heir(password_server: PasswordServer) -> AsyncIterator[Heir]:
    database_url, email = password_server.database_url, f"heir-{uuid4().hex}@example.org"
    async with a_person(password_server.served, database_url, email) as person:

        def take(status: str, **more: Any) -> UUID:
            return insert_imported(database_url, person.user_id, status, kind="video", **more)

        sound = insert_imported(
            database_url, person.user_id, "completed", kind="audio", prompt="gulls", model="tts/9"
        )
        insert_file(database_url, person.user_id, sound, media_type="audio/mpeg")
        elsewhere = take("completed", params={"duration_s": 5, "width_px": 640, "height_px": 360})
        insert_file(database_url, person.user_id, elsewhere, media_type="video/mp4")
        yield Heir(
            person,
            password_server.served.url,
            sound,
            take("in_progress", prompt=""),
            take("failed", provider="chatbot"),
            take("completed", notes=["The old system called it completed, but kept no file."]),
            elsewhere,
        )


async def test_the_api_finds_filters_and_waits_for_nothing(heir: Heir) -> None:
    ask = heir.person.by_key.get
    for query, wanted in (
        ("kind=audio&q=gulls", {str(heir.sound)}),
        ("model=tts/9", {str(heir.sound)}),
        ("kind=video", heir.films()),
        ("status=in_progress", {str(heir.left_open)}),
        (f"ids={heir.lost}", {str(heir.lost)}),
    ):
        page = (await ask(f"/api/generations?{query}")).json()
        assert {one["id"] for one in page["data"]} == wanted, query
        jsonschema_rs.validate(SCHEMAS["generations"], page)
    failed = (await ask(f"/api/generations/{heir.failed}?wait=60")).json()
    assert (failed["error"]["code"], failed["error"]["retryable"]) == ("provider_error", False)
    left = (await ask(f"/api/generations/{heir.left_open}?wait=0.1")).json()
    assert (left["status"], left["prompt"], left["assets"]) == ("in_progress", "", [])
    (asset,) = (await ask(f"/api/generations/{heir.elsewhere}")).json()["assets"]
    assert asset["width_px"] is asset["size_bytes"] is None
    usage = (await ask("/api/usage")).json()
    assert usage["in_flight"] == 0


async def test_the_api_cancels_at_once_and_tries_nothing_again(heir: Heir) -> None:
    tell = heir.person.by_key.post
    for one in (heir.failed, heir.left_open):
        refused = await tell(f"/api/generations/{one}/retry")
        assert refused.status_code == 409
        assert "ask for it anew" in refused.json()["detail"]
    cancelled = await tell(f"/api/generations/{heir.left_open}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert (await tell(f"/api/generations/{heir.left_open}/retry")).status_code == 409


async def test_openais_door_lists_films_only_and_says_which_never_come(heir: Heir) -> None:
    client = heir.person.by_key
    films = (await client.get("/v1/videos")).json()["data"]
    assert {one["id"] for one in films} == heir.films()
    by_id = {one["id"]: one for one in films}
    assert by_id[str(heir.elsewhere)]["model"] == "Old Painter 1.5"
    assert (by_id[str(heir.elsewhere)]["seconds"], by_id[str(heir.elsewhere)]["size"]) == (
        "5",
        "640x360",
    )
    assert by_id[str(heir.failed)]["error"]["code"] == "provider_error"
    assert by_id[str(heir.left_open)]["status"] == "in_progress"
    for one in (heir.left_open, heir.lost, heir.failed):
        content = await client.get(f"/v1/videos/{one}/content")
        assert (content.status_code, content.json()["error"]["code"]) == (409, "failed")
        assert "ask again" not in content.text
    assert (await client.get(f"/v1/videos/{heir.sound}")).status_code == 404
    for film in heir.films():
        assert (await client.delete(f"/v1/videos/{film}")).status_code == 200
        assert (await client.get(f"/v1/videos/{film}")).status_code == 404
        assert (await client.get(f"/api/generations/{film}")).status_code == 404


async def test_the_tools_tell_of_them_over_mcp(heir: Heir) -> None:
    async with mcp_session(heir.url, heir.person.key) as session:
        listed = structured(await session.call_tool("list_generations", {"kind": "audio"}))
        assert [one["id"] for one in listed["data"]] == [str(heir.sound)]
        everything = structured(await session.call_tool("list_generations", {}))
        assert {one["id"] for one in everything["data"]} == heir.films() | {str(heir.sound)}
        for one in (heir.left_open, heir.lost, heir.failed):
            told = structured(await session.call_tool("get_generation", {"generation": str(one)}))
            assert told["id"] == str(one)
        refused = await session.call_tool("retry_generation", {"generation": str(heir.failed)})
        assert refusal(refused)["code"] == "conflict"


async def test_the_agent_knows_that_they_are_imported(heir: Heir) -> None:
    page = (await heir.person.by_key.get("/api/generations?limit=100")).json()
    for reading, short in zip(page["data"], digest(page)["data"], strict=True):
        assert short["imported_from"] == reading["provider"]
        assert reading["provider"] in OLD_SYSTEMS
        assert finished_line(reading).startswith(f"[{reading['id']} {reading['kind']} ")
    ours = digest({"kind": "image", "status": "completed", "provider": "demo"})
    assert "imported_from" not in ours

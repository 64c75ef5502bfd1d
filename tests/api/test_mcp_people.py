"""Who may use the MCP door, and for what: nobody, keys of each scope, ended keys, other people's
things.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import pytest
from mcp import ClientSession
from mcp.shared.exceptions import McpError
from pydantic import AnyUrl

from tests.api.belongings import Belongings, give_everything
from tests.api.conftest import PUBLIC_URL, PasswordServer
from tests.api.mcp_clients import (
    BOTH,
    DOOR,
    QUICK,
    Heard,
    links,
    mcp_session,
    message,
    refusal,
    structured,
)
from tests.demo_process import Demo
from tests.people import Person, a_person
from tools import registry

#: A tool's arguments that name something, and what; the others are filled in with something plain.
NAMING = {
    "generation": ("generation_id",),
    **dict.fromkeys(("image", "mask", "start_image", "end_image"), ("asset_id", "upload_id")),
    "references": ("asset_id", "generation_id"),
}
PLAIN = {"prompt": "a fox"}


@pytest.fixture
async def carla(password_server: PasswordServer) -> AsyncIterator[Person]:
    email = f"carla-{uuid4().hex}@example.org"
    async with a_person(password_server.served, password_server.database_url, email) as somebody:
        yield somebody


async def key_with(person: Person, *scopes: str) -> str:
    made = await person.client.post("/api/keys", json={"name": "mcp", "scopes": list(scopes)})
    key: str = made.json()["key"]
    return key


async def listed_by(session: ClientSession) -> list[tuple[str, str]]:
    """The generations that a client sees, and how they stand."""
    page = structured(await session.call_tool("list_generations", {}))
    return [(one["id"], one["status"]) for one in page["data"]]


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
@pytest.mark.parametrize("shown", [None, "Bearer kn_12345678_" + "a" * 49, "Bearer sk-other"])
async def test_nobody_is_told_to_show_a_key(
    method: str, shown: str | None, password_server: PasswordServer
) -> None:
    headers = {**BOTH, **({"Authorization": shown} if shown else {})}
    answer = await password_server.served.client.request(
        method, DOOR, json=message("tools/list"), headers=headers
    )
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["error"]["data"]["code"] == "unauthorized"


async def test_a_key_and_a_login_open_the_door(password_server: PasswordServer) -> None:
    ada = password_server.ada
    url = password_server.served.url
    async with mcp_session(url, ada.key) as session:
        result = await session.call_tool("generate_image", QUICK, progress_callback=Heard())
    reading = structured(result)
    assert reading["status"] == "completed"
    # With PUBLIC_URL set, addresses are the public ones.
    assert str(links(result)[0].uri).startswith(f"{PUBLIC_URL}/media/")
    by_login = await ada.client.post(DOOR, json=message("resources/list"), headers=BOTH)
    assert by_login.json()["result"]["resources"][0]["uri"] == reading["resource_uri"]


async def test_a_key_does_what_its_scopes_say(password_server: PasswordServer) -> None:
    url, ada = password_server.served.url, password_server.ada
    async with mcp_session(url, await key_with(ada, "read")) as looking:
        assert structured(await looking.call_tool("list_models", {}))["data"]
        before = await listed_by(looking)
        for tool in registry.TOOLS:
            if tool.scope == "generate":
                error = refusal(await looking.call_tool(tool.name, QUICK))
                assert error["code"] == "forbidden"
                assert "generate" in error["message"]
        assert await listed_by(looking) == before
    async with mcp_session(url, await key_with(ada, "generate")) as making:
        for work in (making.list_tools(), making.list_resources()):
            with pytest.raises(McpError, match="scope read"):
                await work
        with pytest.raises(McpError, match="scope read"):
            await making.read_resource(AnyUrl(f"kinora://generations/{before[0][0]}"))


def attempts(hers: Belongings) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every argument of every tool that names something, with hers."""
    for schema in registry.schemas():
        name, parameters = schema["function"]["name"], schema["function"]["parameters"]
        for argument in NAMING.keys() & parameters["properties"].keys():
            for what in NAMING[argument]:
                given: Any = getattr(hers, what)
                needed = {key: PLAIN.get(key, given) for key in parameters.get("required", ())}
                yield name, {**needed, argument: [given] if argument == "references" else given}


async def test_what_is_somebody_elses_does_not_exist(
    password_server: PasswordServer, carla: Person
) -> None:
    """Through every tool and resource; nothing of hers changes."""
    hers = await give_everything(carla, password_server.database_url)
    before = (await carla.client.get("/api/generations")).json()
    tried = list(attempts(hers))
    assert {name for name, _ in tried} == {
        *("generate_image", "edit_image", "generate_video", "get_generation"),
        *("cancel_generation", "retry_generation"),
    }
    async with mcp_session(password_server.served.url, password_server.bob.key) as session:
        for name, arguments in tried:
            error = refusal(await session.call_tool(name, arguments))
            assert error["code"] == "not_found", (name, arguments, error)
            assert "hers alone" not in json.dumps(error)
        listed = structured(await session.call_tool("list_generations", {"limit": 100}))
        resources = await session.list_resources()
        assert not [one for one in hers.names() if one in f"{listed} {resources}"]
        for uri in (
            f"kinora://generations/{hers.generation_id}",
            f"kinora://assets/{hers.asset_id}",
            f"kinora://assets/{hers.upload_id}",
        ):
            with pytest.raises(McpError) as refused:
                await session.read_resource(AnyUrl(uri))
            assert refused.value.error.code == -32002
        with_her_cursor = await session.list_resources(cursor=hers.cursor)
        assert hers.generation_id not in str(with_her_cursor)
    assert (await carla.client.get("/api/generations")).json() == before
    async with mcp_session(password_server.served.url, carla.key) as session:
        own = await session.read_resource(AnyUrl(f"kinora://assets/{hers.upload_id}"))
        assert own.contents[0].mimeType == "image/png"


async def test_a_wait_ends_with_the_key_that_began_it(
    password_server: PasswordServer, carla: Person, calm_demo: Demo
) -> None:
    """The generation itself goes on: it is the person's, not the key's."""
    await calm_demo.hold(True)
    key, heard = await key_with(carla, "generate", "read"), Heard()
    async with asyncio.timeout(20), mcp_session(password_server.served.url, key) as session:
        calling = asyncio.create_task(
            session.call_tool("generate_image", QUICK, progress_callback=heard)
        )
        await heard.first.wait()
        revoked = await carla.client.delete(f"/api/keys/{key.split('_')[1]}")
        assert revoked.status_code == 204
        assert refusal(await calling)["code"] == "unauthorized"
    [started] = (await carla.client.get("/api/generations")).json()["data"]
    await calm_demo.hold(False)
    over = await carla.client.get(f"/api/generations/{started['id']}", params={"wait": 20})
    assert over.json()["status"] == "completed"

"""The MCP door as a protocol: resources, what a model asked wrongly, what a client sends that is no
message at all, revisions and forms of the answer.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from mcp.shared.exceptions import McpError
from mcp.types import BlobResourceContents, TextResourceContents
from pydantic import AnyUrl

from tests.api.mcp_clients import BOTH, DOOR, QUICK, Heard, mcp_session, message, structured
from tests.demo_process import Demo
from tests.house import Served

AS_JSON = {**BOTH, "Content-Type": "application/json"}


WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    ("paint", {}, "unknown_tool", "generate_image"),
    ("generate_image", {}, "invalid_request", "prompt: is required"),
    ("generate_image", {"prompt": 7, "colour": "red"}, "invalid_request", "colour"),
    ("generate_image", {"prompt": "half \ud83d"}, "invalid_request", "not valid Unicode"),
    ("generate_image", {"prompt": "a fox", "model": "nothing"}, "invalid_request", "nothing"),
    ("get_generation", {"generation": "#1"}, "not_found", "#1"),
    ("cancel_generation", {"generation": "x"}, "invalid_request", "generation"),
]


@pytest.mark.parametrize(("name", "arguments", "code", "words"), WRONG)
async def test_what_is_asked_wrongly_is_answered_so_that_a_model_can_repair_it(
    name: str, arguments: dict[str, Any], code: str, words: str, server: Served
) -> None:
    call = message("tools/call", name=name, arguments=arguments)
    answer = await server.client.post(
        DOOR, content=json.dumps(call), headers={**BOTH, "Content-Type": "application/json"}
    )
    result = answer.json()["result"]
    assert result["isError"]
    error = json.loads(result["content"][0]["text"])["error"]
    assert error["code"] == code
    assert words in error["message"]


async def test_generations_and_their_files_are_resources(server: Served, calm_demo: Demo) -> None:
    async with mcp_session(server.url) as session:
        result = await session.call_tool("generate_image", QUICK, progress_callback=Heard())
        reading = structured(result)
        templates = (await session.list_resource_templates()).resourceTemplates
        assert [one.uriTemplate for one in templates] == [
            "kinora://generations/{id}",
            "kinora://assets/{id}",
        ]
        newest = (await session.list_resources()).resources[0]
        assert str(newest.uri) == reading["resource_uri"]
        [read] = (await session.read_resource(newest.uri)).contents
        assert isinstance(read, TextResourceContents)
        assert json.loads(read.text)["assets"][0]["id"] == reading["assets"][0]["id"]
        asset = reading["assets"][0]
        [file] = (await session.read_resource(AnyUrl(f"kinora://assets/{asset['id']}"))).contents
        assert isinstance(file, BlobResourceContents)
        assert file.mimeType == asset["media_type"]
        whole = await server.client.get(f"/media/{asset['id']}")
        assert base64.b64decode(file.blob) == whole.content


@pytest.mark.parametrize(
    "uri",
    [
        "kinora://generations/0199aaaa-0000-7000-8000-000000000000",
        "kinora://generations/x",
        "kinora://assets/0199aaaa-0000-7000-8000-000000000000",
        "kinora://secrets/1",
        "file:///etc/passwd",
    ],
)
async def test_what_is_no_resource_is_not_found(uri: str, server: Served) -> None:
    async with mcp_session(server.url) as session:
        with pytest.raises(McpError) as refused:
            await session.read_resource(AnyUrl(uri))
    assert refused.value.error.code == -32002


async def test_a_cursor_that_is_none_of_ours_is_refused(server: Served) -> None:
    async with mcp_session(server.url) as session:
        with pytest.raises(McpError) as refused:
            await session.list_resources(cursor="no cursor of ours")
    assert refused.value.error.code == -32602


#: Body, HTTP status, JSON-RPC's number.
GARBAGE: list[tuple[bytes, int, int]] = [
    (b"", 400, -32700),
    (b"{", 400, -32700),
    (b"\xff\xfe{}", 400, -32700),
    (b"[" * 100_000, 400, -32700),
    (b'{"a":' * 500 + b"1" + b"}" * 500, 400, -32700),
    (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"x": NaN}}', 400, -32700),
    (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"x": 1e999}}', 400, -32700),
    (b'{"jsonrpc": "2.0", "id": 1, "id": 2, "method": "ping"}', 400, -32700),
    (b"9" * 5000, 400, -32700),
    (b"null", 400, -32600),
    (b'"text"', 400, -32600),
    (b"[]", 400, -32600),
    (b'[{"jsonrpc": "2.0", "id": 1, "method": "ping"}]', 400, -32600),
    (b'{"jsonrpc": "1.0", "id": 1, "method": "ping"}', 400, -32600),
    (b'{"jsonrpc": "2.0", "id": {}, "method": "ping"}', 400, -32600),
    (b'{"jsonrpc": "2.0", "id": 1.5, "method": "ping"}', 400, -32600),
    (b'{"jsonrpc": "2.0", "id": null, "method": "ping"}', 400, -32600),
    (b'{"jsonrpc": "2.0", "id": "\\ud800", "method": "ping"}', 400, -32700),
    (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []}', 400, -32600),
    (b'{"jsonrpc": "2.0", "id": 1, "method": "drop/tables"}', 200, -32601),
    (b'{"jsonrpc": "2.0", "id": 1, "method": "prompts/list"}', 200, -32601),
    (b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call"}', 200, -32602),
    (b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": 1}}', 200, -32602),
    (
        b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call",'
        b' "params": {"name": "list_models", "arguments": []}}',
        *(200, -32602),
    ),
    (
        b'{"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": "x"}}',
        *(200, -32602),
    ),
]


@pytest.mark.parametrize(("body", "status", "number"), GARBAGE)
async def test_garbage_is_answered_as_json_rpc_and_never_breaks_the_door(
    body: bytes, status: int, number: int, server: Served
) -> None:
    answer = await server.client.post(DOOR, content=body, headers=AS_JSON)
    assert answer.status_code == status, answer.text
    told = answer.json()
    assert (told["jsonrpc"], told["error"]["code"]) == ("2.0", number)
    assert told["id"] == (1 if status == 200 else None)
    assert len(answer.text) < 500
    alive = await server.client.post(DOOR, json=message("ping"), headers=BOTH)
    assert alive.json() == {"jsonrpc": "2.0", "id": 1, "result": {}}


@pytest.mark.parametrize("request_id", [0, -1, "", "0", "a b", 10**20, 10**4000, "ü" * 1000])
async def test_any_id_comes_back_as_it_was(request_id: Any, server: Served) -> None:
    sent = {**message("tools/call", name="list_models", arguments={}), "id": request_id}
    sent["params"]["_meta"] = {"progressToken": request_id}
    for headers in (BOTH, {"Accept": "application/json"}):
        answer = await server.client.post(DOOR, json=sent, headers=headers)
        [data] = [line for line in answer.text.splitlines() if '"result"' in line]
        told = json.loads(data.removeprefix("data: "))
        assert (told["id"], told["result"]["isError"]) == (request_id, False)


@pytest.mark.parametrize("path", [DOOR, f"{DOOR}/"])
async def test_the_door_answers_with_and_without_a_slash_and_post_alone(
    path: str, server: Served
) -> None:
    """Without sessions a GET has no stream to open and a DELETE nothing to end."""
    answer = await server.client.post(path, json=message("tools/list"), headers=BOTH)
    assert (answer.status_code, len(answer.json()["result"]["tools"])) == (200, 8)
    for method in ("GET", "DELETE", "PUT", "PATCH", "OPTIONS"):
        refused = await server.client.request(method, path, headers=BOTH)
        assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
        assert refused.json()["jsonrpc"] == "2.0"
    assert (await server.client.head(path)).status_code == 405


@pytest.mark.parametrize(
    "sent",
    [
        message("notifications/initialized", None),
        message("notifications/cancelled", None, requestId=7),
        message("notifications/whatever", None, x=1),
        {"jsonrpc": "2.0", "id": 3, "result": {}},
    ],
)
async def test_what_needs_no_answer_is_taken(sent: dict[str, Any], server: Served) -> None:
    answer = await server.client.post(DOOR, json=sent, headers=BOTH)
    assert (answer.status_code, answer.content) == (202, b"")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Accept": "*/*"}, 200),
        ({"Accept": "application/json"}, 200),
        ({"Accept": "text/html"}, 406),
        ({"Content-Type": "text/plain"}, 415),
        ({"MCP-Protocol-Version": "2025-06-18"}, 200),
        ({"MCP-Protocol-Version": "1999-01-01"}, 400),
    ],
)
async def test_the_form_and_the_revision_are_agreed_on(
    headers: dict[str, str], status: int, server: Served
) -> None:
    asked = json.dumps(message("ping"))
    answer = await server.client.post(DOOR, content=asked, headers={**AS_JSON, **headers})
    assert answer.status_code == status
    assert answer.json()["jsonrpc"] == "2.0"
    assert answer.headers["content-type"] == "application/json"


async def test_a_client_that_takes_streams_alone_gets_one(server: Served) -> None:
    headers = {"Accept": "text/event-stream"}
    answer = await server.client.post(DOOR, json=message("ping"), headers=headers)
    assert answer.headers["content-type"].startswith("text/event-stream")
    [data] = [line[6:] for line in answer.text.splitlines() if line.startswith("data: ")]
    assert json.loads(data) == {"jsonrpc": "2.0", "id": 1, "result": {}}


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
async def test_older_clients_are_met_at_their_revision(version: str, server: Served) -> None:
    """Links among a tool's content came with 2025-06-18; before, readers stumble over them."""
    client = {"name": "old", "version": "1"}
    hello = message("initialize", protocolVersion=version, capabilities={}, clientInfo=client)
    answer = await server.client.post(DOOR, json=hello, headers=BOTH)
    assert answer.json()["result"]["protocolVersion"] == version
    call = message("tools/call", name="generate_image", arguments=QUICK)
    headers = {**BOTH, "MCP-Protocol-Version": version}
    result = (await server.client.post(DOOR, json=call, headers=headers)).json()["result"]
    kinds = [one["type"] for one in result["content"]]
    assert kinds == ["text", *(["resource_link"] if version >= "2025-06-18" else [])]

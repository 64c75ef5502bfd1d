"""The description is true: complete, valid, and what servers really answer."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest
from fastapi import FastAPI
from PIL import Image
from schemathesis.specs.openapi.definitions import OPENAPI_31

import api
from api import openapi
from api.described import words
from api.described.process import BY_HAND
from tests.api.conftest import PasswordServer
from tests.api.described import Described, Json, made_here
from tests.demo_process import Demo
from tests.house import Served, serve
from tools import answers, registry

FOX = {"prompt": "a fox as described", "model": "demo-image-quick"}
NOTHING = "00000000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def described() -> Described:
    return Described(made_here())


def test_it_is_valid(described: Described) -> None:
    faults = jsonschema_rs.Draft202012Validator(OPENAPI_31).iter_errors(described.document)
    assert [f"{list(fault.instance_path)} {fault.message}" for fault in faults] == []
    assert described.document["openapi"].startswith("3.1")


def test_every_door_is_described_and_nothing_else(described: Described) -> None:
    app = FastAPI()
    app.include_router(api.routes())
    plain = {
        f"{method.upper()} {path}"
        for path, methods in app.openapi()["paths"].items()
        for method in methods
    }
    tools = {f"POST /api/tools/{tool.name}" for tool in registry.TOOLS}
    expected = (plain - {f"POST {openapi.TOOL_PATH}"}) | tools | set(BY_HAND)
    assert {f"{method} {path}" for method, path, _ in described.operations()} == expected
    assert set(openapi.OPERATIONS) <= expected
    silent = {place for place in expected if openapi.said_at(place) is None}
    assert all(place.split(" ")[1].startswith(tuple(openapi.GROUPS)) for place in silent), silent


def test_each_operation_says_what_it_is(described: Described) -> None:
    tags = {name for name, _ in words.TAGS}
    ids = []
    for method, path, operation in described.operations():
        at = f"{method} {path}"
        ids.append(operation["operationId"])
        assert set(operation.get("tags", [])) <= tags, at
        assert operation.get("tags"), at
        assert operation["summary"], at
        assert operation["description"], at
        assert any(status[0] == "2" for status in operation["responses"]), at
        for parameter in operation.get("parameters", []):
            # Their own doors' words: OpenAI's names, and providers' news.
            assert parameter.get("description") or "/v1/" in path, f"{at} {parameter['name']}"
    assert len(ids) == len(set(ids))
    shown = json.dumps(described.document)
    assert "HTTPValidationError" not in shown


def test_a_new_tool_shows_up_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    before = made_here()["paths"]
    assert {f"/api/tools/{tool.name}" for tool in registry.TOOLS} <= set(before)
    new = replace(registry.find("list_models"), name="list_painters")
    monkeypatch.setattr(registry, "TOOLS", (*registry.TOOLS, new))
    after = made_here()["paths"]
    assert set(after) - set(before) == {"/api/tools/list_painters"}


def examples_in(described: Described) -> Iterator[tuple[str, Json, object]]:
    """Where, which schema, which value: all examples there are."""
    for method, path, operation in described.operations():
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for body in map(described.followed, bodies):
            for media_type, content in body.get("content", {}).items():
                if "example" in content:
                    yield f"{method} {path} {media_type}", content["schema"], content["example"]
        for parameter in operation.get("parameters", []):
            if "example" in parameter:
                yield (
                    f"{method} {path} {parameter['name']}",
                    parameter["schema"],
                    parameter["example"],
                )
    for name, header in described.document["components"]["headers"].items():
        yield name, header["schema"], header["example"]


def test_the_examples_fit(described: Described) -> None:
    found = list(examples_in(described))
    assert len(found) > 100
    for at, schema, value in found:
        assert not described.faults(schema, value), at
    for tool in registry.TOOLS:
        operation = described.document["paths"][f"/api/tools/{tool.name}"]["post"]
        example = operation["requestBody"]["content"]["application/json"]["example"]
        tool.arguments.model_validate(example)


def test_what_mcp_says_of_an_answer_is_said_here_too(described: Described) -> None:
    shapes = described.document["components"]["schemas"]
    names = {"generation": "Generation", "generations": "GenerationPage", "models": "Catalogue"}
    for answer, schema in answers.SCHEMAS.items():
        name = names[answer]
        assert set(schema["properties"]) <= set(shapes[name]["properties"]), name
        assert set(schema["required"]) <= set(shapes[name]["required"]), name


@pytest.fixture
async def observed(server: Served, calm_demo: Demo) -> AsyncIterator[httpx.AsyncClient]:
    """A client whose every answer is held against the server's own description."""
    document = (await server.client.get("/api/openapi.json")).json()
    async with watched(server.url, Described(document)) as client:
        yield client


def watched(url: str, described: Described, **more: Any) -> httpx.AsyncClient:
    async def look(response: httpx.Response) -> None:
        await response.aread()
        described.check(response)

    hooks = {"response": [look]}
    return httpx.AsyncClient(base_url=url, trust_env=False, timeout=90, event_hooks=hooks, **more)


def picture() -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (64, 40), "navy").save(data, "PNG")
    return data.getvalue()


async def test_a_day_of_work_is_answered_as_described(observed: httpx.AsyncClient) -> None:
    started = (await observed.post("/api/tools/generate_image", json=FOX)).json()
    place = f"/api/generations/{started['id']}"
    done = await observed.get(place, params={"wait": 60})
    known = {"If-None-Match": done.headers["etag"]}
    assert (await observed.get(place, headers=known)).status_code == 304
    assert (await observed.get(f"{place}/events")).status_code == 200
    assert (
        await observed.get(f"{place}/events", headers={"Last-Event-ID": "99"})
    ).status_code == 204
    assert (await observed.get("/api/generations", params={"limit": 3})).status_code == 200
    assert (
        await observed.get("/api/generations", params={"ids": started["id"]})
    ).status_code == 200
    file = done.json()["assets"][0]["url"]
    for headers, status in (
        ({}, 200),
        ({"Range": "bytes=0-9"}, 206),
        ({"If-None-Match": "*"}, 304),
    ):
        assert (await observed.get(file, headers=headers)).status_code == status
        assert (await observed.head(file, headers=headers)).status_code == status
    assert (await observed.get(file, headers={"Range": "bytes=99999999-"})).status_code == 416
    assert (await observed.get(file, params={"w": 128})).status_code == 200
    sent = {"file": ("sea.png", picture(), "image/png")}
    upload = (await observed.post("/api/uploads", files=sent)).json()
    edit = {"prompt": "night", "image": upload["id"], "model": "demo-image-quick"}
    edited = (await observed.post("/api/tools/edit_image", json=edit)).json()
    assert edited["inputs"] == [{"role": "image", "asset_id": upload["id"]}]
    for tool, arguments in (
        ("get_generation", {"generation": edited["id"]}),
        ("list_generations", {"query": "fox"}),
        ("list_models", {}),
    ):
        assert (await observed.post(f"/api/tools/{tool}", json=arguments)).status_code == 200
    assert (await observed.delete(place)).status_code == 204
    for path in ("/api/models", "/api/tools", "/api/usage", "/api/status", "/healthz", "/readyz"):
        assert (await observed.get(path)).status_code == 200
    for path in ("/metrics", "/api/keys", "/api/openapi.json", "/api/reference"):
        assert (await observed.get(path)).status_code == 200


async def test_refusals_are_as_described(observed: httpx.AsyncClient, calm_demo: Demo) -> None:
    await calm_demo.hold(True)
    film = {"prompt": "a film", "model": "demo-video-quick", "duration_s": 1}
    started = (await observed.post("/api/tools/generate_video", json=film)).json()
    place = f"/api/generations/{started['id']}"
    assert (await observed.post(f"{place}/retry")).status_code == 409
    assert (await observed.post(f"{place}/cancel")).status_code == 200
    await calm_demo.hold(False)
    cancelled = await observed.get(place, params={"wait": 60})
    assert cancelled.json()["status"] == "cancelled"
    assert (await observed.post(f"{place}/retry")).status_code == 202
    again = await observed.get(place, params={"wait": 60})
    assert (again.json()["attempt"], again.json()["status"]) == (2, "completed")
    assert (await observed.post(f"{place}/cancel")).status_code == 409
    for method, path in (
        ("GET", f"/api/generations/{NOTHING}"),
        ("GET", f"/api/generations/{NOTHING}/events"),
        ("POST", f"/api/generations/{NOTHING}/cancel"),
        ("POST", f"/api/generations/{NOTHING}/retry"),
        ("DELETE", f"/api/generations/{NOTHING}"),
        ("GET", f"/media/{NOTHING}"),
        ("DELETE", "/api/keys/none"),
    ):
        assert (await observed.request(method, path)).status_code == 404
    for tool, arguments in (
        ("generate_image", {}),
        ("generate_image", {**FOX, "n": 5}),
        ("generate_video", {**film, "duration_s": 99}),
        ("list_models", {"kind": "song"}),
    ):
        assert (await observed.post(f"/api/tools/{tool}", json=arguments)).status_code == 422
    assert (await observed.get("/api/generations", params={"limit": 101})).status_code == 422
    assert (await observed.get(place, params={"wait": 61})).status_code == 422
    assert (await observed.get(f"/media/{NOTHING}", params={"w": 0})).status_code == 422
    assert (await observed.post("/api/uploads", content=b"x")).status_code == 422
    large = {"prompt": "a" * 2_000_000}
    assert (await observed.post("/api/tools/generate_image", json=large)).status_code == 413
    elsewhere = {"Host": "evil.example"}
    assert (await observed.get("/api/models", headers=elsewhere)).status_code == 403
    assert (await observed.post("/webhooks/demo/x/1/x")).status_code == 401
    assert (await observed.get("/widget")).status_code == 409


async def test_with_accounts_too(password_server: PasswordServer) -> None:
    """Without a key the description may be read, and everything else is 401."""
    url = password_server.served.url
    async with httpx.AsyncClient(base_url=url, trust_env=False) as nobody:
        document = (await nobody.get("/api/openapi.json")).json()
        assert (await nobody.get("/api/reference")).status_code == 200
    described = Described(document)
    async with watched(url, described) as nobody:
        for method, path, operation in described.operations():
            ways = operation["security"]
            assert {} not in ways or path == "/metrics", path
            if ways and path != "/metrics":
                filled = path.format(
                    **dict.fromkeys(("generation_id", "asset_id", "prefix"), NOTHING),
                    **dict.fromkeys(("model_id", "video_id"), "x"),
                )
                assert (await nobody.request(method, filled)).status_code == 401, path
    looks_only = {"name": "looks", "scopes": ["read"]}
    made = await password_server.ada.client.post("/api/keys", json=looks_only)
    described.check(made)
    key = {"Authorization": f"Bearer {made.json()['key']}"}
    async with watched(url, described, headers=key) as reader:
        assert (await reader.get("/api/generations")).status_code == 200
        assert (await reader.post("/api/tools/generate_image", json=FOX)).status_code == 403
        assert (await reader.post("/api/keys", json={})).status_code == 403
        assert (await reader.delete(f"/api/generations/{NOTHING}")).status_code == 403
    gone = await password_server.ada.client.delete(f"/api/keys/{made.json()['prefix']}")
    described.check(gone)


async def test_over_a_limit(tmp_path: Path, database_url: str, demo: Demo) -> None:
    """The description states the installation's own limits; beyond them 402 and 429."""
    limits = {"REQUESTS_PER_MINUTE": "4", "BUDGET_USD_PER_USER_PER_DAY": "0.0001"}
    urls = {"DATABASE_URL": database_url, "DEMO_BASE_URL": demo.url}
    async with serve(tmp_path / "limited", **urls, **limits) as served:
        answer = await served.client.get("/api/openapi.json")
        assert "4 requests a minute" in answer.json()["info"]["description"]
        async with watched(served.url, Described(answer.json())) as client:
            dear = await client.post("/api/tools/generate_image", json=FOX)
            assert (dear.status_code, dear.json()["code"]) == (402, "over_budget")
            assert (await client.get("/api/models")).status_code == 200
            assert (await client.get("/api/usage")).json()["budget_usd"] == 0.0001
            assert (await client.get("/api/models")).status_code == 429


async def test_it_is_made_once_and_kept_by_its_tag(server: Served) -> None:
    first = await server.client.get("/api/openapi.json")
    assert first.headers["content-type"] == "application/json"
    known = {"If-None-Match": first.headers["etag"]}
    again = await server.client.get("/api/openapi.json", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    page = await server.client.get(first.json()["externalDocs"]["url"])
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    for start_of in ('href="http', 'src="http', "<script>", "style="):
        assert start_of not in page.text

"""The HTTP doors as a program meets them: the real server, over a real socket."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.demo_process import Demo
from tests.house import Served

FOX = {"prompt": "a red fox", "model": "demo-image-quick", "aspect_ratio": "16:9"}


@pytest.fixture
async def http(server: Served, calm_demo: Demo) -> httpx.AsyncClient:
    return server.client


async def start(http: httpx.AsyncClient, tool: str = "generate_image", **more: Any) -> Any:
    answer = await http.post(f"/api/tools/{tool}", json={**FOX, **more})
    assert answer.status_code == 202, answer.text
    return answer.json()


async def finish(http: httpx.AsyncClient, **more: Any) -> Any:
    started = await start(http, **more)
    done = (await http.get(f"/api/generations/{started['id']}", params={"wait": 60})).json()
    assert done["status"] == "completed", done["error"]
    return done


async def events(http: httpx.AsyncClient, path: str, **more: Any) -> AsyncIterator[tuple[str, Any]]:
    async with http.stream("GET", path, **more) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        name = ""
        async for line in answer.aiter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                yield name, json.loads(line.removeprefix("data: "))


async def test_a_tool_call_is_answered_at_once_and_names_its_place(http: httpx.AsyncClient) -> None:
    answer = await http.post("/api/tools/generate_image", json=FOX)
    assert answer.status_code == 202
    started = answer.json()
    assert answer.headers["location"] == f"/api/generations/{started['id']}"
    assert started["status"] in ("queued", "submitting", "in_progress")
    again = (await http.get(answer.headers["location"], params={"wait": 60})).json()
    assert again["status"] == "completed"
    assert again["assets"][0]["url"].startswith("/media/")


async def test_the_tools_are_listed_in_openai_shape(http: httpx.AsyncClient) -> None:
    tools = (await http.get("/api/tools")).json()["tools"]
    assert {tool["type"] for tool in tools} == {"function"}
    names = [tool["function"]["name"] for tool in tools]
    assert names == [
        "generate_image",
        "edit_image",
        "generate_video",
        "get_generation",
        "list_generations",
        "cancel_generation",
        "retry_generation",
        "list_models",
    ]


async def test_the_catalogue_is_listed_with_prices(http: httpx.AsyncClient) -> None:
    models = {model["id"]: model for model in (await http.get("/api/models")).json()["data"]}
    assert models["demo-video"]["available"]
    assert models["demo-video"]["price"]["unit"] == "second"
    assert "text!" in models["demo-image"]["inputs"]
    assert any(not model["available"] for model in models.values())


async def test_a_generation_is_followed_until_it_is_settled(
    http: httpx.AsyncClient, demo: Demo
) -> None:
    await demo.hold(True)
    started = await start(http)
    seen: list[str] = []
    async with asyncio.timeout(30):
        async for name, data in events(http, f"/api/generations/{started['id']}/events"):
            assert name == "generation"
            seen.append(data["status"])
            if data["status"] == "in_progress":
                await demo.hold(False)
    assert seen[-1] == "completed"
    assert "in_progress" in seen
    last = await http.get(
        f"/api/generations/{started['id']}/events", headers={"Last-Event-ID": "999"}
    )
    assert last.status_code == 204


async def test_one_stream_tells_of_every_generation(http: httpx.AsyncClient) -> None:
    wanted: set[str] = set()
    done: set[str] = set()
    async with asyncio.timeout(40), http.stream("GET", "/api/events") as answer:
        lines = answer.aiter_lines()
        await anext(lines)
        for _ in range(3):
            wanted.add((await start(http))["id"])
        async for line in lines:
            if line.startswith("data: "):
                change = json.loads(line.removeprefix("data: "))
                if change.get("status") == "completed":
                    done.add(change["id"])
            if wanted <= done:
                break
    assert wanted <= done


async def test_lists_page_and_filter_and_bring_cards_up_to_date(http: httpx.AsyncClient) -> None:
    made = [await finish(http, prompt=f"a page of its own {n}") for n in range(3)]
    params: dict[str, Any] = {"q": "a page of its own", "limit": 2}
    first = (await http.get("/api/generations", params=params)).json()
    assert [g["id"] for g in first["data"]] == [made[2]["id"], made[1]["id"]]
    params["cursor"] = first["next_cursor"]
    second = (await http.get("/api/generations", params=params)).json()
    assert [g["id"] for g in second["data"]] == [made[0]["id"]]
    assert second["next_cursor"] is None
    ids = ",".join([made[0]["id"], made[2]["id"], "0199aaaa-0000-7000-8000-000000000000", "x"])
    some = (await http.get("/api/generations", params={"ids": ids})).json()["data"]
    assert {g["id"] for g in some} == {made[0]["id"], made[2]["id"]}


async def test_media_answer_ranges_and_revalidation(http: httpx.AsyncClient) -> None:
    url = (await finish(http))["assets"][0]["url"]
    whole = await http.get(url)
    assert whole.headers["content-type"] == "image/png"
    assert whole.headers["x-content-type-options"] == "nosniff"
    part = await http.get(url, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(whole.content)}"
    same = await http.get(url, headers={"If-None-Match": whole.headers["etag"]})
    assert same.status_code == 304
    small = await http.get(url, params={"w": 128})
    assert small.headers["content-type"] == "image/webp"
    assert Image.open(io.BytesIO(small.content)).width == 128
    saved = await http.get(url, params={"download": 1})
    assert saved.headers["content-disposition"].startswith("attachment")
    assert (await http.get("/media/0199aaaa-0000-7000-8000-000000000000")).status_code == 404
    assert (await http.get("/media/%2e%2e%2fsecret")).status_code == 404


async def test_an_upload_is_cleaned_and_can_be_edited(http: httpx.AsyncClient) -> None:
    photo = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "where I live"
    Image.new("RGB", (320, 200), "orange").save(photo, "JPEG", exif=exif)
    answer = await http.post("/api/uploads", files={"file": ("me.jpg", photo.getvalue())})
    assert answer.status_code == 201, answer.text
    asset = answer.json()
    kept = (await http.get(asset["url"])).content
    assert b"where I live" not in kept
    edit = await http.post(
        "/api/tools/edit_image",
        json={"prompt": "make it blue", "image": asset["id"], "model": "demo-image-quick"},
    )
    assert edit.status_code == 202, edit.text
    done = (await http.get(edit.headers["location"], params={"wait": 60})).json()
    assert done["inputs"] == [{"role": "image", "asset_id": asset["id"]}]
    blue = Image.open(io.BytesIO((await http.get(done["assets"][0]["url"])).content))
    red, _, blueness = blue.convert("RGB").resize((1, 1)).getpixel((0, 0))  # type: ignore[misc]
    assert blueness > red


@pytest.mark.parametrize(
    "data",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<html><script>1</script>",
        b"",
        b"\x89PNG\r\n",
    ],
)
async def test_what_is_no_picture_is_refused_in_words(http: httpx.AsyncClient, data: bytes) -> None:
    answer = await http.post("/api/uploads", files={"file": ("a.png", data)})
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["detail"]


async def test_cancel_retry_and_delete(http: httpx.AsyncClient, demo: Demo) -> None:
    await demo.hold(True)
    started = await start(http)
    await demo.until(started["id"], "submits:1")
    place = f"/api/generations/{started['id']}"
    cancelled = await http.post(f"{place}/cancel")
    assert cancelled.status_code == 200
    assert cancelled.json()["cancel_requested_at"]
    assert (await http.get(place, params={"wait": 30})).json()["status"] == "cancelled"
    await demo.hold(False)
    retried = await http.post(f"{place}/retry")
    assert (retried.status_code, retried.json()["attempt"]) == (202, 2)
    assert (await http.get(place, params={"wait": 60})).json()["status"] == "completed"
    assert (await http.post(f"{place}/cancel")).status_code == 409
    assert (await http.delete(place)).status_code == 204
    assert (await http.get(place)).status_code == 404
    assert (await http.delete(place)).status_code == 404


@pytest.mark.parametrize(
    ("tool", "body", "status"),
    [
        ("generate_video", b'{"prompt": "the sea", "duration_s": 900}', 422),
        ("generate_image", b'{"prompt": "a fox", "colour": "red"}', 422),
        ("generate_image", b'{"prompt": "a fo', 422),
        ("generate_image", b'["a fox"]', 422),
        ("generate_image", b'{"prompt": "a \\u0000 fox"}', 422),
        ("generate_image", b'{"prompt": "a \\ud800 fox"}', 422),
        ("generate_image", b'{"prompt": "\xff\xfe"}', 422),
        ("generate_image", b'{"prompt": ""}', 422),
        ("generate_image", b'{"prompt": "a", "model": "nothing"}', 422),
        ("generate_image", b'{"prompt": "a", "n": 900}', 422),
        ("edit_image", b'{"prompt": "a", "image": "#1"}', 404),
        ("get_generation", b'{"generation": "#77"}', 404),
        ("no_such_tool", b"{}", 404),
        ("generate_image", b'{"prompt": "' + b"a" * 10_000_000 + b'"}', 413),
    ],
)
async def test_bad_input_gets_a_clear_answer(
    http: httpx.AsyncClient, tool: str, body: bytes, status: int
) -> None:
    answer = await http.post(f"/api/tools/{tool}", content=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    said = answer.json()
    assert {"type", "title", "status", "detail", "code"} <= said.keys()
    assert "Traceback" not in answer.text
    if tool == "generate_video":
        assert "10" in said["detail"]
        assert said["errors"][0]["loc"] == "duration_s"


@pytest.mark.parametrize(
    "path", ["/api/nothing", "/v1/nothing", "/webhooks/a/b/1", "/docs", "/api/mcp/x"]
)
async def test_paths_of_programs_are_never_the_page(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path)
    assert answer.status_code == 404
    assert "json" in answer.headers["content-type"]


async def test_only_loopback_names_and_our_own_page_get_in(http: httpx.AsyncClient) -> None:
    assert (await http.get("/api/tools", headers={"Host": "evil.example"})).status_code == 403
    assert (await http.get("/", headers={"Host": "127.0.0.1.evil.example"})).status_code == 403
    evil = {"Origin": "http://evil.example"}
    post = await http.post("/api/tools/list_models", content=b"{}", headers=evil)
    assert post.status_code == 403
    socket = await http.get("/ws/socket.io/?EIO=4&transport=polling", headers=evil)
    assert socket.status_code == 403
    port = http.base_url.port
    ours = {"Origin": f"http://localhost:{port}", "Host": f"localhost:{port}"}
    assert (
        await http.post("/api/tools/list_models", content=b"{}", headers=ours)
    ).status_code == 200


async def test_a_body_that_lies_about_its_length_is_cut_off(http: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b"x" * 65536

    answer = await http.post("/api/tools/generate_image", content=endless())
    assert answer.status_code == 413


async def test_health_and_status(http: httpx.AsyncClient) -> None:
    assert (await http.get("/healthz")).status_code == 200
    ready = await http.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ok")
    status = (await http.get("/api/status")).json()
    assert status["chat_model"]["demo"]
    assert status["painters"][0]["demo"]


async def test_the_page_asks_nobody_else(http: httpx.AsyncClient) -> None:
    page = await http.get("/")
    assert page.status_code == 200
    assert "<title>Kinora</title>" in page.text
    for start_of in ('href="http', 'src="http', "fonts.googleapis", "cdn."):
        assert start_of not in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]

"""Who may come in at OpenAI's door, what is another's, and that every refusal there has the shape
that its clients read.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import openai
import pytest

from api.v1.waiting import refuse
from tests.api.conftest import PasswordServer
from tests.db.samples import encoded, opened, picture
from tests.demo_process import Demo
from tests.house import Served, serve
from tests.people import Person

QUICK = "demo-image-quick"
FILM: dict[str, Any] = {
    "prompt": "hers alone",
    "model": "demo-video-quick",
    "seconds": "1",
    "size": "320x180",
}
FOX: dict[str, Any] = {"prompt": "a red fox", "model": QUICK, "size": "320x192"}
PICTURES, EDITS, FORM = "/v1/images/generations", "/v1/images/edits", "multipart/form-data"
PNG = encoded(picture(), "PNG")

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API is scheduled")
Client = Callable[[str], openai.AsyncOpenAI]


@pytest.fixture
async def client_of(password_server: PasswordServer, calm_demo: Demo) -> AsyncIterator[Client]:
    """The official client with a key."""
    opened: list[openai.AsyncOpenAI] = []

    def make(key: str) -> openai.AsyncOpenAI:
        http = openai.DefaultAsyncHttpxClient(trust_env=False, timeout=60)
        url = f"{password_server.served.url}/v1"
        opened.append(openai.AsyncOpenAI(base_url=url, api_key=key, http_client=http))
        return opened[-1]

    yield make
    for client in opened:
        await client.close()


async def key_with(person: Person, *scopes: str) -> str:
    answer = await person.client.post("/api/keys", json={"name": "x", "scopes": list(scopes)})
    return str(answer.json()["key"])


async def test_what_is_another_persons_does_not_exist(
    password_server: PasswordServer, client_of: Client
) -> None:
    ada, bob = client_of(password_server.ada.key), client_of(password_server.bob.key)
    his = await bob.videos.create(**FILM)
    film = await ada.videos.create_and_poll(poll_interval_ms=100, **FILM)
    assert film.status == "completed"
    for call in (bob.videos.retrieve, bob.videos.download_content, bob.videos.delete):
        with pytest.raises(openai.NotFoundError) as refused:
            await call(film.id)
        assert refused.value.code == "not_found"
    with pytest.raises(openai.NotFoundError):
        await bob.videos.list(after=film.id)
    assert film.id not in [one.id async for one in bob.videos.list()]
    assert [one.id for one in (await bob.videos.list(limit=1)).data] == [his.id]
    assert film.id in [one.id async for one in ada.videos.list()]
    drawn = await ada.images.generate(**FOX)
    assert drawn.model_extra is not None
    (hers,) = drawn.model_extra["kinora"]["generations"]
    for path, given in (
        ("/v1/images/edits", {"prompt": "x", "model": QUICK, "image": hers}),
        ("/v1/images/generations", {**FOX, "references": [hers]}),
        ("/v1/videos", {**FILM, "input_reference": {"file_id": hers}}),
        ("/v1/videos", {**FILM, "end_image": hers}),
    ):
        answer = await password_server.bob.by_key.post(path, json=given)
        assert answer.status_code == 404, answer.text
    assert (await ada.videos.delete(film.id)).deleted


async def test_a_repeat_joins_nothing_of_another_person_nor_of_another_key(
    password_server: PasswordServer, calm_demo: Demo
) -> None:
    second = await key_with(password_server.ada, "generate", "read")
    made = set()
    for headers in (
        {"Authorization": f"Bearer {password_server.ada.key}"},
        {"Authorization": f"Bearer {password_server.bob.key}"},
        {"Authorization": f"Bearer {second}"},
    ):
        for _ in range(2):
            answer = await password_server.served.client.post(
                "/v1/images/generations",
                json=FOX,
                headers={**headers, "x-stainless-retry-count": "1"},
            )
            assert answer.status_code == 200, answer.text
            made |= set(answer.json()["kinora"]["generations"])
    assert len(made) == 3


async def test_nobody_is_refused_and_each_route_needs_its_scope(
    password_server: PasswordServer, client_of: Client
) -> None:
    with pytest.raises(openai.AuthenticationError) as unknown:
        await client_of("kn_wrong_key").models.list()
    assert (unknown.value.type, unknown.value.code) == ("authentication_error", "unauthorized")
    with pytest.raises(openai.AuthenticationError):
        await client_of("sk-somebody-elses").images.generate(**FOX)
    reader = client_of(await key_with(password_server.ada, "read"))
    assert (await reader.models.list()).data
    with pytest.raises(openai.PermissionDeniedError) as refused:
        await reader.images.generate(**FOX)
    assert (refused.value.type, refused.value.code) == ("permission_error", "forbidden")
    maker = client_of(await key_with(password_server.ada, "generate"))
    begun = await maker.videos.create(**FILM)
    with pytest.raises(openai.PermissionDeniedError):
        await maker.videos.retrieve(begun.id)
    with pytest.raises(openai.PermissionDeniedError):
        await reader.videos.delete(begun.id)
    assert (await maker.videos.delete(begun.id)).deleted


@pytest.mark.parametrize(
    ("method", "path", "sent", "status", "code"),
    [
        ("GET", "/v1", {}, 404, "not_found"),
        ("POST", "/v1/videos/x/remix", {"json": {"prompt": "x"}}, 404, "not_found"),
        ("POST", "/v1/chat/completions", {"json": {}}, 404, "not_found"),
        ("GET", PICTURES, {}, 405, "method_not_allowed"),
        ("PUT", "/v1/videos", {}, 405, "method_not_allowed"),
        ("QUERY", "/v1/videos/x", {}, 405, "method_not_allowed"),
        ("DELETE", "/v1/models/x", {}, 405, "method_not_allowed"),
        ("POST", PICTURES, {"content": b"{"}, 422, "invalid_request"),
        ("POST", PICTURES, {"content": b"[]"}, 422, "invalid_request"),
        ("POST", PICTURES, {"content": b"\xff"}, 422, "invalid_request"),
        ("POST", PICTURES, {"content": b"[" * 200_000}, 422, "invalid_request"),
        ("POST", PICTURES, {"content": b'{"prompt":"x","prompt":"y"}'}, 422, "invalid_request"),
        ("POST", PICTURES, {"content": b'{"prompt":"\\ud800"}'}, 422, "invalid_request"),
        (
            "POST",
            PICTURES,
            {"content": b'{"prompt":"x","model":"\\ud800\\u0000"}'},
            404,
            "model_not_found",
        ),
        ("POST", PICTURES, {"content": b'{"prompt":"x","\\udfff":1}'}, 422, "invalid_request"),
        ("POST", PICTURES, {"content": b"x" * 1_100_000}, 413, "too_large"),
        ("POST", EDITS, {"files": {"image": b"no picture"}}, 422, "invalid_request"),
        (
            "POST",
            EDITS,
            {"files": {"image": b"no picture"}, "data": {"prompt": "x"}},
            422,
            "wrong_type",
        ),
        (
            "POST",
            EDITS,
            {"files": {"picture": PNG}, "data": {"prompt": "x"}},
            422,
            "invalid_request",
        ),
        (
            "POST",
            EDITS,
            {"files": {"image": b"x" * 20_971_521}, "data": {"prompt": "x"}},
            413,
            "too_large",
        ),
        (
            "POST",
            EDITS,
            {"headers": {"content-type": FORM}, "content": b"x"},
            422,
            "invalid_request",
        ),
        (
            "POST",
            EDITS,
            {"headers": {"content-type": f"{FORM}; boundary=b"}, "content": b"--b\r\nx"},
            422,
            "invalid_request",
        ),
        ("GET", "/v1/videos?limit=0", {}, 422, "invalid_request"),
        ("GET", "/v1/videos?order=up", {}, 422, "invalid_request"),
        ("GET", "/v1/videos?after=%00", {}, 404, "not_found"),
        ("GET", "/v1/videos/%00/content", {}, 404, "not_found"),
        ("GET", "/v1/models/%ED%A0%80", {}, 404, "model_not_found"),
    ],
)
async def test_every_refusal_has_openais_shape(
    server: Served, method: str, path: str, sent: dict[str, Any], status: int, code: str
) -> None:
    answer = await server.client.request(method, path, **sent)
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error"}
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["code"] == code, error
    assert (status == 405) == ("allow" in answer.headers)


async def test_the_limit_of_requests_is_told_in_openais_shape(
    database_url: str, calm_demo: Demo, tmp_path: Any
) -> None:
    urls = {"DATABASE_URL": database_url, "DEMO_BASE_URL": calm_demo.url}
    async with serve(tmp_path / "few", **urls, REQUESTS_PER_MINUTE="1") as served:
        answers = [await served.client.get("/v1/models") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].json()["error"]["type"] == "rate_limit_error"
    assert int(answers[1].headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    ("code", "status", "told"),
    [
        ("content_policy", 400, "content_policy_violation"),
        ("invalid_request", 400, "invalid_request"),
        ("auth", 502, "auth"),
        ("out_of_credit", 503, "out_of_credit"),
        ("timeout", 504, "timeout"),
        ("submit_unknown", 504, "submit_unknown"),
        ("wrong_type", 502, "wrong_type"),
        ("of_tomorrow", 502, "of_tomorrow"),
    ],
)
def test_what_came_to_nothing_has_a_status_of_its_own(code: str, status: int, told: str) -> None:
    error = {"code": code, "message": "No.", "retryable": False}
    answer = refuse({"id": "x", "status": "failed", "error": error})
    assert answer.status_code == status
    assert f'"code":"{told}"'.encode() in answer.body
    assert answer.headers["x-should-retry"] == "false"


async def test_bodies_of_a_proxy_for_many_models_are_understood(
    server: Served, calm_demo: Demo
) -> None:
    """As LiteLLM sends them. Source: litellm/llms/openai/{image_edit,videos}/transformation.py of
    BerriAI/litellm, 2026-11.
    """
    http = server.client
    asked = {**FOX, "n": 1, "quality": "standard", "response_format": "url", "user": "u"}
    drawn = await http.post("/v1/images/generations", json=asked)
    assert drawn.status_code == 200, drawn.text
    edited = await http.post(
        "/v1/images/edits",
        data={"model": QUICK, "prompt": "blue", "n": "2", "size": "auto", "background": "auto"},
        files=[("image[]", ("image.png", PNG, "image/png"))] * 2,
    )
    assert edited.status_code == 200, edited.text
    assert len(edited.json()["data"]) == 2
    begun = await http.post("/v1/videos", json={**FILM, "seconds": "1", "user": "u"})
    also = await http.post(
        "/v1/videos",
        data={**FILM, "user": "u"},
        files=[("input_reference", ("input_reference.png", PNG, "image/png"))],
    )
    assert (begun.status_code, also.status_code) == (200, 200), also.text
    film = also.json()["id"]
    assert float(also.json()["seconds"]) == 1
    await http.get(f"/api/generations/{film}", params={"wait": 30})
    content = await http.get(f"/v1/videos/{film}/content", params={"video_id": film})
    assert content.headers["content-type"] == "video/mp4"
    assert (await http.get("/v1/videos", params={"limit": "5"})).json()["object"] == "list"
    assert (await http.delete(f"/v1/videos/{film}")).json()["deleted"] is True


async def test_bodies_of_a_chat_for_many_models_are_understood(
    server: Served, calm_demo: Demo
) -> None:
    """As LobeHub's sends them, which reads the first of `data` and takes either form of it. Source:
    packages/model-runtime/src/core/openaiCompatibleFactory/createImage.ts of lobehub/lobe-chat,
    2026-11.
    """
    http = server.client
    asked = {"model": QUICK, "n": 1, "prompt": "a fox", "size": "320x192", "seed": None}
    drawn = (await http.post("/v1/images/generations", json=asked)).json()["data"][0]
    assert set(drawn) == {"url"}
    async with httpx.AsyncClient(trust_env=False) as anybody:
        assert opened((await anybody.get(drawn["url"])).content).size == (320, 192)
    for name in ("image", "image[]"):
        edited = await http.post(
            "/v1/images/edits",
            data={"model": QUICK, "n": "1", "input_fidelity": "high", "prompt": "blue"},
            files=[(name, ("image.png", PNG, "image/png"))],
        )
        assert edited.status_code == 200, edited.text
        assert edited.json()["kinora"]["ignored"] == ["input_fidelity"]

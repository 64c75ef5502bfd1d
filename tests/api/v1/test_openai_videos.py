"""Films by the official client: begun, asked about, listed, fetched whole and in parts, deleted."""

from __future__ import annotations

import base64
import warnings
from io import BytesIO
from typing import Any
from uuid import uuid4

import av
import openai
import pytest

from api.v1.wanted import sized
from generations.contract import Wanted
from providers.catalogue import load_catalogue
from tests.db.samples import encoded, opened, picture
from tests.demo_process import Demo
from tests.house import Served

QUICK = "demo-video-quick"
SHORT: dict[str, Any] = {"model": QUICK, "seconds": "1", "size": "320x180"}

# OpenAI's own films end in 2026; others keep their shape.
pytestmark = pytest.mark.filterwarnings("ignore:The Sora API is scheduled")


def first_frame(data: bytes) -> tuple[int, int]:
    """Width and height of what a player would show."""
    with av.open(BytesIO(data), "r") as film:
        frame = next(film.decode(video=0))
        assert film.duration is not None
        assert film.duration / av.time_base == pytest.approx(1, abs=0.2)
        return frame.width, frame.height


async def made(client: openai.AsyncOpenAI, **more: Any) -> Any:
    return await client.videos.create_and_poll(
        prompt="a fox runs", poll_interval_ms=100, **{**SHORT, **more}
    )


async def test_a_film_is_begun_polled_and_played(client: openai.AsyncOpenAI) -> None:
    begun = await client.videos.create(prompt="a fox runs", **SHORT)
    assert (begun.object, begun.model, begun.prompt) == ("video", QUICK, "a fox runs")
    assert (begun.seconds, begun.size, begun.status) == ("1", "320x180", "queued")
    assert (begun.progress, begun.error, begun.completed_at) == (0, None, None)
    film = await client.videos.poll(begun.id, poll_interval_ms=100)
    assert (film.id, film.status, film.progress) == (begun.id, "completed", 100)
    assert (film.seconds, film.size, film.created_at) == ("1", "320x180", begun.created_at)
    assert film.completed_at is not None
    assert film.completed_at >= film.created_at
    content = await client.videos.download_content(film.id)
    assert content.response.headers["content-type"] == "video/mp4"
    assert first_frame(content.content) == (320, 180)
    small = await client.videos.download_content(film.id, variant="thumbnail")
    assert opened(small.content).format == "WEBP"


async def test_a_film_is_fetched_in_streams_and_in_parts(
    client: openai.AsyncOpenAI, server: Served
) -> None:
    film = await made(client)
    whole = (await client.videos.download_content(film.id)).content
    streamed = b""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        async with client.videos.with_streaming_response.download_content(film.id) as answer:
            async for chunk in answer.iter_bytes():
                streamed += chunk
    assert streamed == whole
    address = f"/v1/videos/{film.id}/content"
    part = await server.client.get(address, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole[10:20])
    beyond = await server.client.get(address, headers={"Range": f"bytes={len(whole)}-"})
    assert (beyond.status_code, beyond.json()["error"]["code"]) == (416, "invalid_range")
    assert beyond.headers["content-range"] == f"bytes */{len(whole)}"
    unread = await server.client.get(address, headers={"Range": "bytes=x"})
    assert (unread.status_code, unread.content) == (200, whole)
    again = await server.client.get(address, headers={"If-None-Match": part.headers["etag"]})
    assert again.status_code == 304


async def test_a_film_begins_with_the_picture_it_is_given(
    client: openai.AsyncOpenAI, server: Served
) -> None:
    given = encoded(picture(), "PNG")
    url = "data:image/png;base64," + base64.b64encode(given).decode()
    for more in (
        {"input_reference": ("start.png", given)},
        {"extra_body": {"input_reference": {"image_url": url}}},
    ):
        begun = await client.videos.create(prompt="x", **SHORT, **more)
        row = (await server.client.get(f"/api/generations/{begun.id}")).json()
        assert [one["role"] for one in row["inputs"]] == ["start"]
    film = await client.videos.poll(begun.id, poll_interval_ms=100)
    assert film.status == "completed"


async def test_json_is_taken_as_well_with_numbers_and_with_what_kinora_adds(
    server: Served, calm_demo: Demo
) -> None:
    body = {"prompt": "x", "model": QUICK, "seconds": 2, "aspect_ratio": "9:16", "seed": 3}
    answer = await server.client.post("/v1/videos", json={**body, "resolution": "180p"})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["seconds"], told["size"]) == ("2", "180x320")
    row = (await server.client.get(f"/api/generations/{told['id']}")).json()
    assert row["params"]["seed"] == 3


@pytest.mark.parametrize(
    ("arguments", "status", "param"),
    [
        ({"model": "sora-2"}, 404, "model"),
        ({"model": "demo-image"}, 422, "model"),
        ({"seconds": "11"}, 422, "seconds"),
        ({"seconds": "many"}, 422, "seconds"),
        ({"size": "321x180"}, 422, "size"),
        ({"size": "wide"}, 422, "size"),
        ({"input_reference": str(uuid4())}, 404, None),
        ({"input_reference": {"file_id": "a.png"}}, 422, "input_reference"),
        ({"input_reference": {"image_url": "http://example.org/"}}, 422, "input_reference"),
        ({"fps": 60}, 422, "fps"),
        ({"resolution": "180p"}, 422, "size"),
        ({"n": 2}, 422, "n"),
    ],
)
async def test_what_cannot_be_is_refused_in_openais_words(
    server: Served, arguments: dict[str, Any], status: int, param: str | None
) -> None:
    answer = await server.client.post("/v1/videos", json={"prompt": "x", **SHORT, **arguments})
    error = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (status, param), error


async def test_a_size_is_a_shape_and_a_resolution_where_a_model_has_those(
    server: Served,
) -> None:
    answer = await server.client.post(
        "/v1/videos", json={"prompt": "x", "model": QUICK, "size": "1280x720", "seconds": 1}
    )
    row = (await server.client.get(f"/api/generations/{answer.json()['id']}")).json()
    assert (row["params"]["aspect_ratio"], row["params"]["resolution"]) == ("16:9", "720p")
    await server.client.delete(f"/v1/videos/{row['id']}")


@pytest.mark.parametrize(
    ("model", "size", "shape"),
    [
        ("veo-3.1-fast", "1280x720", ("16:9", "720p", None)),
        ("veo-3.1-fast", "1080x1920", ("9:16", "1080p", None)),
        ("veo-3.1-fast", "854x480", ("16:9", "480p", None)),
        ("veo-3.1-fast", "1000x1000", ("1:1", "1000p", None)),
        ("demo-video", "1280x720", (None, "720p", "1280x720")),
        ("wan-2.2-5b", "1280x704", (None, None, "1280x704")),
        ("veo-3.1-fast", "wide", (None, None, "wide")),
    ],
)
def test_a_size_is_said_as_the_model_has_it(
    model: str, size: str, shape: tuple[str | None, str | None, str | None]
) -> None:
    found, _ = load_catalogue().find(model)
    said = sized(Wanted(kind="video", prompt="x"), size, found)
    assert (said.aspect_ratio, said.resolution, said.size) == shape


async def test_the_content_of_what_is_not_there_is_a_conflict_that_nobody_repeats(
    client: openai.AsyncOpenAI, server: Served, demo: Demo
) -> None:
    await demo.hold(True)
    begun = await client.videos.create(prompt="x", **SHORT)
    with pytest.raises(openai.ConflictError) as refused:
        await client.videos.download_content(begun.id)
    assert refused.value.code == "not_ready"
    assert refused.value.response.headers["x-should-retry"] == "false"
    await server.client.post(f"/api/generations/{begun.id}/cancel")
    film = await client.videos.poll(begun.id, poll_interval_ms=100)
    assert film.status == "failed"
    assert film.error is not None
    assert film.error.code == "cancelled"
    with pytest.raises(openai.ConflictError) as refused:
        await client.videos.download_content(begun.id)
    assert refused.value.code == "failed"


async def test_a_film_whose_making_failed_says_why(client: openai.AsyncOpenAI) -> None:
    film = await client.videos.create_and_poll(
        prompt="x [[fault: submit=fail]]", poll_interval_ms=100, **SHORT
    )
    assert (film.status, film.completed_at) == ("failed", None)
    assert film.error is not None
    assert film.error.code == "provider_error"


async def test_films_are_listed_page_by_page_in_both_directions_and_deleted(
    client: openai.AsyncOpenAI, server: Served, demo: Demo
) -> None:
    async for film in client.videos.list(limit=100):
        await client.videos.delete(film.id)
    assert (await client.videos.list()).data == []
    await demo.hold(True)
    ids = [(await client.videos.create(prompt=f"film {i}", **SHORT)).id for i in range(5)]
    assert [film.id async for film in client.videos.list(limit=2)] == ids[::-1]
    assert [film.id async for film in client.videos.list(limit=2, order="asc")] == ids
    page = (await server.client.get("/v1/videos", params={"limit": 2})).json()
    assert (page["object"], page["has_more"]) == ("list", True)
    assert (page["first_id"], page["last_id"]) == (ids[4], ids[3])
    gone = await client.videos.delete(ids[3])
    assert (gone.id, gone.object, gone.deleted) == (ids[3], "video.deleted", True)
    after = [film.id async for film in client.videos.list(after=ids[3], limit=2)]
    assert after == ids[2::-1]
    with pytest.raises(openai.NotFoundError):
        await client.videos.retrieve(ids[3])
    with pytest.raises(openai.NotFoundError) as refused:
        await client.videos.list(after=str(uuid4()))
    assert refused.value.param == "after"


async def test_a_picture_is_no_film(server: Served, calm_demo: Demo) -> None:
    body = {"prompt": "x", "model": "demo-image-quick"}
    one = (await server.client.post("/api/tools/generate_image", json=body)).json()["id"]
    for path in (f"/v1/videos/{one}", f"/v1/videos/{one}/content", "/v1/videos/video_x"):
        answer = await server.client.get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")

"""The demo painters' wire: what a client of RunPod sees, from submit to download."""

from __future__ import annotations

import asyncio
import io
from typing import Any
from uuid import uuid4

import httpx
import pytest
from PIL import Image

from tests.demo_process import Demo

KEY = {"Authorization": "Bearer any"}
SMALL: dict[str, Any] = {"width": 320, "height": 180}


async def submit(demo: Demo, endpoint: str, key: str | None = None, **wanted: Any) -> Any:
    """The answer to a submit; `wanted` is the job's input."""
    headers = KEY | ({"Idempotency-Key": key} if key else {})
    body = {"input": {"prompt": "a red fox", **wanted}}
    return (await demo.client.post(f"/v2/{endpoint}/run", json=body, headers=headers)).json()


async def status(demo: Demo, endpoint: str, job_id: str) -> Any:
    return (await demo.client.get(f"/v2/{endpoint}/status/{job_id}", headers=KEY)).json()


async def finished(demo: Demo, endpoint: str, **wanted: Any) -> Any:
    """The status of a job that has come to its end."""
    generation = str(uuid4())
    job = await submit(demo, endpoint, f"{generation}-1", **wanted)
    await demo.until(generation, "finished")
    return await status(demo, endpoint, job["id"])


async def picture(demo: Demo, url: str) -> Image.Image:
    return Image.open(io.BytesIO((await demo.client.get(url)).content)).convert("RGB")


async def test_a_job_goes_from_the_queue_through_progress_to_its_picture(calm_demo: Demo) -> None:
    generation = str(uuid4())
    await calm_demo.hold(True)
    job = await submit(calm_demo, "demo-image-quick", f"{generation}-1", seed=7, **SMALL)
    assert job["id"].endswith("-u1")
    held = await status(calm_demo, "demo-image-quick", job["id"])
    assert held["status"] == "IN_PROGRESS"
    assert 0 <= held["output"]["progress"] <= 0.5
    asked = {"generation": generation, "until": "finished", "timeout_s": "0.7"}
    assert (await calm_demo.client.get("/_wait", params=asked)).status_code == 408
    await calm_demo.hold(False)
    await calm_demo.until(generation, "completed")
    done = await status(calm_demo, "demo-image-quick", job["id"])
    assert done["status"] == "COMPLETED"
    assert {"delayTime", "executionTime", "workerId"} <= set(done)
    assert done["output"]["cost"] == pytest.approx(0.0003)
    [made] = done["output"]["images"]
    assert made | {"url": ""} == {"url": "", "width": 320, "height": 180, "seed": 7}
    assert done["output"]["image_url"] == made["url"]
    assert made["url"].startswith(calm_demo.url)
    assert (await picture(calm_demo, made["url"])).size == (320, 180)
    page = await calm_demo.ledger(generation)
    assert (page["submits"], page["submit_requests"]) == (1, 1)
    assert (page["polls"], page["downloads"]) == (2, 1)


async def test_several_pictures_are_as_many_files_of_rising_seeds(calm_demo: Demo) -> None:
    done = await finished(calm_demo, "demo-image-quick", num_images=3, seed=5, **SMALL)
    assert [made["seed"] for made in done["output"]["images"]] == [5, 6, 7]
    assert "image_url" not in done["output"]
    assert done["output"]["cost"] == pytest.approx(0.0009)
    first, second, third = [await picture(calm_demo, m["url"]) for m in done["output"]["images"]]
    assert len({image.tobytes() for image in (first, second, third)}) == 3


async def test_the_same_prompt_and_seed_give_the_same_picture(calm_demo: Demo) -> None:
    one = await finished(calm_demo, "demo-image-quick", seed=5, **SMALL)
    other = await finished(calm_demo, "demo-image-quick", seed=5, **SMALL)
    urls = [job["output"]["image_url"] for job in (one, other)]
    assert urls[0] != urls[1]
    images = [await picture(calm_demo, url) for url in urls]
    assert images[0].tobytes() == images[1].tobytes()


async def test_one_key_is_one_job_however_often_and_at_once_it_is_sent(calm_demo: Demo) -> None:
    generation = str(uuid4())
    again = [submit(calm_demo, "demo-image-quick", f"{generation}-1", **SMALL) for _ in range(8)]
    jobs = await asyncio.gather(*again)
    assert len({job["id"] for job in jobs}) == 1
    second = await submit(calm_demo, "demo-image-quick", f"{generation}-2", **SMALL)
    assert second["id"] != jobs[0]["id"]
    page = await calm_demo.ledger(generation)
    assert (page["submits"], page["submit_requests"], len(page["jobs"])) == (2, 9, 2)
    assert [job["key"] for job in page["jobs"]] == [f"{generation}-1", f"{generation}-2"]


async def test_a_job_without_a_key_stands_in_the_ledger_by_itself(calm_demo: Demo) -> None:
    before = (await calm_demo.client.get("/_ledger")).json()["totals"]
    job = await submit(calm_demo, "demo-image-quick", **SMALL)
    book = (await calm_demo.client.get("/_ledger")).json()
    [page] = [page for page in book["unkeyed"] if page["jobs"][0]["id"] == job["id"]]
    assert (page["submits"], page["submit_requests"]) == (1, 1)
    assert book["totals"]["submits"] == before["submits"] + 1
    assert book["totals"]["submit_requests"] == before["submit_requests"] + 1


async def test_films_wait_for_each_other_and_a_cancelled_one_makes_room(
    calm_demo: Demo,
) -> None:
    generations = [str(uuid4()) for _ in range(3)]
    await calm_demo.hold(True)
    jobs = [
        await submit(calm_demo, "demo-video", f"{generation}-1", duration=1, **SMALL)
        for generation in generations
    ]
    await calm_demo.until(generations[0], "in_progress")
    waiting = await status(calm_demo, "demo-video", jobs[2]["id"])
    assert (waiting["status"], waiting["queue_position"]) == ("IN_QUEUE", 2)
    for at in (2, 0, 1):  # one that waits, the one in work, and the one that takes its place
        path = f"/v2/demo-video/cancel/{jobs[at]['id']}"
        answer = (await calm_demo.client.post(path, headers=KEY)).json()
        assert (answer["id"], answer["status"]) == (jobs[at]["id"], "CANCELLED")
        await calm_demo.until(generations[at], "cancelled")
        if at == 0:
            await calm_demo.until(generations[1], "in_progress")


async def test_a_finished_job_is_not_cancelled_any_more(calm_demo: Demo) -> None:
    done = await finished(calm_demo, "demo-image-quick", **SMALL)
    path = f"/v2/demo-image-quick/cancel/{done['id']}"
    assert (await calm_demo.client.post(path, headers=KEY)).json()["status"] == "COMPLETED"


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        ({"num_images": 9}, "num_images"),
        ({"width": 9000}, "width"),
        ({"prompt": "  "}, "prompt"),
        ({"seed": "x"}, "seed"),
        ({"image": "http://127.0.0.1/a.png"}, "image"),
        ({"image": "data:image/png;base64,AAAA"}, "image"),
    ],
)
async def test_a_wrong_input_fails_the_job_and_says_why(
    calm_demo: Demo, wanted: dict[str, Any], part: str
) -> None:
    job = await submit(calm_demo, "demo-image-quick", f"{(generation := uuid4())}-1", **wanted)
    await calm_demo.until(str(generation), "failed")
    failed = await status(calm_demo, "demo-image-quick", job["id"])
    assert failed["error"].startswith(f"Invalid parameter: {part}")


async def test_a_film_that_is_too_long_fails_and_says_why(calm_demo: Demo) -> None:
    failed = await finished(calm_demo, "demo-video-quick", duration=900)
    assert failed["status"] == "FAILED"
    assert "0.5 to 30" in failed["error"]


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "code"),
    [
        ("POST", "/v2/demo-image/run", {}, b'{"input": {}}', 401),
        ("POST", "/v2/demo-image/run", {"Authorization": "Bearer"}, b'{"input": {}}', 401),
        ("POST", "/v2/no-such/run", KEY, b'{"input": {}}', 404),
        ("POST", "/_control", {"Origin": "http://evil.example"}, b'{"hold": true}', 403),
        ("POST", "/v2/demo-image/run", KEY, b'{"input": ', 400),
        ("POST", "/v2/demo-image/run", KEY, b'{"prompt": "a fox"}', 400),
        ("GET", "/v2/demo-image/status/nobody-u1", KEY, b"", 404),
        ("POST", "/v2/demo-image/cancel/nobody-u1", KEY, b"", 404),
        ("GET", "/results/nobody-u1/0.png", {}, b"", 404),
        ("GET", "/nothing", {}, b"", 404),
    ],
)
async def test_what_is_not_right_is_refused(
    calm_demo: Demo, method: str, path: str, headers: dict[str, str], body: bytes, code: int
) -> None:
    answer = await calm_demo.client.request(method, path, headers=headers, content=body)
    assert answer.status_code == code
    assert answer.headers["content-type"] == "application/json"


async def test_a_body_over_10_mb_is_refused_for_its_size(calm_demo: Demo) -> None:
    body = b'{"input": {"prompt": "' + b"x" * 10_000_000 + b'"}}'
    answer = await calm_demo.client.post("/v2/demo-image/run", headers=KEY, content=body)
    assert answer.status_code == 400
    assert "10000000 bytes" in answer.json()["error"]


async def test_a_result_can_be_read_in_parts(calm_demo: Demo) -> None:
    done = await finished(calm_demo, "demo-image-quick", **SMALL)
    url = done["output"]["image_url"]
    whole = (await calm_demo.client.get(url)).content
    part = await calm_demo.client.get(url, headers={"Range": "bytes=8-23"})
    assert part.status_code == 206
    assert part.content == whole[8:24]
    assert part.headers["content-range"] == f"bytes 8-23/{len(whole)}"
    assert part.headers["content-type"] == "image/png"


async def test_health_counts_jobs_and_workers(calm_demo: Demo) -> None:
    await finished(calm_demo, "demo-image-quick", **SMALL)
    health = (await calm_demo.client.get("/v2/demo-image-quick/health", headers=KEY)).json()
    assert health["jobs"]["completed"] >= 1
    assert set(health["workers"]) == {"idle", "running"}


async def test_waiting_for_what_does_not_come_ends(calm_demo: Demo) -> None:
    asked = {"generation": str(uuid4()), "until": "submits:1", "timeout_s": "0.1"}
    assert (await calm_demo.client.get("/_wait", params=asked)).status_code == 408
    wrong = {"generation": "x", "until": "whenever"}
    assert (await calm_demo.client.get("/_wait", params=wrong)).status_code == 400


async def test_who_asks_under_another_name_gets_results_under_that_name(calm_demo: Demo) -> None:
    done = await finished(calm_demo, "demo-image-quick", **SMALL)
    address = calm_demo.url.replace("127.0.0.1", "localhost")
    async with httpx.AsyncClient(base_url=address, trust_env=False) as other:
        path = f"/v2/demo-image-quick/status/{done['id']}"
        shown = (await other.get(path, headers=KEY)).json()
    assert shown["output"]["image_url"].startswith(address)

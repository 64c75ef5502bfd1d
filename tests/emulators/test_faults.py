"""Bad days on demand: each fault as a client on a socket sees it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest

from tests.demo_process import Demo

KEY = {"Authorization": "Bearer any"}
ENDPOINT = "demo-image-quick"
INPUT = {"input": {"prompt": "a fox", "width": 160, "height": 90}}


async def raw(demo: Demo, request: bytes, within_s: float = 5.0) -> bytes:
    """What a bare socket receives until the other side ends; a reset raises."""
    at = urlsplit(demo.url)
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    try:
        async with asyncio.timeout(within_s):
            writer.write(request)
            return await reader.read()
    finally:
        writer.close()


def submit_bytes(generation: str) -> bytes:
    body = json.dumps(INPUT).encode()
    head = (
        f"POST /v2/{ENDPOINT}/run HTTP/1.1\r\nHost: demo\r\nAuthorization: Bearer any\r\n"
        f"Idempotency-Key: {generation}-1\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def submit(demo: Demo, generation: str) -> httpx.Response:
    headers = KEY | {"Idempotency-Key": f"{generation}-1"}
    return await demo.client.post(f"/v2/{ENDPOINT}/run", json=INPUT, headers=headers)


async def completed(demo: Demo) -> tuple[str, str]:
    """The id of a finished job and the address of its picture."""
    generation = str(uuid4())
    job_id = (await submit(demo, generation)).json()["id"]
    await demo.until(generation, "completed")
    shown = await demo.client.get(f"/v2/{ENDPOINT}/status/{job_id}", headers=KEY)
    return job_id, shown.json()["output"]["image_url"]


async def read_to_the_end(pieces: AsyncIterator[bytes]) -> None:
    async for _ in pieces:
        pass


@pytest.mark.parametrize(("fault", "submits"), [("drop_before", 0), ("drop_after", 1)])
async def test_a_dropped_submit_is_reset_without_a_byte(
    calm_demo: Demo, fault: str, submits: int
) -> None:
    generation = str(uuid4())
    await calm_demo.fault(on="submit", fault=fault, generation=generation)
    with pytest.raises(ConnectionResetError):
        await raw(calm_demo, submit_bytes(generation))
    page = await calm_demo.ledger(generation)
    assert (page["submits"], page["submit_requests"]) == (submits, 1)
    job = (await submit(calm_demo, generation)).json()
    await calm_demo.until(generation, "completed")
    page = await calm_demo.ledger(generation)
    assert (page["submits"], page["submit_requests"]) == (1, 2)
    assert page["jobs"][0]["id"] == job["id"]


async def test_a_hanging_submit_is_accepted_and_never_answered(calm_demo: Demo) -> None:
    generation = str(uuid4())
    await calm_demo.fault(on="submit", fault="hang", generation=generation)
    with pytest.raises(TimeoutError):
        await raw(calm_demo, submit_bytes(generation), within_s=0.3)
    await calm_demo.until(generation, "submits:1")


async def test_a_malformed_answer_is_no_json(calm_demo: Demo) -> None:
    generation = str(uuid4())
    await calm_demo.fault(on="submit", fault="malformed", generation=generation)
    answer = await submit(calm_demo, generation)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match="Unterminated"):
        answer.json()
    assert (await calm_demo.ledger(generation))["submits"] == 1


async def test_a_status_fault_comes_as_often_as_ordered_with_retry_after(calm_demo: Demo) -> None:
    await calm_demo.fault(
        on="submit", fault="status", status=429, retry_after_s=1, times=2, endpoint=ENDPOINT
    )
    generation = str(uuid4())
    answers = [await submit(calm_demo, generation) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["retry-after"] == "1"
    assert (await calm_demo.ledger(generation))["submits"] == 1


async def test_a_rule_for_another_endpoint_is_left_alone(calm_demo: Demo) -> None:
    await calm_demo.fault(on="submit", fault="status", endpoint="demo-video")
    assert (await submit(calm_demo, str(uuid4()))).status_code == 200
    [rule] = (await calm_demo.client.get("/_faults")).json()["faults"]
    assert (rule["fault"], rule["left"]) == ("status", 1)


async def test_a_doomed_job_ends_failed_with_an_error(calm_demo: Demo) -> None:
    generation = str(uuid4())
    await calm_demo.fault(on="submit", fault="fail", generation=generation)
    job_id = (await submit(calm_demo, generation)).json()["id"]
    await calm_demo.until(generation, "failed")
    shown = (await calm_demo.client.get(f"/v2/{ENDPOINT}/status/{job_id}", headers=KEY)).json()
    assert shown["status"] == "FAILED"
    assert shown["error"]


async def test_polls_and_cancels_meet_their_own_faults(calm_demo: Demo) -> None:
    job_id, _ = await completed(calm_demo)
    path = f"/v2/{ENDPOINT}/status/{job_id}"
    await calm_demo.fault(on="poll", fault="unknown_status")
    assert (await calm_demo.client.get(path, headers=KEY)).json()["status"] == "BAKING"
    await calm_demo.fault(on="poll", fault="drop_before")
    with pytest.raises(httpx.TransportError):
        await calm_demo.client.get(path, headers=KEY)
    await calm_demo.fault(on="cancel", fault="status", status=500)
    cancel = await calm_demo.client.post(f"/v2/{ENDPOINT}/cancel/{job_id}", headers=KEY)
    assert cancel.status_code == 500
    assert (await calm_demo.client.get(path, headers=KEY)).json()["status"] == "COMPLETED"


async def test_a_download_can_break_off_lie_or_be_gone(calm_demo: Demo) -> None:
    _, url = await completed(calm_demo)
    whole = (await calm_demo.client.get(url)).content
    await calm_demo.fault(on="result", fault="drop_after")
    with pytest.raises(httpx.TransportError):
        await calm_demo.client.get(url)
    await calm_demo.fault(on="result", fault="malformed")
    assert not (await calm_demo.client.get(url)).content.startswith(b"\x89PNG")
    await calm_demo.fault(on="result", fault="wrong_type")
    assert (await calm_demo.client.get(url)).headers["content-type"].startswith("text/html")
    await calm_demo.fault(on="result", fault="status", status=403)
    assert (await calm_demo.client.get(url)).status_code == 403
    assert (await calm_demo.client.get(url)).content == whole


async def test_a_dripping_download_sends_a_little_and_goes_on(calm_demo: Demo) -> None:
    _, url = await completed(calm_demo)
    await calm_demo.fault(on="result", fault="drip")
    async with calm_demo.client.stream("GET", url) as answer:
        first = await anext(answer.aiter_raw())
        assert 0 < len(first) < int(answer.headers["content-length"])


async def test_the_chat_can_break_off_in_the_middle(calm_demo: Demo) -> None:
    await calm_demo.fault(on="chat", fault="drop_after")
    body = {"stream": True, "messages": [{"role": "user", "content": "hello"}]}
    async with calm_demo.client.stream("POST", "/v1/chat/completions", json=body) as answer:
        pieces = answer.aiter_raw()
        assert b'"role"' in await anext(pieces)
        with pytest.raises(httpx.TransportError):
            await read_to_the_end(pieces)


@pytest.mark.parametrize(
    "order",
    [
        {"on": "submit"},
        {"on": "lunch", "fault": "hang"},
        {"on": "submit", "fault": "rain"},
        {"on": "submit", "fault": "hang", "times": -1},
        {"on": "submit", "fault": "hang", "times": True},
        {"on": "submit", "fault": "drip"},
        {"on": "chat", "fault": "late"},
        {"on": "poll", "fault": "late", "delay_s": "long"},
        {"on": "poll", "fault": "status", "retry_after_s": -1},
        {"on": "submit", "fault": "status", "status": 200},
        {"on": "submit", "fault": "hang", "often": 1},
    ],
)
async def test_an_order_that_makes_no_sense_is_refused(
    calm_demo: Demo, order: dict[str, object]
) -> None:
    assert (await calm_demo.client.post("/_faults", json=order)).status_code == 400
    assert (await calm_demo.client.get("/_faults")).json() == {"faults": []}

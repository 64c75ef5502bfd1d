"""News of finished jobs: what a receiver sees, on good days and on bad ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web

from tests.demo_process import Demo
from tests.emulators.painters import ENDPOINT, KEY, status, submit


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Takes webhooks; answers with the statuses in `answers` first, with 200 then."""

    url: str
    came: asyncio.Queue[tuple[str, Any]]
    answers: list[int]

    def address(self, generation: str) -> str:
        return f"{self.url}/webhooks/demo/{generation}/1/Asecret"

    async def next(self) -> tuple[str, Any]:
        """Path and body of the next one."""
        async with asyncio.timeout(10):
            return await self.came.get()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    came: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
    answers: list[int] = []

    async def take(request: web.Request) -> web.Response:
        came.put_nowait((request.path, await request.json()))
        return web.Response(status=answers.pop(0) if answers else 200)

    app = web.Application()
    app.router.add_post("/{path:.*}", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0]
    yield Receiver(url=f"http://{host}:{port}", came=came, answers=answers)
    await runner.cleanup()


@pytest.fixture
async def brisk_demo(calm_demo: Demo) -> AsyncIterator[Demo]:
    """The demo provider without a pause between the tries of a webhook."""
    await calm_demo.client.post("/_control", json={"webhook_gap_s": 0})
    yield calm_demo
    await calm_demo.client.post("/_control", json={"webhook_gap_s": 10})


async def started(demo: Demo, receiver: Receiver, prompt: str = "a fox") -> tuple[str, str]:
    """Generation and job id of a submit that has no key, only a webhook."""
    generation = str(uuid4())
    answer = await submit(demo, None, prompt, webhook=receiver.address(generation))
    return generation, answer.json()["id"]


async def test_the_end_of_a_job_is_told_with_its_status_input_and_address(
    brisk_demo: Demo, receiver: Receiver
) -> None:
    generation, job_id = await started(brisk_demo, receiver)
    path, news = await receiver.next()
    assert f"{receiver.url}{path}" == news["webhook"] == receiver.address(generation)
    assert news["input"]["prompt"] == "a fox"
    shown = await status(brisk_demo, job_id)
    assert {name: news[name] for name in shown} == shown
    assert (shown["id"], shown["status"]) == (job_id, "COMPLETED")
    await brisk_demo.until(generation, "webhooks:1")
    page = await brisk_demo.ledger(generation)
    assert (page["submits"], page["submit_requests"], page["webhooks"]) == (1, 1, 1)
    assert page["jobs"][0]["key"] is None


async def test_a_failed_job_is_told_and_a_cancelled_one_is_not(
    brisk_demo: Demo, receiver: Receiver
) -> None:
    await brisk_demo.hold(True)
    cancelled, job_id = await started(brisk_demo, receiver)
    await brisk_demo.client.post(f"/v2/{ENDPOINT}/cancel/{job_id}", headers=KEY)
    await brisk_demo.until(cancelled, "cancelled")
    await brisk_demo.hold(False)
    await started(brisk_demo, receiver, "a fox [[fault: submit=fail]]")
    _, news = await receiver.next()
    assert news["status"] == "FAILED"
    assert news["error"]
    assert (await brisk_demo.ledger(cancelled))["webhooks"] == 0


@pytest.mark.parametrize(
    ("answers", "tries", "last"),
    [([500, 202], 2, 202), ([500, 404, 204], 3, 204), ([], 1, 200)],
)
async def test_a_webhook_is_tried_three_times_until_200_or_202(
    brisk_demo: Demo, receiver: Receiver, answers: list[int], tries: int, last: int
) -> None:
    receiver.answers.extend(answers)
    generation, _ = await started(brisk_demo, receiver)
    for _ in range(tries):
        await receiver.next()
    async with asyncio.timeout(5):
        while (await brisk_demo.ledger(generation))["webhook_answers"] != last:
            pass
    other, _ = await started(brisk_demo, receiver)
    assert other in (await receiver.next())[0]
    assert (await brisk_demo.ledger(generation))["webhooks"] == tries


async def test_a_receiver_that_is_not_there_is_tried_three_times(brisk_demo: Demo) -> None:
    generation = str(uuid4())
    nobody = f"http://127.0.0.1:9/webhooks/demo/{generation}/1/x"
    await submit(brisk_demo, generation, webhook=nobody)
    await brisk_demo.until(generation, "webhooks:3")
    assert (await brisk_demo.ledger(generation))["webhook_answers"] is None


async def test_an_early_one_comes_before_the_answer_to_the_submit(
    brisk_demo: Demo, receiver: Receiver
) -> None:
    _, job_id = await started(brisk_demo, receiver, "a fox [[fault: webhook=early]]")
    _, early = receiver.came.get_nowait()
    assert (early["id"], early["status"]) == (job_id, "IN_PROGRESS")
    assert "output" not in early
    assert (await receiver.next())[1]["status"] == "COMPLETED"


async def test_a_late_one_comes_after_its_delay(brisk_demo: Demo, receiver: Receiver) -> None:
    generation, _ = await started(brisk_demo, receiver, "a fox [[fault: webhook=late:0.3]]")
    await brisk_demo.until(generation, "completed")
    assert (await brisk_demo.ledger(generation))["webhooks"] == 0
    assert (await receiver.next())[1]["status"] == "COMPLETED"


async def test_news_can_come_twice(brisk_demo: Demo, receiver: Receiver) -> None:
    await started(brisk_demo, receiver, "a fox [[fault: webhook=twice]]")
    assert (await receiver.next()) == (await receiver.next())


async def test_a_forged_one_has_another_token_and_the_genuine_one_is_not_sent(
    brisk_demo: Demo, receiver: Receiver
) -> None:
    receiver.answers.append(404)
    generation, _ = await started(brisk_demo, receiver, "a fox [[fault: webhook=forged]]")
    path, news = await receiver.next()
    assert path == f"/webhooks/demo/{generation}/1/Bsecret"
    assert news["status"] == "COMPLETED"
    await started(brisk_demo, receiver)
    assert (await receiver.next())[0].endswith("/1/Asecret")
    assert (await brisk_demo.ledger(generation))["webhooks"] == 1


async def test_a_lost_one_is_never_sent(brisk_demo: Demo, receiver: Receiver) -> None:
    lost, _ = await started(brisk_demo, receiver, "a fox [[fault: webhook=lost]]")
    await brisk_demo.until(lost, "completed")
    told, _ = await started(brisk_demo, receiver)
    assert told in (await receiver.next())[0]
    assert (await brisk_demo.ledger(lost))["webhooks"] == 0


async def test_old_news_can_come_after_the_newest(brisk_demo: Demo, receiver: Receiver) -> None:
    await started(brisk_demo, receiver, "a fox [[fault: webhook=reordered]]")
    assert [(await receiver.next())[1]["status"] for _ in range(2)] == ["COMPLETED", "IN_PROGRESS"]


async def test_two_submits_with_one_webhook_are_two_jobs_of_one_generation(
    brisk_demo: Demo, receiver: Receiver
) -> None:
    generation, first = await started(brisk_demo, receiver)
    again = await submit(brisk_demo, webhook=receiver.address(generation))
    assert again.json()["id"] != first
    assert (await brisk_demo.ledger(generation))["submits"] == 2


async def test_a_webhook_of_another_shape_leaves_its_job_unkeyed(
    brisk_demo: Demo, receiver: Receiver
) -> None:
    job_id = (await submit(brisk_demo, webhook=f"{receiver.url}/hook")).json()["id"]
    assert (await receiver.next())[0] == "/hook"
    book = (await brisk_demo.client.get("/_ledger")).json()
    assert [page for page in book["unkeyed"] if page["jobs"][0]["id"] == job_id]


@pytest.mark.parametrize("url", ["", "ftp://127.0.0.1/x", "http://", "http://[", "nowhere"])
async def test_an_address_that_cannot_be_reached_by_http_is_refused(
    calm_demo: Demo, url: str
) -> None:
    assert (await submit(calm_demo, webhook=url)).status_code == 400


@pytest.mark.parametrize("body", [{}, {"hold": 1}, {"webhook_gap_s": -1}, {"hold": True, "x": 1}])
async def test_a_control_that_makes_no_sense_changes_nothing(
    calm_demo: Demo, body: dict[str, object]
) -> None:
    assert (await calm_demo.client.post("/_control", json=body)).status_code == 400
    now = await calm_demo.client.post("/_control", json={"hold": False})
    assert now.json() == {"hold": False, "webhook_gap_s": 10.0}

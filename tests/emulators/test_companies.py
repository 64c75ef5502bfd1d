"""The demo provider as Replicate and as fal: what their own clients lean on besides us."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.demo_process import Demo
from tests.providers.servers import mailbox

BEARER = {"Authorization": "Bearer r8_demo"}
KEY = {"Authorization": "Key id:demo"}
PREDICTIONS = "/replicate/v1/predictions"
PAINTER = "/replicate/v1/models/demo/painter-quick/predictions"
MODEL = "/fal/demo/painter-quick/dev"
FOX = {"prompt": "a red fox"}


async def over(demo: Demo, url: str, headers: dict[str, str]) -> httpx.Response:
    """The answer about a job once it is over."""
    async with asyncio.timeout(10):
        while True:
            answer = await demo.client.get(url, headers=headers)
            if answer.json()["status"] in ("succeeded", "failed", "canceled", "COMPLETED"):
                return answer


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", PAINTER, 401),
        ("GET", PREDICTIONS, 401),
        ("GET", f"{PREDICTIONS}/x", 401),
        ("GET", "/replicate/v1/account", 401),
        ("GET", "/replicate/v1/webhooks/default/secret", 401),
        ("POST", "/replicate/v1/files", 401),
        ("POST", MODEL, 401),
        ("GET", "/fal/demo/painter-quick/requests/x/status", 401),
        ("GET", "/fal/demo/painter-quick/requests/x", 401),
        ("PUT", "/fal/demo/painter-quick/requests/x/cancel", 401),
        ("GET", "/fal/v1/models/pricing", 401),
        ("GET", "/fal/.well-known/jwks.json", 200),
    ],
)
async def test_strangers_are_refused(calm_demo: Demo, method: str, path: str, status: int) -> None:
    assert (await calm_demo.client.request(method, path)).status_code == status


async def test_replicate_takes_models_versions_and_deployments(calm_demo: Demo) -> None:
    for path, more, model, version in (
        (PAINTER, {}, "demo/painter-quick", "hidden"),
        (PREDICTIONS, {"version": "acme/quick:5c7d"}, "acme/quick", "5c7d"),
        ("/replicate/v1/deployments/acme/quick/predictions", {}, "acme/quick", "hidden"),
    ):
        body = {"input": FOX, **more}
        answer = await calm_demo.client.post(path, json=body, headers=BEARER)
        made = answer.json()
        assert (answer.status_code, made["model"], made["version"]) == (201, model, version)
        done = (await over(calm_demo, made["urls"]["get"], BEARER)).json()
        assert (done["status"], len(done["output"]), done["logs"][:4]) == ("succeeded", 1, "100%")
        listed = (await calm_demo.client.get(PREDICTIONS, headers=BEARER)).json()
        assert listed["results"][0]["id"] == made["id"]


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        ("/replicate/v1/models/nobody/x/predictions", {"input": FOX}, {}, 404),
        (PAINTER, {}, {}, 422),
        (PAINTER, [], {}, 422),
        (PAINTER, {"input": FOX, "webhook": "ftp://x"}, {}, 422),
        (PAINTER, {"input": FOX, "webhook_events_filter": ["end"]}, {}, 422),
        (PAINTER, {"input": FOX}, {"Cancel-After": "soon"}, 422),
        (PAINTER, {"input": FOX}, {"X-Demo-Fault": "what"}, 422),
    ],
)
async def test_replicate_says_what_is_wrong(
    calm_demo: Demo, path: str, body: Any, headers: dict[str, str], status: int
) -> None:
    answer = await calm_demo.client.post(path, json=body, headers=BEARER | headers)
    assert answer.status_code == status
    assert answer.json()["status"] == status


async def test_fal_answers_202_until_the_result_is_there(calm_demo: Demo) -> None:
    await calm_demo.hold(True)
    queued = (await calm_demo.client.post(MODEL, json=FOX, headers=KEY)).json()
    assert queued["response_url"].endswith(
        f"/fal/demo/painter-quick/requests/{queued['request_id']}"
    )
    waits = await calm_demo.client.get(queued["status_url"], headers=KEY)
    early = await calm_demo.client.get(queued["response_url"], headers=KEY)
    assert (waits.status_code, early.status_code) == (202, 400)
    assert early.json() == {"detail": "Request is still in progress"}
    await calm_demo.hold(False)
    done = await over(calm_demo, queued["status_url"], KEY)
    assert (done.status_code, done.json()["metrics"].keys()) == (200, {"inference_time"})
    result = (await calm_demo.client.get(queued["response_url"], headers=KEY)).json()
    assert (len(result["images"]), result["has_nsfw_concepts"]) == (1, [False])
    late = await calm_demo.client.put(queued["cancel_url"], headers=KEY)
    assert (late.status_code, late.json()) == (400, {"status": "ALREADY_COMPLETED"})


async def test_fal_cancels_what_waits_at_once_and_what_runs_by_a_signal(calm_demo: Demo) -> None:
    for model, status, word in (
        ("/fal/demo/painter/dev", 200, "OK"),
        (MODEL, 202, "CANCELLATION_REQUESTED"),
    ):
        await calm_demo.hold(True)
        queued = (await calm_demo.client.post(model, json=FOX, headers=KEY)).json()
        answer = await calm_demo.client.put(queued["cancel_url"], headers=KEY)
        assert (answer.status_code, answer.json()) == (status, {"status": word})
    elsewhere = queued["cancel_url"].replace("painter-quick", "other-quick")
    assert (await calm_demo.client.put(elsewhere, headers=KEY)).status_code == 404


async def test_news_of_a_failure_carry_the_models_error(calm_demo: Demo) -> None:
    async with mailbox() as box:
        hook = f"{box.url}/webhooks/fal/{uuid4()}/1/t"
        asked = {"prompt": "a fox [[case: policy]]"}
        await calm_demo.client.post(MODEL, params={"fal_webhook": hook}, json=asked, headers=KEY)
        (came,) = await box.take(1)
    assert b'"status": "ERROR", "error": "Invalid status code: 422"' in came.body
    assert b"content_policy_violation" in came.body

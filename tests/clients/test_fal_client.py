"""fal's own client, unchanged but for its host, at the demo provider: it speaks TLS and no less."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.clients.running import address, needs_clients, run
from tests.clients.tls import Door, tls_door
from tests.demo_process import Demo

pytestmark = needs_clients

BEGINS = """
import json, sys, fal_client, httpx
client = fal_client.SyncClient(key="id:demo")
def submit(prompt, **more):
    arguments = {"prompt": prompt, "image_size": {"width": 96, "height": 64}, **more}
    return client.submit(
        "demo/painter-quick/dev", arguments=arguments, webhook_url=sys.argv[1]
    )
"""
MAKES = f"""{BEGINS}
handle = submit("a red fox", num_images=2)
seen = [type(event).__name__ for event in handle.iter_events(with_logs=True, interval=0.05)]
made = handle.get()
pictures = [httpx.get(one["url"]).content[:4].hex() for one in made["images"]]
again = client.result("demo/painter-quick", handle.request_id) == made
print(json.dumps({{"last": seen[-1], "pictures": pictures, "again": again}}))
"""
SUBSCRIBES = """
import json, fal_client
seen = []
made = fal_client.SyncClient(key="id:demo").subscribe(
    "demo/video-quick/text-to-video",
    arguments={"prompt": "it moves", "duration": 1},
    on_enqueue=lambda request_id: seen.append(bool(request_id)),
)
print(json.dumps([seen, made["video"]["url"][-4:], made["video"]["content_type"]]))
"""
STOPS = f"""{BEGINS}
handle = submit("a red fox")
before = type(handle.status()).__name__
handle.cancel()
print(json.dumps([before in ("Queued", "InProgress")]))
"""
FAILS = f"""{BEGINS}
try:
    submit("a red fox [[case: policy]]").get()
except fal_client.FalClientHTTPError as error:
    detail = error.response.json()["detail"][0]["type"]
    print(json.dumps([error.status_code, detail]))
"""


@pytest.fixture
async def door(calm_demo: Demo, tmp_path: Path) -> AsyncIterator[Door]:
    async with tls_door(calm_demo.url, tmp_path) as door:
        yield door


async def run_at(door: Door, program: str, *arguments: str) -> Any:
    return await run(
        program,
        *arguments,
        FAL_QUEUE_RUN_HOST=f"{door.host}/fal",
        FAL_RUN_HOST=f"{door.host}/fal",
        SSL_CERT_FILE=str(door.certificate),
    )


async def test_it_makes_pictures(door: Door, calm_demo: Demo) -> None:
    generation = str(uuid4())
    told = await run_at(door, MAKES, address("fal", generation))
    assert told == {"last": "Completed", "pictures": ["89504e47"] * 2, "again": True}
    book = await calm_demo.ledger(generation)
    assert (book["submits"], book["submit_requests"], book["downloads"]) == (1, 1, 2)


async def test_it_waits_for_a_film(door: Door) -> None:
    assert await run_at(door, SUBSCRIBES) == [[True], ".mp4", "video/mp4"]


async def test_it_stops_a_request(door: Door, calm_demo: Demo) -> None:
    generation = str(uuid4())
    await calm_demo.hold(True)
    assert await run_at(door, STOPS, address("fal", generation)) == [True]
    book = await calm_demo.ledger(generation)
    assert (book["submits"], book["cancels"], book["jobs"][0]["status"]) == (1, 1, "CANCELLED")


async def test_it_understands_what_fails(door: Door, calm_demo: Demo) -> None:
    generation = str(uuid4())
    told = await run_at(door, FAILS, address("fal", generation))
    assert told == [422, "content_policy_violation"]
    assert (await calm_demo.ledger(generation))["submits"] == 1

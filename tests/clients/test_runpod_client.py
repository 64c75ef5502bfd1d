"""RunPod's own client, unchanged, at the demo provider."""

from __future__ import annotations

from uuid import uuid4

from tests.clients.running import address, needs_clients, run
from tests.demo_process import Demo

pytestmark = needs_clients

MAKES = """
import json, sys, runpod
import requests
endpoint = runpod.Endpoint("demo-image-quick", api_key="demo")
asked = {"prompt": "a red fox", "width": 96, "height": 64, "num_images": 2}
job = endpoint.run({"input": asked, "webhook": sys.argv[1]})
output = job.output(timeout=30)
pictures = [requests.get(one["url"]).content[:4].hex() for one in output["images"]]
health = endpoint.health()["workers"]
print(json.dumps({"status": job.status(), "pictures": pictures, "health": sorted(health)}))
"""
STOPS = """
import json, sys, runpod
job = runpod.Endpoint("demo-image-quick", api_key="demo").run(
    {"input": {"prompt": "a fox"}, "webhook": sys.argv[1]}
)
before = job.status()
said = job.cancel()["status"]
print(json.dumps([before in ("IN_QUEUE", "IN_PROGRESS"), said, job.status()]))
"""
FAILS = """
import json, sys, runpod
endpoint = runpod.Endpoint("demo-image-quick", api_key="demo")
job = endpoint.run({"input": {"prompt": "a fox", "width": -1}, "webhook": sys.argv[1]})
output = job.output(timeout=30)
try:
    runpod.Endpoint("nobodys", api_key="demo").run({"prompt": "a fox"})
except Exception as error:
    refusal = f"{type(error).__name__} {error.response.status_code}"
try:
    runpod.Endpoint("demo-image-quick", api_key=" ").run({"prompt": "a fox"})
except Exception as error:
    unknown = type(error).__name__
print(json.dumps([job.status(), output, refusal, unknown]))
"""


async def test_it_makes_pictures(calm_demo: Demo) -> None:
    generation = str(uuid4())
    told = await run(
        MAKES, address("runpod", generation), RUNPOD_ENDPOINT_BASE_URL=f"{calm_demo.url}/v2"
    )
    assert told == {
        "status": "COMPLETED",
        "pictures": ["89504e47"] * 2,
        "health": ["idle", "running"],
    }
    book = await calm_demo.ledger(generation)
    assert (book["submits"], book["submit_requests"], book["downloads"]) == (1, 1, 2)
    assert book["polls"] >= 1


async def test_it_stops_a_job(calm_demo: Demo) -> None:
    generation = str(uuid4())
    await calm_demo.hold(True)
    told = await run(
        STOPS, address("runpod", generation), RUNPOD_ENDPOINT_BASE_URL=f"{calm_demo.url}/v2"
    )
    assert told == [True, "CANCELLED", "CANCELLED"]
    book = await calm_demo.ledger(generation)
    assert (book["submits"], book["cancels"], book["jobs"][0]["status"]) == (1, 1, "CANCELLED")


async def test_it_understands_what_fails(calm_demo: Demo) -> None:
    generation = str(uuid4())
    told = await run(
        FAILS, address("runpod", generation), RUNPOD_ENDPOINT_BASE_URL=f"{calm_demo.url}/v2"
    )
    assert told == ["FAILED", None, "HTTPError 404", "RuntimeError"]
    assert (await calm_demo.ledger(generation))["submits"] == 1

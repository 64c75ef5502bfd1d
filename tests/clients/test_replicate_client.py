"""Replicate's own client, unchanged, at the demo provider."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

from tests.clients.running import address, needs_clients, run
from tests.clients.tls import tls_door
from tests.demo_process import Demo

pytestmark = needs_clients

BEGINS = """
import io, json, sys, replicate
client = replicate.Client(api_token="demo")
def create(prompt, **more):
    asked = {"prompt": prompt, "width": 96, "height": 64, **more}
    return client.predictions.create(
        model="demo/painter-quick",
        input=asked,
        webhook=sys.argv[1],
        webhook_events_filter=["completed"],
    )
"""
MAKES = f"""{BEGINS}
prediction = create("a red fox", num_outputs=2)
prediction.wait()
listed = prediction.id in [one.id for one in client.predictions.list().results]
print(json.dumps([prediction.status, len(prediction.output), listed]))
"""
RUNS = f"""{BEGINS}
def begins(outputs):
    return [one.read()[:4].hex() for one in outputs]
asked = {{"prompt": "a red fox", "width": 96, "height": 64}}
first = client.run("demo/painter-quick", input=asked)
picture = io.BytesIO(first[0].read())
edited = client.run("demo/painter-quick", input={{**asked, "image": picture}})
film = client.run("demo/video-quick", input={{"prompt": "it moves", "duration": 1}})
print(json.dumps([begins(first), begins(edited), film.read()[4:8].decode()]))
"""
STOPS = f"""{BEGINS}
prediction = create("a red fox")
prediction.cancel()
prediction.reload()
print(json.dumps(prediction.status))
"""
FAILS = f"""{BEGINS}
from replicate.exceptions import ModelError, ReplicateError
prediction = create("a red fox [[case: policy]]")
prediction.wait()
try:
    client.run("demo/painter-quick", input={{"prompt": "a fox [[case: error]]"}})
except ModelError as error:
    said = error.prediction.error
try:
    client.run("nobody/knows", input={{"prompt": "a fox"}})
except ReplicateError as error:
    status = error.status
print(json.dumps([prediction.status, prediction.error[-6:], "E6716" in said, status]))
"""


async def test_it_makes_pictures(calm_demo: Demo) -> None:
    generation, base = str(uuid4()), f"{calm_demo.url}/replicate"
    told = await run(MAKES, address("replicate", generation), REPLICATE_BASE_URL=base)
    assert told == ["succeeded", 2, True]
    book = await calm_demo.ledger(generation)
    assert (book["submits"], book["submit_requests"], book["downloads"]) == (1, 1, 0)
    assert book["polls"] >= 1


async def test_it_runs_models_and_reads_files(calm_demo: Demo, tmp_path: Path) -> None:
    """A result is a file to it only where its address begins with https."""
    png = "89504e47"
    async with tls_door(calm_demo.url, tmp_path) as door:
        base, trusted = f"https://{door.host}/replicate", str(door.certificate)
        told = await run(RUNS, REPLICATE_BASE_URL=base, SSL_CERT_FILE=trusted)
    assert told == [[png], [png], "ftyp"]


async def test_it_stops_a_prediction(calm_demo: Demo) -> None:
    generation, base = str(uuid4()), f"{calm_demo.url}/replicate"
    await calm_demo.hold(True)
    told = await run(STOPS, address("replicate", generation), REPLICATE_BASE_URL=base)
    assert told == "canceled"
    book = await calm_demo.ledger(generation)
    assert (book["submits"], book["cancels"], book["jobs"][0]["status"]) == (1, 1, "CANCELLED")


async def test_it_understands_what_fails(calm_demo: Demo) -> None:
    generation, base = str(uuid4()), f"{calm_demo.url}/replicate"
    told = await run(FAILS, address("replicate", generation), REPLICATE_BASE_URL=base)
    assert told == ["failed", "(E005)", True, 404]
    assert (await calm_demo.ledger(generation))["submits"] == 1

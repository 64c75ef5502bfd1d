"""Google's own client, unchanged, at the demo provider."""

from __future__ import annotations

from uuid import uuid4

from tests.clients.running import needs_clients, run
from tests.demo_process import Demo

pytestmark = needs_clients

BEGINS = """
import json, sys, time
from google import genai
from google.genai import errors, types
options = types.HttpOptions(base_url=sys.argv[1], headers={"Idempotency-Key": sys.argv[2]})
client = genai.Client(api_key="demo", http_options=options)
stranger = genai.Client(api_key="bad", http_options=options)
wanted = types.GenerateContentConfig(
    response_modalities=["TEXT", "IMAGE"], image_config=types.ImageConfig(aspect_ratio="16:9")
)
def ask(prompt, client=client):
    return client.models.generate_content(
        model="gemini-3.1-flash-image-quick", contents=prompt, config=wanted
    )
"""
MAKES = f"""{BEGINS}
answer = ask("a red fox")
pictures = [part.inline_data for part in answer.parts if part.inline_data]
print(json.dumps([len(pictures), pictures[0].mime_type, pictures[0].data[:4].hex()]))
"""
EDITS = f"""{BEGINS}
picture = ask("a red fox").parts[-1].inline_data.data
again = ask([types.Part.from_bytes(data=picture, mime_type="image/png"), "make it blue"])
print(json.dumps(again.parts[-1].inline_data.data[:4].hex()))
"""
FILMS = f"""{BEGINS}
films = client.interactions
begun = films.create(
    model="gemini-omni-1.2-flash-quick",
    input="a cat walks",
    background=True,
    store=True,
    response_format={{"type": "video", "delivery": "uri", "duration": "1s"}},
)
state = begun
while state.status in ("queued", "in_progress"):
    time.sleep(0.1)
    state = films.get(id=begun.id)
film = next(
    block
    for step in state.steps
    if step.type == "model_output"
    for block in step.content
    if block.type == "video"
)
print(json.dumps([state.status, film.mime_type, film.uri]))
"""
STOPS = f"""{BEGINS}
films = client.interactions
begun = films.create(model="gemini-omni-1.2-flash-quick", input="a cat", background=True)
stopped = films.cancel(id=begun.id)
print(json.dumps([begun.status in ("queued", "in_progress"), stopped.status]))
"""
FAILS = f"""{BEGINS}
blocked = ask("a fox [[case: blocked]]").prompt_feedback.block_reason.name
filtered = ask("a fox [[case: filtered]]").candidates[0].finish_reason.name
told = []
for prompt, who in (("a fox", stranger), ("a fox [[case: credit]]", client)):
    try:
        ask(prompt, who)
    except errors.ClientError as error:
        told.append([error.code, error.status])
print(json.dumps([blocked, filtered, *told]))
"""


async def test_it_makes_a_picture(calm_demo: Demo) -> None:
    generation = str(uuid4())
    told = await run(MAKES, f"{calm_demo.url}/gemini", f"{generation}-1")
    assert told == [1, "image/png", "89504e47"]
    book = await calm_demo.ledger(generation)
    assert (book["submits"], book["submit_requests"]) == (1, 1)


async def test_it_edits_a_picture(calm_demo: Demo) -> None:
    """It sends pictures in the base64 that is meant for addresses."""
    generation = str(uuid4())
    told = await run(EDITS, f"{calm_demo.url}/gemini", f"{generation}-1")
    assert told == "89504e47"
    assert (await calm_demo.ledger(generation))["submits"] == 2


async def test_it_follows_a_film(calm_demo: Demo) -> None:
    generation = str(uuid4())
    status, media_type, uri = await run(FILMS, f"{calm_demo.url}/gemini", f"{generation}-1")
    assert (status, media_type) == ("completed", "video/mp4")
    film = await calm_demo.client.get(uri, headers={"x-goog-api-key": "demo"})
    assert film.content[4:8] == b"ftyp"
    book = await calm_demo.ledger(generation)
    assert (book["submits"], book["downloads"]) == (1, 1)


async def test_it_stops_a_film(calm_demo: Demo) -> None:
    generation = str(uuid4())
    await calm_demo.hold(True)
    told = await run(STOPS, f"{calm_demo.url}/gemini", f"{generation}-1")
    assert told == [True, "cancelled"]
    book = await calm_demo.ledger(generation)
    assert (book["submits"], book["cancels"], book["jobs"][0]["status"]) == (1, 1, "CANCELLED")


async def test_it_understands_what_fails(calm_demo: Demo) -> None:
    generation = str(uuid4())
    told = await run(FAILS, f"{calm_demo.url}/gemini", f"{generation}-1")
    assert told == [
        "PROHIBITED_CONTENT",
        "IMAGE_SAFETY",
        [400, "INVALID_ARGUMENT"],
        [402, "RESOURCE_EXHAUSTED"],
    ]

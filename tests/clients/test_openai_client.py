"""OpenAI's own client, unchanged, at the demo provider's images; its chat is in tests/emulators."""

from __future__ import annotations

from uuid import uuid4

from tests.clients.running import needs_clients, run
from tests.demo_process import Demo

pytestmark = needs_clients

BEGINS = """
import base64, json, sys, openai
client = openai.OpenAI(api_key="demo", max_retries=0)
model, size = "demo-image-quick", "128x64"
ours = {"X-Client-Request-Id": sys.argv[1]}
def begins(picture):
    return base64.b64decode(picture.b64_json)[:4].hex()
"""
MAKES = f"""{BEGINS}
made = client.images.generate(
    model=model, prompt="a red fox", n=2, size=size, extra_headers=ours
)
print(json.dumps([[begins(one) for one in made.data], made.usage.total_tokens > 0]))
"""
EDITS = f"""{BEGINS}
first = client.images.generate(model=model, prompt="a red fox", size=size)
picture = ("fox.png", base64.b64decode(first.data[0].b64_json), "image/png")
edited = client.images.edit(
    model=model, prompt="make it blue", image=[picture], extra_headers=ours
)
print(json.dumps([begins(edited.data[0]), edited.data[0].b64_json != first.data[0].b64_json]))
"""
STREAMS = f"""{BEGINS}
stream = client.images.generate(
    model=model, prompt="a red fox", size=size, stream=True, extra_headers=ours
)
events = list(stream)
print(json.dumps([events[-1].type, begins(events[-1])]))
"""
FAILS = f"""{BEGINS}
told = []
for prompt, key in (("[[case: policy]]", "demo"), ("[[case: quota]]", "demo"), ("", "bad")):
    try:
        openai.OpenAI(api_key=key, max_retries=0).images.generate(
            model=model, prompt=f"a fox {{prompt}}", extra_headers=ours
        )
    except openai.APIStatusError as error:
        told.append([type(error).__name__, error.code])
print(json.dumps(told))
"""


async def test_it_makes_pictures(calm_demo: Demo) -> None:
    generation = str(uuid4())
    told = await run(MAKES, f"{generation}-1", OPENAI_BASE_URL=f"{calm_demo.url}/images/v1")
    assert told == [["89504e47"] * 2, True]
    book = await calm_demo.ledger(generation)
    assert (book["submits"], book["submit_requests"], book["polls"]) == (1, 1, 0)


async def test_it_edits_a_picture(calm_demo: Demo) -> None:
    generation = str(uuid4())
    told = await run(EDITS, f"{generation}-1", OPENAI_BASE_URL=f"{calm_demo.url}/images/v1")
    assert told == ["89504e47", True]
    assert (await calm_demo.ledger(generation))["submits"] == 1


async def test_it_reads_a_stream(calm_demo: Demo) -> None:
    generation = str(uuid4())
    told = await run(STREAMS, f"{generation}-1", OPENAI_BASE_URL=f"{calm_demo.url}/images/v1")
    assert told == ["image_generation.completed", "89504e47"]
    assert (await calm_demo.ledger(generation))["submits"] == 1


async def test_it_understands_what_fails(calm_demo: Demo) -> None:
    generation = str(uuid4())
    told = await run(FAILS, f"{generation}-1", OPENAI_BASE_URL=f"{calm_demo.url}/images/v1")
    assert told == [
        ["BadRequestError", "moderation_blocked"],
        ["RateLimitError", "insufficient_quota"],
        ["AuthenticationError", "invalid_api_key"],
    ]
    assert (await calm_demo.ledger(generation))["submits"] == 0

"""A fault for one request: by a header of the submit, or by a mark in its prompt."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest

from tests.demo_process import Demo
from tests.emulators.conversation import calls, drawn
from tests.emulators.painters import ENDPOINT, KEY, completed, look, status, submit


async def test_a_header_orders_faults_for_its_own_job_alone(calm_demo: Demo) -> None:
    _, spared = await completed(calm_demo)
    _, job_id = await completed(calm_demo, fault="poll=status:503*2, result=empty")
    assert (await look(calm_demo, spared)).status_code == 200
    assert [(await look(calm_demo, job_id)).status_code for _ in range(2)] == [503, 503]
    url = (await status(calm_demo, job_id))["output"]["image_url"]
    assert [len((await calm_demo.client.get(url)).content) > 0 for _ in range(2)] == [False, True]


async def test_a_mark_orders_faults_and_is_not_painted(calm_demo: Demo) -> None:
    generation, job_id = await completed(calm_demo, "a fox [[fault: poll=stuck*2]] at night")
    shown = [(await status(calm_demo, job_id)) for _ in range(3)]
    assert [one["status"] for one in shown] == ["IN_PROGRESS", "IN_PROGRESS", "COMPLETED"]
    _, plain = await completed(calm_demo, "a fox at night")
    urls = [shown[2]["output"]["image_url"]]
    urls.append((await status(calm_demo, plain))["output"]["image_url"])
    first, second = [(await calm_demo.client.get(url)).content for url in urls]
    assert first == second
    assert (await calm_demo.ledger(generation))["downloads"] == 1


async def test_a_submit_meets_the_fault_in_its_own_prompt_as_often_as_ordered(
    calm_demo: Demo,
) -> None:
    generation, prompt = str(uuid4()), "a fox [[fault: submit=status:429:3*2]]"
    answers = [await submit(calm_demo, generation, prompt) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [429, 429, 200, 200]
    assert answers[0].headers["retry-after"] == "3"
    page = await calm_demo.ledger(generation)
    assert (page["submits"], page["submit_requests"]) == (1, 4)


async def test_another_attempt_of_a_generation_does_not_meet_the_fault_again(
    calm_demo: Demo,
) -> None:
    generation, prompt = str(uuid4()), "a fox [[fault: submit=fail]]"
    await submit(calm_demo, generation, prompt)
    await calm_demo.until(generation, "failed")
    headers = KEY | {"Idempotency-Key": f"{generation}-2"}
    body = {"input": {"prompt": prompt, "width": 160, "height": 90}}
    await calm_demo.client.post(f"/v2/{ENDPOINT}/run", json=body, headers=headers)
    await calm_demo.until(generation, "completed")


async def test_a_submit_that_names_nobody_is_known_by_its_body_until_it_succeeds(
    calm_demo: Demo,
) -> None:
    seed = uuid4().int >> 100
    order = "submit=status:503, submit=drop_after, poll=stuck"
    assert (await submit(calm_demo, fault=order, seed=seed)).status_code == 503
    with pytest.raises(httpx.TransportError):
        await submit(calm_demo, fault=order, seed=seed)
    job = (await submit(calm_demo, fault=order, seed=seed)).json()
    assert (await status(calm_demo, job["id"]))["output"] == {"progress": 0.99}
    assert (await submit(calm_demo, fault=order, seed=seed)).status_code == 503


@pytest.mark.parametrize(
    ("order", "part"),
    [
        ("poll", "step=fault"),
        ("lunch=hang", "submit, poll, cancel, result, webhook"),
        ("chat=hang", "submit, poll, cancel, result, webhook"),
        ("poll=rain", "stuck, flap"),
        ("submit=drip", "drop_before, drop_after"),
        ("poll=status:200", "between 400 and 599"),
        ("poll=status:1.2.3", "no number"),
        ("poll=stuck:3", "no argument"),
        ("poll=late:1:2", "one argument"),
        ("poll=late:1e9", "step=fault"),
        ("poll=late:99999", "3600"),
        ("poll=stuck,", "step=fault"),
    ],
)
async def test_what_cannot_be_ordered_is_refused_in_a_header_and_fails_a_marked_job(
    calm_demo: Demo, order: str, part: str
) -> None:
    generation = str(uuid4())
    refused = await submit(calm_demo, generation, fault=order)
    assert refused.status_code == 400
    assert part in refused.json()["error"]
    assert (await calm_demo.ledger(generation))["submits"] == 0
    job_id = (await submit(calm_demo, generation, f"a fox [[fault: {order}]]")).json()["id"]
    await calm_demo.until(generation, "failed")
    error = (await status(calm_demo, job_id))["error"]
    assert "fault mark" in error
    assert part in error
    assert (await calm_demo.client.get("/_faults")).json() == {"faults": []}


async def test_a_mark_that_never_ends_fails_its_job(calm_demo: Demo) -> None:
    generation = str(uuid4())
    job_id = (await submit(calm_demo, generation, "a fox [[fault: poll=stuck")).json()["id"]
    await calm_demo.until(generation, "failed")
    assert "must end in" in (await status(calm_demo, job_id))["error"]


MARK = "[[fault: poll=status:503*2, result=short]]"


@pytest.mark.parametrize(
    ("said", "tool", "prompt"),
    [
        ("draw a fox [[fault: poll=stuck*3]]", "generate_image", "a fox [[fault: poll=stuck*3]]"),
        (f"{MARK} Draw a red fox, please", "generate_image", f"a red fox {MARK}"),
        (f"нарисуй кота {MARK}", "generate_image", f"кота {MARK}"),
        (f"a 4 second video of a boat {MARK} in 9:16", "generate_video", f"a boat {MARK}"),
    ],
)
def test_a_mark_in_a_message_ends_untouched_in_the_prompt(
    said: str, tool: str, prompt: str
) -> None:
    [(name, arguments)] = calls(said)
    assert (name, arguments["prompt"]) == (tool, prompt)


def test_a_film_of_a_marked_picture_is_not_marked_itself() -> None:
    [(name, arguments)] = calls("animate it", drawn(prompt=f"a red fox {MARK}"))
    assert (name, arguments["prompt"]) == ("generate_video", "a red fox")


def test_a_change_takes_the_mark_of_its_own_message() -> None:
    [(name, arguments)] = calls(f"make it blue {MARK}", drawn(prompt="a red fox"))
    assert (name, arguments["prompt"]) == ("edit_image", f"make it blue {MARK}")


def test_a_mark_inside_a_dictated_call_is_left_where_it_is() -> None:
    wanted = f'[[calls: [{{"name": "generate_image", "arguments": {{"prompt": "a {MARK}"}}}}]]]'
    assert calls(wanted) == [("generate_image", {"prompt": f"a {MARK}"})]

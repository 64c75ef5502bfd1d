"""Bad days that look like good ones: answers that are well-formed and wrong."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.demo_process import Demo
from tests.emulators.painters import ENDPOINT, KEY, completed, look, status, submit


@pytest.mark.parametrize("step", ["submit", "poll", "cancel"])
async def test_a_web_page_can_stand_in_for_an_answer_whose_work_was_done(
    calm_demo: Demo, step: str
) -> None:
    generation, job_id = await completed(calm_demo)
    fresh = str(uuid4())
    about = fresh if step == "submit" else generation
    await calm_demo.fault(on=step, fault="html", generation=about)
    asked = {
        "submit": lambda: submit(calm_demo, fresh),
        "poll": lambda: look(calm_demo, job_id),
        "cancel": lambda: calm_demo.client.post(f"/v2/{ENDPOINT}/cancel/{job_id}", headers=KEY),
    }
    answer = await asked[step]()
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert (await calm_demo.ledger(about))["submits"] == 1


async def test_a_stuck_job_is_shown_at_99_percent_until_the_rule_is_used_up(
    calm_demo: Demo,
) -> None:
    generation, job_id = await completed(calm_demo)
    await calm_demo.fault(on="poll", fault="stuck", times=2, generation=generation)
    shown = [await status(calm_demo, job_id) for _ in range(3)]
    assert [one["status"] for one in shown] == ["IN_PROGRESS", "IN_PROGRESS", "COMPLETED"]
    assert shown[0]["output"] == {"progress": 0.99}


async def test_an_unfinished_job_flaps_between_queue_and_progress(calm_demo: Demo) -> None:
    generation = str(uuid4())
    await calm_demo.hold(True)
    job_id = (await submit(calm_demo, generation)).json()["id"]
    await calm_demo.fault(on="poll", fault="flap", times=4, generation=generation)
    shown = [(await status(calm_demo, job_id))["status"] for _ in range(5)]
    assert shown == ["IN_QUEUE", "IN_PROGRESS", "IN_QUEUE", "IN_PROGRESS", "IN_PROGRESS"]


async def test_a_finished_job_flaps_back_into_progress_once(calm_demo: Demo) -> None:
    generation, job_id = await completed(calm_demo)
    await calm_demo.fault(on="poll", fault="flap", generation=generation)
    assert [(await status(calm_demo, job_id))["status"] for _ in range(2)] == [
        "IN_PROGRESS",
        "COMPLETED",
    ]


async def test_a_submit_can_be_answered_with_the_id_of_other_work(calm_demo: Demo) -> None:
    _, other = await completed(calm_demo)
    generation = str(uuid4())
    await calm_demo.fault(on="submit", fault="other_job", generation=generation)
    assert (await submit(calm_demo, generation)).json()["id"] == other
    page = await calm_demo.ledger(generation)
    assert page["submits"] == 1
    assert page["jobs"][0]["id"] != other


async def test_a_poll_can_be_answered_with_other_work(calm_demo: Demo) -> None:
    generation, job_id = await completed(calm_demo)
    _, other = await completed(calm_demo)
    await calm_demo.fault(on="poll", fault="other_job", generation=generation)
    shown = await status(calm_demo, job_id)
    assert shown["id"] == other
    assert other in shown["output"]["image_url"]
    assert (await status(calm_demo, job_id))["id"] == job_id


async def test_a_result_can_be_empty_short_or_a_web_page(calm_demo: Demo) -> None:
    _, job_id = await completed(calm_demo)
    url = (await status(calm_demo, job_id))["output"]["image_url"]
    whole = (await calm_demo.client.get(url)).content
    for fault in ("empty", "short", "html"):
        await calm_demo.fault(on="result", fault=fault)
    empty, short, page = [await calm_demo.client.get(url) for _ in range(3)]
    assert (empty.status_code, empty.headers["content-length"], empty.content) == (200, "0", b"")
    assert short.content == whole[: len(whole) // 2]
    assert int(short.headers["content-length"]) == len(short.content)
    assert short.headers["content-type"] == "image/png"
    assert page.headers["content-type"].startswith("text/html")
    assert page.content.startswith(b"<!doctype html>")


@pytest.mark.parametrize(("retry_after_s", "told"), [(3, "3"), (None, None)])
async def test_a_429_says_when_to_come_back_or_does_not(
    calm_demo: Demo, retry_after_s: float | None, told: str | None
) -> None:
    generation = str(uuid4())
    rule = {"on": "submit", "fault": "status", "status": 429, "generation": generation}
    await calm_demo.fault(**rule, **({"retry_after_s": retry_after_s} if retry_after_s else {}))
    answer = await submit(calm_demo, generation)
    assert (answer.status_code, answer.headers.get("retry-after")) == (429, told)


async def test_an_answer_can_come_late(calm_demo: Demo) -> None:
    generation, job_id = await completed(calm_demo)
    await calm_demo.fault(on="poll", fault="late", delay_s=0.3, generation=generation)
    late = await look(calm_demo, job_id)
    assert late.json()["status"] == "COMPLETED"
    assert late.elapsed.total_seconds() >= 0.3


async def test_a_rule_without_end_holds_until_it_is_deleted(calm_demo: Demo) -> None:
    generation, job_id = await completed(calm_demo)
    await calm_demo.fault(on="poll", fault="status", times=0, generation=generation)
    assert [(await look(calm_demo, job_id)).status_code for _ in range(3)] == [500, 500, 500]
    [rule] = (await calm_demo.client.get("/_faults")).json()["faults"]
    assert (rule["left"], rule["generation"]) == (0, generation)
    await calm_demo.client.delete("/_faults")
    assert (await look(calm_demo, job_id)).status_code == 200


async def test_rules_for_one_and_for_all_are_used_oldest_first(calm_demo: Demo) -> None:
    generation, job_id = await completed(calm_demo)
    await calm_demo.fault(on="poll", fault="status", status=503)
    await calm_demo.fault(on="poll", fault="status", status=502, generation=generation)
    await calm_demo.fault(on="poll", fault="status", status=504)
    codes = [(await look(calm_demo, job_id)).status_code for _ in range(4)]
    assert codes == [503, 502, 504, 200]

"""One suite over every adapter, through the whole engine: a served house, all companies at one
emulator. What is asserted is what the emulator wrote in its book, and what the files decode to.

What takes seconds of waiting stands in test_conformance_outages.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from tests.demo_process import Demo
from tests.providers.conformance import COMPANIES, Company, having
from tests.providers.conformance_stage import Reading, Stage, stage, standing

each = pytest.mark.parametrize("company", COMPANIES, ids=str)
#: As many jobs as the emulator draws at once at the slow endpoints.
LANES = {"image": 2, "video": 1}


@pytest.fixture(scope="module")
async def opened(
    fresh_database: Callable[[str], str], demo: Demo, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    url = fresh_database("conforms")
    async with stage(demo, url, tmp_path_factory.mktemp("conforms")) as there:
        yield there


@pytest.fixture
async def there(opened: Stage, calm_demo: Demo) -> Stage:
    """The house, and an emulator without faults."""
    assert calm_demo is opened.demo
    return opened


async def begun(there: Stage, company: Company, suffix: str = "") -> str:
    """A generation whose job is held at the provider."""
    await there.demo.hold(True)
    generation_id = await there.begin(company, suffix=suffix)
    await there.accepted(company, generation_id, "IN_PROGRESS")
    if not company.answers_once:
        await there.until(generation_id, lambda reading: reading["status"] == "in_progress")
    return generation_id


async def assert_sent_once(there: Stage, company: Company, generation_id: str) -> Reading:
    """The provider accepted one job, and was asked for one."""
    page = await there.book(company, generation_id)
    assert (page["submits"], len(page["jobs"])) == (1, 1)
    assert page["submit_requests"] == 1
    return page


@each
async def test_a_wish_becomes_files_and_the_cost_that_was_told(
    there: Stage, company: Company
) -> None:
    generation_id = await there.begin(company)
    done = await there.made(generation_id)
    assert await there.sizes(done) == [company.size]
    assert (done["attempt"], done["charged"], done["notes"]) == (1, "yes", [])
    assert done["cost_usd"]["actual"] == pytest.approx(company.cost_usd)
    page = await assert_sent_once(there, company, generation_id)
    assert page["downloads"] == (0 if company.answers_once else 1)


@each
async def test_progress_is_what_the_company_tells_or_none(there: Stage, company: Company) -> None:
    generation_id = await begun(there, company, company.progress_of)
    tells = company in having("progress")
    if tells:
        seen = await there.until(generation_id, lambda reading: reading["progress"] is not None)
        assert 0 < seen["progress"] <= 0.5
    elif not company.answers_once:
        await there.book(company, generation_id, lambda page: page["polls"] >= 3)
    current = (await there.served.client.get(f"/api/generations/{generation_id}")).json()
    assert (current["progress"] is not None) == tells
    await there.demo.hold(False)
    assert (await there.made(generation_id))["progress"] in (None, 1.0)


@each
async def test_a_cancel_stops_a_running_job_where_that_is_possible(
    there: Stage, company: Company
) -> None:
    generation_id = await begun(there, company)
    await there.cancel(generation_id)
    can = company in having("cancel")
    if not can:
        await there.demo.hold(False)
    done = await there.ended(generation_id)
    assert (done["status"], done["error"]) == ("cancelled" if can else "completed", None)
    page = await assert_sent_once(there, company, generation_id)
    assert standing(page) == ("CANCELLED" if can else "COMPLETED")
    assert (page["cancels"] > 0) == can


@pytest.mark.parametrize("company", having("cancel"), ids=str)
async def test_a_cancel_takes_a_waiting_job_out_of_the_queue(
    there: Stage, company: Company
) -> None:
    async with busy_painters(there, company):
        generation_id = await there.begin(company, suffix="-slow")
        await there.until(generation_id, lambda reading: reading["status"] == "in_progress")
        assert standing(await there.book(company, generation_id)) == "IN_QUEUE"
        await there.cancel(generation_id)
        done = await there.ended(generation_id)
        assert (done["status"], done["error"]) == ("cancelled", None)
        page = await assert_sent_once(there, company, generation_id)
        assert standing(page) == "CANCELLED"


@asynccontextmanager
async def busy_painters(there: Stage, company: Company) -> AsyncIterator[None]:
    """Others' jobs at all the painters of a kind, so that the next one waits."""
    await there.demo.hold(True)
    endpoint, anybody = f"/v2/demo-{company.kind}", {"Authorization": "Bearer any"}
    jobs = []
    for at in range(LANES[company.kind]):
        asked = {"input": {"prompt": f"a crowd {at}"}}
        answer = await there.demo.client.post(f"{endpoint}/run", json=asked, headers=anybody)
        jobs.append(answer.raise_for_status().json()["id"])
    yield
    for job in jobs:
        await there.demo.client.post(f"{endpoint}/cancel/{job}", headers=anybody)


@each
async def test_a_cancel_that_comes_too_late_loses_nothing(there: Stage, company: Company) -> None:
    mark = "submit=late:0.7" if company.answers_once else "webhook=lost"
    generation_id = await there.begin(company, f"[[fault: {mark}]]", "-rare")
    if not company.answers_once:
        await there.until(generation_id, lambda reading: reading["status"] == "in_progress")
    await there.accepted(company, generation_id, "COMPLETED")
    await there.cancel(generation_id)
    done = await there.made(generation_id)
    assert await there.sizes(done) == [company.size]
    assert standing(await assert_sent_once(there, company, generation_id)) == "COMPLETED"


@pytest.mark.parametrize("company", having("policy"), ids=str)
async def test_content_that_is_refused_is_told_apart(there: Stage, company: Company) -> None:
    failed = await there.ended(await there.begin(company, company.policy))
    error = failed["error"]
    assert (failed["status"], error["code"]) == ("failed", "content_policy")
    assert not error["retryable"]


@each
async def test_a_job_that_failed_says_so_and_may_be_tried_again(
    there: Stage, company: Company
) -> None:
    failed = await there.ended(await there.begin(company, company.failed))
    error = failed["error"]
    assert (failed["status"], error["code"]) == ("failed", "provider_error")
    assert error["retryable"]
    assert error["message"]


@pytest.mark.parametrize(("status", "code"), [(400, "invalid_request"), (401, "auth")])
@each
async def test_a_refused_submit_costs_nothing(
    there: Stage, company: Company, status: int, code: str
) -> None:
    generation_id = await there.begin(company, f"[[fault: submit=status:{status}]]")
    failed = await there.ended(generation_id)
    assert (failed["status"], failed["error"]["code"], failed["charged"]) == ("failed", code, "no")
    assert (await there.demo.ledger(generation_id))["submits"] == 0


@each
async def test_a_lost_answer_is_cleared_up_without_a_second_job(
    there: Stage, company: Company
) -> None:
    generation_id = await there.begin(company, "[[fault: submit=drop_after]]")
    done = await there.ended(generation_id)
    if company.way == "ask":
        told = (done["status"], done["error"]["code"], done["charged"])
        assert told == ("unknown", "submit_unknown", "maybe")
    else:
        assert (done["status"], done["attempt"]) == ("completed", 1), done["error"]
        assert await there.sizes(done) == [company.size]
    await assert_sent_once(there, company, generation_id)


@pytest.mark.parametrize("company", having("n"), ids=str)
async def test_fewer_pictures_than_were_asked_for_are_kept(there: Stage, company: Company) -> None:
    done = await there.made(await there.begin(company, "[[case: partial]]", n=3))
    assert await there.sizes(done) == [company.size] * 2


@pytest.mark.parametrize("company", having("expired"), ids=str)
async def test_a_job_that_is_forgotten_there_is_over_here(there: Stage, company: Company) -> None:
    generation_id = await there.begin(company, company.expired)
    failed = await there.ended(generation_id)
    assert (failed["status"], failed["error"]["code"]) == ("failed", "expired")
    await assert_sent_once(there, company, generation_id)


@pytest.mark.parametrize("company", having("webhook"), ids=str)
async def test_genuine_news_finish_what_nobody_looks_at(there: Stage, company: Company) -> None:
    generation_id = await there.begin(company, suffix="-rare")
    await there.made(generation_id)
    page = await there.book(company, generation_id, lambda page: bool(page["webhook_answers"]))
    assert page["webhook_answers"] == 200
    assert page["polls"] <= 3


@pytest.mark.parametrize("company", having("webhook"), ids=str)
async def test_replayed_news_change_nothing(there: Stage, company: Company) -> None:
    generation_id = await there.begin(company, "[[fault: webhook=twice]]", "-rare")
    done = await there.made(generation_id)
    page = await there.book(company, generation_id, lambda page: page["webhooks"] == 2)
    assert (page["submits"], page["downloads"], len(done["assets"])) == (1, 1, 1)
    assert await there.ended(generation_id) == done


@pytest.mark.parametrize("company", having("webhook"), ids=str)
async def test_forged_news_are_refused_and_looking_is_enough(
    there: Stage, company: Company
) -> None:
    generation_id = await there.begin(company, "[[fault: webhook=forged]]")
    await there.made(generation_id)
    page = await there.book(company, generation_id, lambda page: bool(page["webhook_answers"]))
    assert (page["webhooks"], page["webhook_answers"]) == (1, 401)

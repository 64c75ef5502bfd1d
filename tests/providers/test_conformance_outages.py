"""The rows of conformance that take seconds of waiting: a company that is busy, broke, down or not
understood, and a house that is taken over between any two calls. Each is played for all companies
at the same time, once, and then told company by company.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

import psycopg
import pytest

from tests.demo_process import Demo
from tests.generations.test_takeover import cut_worker_locks
from tests.providers.conformance import COMPANIES, Company, having
from tests.providers.conformance_stage import LOOK_S, WITHIN_S, Reading, Stage, stage, standing

each = pytest.mark.parametrize("company", COMPANIES, ids=str)
LOOKED_AT = having("look")
looked_at = pytest.mark.parametrize("company", LOOKED_AT, ids=str)


@dataclass(frozen=True, slots=True)
class End:
    """How it ended for one company, and what the provider had in its book then."""

    done: Reading
    page: Reading


Ends = dict[str, End]


@pytest.fixture(scope="module")
async def there(
    fresh_database: Callable[[str], str], demo: Demo, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    await demo.calm()
    url = fresh_database("conforms_in_outages")
    async with stage(demo, url, tmp_path_factory.mktemp("outages")) as opened:
        yield opened
    await demo.calm()


async def begin(there: Stage, companies: Sequence[Company], mark: str = "") -> dict[str, str]:
    """One generation at each company."""
    return {company.name: await there.begin(company, mark) for company in companies}


async def ends_of(there: Stage, companies: Sequence[Company], ids: dict[str, str]) -> Ends:
    """How all of them end."""

    async def end(company: Company) -> End:
        done = await there.ended(ids[company.name])
        return End(done, await there.book(company, ids[company.name]))

    ends = await asyncio.gather(*(end(company) for company in companies))
    return {company.name: one for company, one in zip(companies, ends, strict=True)}


def assert_made_once(company: Company, end: End, *, requests: int = 1) -> None:
    assert end.done["status"] == "completed", end.done["error"]
    assert (end.done["attempt"], end.done["charged"], len(end.done["assets"])) == (1, "yes", 1)
    assert (end.page["submits"], len(end.page["jobs"])) == (1, 1)
    if company.is_named:
        assert end.page["submit_requests"] == requests


@pytest.fixture(scope="module")
async def after_busy(there: Stage) -> Ends:
    ids = await begin(there, COMPANIES, "[[fault: submit=status:429:0.1]]")
    ends = await ends_of(there, COMPANIES, ids)
    there.forget_pauses()
    return ends


@each
async def test_a_busy_company_is_asked_again_when_it_said(
    after_busy: Ends, company: Company
) -> None:
    assert_made_once(company, after_busy[company.name], requests=2)
    assert after_busy[company.name].done["notes"] == []


@pytest.fixture(scope="module")
async def after_broke(there: Stage) -> dict[str, Reading]:
    """Company by company: the account of one must not stop another's."""
    ends = {}
    for company in COMPANIES:
        generation_id = await there.begin(company, "[[fault: submit=status:402]]")
        ends[company.name] = await there.ended(generation_id)
        assert (await there.demo.ledger(generation_id))["submits"] == 0
        there.forget_pauses()
    return ends


@each
async def test_an_empty_account_is_told_and_nothing_is_made(
    after_broke: dict[str, Reading], company: Company
) -> None:
    failed = after_broke[company.name]
    told = (failed["status"], failed["error"]["code"], failed["charged"])
    assert told == ("failed", "out_of_credit", "no")


@pytest.fixture(scope="module")
async def after_down(there: Stage) -> Ends:
    ids = await begin(there, LOOKED_AT, "[[fault: poll=status:503*2]]")
    return await ends_of(there, LOOKED_AT, ids)


@looked_at
async def test_a_company_that_is_down_is_looked_at_again(
    after_down: Ends, company: Company
) -> None:
    assert_made_once(company, after_down[company.name])
    assert after_down[company.name].page["polls"] >= 3


@pytest.fixture(scope="module")
async def after_babble(there: Stage) -> Ends:
    ids = await begin(there, LOOKED_AT, "[[fault: poll=unknown_status*0]]")
    ends = await ends_of(there, LOOKED_AT, ids)
    await there.demo.calm()
    return ends


@looked_at
async def test_a_status_that_nobody_knows_is_an_end_at_the_third_time(
    after_babble: Ends, company: Company
) -> None:
    end = after_babble[company.name]
    assert (end.done["status"], end.done["error"]["code"]) == ("failed", "provider_error")
    assert (end.page["submits"], end.page["polls"]) == (1, 3)
    assert end.done["charged"] == "maybe"


def claims(there: Stage, ids: dict[str, str]) -> dict[str, int]:
    """How often each was taken up by a driver."""
    with psycopg.connect(there.database_url) as connection:
        rows = connection.execute(
            "select id::text, claim from kinora.generations where id::text = any(%s)",
            ([*ids.values()],),
        ).fetchall()
    by_id: dict[str, int] = dict(rows)
    return {name: by_id[generation_id] for name, generation_id in ids.items()}


async def take_over(there: Stage, ids: dict[str, str]) -> None:
    """Have another life of the house drive all of these from now on."""
    before = await asyncio.to_thread(claims, there, ids)
    assert cut_worker_locks(there.database_url) == [(True,)]
    async with asyncio.timeout(WITHIN_S):
        while True:
            now = await asyncio.to_thread(claims, there, ids)
            if all(now[name] > before[name] for name in ids):
                return
            await asyncio.sleep(LOOK_S)


async def rescued(there: Stage, ids: dict[str, str]) -> Ends:
    """How all of them end, those that had been given up as unknown when their answer came late."""
    async with asyncio.timeout(WITHIN_S):
        for generation_id in ids.values():
            while True:
                done = await there.ended(generation_id)
                if done["status"] != "unknown":
                    break
                await asyncio.sleep(LOOK_S)
    return await ends_of(there, COMPANIES, ids)


@pytest.fixture(scope="module")
async def after_a_life_that_looked(there: Stage) -> Ends:
    """The first life ends while all jobs are held in progress."""
    await there.demo.hold(True)
    ids = await begin(there, COMPANIES)
    for company in COMPANIES:
        if company.answers_once:
            await there.accepted(company, ids[company.name], "IN_PROGRESS")
        else:
            await there.until(ids[company.name], lambda one: one["status"] == "in_progress")
    await take_over(there, ids)
    await there.demo.hold(False)
    return await rescued(there, ids)


@each
async def test_a_restart_while_a_job_is_in_progress_sends_nothing_again(
    after_a_life_that_looked: Ends, company: Company
) -> None:
    assert_made_once(company, after_a_life_that_looked[company.name])


@pytest.fixture(scope="module")
async def after_a_life_that_sent(there: Stage) -> Ends:
    """The first life ends when all requests are accepted, and none is answered."""
    ids = await begin(there, COMPANIES, "[[fault: submit=late:3]]")
    for company in COMPANIES:
        await there.book(company, ids[company.name], lambda page: standing(page) is not None)
    await take_over(there, ids)
    return await rescued(there, ids)


@each
async def test_a_restart_before_a_submit_is_answered_sends_nothing_again(
    after_a_life_that_sent: Ends, company: Company
) -> None:
    assert_made_once(company, after_a_life_that_sent[company.name])

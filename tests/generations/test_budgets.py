"""Nobody spends more in a day than was set: however many ask, wherever, and whoever dies."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from decimal import Decimal
from pathlib import Path

import httpx
import psycopg
import pytest

from db import accounts, users
from generations.budgets import dollars
from generations.contract import Caller, OverBudget, ShutOut, Wanted
from runtime import Runtime
from tests.demo_process import Demo
from tests.generations.money import attempts, book, models_file
from tests.house import Served, local, open_house, reaches, serve, settled

DEAR = Wanted(kind="image", prompt="a fox", model="dear")
OWN = "BUDGET_USD_PER_USER_PER_DAY"
ALL = "BUDGET_USD_PER_DAY"
CALLS = 40

House = Callable[..., AbstractAsyncContextManager[Runtime]]


@pytest.fixture
def house(database_url: str, calm_demo: Demo, tmp_path: Path) -> House:
    """Opens a house with these budgets."""
    models = models_file(tmp_path)
    return lambda **budgets: open_house(
        database_url, calm_demo.url, tmp_path, MODELS_FILE=models, **budgets
    )


async def stranger(runtime: Runtime) -> Caller:
    async with runtime.engine.begin() as connection:
        return Caller(user_id=await users.ensure(connection, "stranger"))


async def test_what_does_not_fit_into_the_rest_of_the_budget_is_refused_in_words(
    house: House, demo: Demo
) -> None:
    await demo.hold(True)
    async with house(**{OWN: "0.50"}) as runtime:
        await runtime.admission.submit(local(runtime), DEAR)
        with pytest.raises(OverBudget) as refused:
            await runtime.admission.submit(local(runtime), DEAR)
        assert refused.value.message == (
            "This would cost $0.30; $0.20 is left of your budget of $0.50 for today. It resets at "
            "00:00 UTC."
        )
        numbers = {error["loc"]: Decimal(error["msg"]) for error in refused.value.errors}
        assert numbers == {
            "cost_usd": Decimal("0.3"),
            "left_usd": Decimal("0.2"),
            "budget_usd": Decimal("0.5"),
        }
        await runtime.admission.submit(await stranger(runtime), DEAR)


async def test_a_budget_that_is_met_exactly_is_not_exceeded(
    house: House, demo: Demo, database_url: str
) -> None:
    await demo.hold(True)
    async with house(**{OWN: "0.90"}) as runtime:
        for _ in range(3):
            await runtime.admission.submit(local(runtime), DEAR)
        with pytest.raises(OverBudget):
            await runtime.admission.submit(local(runtime), DEAR)
    assert attempts(database_url) == 3


async def test_what_the_demo_says_of_its_cost_does_not_undercut_the_price(house: House) -> None:
    async with house(**{OWN: "0.50"}) as runtime:
        started = await runtime.admission.submit(local(runtime), DEAR)
        done = await settled(runtime, started["id"])
        assert done["cost_usd"] == {"estimated": 0.3, "actual": 0.3}
        with pytest.raises(OverBudget):
            await runtime.admission.submit(local(runtime), DEAR)


async def test_the_budget_of_all_counts_everybody_and_tells_nothing_of_the_others(
    house: House, demo: Demo
) -> None:
    await demo.hold(True)
    async with house(**{ALL: "0.50", OWN: "10"}) as runtime:
        await runtime.admission.submit(await stranger(runtime), DEAR)
        with pytest.raises(OverBudget, match="whole installation") as refused:
            await runtime.admission.submit(local(runtime), DEAR)
        assert "0.2" not in refused.value.message


async def test_under_a_budget_a_model_without_a_price_is_refused(house: House) -> None:
    wanted = Wanted(kind="image", prompt="a fox", model="priceless")
    async with house(**{OWN: "100"}) as runtime:
        with pytest.raises(OverBudget, match="no known price"):
            await runtime.admission.submit(local(runtime), wanted)
    async with house() as runtime:
        await runtime.admission.submit(local(runtime), wanted)


async def test_a_budget_of_nothing_lets_free_ones_through(house: House) -> None:
    async with house(**{OWN: "0"}) as runtime:
        with pytest.raises(OverBudget):
            await runtime.admission.submit(local(runtime), DEAR)
        free = Wanted(kind="image", prompt="a fox", model="free")
        await runtime.admission.submit(local(runtime), free)


async def test_what_was_not_charged_is_given_back_and_what_was_paid_counts_as_it_was(
    house: House, demo: Demo, database_url: str
) -> None:
    async with house(**{OWN: "0.50"}) as runtime:
        await demo.fault(on="submit", fault="status", status=422, times=1)
        started = await runtime.admission.submit(local(runtime), DEAR)
        failed = await settled(runtime, started["id"])
        assert (failed["status"], failed["charged"]) == ("failed", "no")
        again = await runtime.admission.submit(local(runtime), DEAR)
        await settled(runtime, again["id"])
        await asyncio.to_thread(
            book, database_url, charged="yes", cost_actual_usd=Decimal("0.100001")
        )
        # Two such are 0.200002, and 0.30 more is 0.000002 too much.
        with pytest.raises(OverBudget, match=r"\$0\.299998 is left"):
            await runtime.admission.submit(local(runtime), DEAR)


async def test_deleting_gives_nothing_back_and_a_lost_answer_may_have_cost(
    house: House, demo: Demo, database_url: str
) -> None:
    await demo.hold(True)
    async with house(**{OWN: "0.50"}) as runtime:
        started = await runtime.admission.submit(local(runtime), DEAR)
        await reaches(runtime, started["id"], "in_progress")
        await runtime.admission.delete(local(runtime), started["id"])
        await demo.until(started["id"], "CANCELLED")
        with pytest.raises(OverBudget):
            await runtime.admission.submit(local(runtime), DEAR)
        await asyncio.to_thread(book, database_url, charged="maybe", outcome="unknown")
        with pytest.raises(OverBudget):
            await runtime.admission.submit(local(runtime), DEAR)


def a_day_passes(database_url: str) -> None:
    """What was booked until now becomes the last instant of yesterday."""
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "update kinora.attempts set created_at = least(created_at,"
            " date_trunc('day', now(), 'UTC') - interval '1 us')"
        )


async def test_yesterday_is_over(house: House, database_url: str) -> None:
    async with house(**{OWN: "0.50"}) as runtime:
        await runtime.admission.submit(local(runtime), DEAR)
        await asyncio.to_thread(a_day_passes, database_url)
        await runtime.admission.submit(local(runtime), DEAR)


async def test_a_retry_costs_again(house: House, demo: Demo, database_url: str) -> None:
    async with house(**{OWN: "0.50"}) as runtime:
        await demo.fault(on="submit", fault="fail", times=1)
        started = await runtime.admission.submit(local(runtime), DEAR)
        await settled(runtime, started["id"])
        await asyncio.to_thread(book, database_url, charged="maybe", cost_actual_usd=None)
        with pytest.raises(OverBudget):
            await runtime.admission.retry(local(runtime), started["id"])
        assert (await settled(runtime, started["id"]))["attempt"] == 1
        await asyncio.to_thread(book, database_url, charged="no")
        again = await runtime.admission.retry(local(runtime), started["id"])
        assert again["attempt"] == 2


async def test_whoever_was_disabled_meanwhile_starts_nothing(house: House) -> None:
    async with house() as runtime:
        caller = await stranger(runtime)
        async with runtime.engine.begin() as connection:
            await accounts.disable(connection, caller.user_id)
        with pytest.raises(ShutOut):
            await runtime.admission.submit(caller, DEAR)


def test_amounts_are_written_for_people() -> None:
    written = {"1": "$1.00", "0.3": "$0.30", "0.0003": "$0.0003", "12.345": "$12.345", "0": "$0.00"}
    assert {amount: dollars(Decimal(amount)) for amount in written} == written


@pytest.fixture
async def two(database_url: str, calm_demo: Demo, tmp_path: Path) -> AsyncIterator[list[Served]]:
    """Two servers on one database, with one budget."""
    await calm_demo.hold(True)
    settings = {
        "DATABASE_URL": database_url,
        "DEMO_BASE_URL": calm_demo.url,
        "MODELS_FILE": models_file(tmp_path),
        OWN: "1.00",
    }
    async with AsyncExitStack() as stack:
        opening = [stack.enter_async_context(serve(tmp_path / n, **settings)) for n in "ab"]
        yield [await server for server in opening]


async def ask(served: Served) -> int:
    """The status of the answer; 0 for none."""
    try:
        body = {"prompt": "a fox", "model": "dear"}
        return (await served.client.post("/api/tools/generate_image", json=body)).status_code
    except httpx.TransportError:
        return 0


def ids_in(database_url: str) -> set[str]:
    with psycopg.connect(database_url) as connection:
        return {str(row[0]) for row in connection.execute("select id from kinora.generations")}


async def test_of_forty_calls_at_two_processes_exactly_three_are_accepted_also_when_one_dies(
    two: list[Served], database_url: str, demo: Demo
) -> None:
    doomed, other = two
    answers = await asyncio.gather(*(ask(two[n % 2]) for n in range(CALLS)))
    assert (answers.count(202), answers.count(402)) == (3, CALLS - 3)
    assert attempts(database_url) == 3
    body = {"prompt": "a fox", "model": "dear"}
    problem = (await doomed.client.post("/api/tools/generate_image", json=body)).json()
    assert (problem["code"], problem["status"]) == ("over_budget", 402)
    assert "$0.10 is left of your budget of $1.00" in problem["detail"]

    await asyncio.to_thread(a_day_passes, database_url)
    before = ids_in(database_url)
    asked = [asyncio.create_task(ask(two[n % 2])) for n in range(CALLS)]
    await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    doomed.signal(signal.SIGKILL)
    answers = await asyncio.gather(*asked)
    assert answers.count(202) <= 3
    assert attempts(database_url) == 6
    assert await ask(other) == 402
    for generation_id in ids_in(database_url) - before:
        await demo.until(generation_id, "submits:1")

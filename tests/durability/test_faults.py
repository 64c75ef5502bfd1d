"""The fault matrix against a real house: each fault has its end, its typed error, its number of
submits, and leaves no half file.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.demo_process import Demo
from tests.durability.account import Account
from tests.durability.book import Book
from tests.durability.cases import ANOTHERS, CASES, PAUSES, Case
from tests.durability.lab import Lab
from tests.durability.processes import House
from tests.durability.routes import KEYED

ALL = (*CASES, *PAUSES, ANOTHERS)
IMPATIENT = {
    "providers.wire.SUBMIT_S": 1.0,
    "providers.wire.LOOK_S": 1.0,
    "patience_s": 1.0,
    "read_s": 2.0,
}


@dataclass(frozen=True, slots=True)
class End:
    """How one case ended."""

    status: str
    code: str | None
    requests: int | None
    submits: int
    sent_after_s: float | None
    took_s: float


@dataclass(frozen=True, slots=True)
class Ends:
    """How all of them ended, and the account."""

    of: dict[Case, End]
    account: Account


async def ask(lab: Lab, house: House, case: Case) -> str:
    """The generation of a case."""
    return await lab.ask_for(f"a fox [[fault: {case.fault}]]", house, case.route)


async def run_all(lab: Lab) -> dict[Case, str]:
    """Most at once, in one house; what keeps others waiting, after them."""
    house = await lab.house()
    ids = await asyncio.gather(*(ask(lab, house, case) for case in CASES))
    await lab.book.settled(ids, 60.0)
    found = dict(zip(CASES, ids, strict=True))
    for case in PAUSES:
        found[case] = await ask(lab, house, case)
        await lab.book.settled([found[case]], 20.0)
    await lab.book.settled([await lab.ask_for("a boat", house)], 20.0)
    found[ANOTHERS] = await ask(lab, house, ANOTHERS)
    await lab.book.settled([found[ANOTHERS]], 20.0)
    return found


@pytest.fixture(scope="module")
async def ends(
    fresh_database: Callable[[str], str],
    demo: Demo,
    tmp_path_factory: pytest.TempPathFactory,
) -> Ends:
    await demo.calm()
    folder: Path = tmp_path_factory.mktemp("faults")
    async with Book(fresh_database("faults")) as book:
        lab = Lab(book=book, demo=demo, folder=folder, route=KEYED, settings={})
        lab.constants = IMPATIENT
        await lab.open()
        try:
            found = await run_all(lab)
            account = await lab.settled()
        finally:
            await lab.close()
        query = """
            select id::text, status, error_code,
                extract(epoch from submitted_at - created_at)::float,
                extract(epoch from finished_at - created_at)::float from kinora.generations
        """
        rows = {row[0]: row[1:] for row in await book.fetch(query)}
    pages = (await demo.client.get("/_ledger")).json()["generations"]

    def end(one: str) -> End:
        status, code, sent_after_s, took_s = rows[one]
        # Without a key nobody can tell whose the refused ones were.
        requests = pages[one]["submit_requests"] if one in pages else None
        return End(status, code, requests, account.submits[one], sent_after_s, took_s)

    return Ends({case: end(one) for case, one in found.items()}, account)


@pytest.mark.timeout(150)
@pytest.mark.parametrize("case", ALL, ids=str)
async def test_a_fault_has_its_end(ends: Ends, case: Case) -> None:
    end = ends.of[case]
    sys.stdout.write(f"{case}: {end}\n")
    assert (end.status, end.code) == (case.ends, case.code)
    assert end.submits == case.submits
    assert end.requests == (case.requests if case.route.keyed else None)
    if case.after_s:
        assert end.sent_after_s is not None
        assert end.sent_after_s >= case.after_s


async def test_no_fault_leaves_a_half_file_or_a_second_submit(ends: Ends) -> None:
    told = ends.account
    sys.stdout.write(f"{told.figures()}\n")
    assert told.wrong() == {}
    assert told.unfinished == 0

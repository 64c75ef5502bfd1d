"""Answers that never come: the request was accepted once, and is never sent blindly again."""

from __future__ import annotations

import asyncio

import pytest

from tests.demo_process import Demo
from tests.durability.conftest import NewLab
from tests.durability.lab import Lab, tell
from tests.durability.routes import KEYED, UNKEYED, Route, word
from tests.journeys.cards import outage
from tests.proxy import wire_to_port

FAULTS = ("drop_after", "hang", "late:3", "malformed", "html")
HOW_MANY = 3
#: Instead of the product's 90 s and 30 s, in the houses of these tests.
IMPATIENT = {"providers.wire.SUBMIT_S": 1.0, "providers.wire.LOOK_S": 1.0}


async def test_an_answer_that_is_lost_is_never_followed_by_a_blind_submit(
    new_lab: NewLab, database_url: str
) -> None:
    async with new_lab(database_url, KEYED) as lab:
        lab.constants = IMPATIENT
        house = await lab.house()
        await asyncio.gather(
            *(
                lab.ask_for(f"a fox, {n} [[fault: submit={fault}]]", house, route)
                for fault in FAULTS
                for route in (KEYED, UNKEYED)
                for n in range(HOW_MANY)
            )
        )
        told = await lab.settled()
        tell(f"answers lost by {', '.join(FAULTS)}", **told.figures())
        assert told.wrong() == {}
        half = HOW_MANY * len(FAULTS)
        assert told.statuses == {"completed": half, "unknown": half}
        # Not one of those given up was sent a second time; those with a key were asked about by it.
        assert set(told.submits.values()) == {1}
        assert len(told.submits) == 2 * half
        assert told.submit_requests == 3 * half


async def accepted(lab: Lab) -> int:
    """How many submits the provider has ever accepted."""
    ledger = (await lab.demo.client.get("/_ledger")).json()
    return int(ledger["totals"]["submits"])


async def until_accepted(lab: Lab, how_many: int) -> None:
    """Return when the provider has accepted so many in all."""
    async with asyncio.timeout(20):
        while await accepted(lab) < how_many:
            await outage(0.02)


@pytest.mark.parametrize("route", [KEYED, UNKEYED], ids=word)
async def test_a_line_that_is_cut_in_the_middle_of_submits_makes_none_twice(
    new_lab: NewLab, database_url: str, calm_demo: Demo, route: Route
) -> None:
    """Connections of submits are cold, those of looks are kept; all are cut at once, both ways."""
    how_many = 6
    async with (
        wire_to_port(int(calm_demo.url.rsplit(":", 1)[1])) as wire,
        new_lab(database_url, route) as lab,
    ):
        lab.provider_url = wire.url
        house = await lab.house()
        await lab.demo.hold(True)
        looked_at = await lab.ask(how_many, house)
        await lab.book.all_are(looked_at, "in_progress")
        before = await accepted(lab)
        await lab.demo.fault(on="submit", fault="late", times=how_many, delay_s=20)
        await lab.ask(how_many, house)
        await until_accepted(lab, before + how_many)
        wire.cut()
        # Nobody else has heard of these; a line that is mended at once is the harder case.
        wire.mend()
        await lab.demo.hold(False)
        told = await lab.settled()
        tell(f"line cut {'with' if route.keyed else 'without'} a key", **told.figures())
        assert told.wrong() == {}
        lost = 0 if route.keyed else how_many
        assert (told.statuses["completed"], told.unknown) == (2 * how_many - lost, lost)
        assert told.submit_requests == (3 if route.keyed else 2) * how_many

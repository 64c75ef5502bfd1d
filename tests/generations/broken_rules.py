"""Rules of a generation's life, each broken in one place: what `test_any_life` has to find."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from generations import lifecycle
from generations.lifecycle import Ask, Status, Wait
from providers.contract import AnswerLost, NeverSent
from tests.generations import life_model
from tests.generations.life_driver import Driver
from tests.generations.life_model import Life, World

Plant = Callable[[pytest.MonkeyPatch], None]


def breaks(name: str, rule: Callable[..., Any]) -> Plant:
    """Another rule in the place of one of `lifecycle`."""
    return lambda patch: patch.setattr(lifecycle, name, rule)


def believes_a_lost_answer(patch: pytest.MonkeyPatch) -> None:
    whole = lifecycle.after_submit_error

    def broken(error: Any, *args: Any, **named: Any) -> Any:
        never = NeverSent("surely") if isinstance(error, AnswerLost) else error
        return whole(never, *args, **named)

    patch.setattr(lifecycle, "after_submit_error", broken)


def retries_the_same_attempt(patch: pytest.MonkeyPatch) -> None:
    whole = World.write

    def broken(world: World, now: Life, by: str, **values: Any) -> Life:
        same = {"attempt": now.attempt} if by == "retry" else {}
        return whole(world, now, by, **{**values, **same})

    patch.setattr(World, "write", broken)


def stores_twice(patch: pytest.MonkeyPatch) -> None:
    def broken(world: World, row: Life) -> None:
        world.move(row, Status.COMPLETED)
        world.assets[row.id].append(row.attempt)

    patch.setattr(World, "complete", broken)


def hears_another_attempt(patch: pytest.MonkeyPatch) -> None:
    def broken(world: World, of: tuple[int, int]) -> str | None:
        jobs = world.provider.jobs.values()
        return next((job.id for job in jobs if job.of[0] == of[0] and job.of in world.words), None)

    patch.setattr(World, "heard", broken)


def rescues_what_has_failed(patch: pytest.MonkeyPatch) -> None:
    whole = Driver._advance

    def broken(driver: Driver, row: Life) -> Any:
        return driver._rescue(row) if row.status is Status.FAILED else whole(driver, row)

    patch.setattr(lifecycle, "may_rescue", lambda status, **_: True)
    patch.setattr(Driver, "_advance", broken)


def takes_a_repeat_for_the_first(patch: pytest.MonkeyPatch) -> None:
    whole = Driver._send_failed
    patch.setattr(
        Driver, "_send_failed", lambda self, row, error, first: whole(self, row, error, first=True)
    )


def counts_every_failure_as_garbled(patch: pytest.MonkeyPatch) -> None:
    def broken(driver: Driver, error: Any) -> int:
        driver.failures += 1
        return driver.failures

    patch.setattr(Driver, "_failed", broken)


def done_is_too_late(patch: pytest.MonkeyPatch) -> None:
    whole = lifecycle.after_look
    patch.setattr(
        lifecycle,
        "after_look",
        lambda state, *, overdue, **named: (
            Status.FAILED if overdue else whole(state, overdue=False, **named)
        ),
    )


PLANTS: dict[str, Plant] = {
    "a move that does not compare the claim": lambda patch: patch.setattr(
        life_model, "COMPARED", ("id", "status", "attempt")
    ),
    "a lost answer is sent again, whatever the way": breaks(
        "lost_submit", lambda way, **_: Ask("key")
    ),
    "a lost answer is believed never to have been sent": believes_a_lost_answer,
    "a repeat that is refused is taken for the first send": takes_a_repeat_for_the_first,
    "a retry under the same attempt": retries_the_same_attempt,
    "no deadline": breaks("is_overdue", lambda *_, **__: False),
    "no limit for what was cancelled on its way": breaks("is_unwanted", lambda *_: True),
    "news of another attempt are believed": hears_another_attempt,
    "news rescue what has failed": rescues_what_has_failed,
    "a deadline ends it unasked": breaks(
        "look_again_s", lambda meaning, *, overdue, **_: None if overdue else meaning.after_s
    ),
    "what is done after the deadline is thrown away": done_is_too_late,
    "trouble to look is for ever": breaks(
        "after_look_error", lambda error, tries: Wait(after_s=1e9)
    ),
    "a cancel forgets what may have been sent": lambda patch: patch.setattr(
        lifecycle, "CANCELLED_AT_ONCE", frozenset({*lifecycle.CANCELLED_AT_ONCE, "submitting"})
    ),
}
#: Those that need a rare order of things.
RARE: dict[str, Plant] = {
    "files are stored by whoever comes second, too": stores_twice,
    "any trouble counts as an answer nobody understands": counts_every_failure_as_garbled,
}

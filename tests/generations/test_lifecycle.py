"""The rules of a generation's life: the chart, its table, and what each error means."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generations import lifecycle
from generations.lifecycle import (
    BACKOFF_FIRST_S,
    BACKOFF_MAX_S,
    CANCELLED_AT_ONCE,
    GIVEN_UP,
    MALFORMED_MAX,
    MOVES,
    OPEN,
    PAUSES_S,
    RETRYABLE,
    SETTLED,
    Ask,
    Line,
    Settle,
    Status,
    Wait,
    after_look_error,
    after_submit_error,
    backoff_s,
    lost_submit,
    pause_s,
)
from providers.contract import (
    AnswerLost,
    BlockedUrl,
    Busy,
    ErrorCode,
    Forged,
    Gone,
    LostSubmit,
    Malformed,
    NeverSent,
    OutOfCredit,
    ProviderError,
    Rejected,
    TooLarge,
    Unauthorized,
    Unreachable,
)

WAYS: tuple[LostSubmit, ...] = ("key", "lookup", "webhook", "ask")
ARROW = re.compile(r"^ {4}([a-z_ ]{12,27}?)-- (worker|admission|sweep): .+? -+> ([a-z_]+)$")
SOURCES = {"any open": OPEN, "settled but completed": SETTLED - {Status.COMPLETED}}

#: What each error means: for a submit (None: it depends on the route's way), and for a look.
#: `wait`, or the error code of the end and whether it may be retried.
MEANINGS: dict[type[ProviderError], tuple[object, object]] = {
    ProviderError: (("provider_error", True), "wait"),
    Rejected: (("invalid_request", True), ("invalid_request", True)),
    Unauthorized: (("auth", True), "wait"),
    OutOfCredit: (("out_of_credit", True), "wait"),
    Busy: ("line", "wait"),
    NeverSent: ("wait", "wait"),
    AnswerLost: (None, "wait"),
    Unreachable: (None, "wait"),
    Gone: (("expired", False), ("expired", False)),
    Malformed: (("provider_error", True), "wait"),
    BlockedUrl: (("blocked_url", True), ("blocked_url", True)),
    TooLarge: (("provider_error", True), ("provider_error", True)),
    Forged: (("provider_error", True), "wait"),
}


def charted_moves() -> set[tuple[Status, Status]]:
    """The arrows of the chart in the module's docstring."""
    found: set[tuple[Status, Status]] = set()
    sources: frozenset[Status] = frozenset()
    for line in (lifecycle.__doc__ or "").splitlines():
        if arrow := ARROW.match(line):
            named = arrow[1].strip()
            if named:
                sources = SOURCES.get(named) or frozenset({Status(named)})
            found |= {(source, Status(arrow[3])) for source in sources}
    return found


def meaning_of(verdict: Wait | Line | Settle | Ask) -> object:
    if isinstance(verdict, Wait):
        return "wait"
    if isinstance(verdict, Line):
        return "line"
    assert isinstance(verdict, Settle)
    assert verdict.status is Status.FAILED
    return verdict.code, verdict.retryable


def test_every_move_of_the_table_has_its_mover_in_the_chart_and_back() -> None:
    table = {(old, new) for old, news in MOVES.items() for new in news}
    assert charted_moves() == table


def test_the_chart_has_no_line_that_is_not_understood() -> None:
    chart = [line for line in (lifecycle.__doc__ or "").splitlines() if "-- " in line]
    assert [line for line in chart if not ARROW.match(line)] == []
    assert len(chart) > 10


def test_a_status_is_open_or_settled_and_only_completed_is_for_ever() -> None:
    assert set(MOVES) == set(Status) == OPEN | SETTLED
    assert OPEN.isdisjoint(SETTLED)
    assert {status for status, news in MOVES.items() if not news} == {Status.COMPLETED}
    assert SETTLED - {Status.COMPLETED} == RETRYABLE
    assert {old for old, news in MOVES.items() if Status.QUEUED in news} - OPEN == RETRYABLE
    assert all(Status.CANCELLED in MOVES[status] for status in OPEN | CANCELLED_AT_ONCE)


def test_every_open_status_leads_to_an_end_and_can_fail() -> None:
    assert all(Status.FAILED in MOVES[status] for status in OPEN)
    reached = {Status.QUEUED}
    while more := {new for old in reached for new in MOVES[old]} - reached:
        reached |= more
    assert reached == set(Status)


def test_the_table_of_meanings_knows_every_error() -> None:
    def below(error: type[ProviderError]) -> set[type[ProviderError]]:
        return {error}.union(*(below(sub) for sub in error.__subclasses__()))

    ours = {e for e in below(ProviderError) if e.__module__ == ProviderError.__module__}
    assert ours == set(MEANINGS)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("error", "meanings"), MEANINGS.items(), ids=lambda v: getattr(v, "__name__", "")
)
def test_a_failed_submit_is_sent_again_only_where_it_was_certainly_not_accepted(
    error: type[ProviderError], meanings: tuple[object, object], way: LostSubmit
) -> None:
    verdict = after_submit_error(error("why"), way, 1)
    if meanings[0] is None:
        assert verdict == lost_submit(way)
    else:
        assert meaning_of(verdict) == meanings[0]


@pytest.mark.parametrize(
    ("error", "meanings"), MEANINGS.items(), ids=lambda v: getattr(v, "__name__", "")
)
def test_trouble_to_look_never_ends_a_job_that_may_be_well(
    error: type[ProviderError], meanings: tuple[object, object]
) -> None:
    assert meaning_of(after_look_error(error("why"), 1)) == meanings[1]


def test_a_refused_prompt_is_not_worth_the_same_try_again() -> None:
    refused = Rejected("not this", code="content_policy")
    for verdict in (after_submit_error(refused, "key", 1), after_look_error(refused, 1)):
        assert meaning_of(verdict) == ("content_policy", False)


def test_the_end_says_what_the_provider_said() -> None:
    verdict = after_submit_error(Rejected("no such size"), "ask", 1)
    assert isinstance(verdict, Settle)
    assert verdict.message == "no such size"


@pytest.mark.parametrize("way", WAYS)
def test_a_lost_submit_is_asked_about_or_left_to_the_person(way: LostSubmit) -> None:
    meaning = lost_submit(way)
    assert meaning == (Ask(way) if way in ("key", "lookup") else GIVEN_UP)
    assert (GIVEN_UP.status, GIVEN_UP.code) == (Status.UNKNOWN, "submit_unknown")
    code: ErrorCode = "submit_unknown"
    assert GIVEN_UP.code == code


@given(tries=st.integers(0, 10_000), asked=st.none() | st.floats(0, 3600))
def test_waiting_grows_within_bounds_and_honours_what_was_asked_for(
    tries: int, asked: float | None
) -> None:
    seconds = backoff_s(tries, asked_for_s=asked)
    assert seconds >= (asked or 0.0)
    assert 0.8 <= seconds <= max(BACKOFF_MAX_S * 1.2, asked or 0.0)
    assert backoff_s(min(tries, 1)) <= BACKOFF_FIRST_S * 1.2 < backoff_s(3)
    assert backoff_s(max(tries, 6)) >= BACKOFF_MAX_S * 0.8


@given(asked=st.floats(60, 3600))
def test_what_the_provider_asked_for_reaches_the_wait(asked: float) -> None:
    busy = Busy("later", retry_after_s=asked)
    assert after_look_error(busy, 1) == Wait(after_s=asked)
    assert after_submit_error(busy, "ask", 1) == Line(asked_for_s=asked)


@given(asked=st.none() | st.floats(0, 3600), streak=st.integers(1, 10_000))
def test_a_pause_grows_within_bounds_and_is_never_shorter_than_asked_for(
    asked: float | None, streak: int
) -> None:
    for code, (first_s, most_s) in PAUSES_S.items():
        seconds = pause_s(code, streak, asked_for_s=asked)
        assert max(first_s, asked or 0.0) <= seconds <= max(most_s, asked or 0.0)
        assert pause_s(code, streak + 1) >= pause_s(code, streak)


def test_an_answer_nobody_understands_ends_a_job_only_when_it_comes_again() -> None:
    verdicts = [after_look_error(Malformed("?"), n) for n in range(1, MALFORMED_MAX + 1)]
    assert [meaning_of(v) for v in verdicts[:-1]] == ["wait"] * (MALFORMED_MAX - 1)
    assert meaning_of(verdicts[-1]) == ("provider_error", True)


def test_where_webhooks_reach_us_the_providers_own_word_is_waited_for() -> None:
    assert lost_submit("webhook", hears=True) == Ask("webhook")
    assert lost_submit("ask", hears=True) == GIVEN_UP

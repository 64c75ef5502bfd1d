"""Rates and the throttle of logins, by a clock that the test turns."""

from __future__ import annotations

import pytest

from accounts.rate import REMEMBERED, Rate
from accounts.throttle import PER_ACCOUNT, PER_ADDRESS, PER_BOTH, WINDOW_S, Throttle, network


class Clock:
    """Seconds that pass only when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_so_many_pass_at_once_and_the_next_waits_its_part_of_the_window(clock: Clock) -> None:
    rate = Rate(60, 60.0, clock)
    assert [rate.count("a").left for _ in range(60)] == list(range(59, -1, -1))
    refused = rate.count("a")
    assert not refused.allowed
    assert refused.wait_s == pytest.approx(1.0)
    clock.now += 0.9
    assert not rate.count("a").allowed
    clock.now += 0.2
    assert rate.count("a").allowed
    assert not rate.count("a").allowed


def test_what_was_refused_does_not_count(clock: Clock) -> None:
    rate = Rate(2, 60.0, clock)
    rate.count("a"), rate.count("a")
    for _ in range(50):
        assert rate.count("a").wait_s == pytest.approx(30.0)


def test_callers_do_not_touch_each_other(clock: Clock) -> None:
    rate = Rate(1, 60.0, clock)
    assert rate.count("a").allowed
    assert not rate.count("a").allowed
    assert rate.count("b").allowed


def test_who_has_waited_the_window_out_has_everything_again(clock: Clock) -> None:
    rate = Rate(5, 60.0, clock)
    for _ in range(5):
        rate.count("a")
    clock.now += 60
    assert rate.count("a").left == 4


def test_callers_are_forgotten_once_their_bucket_is_full(clock: Clock) -> None:
    rate = Rate(1, 1.0, clock)
    for number in range(REMEMBERED):
        rate.count(number)
    clock.now += 2
    rate.count("last")
    assert rate.count("last").wait_s == pytest.approx(1.0)
    assert len(rate._full_at) == 1


def test_many_callers_at_once_are_not_looked_through_at_each_call(clock: Clock) -> None:
    rate = Rate(1, 1000.0, clock)
    for number in range(REMEMBERED + 1):
        rate.count(number)
    kept = rate._full_at
    for number in range(1000):
        rate.count(f"more {number}")
    assert rate._full_at is kept


def test_guessing_one_account_from_one_place_is_stopped_and_shuts_nobody_else_out(
    clock: Clock,
) -> None:
    throttle = Throttle(clock)
    tries = [throttle.note("anna", "203.0.113.7") for _ in range(200)]
    assert tries[:PER_BOTH] == [None] * PER_BOTH
    assert all(wait_s == 90 for wait_s in tries[PER_BOTH:])
    assert throttle.note("ben", "203.0.113.7") is None
    assert throttle.note("anna", "198.51.100.1") is None


def test_guessing_one_account_from_many_places_is_stopped(clock: Clock) -> None:
    throttle = Throttle(clock)
    tries = [throttle.note("anna", f"198.51.100.{number}") for number in range(200)]
    assert tries.count(None) == PER_ACCOUNT


def test_guessing_many_accounts_from_one_place_is_stopped(clock: Clock) -> None:
    throttle = Throttle(clock)
    tries = [throttle.note(f"user{number}", "198.51.100.1") for number in range(200)]
    assert tries.count(None) == PER_ADDRESS


def test_the_right_password_wipes_the_slate_for_that_place_only(clock: Clock) -> None:
    throttle = Throttle(clock)
    for _ in range(PER_BOTH):
        throttle.note("anna", "198.51.100.1")
        throttle.note("anna", "198.51.100.2")
    throttle.forgive("anna", "198.51.100.1")
    assert throttle.note("anna", "198.51.100.1") is None
    assert throttle.note("anna", "198.51.100.2") is not None
    clock.now += WINDOW_S / PER_BOTH
    assert throttle.note("anna", "198.51.100.2") is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("", "", True),
    ],
)
def test_an_address_is_counted_with_its_neighbours_of_one_customer(
    one: str, other: str, *, same: bool
) -> None:
    assert (network(one) == network(other)) is same

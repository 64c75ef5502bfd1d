"""Passwords: real argon2id, at real cost."""

from __future__ import annotations

import asyncio
import threading

import pytest

from accounts import passwords
from accounts.identity import NoEmail, by_password, shown_name
from accounts.passwords import AT_ONCE_MAX, Passwords, WeakPassword


async def test_only_the_right_password_fits_and_the_hash_says_how_it_was_made() -> None:
    doorman = Passwords()
    stored = await doorman.hash("correct horse")
    assert stored.startswith("$argon2id$")
    assert await doorman.fits("correct horse", stored)
    assert not await doorman.fits("correct horsE", stored)
    assert not await doorman.fits("", stored)
    assert not await doorman.fits("correct horse", None)
    assert not await doorman.fits("correct horse", "no hash at all")
    assert not doorman.is_outdated(stored)
    assert doorman.is_outdated("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$aGFzaGhhc2hoYXNoaGFzaA")


async def test_letters_typed_in_two_ways_are_one_password() -> None:
    doorman = Passwords()
    stored = await doorman.hash("cafe\u0301 am See")
    assert await doorman.fits("caf\u00e9 am See", stored)
    assert not await doorman.fits("cafe am See", stored)


async def test_the_loop_runs_on_and_few_are_hashed_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    doorman = Passwords()
    busy, most, lock = 0, 0, threading.Lock()
    real = doorman._verify

    def counted(stored: str, password: str) -> bool:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        try:
            return real(stored, password)
        finally:
            with lock:
                busy -= 1

    monkeypatch.setattr(doorman, "_verify", counted)
    tries = asyncio.gather(*(doorman.fits("wrong", None) for _ in range(6)))
    turns = 0
    while not tries.done():
        await asyncio.sleep(0)
        turns += 1
    assert await tries == [False] * 6
    assert most == AT_ONCE_MAX
    assert turns > 100


@pytest.mark.parametrize("text", ["", "short", "aaaaaaaaaaaa", "x" * 2000])
def test_a_password_that_protects_nothing_is_refused(text: str) -> None:
    with pytest.raises(WeakPassword):
        passwords.check_new(text)


def test_a_made_password_is_long_and_new_each_time() -> None:
    made = {passwords.make() for _ in range(50)}
    assert len(made) == 50
    assert all(passwords.check_new(text) == text and len(text) == 24 for text in made)


def test_people_write_their_address_in_several_ways() -> None:
    assert by_password("  Anna@Example.ORG ") == by_password("anna@example.org")
    assert shown_name(by_password("Anna@example.org")) == "anna@example.org"
    assert by_password("local@x") != "local"


@pytest.mark.parametrize("text", ["", "anna", "@", "a@", "@b", "a b@c", "a@b@c", "a\n@b", "a,b@c"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(NoEmail):
        by_password(text)

"""API keys: their form, their checksum, and what is stored of them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts import keys


def test_a_key_is_read_again_and_no_two_are_alike() -> None:
    made = [keys.make() for _ in range(100)]
    assert all(re.fullmatch(r"kn_[0-9A-Za-z]{8}_[0-9A-Za-z]{49}", key.text()) for key in made)
    assert all(keys.read(key.text()) == key for key in made)
    assert len({key.secret for key in made}) == len({key.prefix for key in made}) == 100


def test_one_wrong_character_is_noticed_without_the_database() -> None:
    text = keys.make().text()
    for at in range(len("kn_"), len(text)):
        other = "A" if text[at] != "A" else "B"
        assert keys.read(text[:at] + other + text[at + 1 :]) is None


@given(st.text())
def test_no_text_breaks_the_reading(text: str) -> None:
    assert keys.read(text) is None
    assert keys.read(f"kn_{text}") is None


def test_the_digest_tells_nothing_of_the_secret() -> None:
    key = keys.make()
    assert len(key.digest()) == 32
    assert key.secret.encode() not in key.digest()
    assert keys.make().digest() != key.digest()


def test_scopes_come_in_one_order_each_once() -> None:
    assert keys.check_scopes(["read", "generate", "read"]) == ["generate", "read"]


@pytest.mark.parametrize("scopes", [[], ["all"], ["read", "root"], [""]])
def test_other_scopes_are_refused_with_those_there_are(scopes: list[str]) -> None:
    with pytest.raises(keys.UnknownScope, match="generate, read, widget, admin"):
        keys.check_scopes(scopes)

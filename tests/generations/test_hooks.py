"""Where providers send their news: one address for each attempt, which only we can make."""

from __future__ import annotations

from uuid import uuid4

from generations.hearing import Hooks

HOOKS = Hooks(public_url="https://kinora.example.org", key=b"k" * 32)


def test_an_attempt_has_one_address_that_nobody_else_can_make() -> None:
    row = uuid4()
    url = HOOKS.url_for("demo", row, 3)
    assert url == HOOKS.url_for("demo", row, 3)
    assert url is not None
    front, token = url.rsplit("/", 1)
    assert front == f"https://kinora.example.org/webhooks/demo/{row}/3"
    assert len(token) * 6 >= 128
    assert HOOKS.is_genuine("demo", str(row), "3", token)
    other = Hooks(public_url=HOOKS.public_url, key=b"x" * 32)
    assert not other.is_genuine("demo", str(row), "3", token)


def test_an_address_is_made_only_where_somebody_can_reach_it() -> None:
    assert Hooks(public_url=None, key=b"k" * 32).url_for("demo", uuid4(), 1) is None


def test_the_key_is_not_shown() -> None:
    assert "kkkk" not in repr(HOOKS)

"""Requests that take their time (a long poll, a slow upload) are for somebody who may still come
in when they end.
"""

from __future__ import annotations

import contextlib
from asyncio import Event
from collections.abc import Iterator
from dataclasses import dataclass, field

from accounts.visitor import Visitor
from api.problems import Problem
from runtime import Runtime


@dataclass(frozen=True, slots=True)
class Stay:
    """A visit under way; `over` once what let the visitor in has ended."""

    over: Event = field(default_factory=Event)

    def check(self) -> None:
        """Raises: Problem: the visitor is out."""
        if self.over.is_set():
            raise Problem(401, "unauthorized", "This login or API key has just been ended.")


@contextlib.contextmanager
def staying(runtime: Runtime, visitor: Visitor) -> Iterator[Stay]:
    """The visitor's stay, which may be over before the block ends."""
    stay = Stay()
    with runtime.presence.here(visitor, stay.over.set):
        yield stay

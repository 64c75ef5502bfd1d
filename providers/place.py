"""A provider as an installation has it: what the settings have switched on, and how to ask whether
its key is good.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from providers.contract import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A harmless request that tells whether a key is accepted; it costs nothing."""

    url: str
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """A provider as people are told of it; `setting` is the one that switched it on, if any did."""

    provider: Provider
    label: str
    setting: str | None
    demo: bool = False
    question: Question | None = None
    #: What it has opened for itself alone.
    aclose: Callable[[], Awaitable[None]] | None = None

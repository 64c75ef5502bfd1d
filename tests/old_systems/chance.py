"""Ids, moments and words that depend on nothing but a seed and a number, so that each row can be
made by itself and named from elsewhere.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

BEGAN_AT = datetime(2024, 3, 1, 8, 0, tzinfo=UTC)

_HOW = "quiet bright old tiny golden misty frozen curious paper velvet".split()
_WHAT = "fox lighthouse harbour orchard train owl lantern meadow violin comet".split()
_WHERE = "at dawn,in the rain,under glass,by the sea,on a hill,in October,from above".split(",")
_SENTENCES = (
    "The light should come from the left and stay soft.",
    "I would keep the colours warm, and leave some room above.",
    "That one is better than the last; the hands look right now.",
    "Could it be a little wider, with less in the foreground?",
    "Здесь нужен более холодный тон, и меньше деталей на фоне.",
    "これはとても良いですが、もう少し暗くしてください。",
    "Then we cut to the harbour, hold for two seconds, and fade 🌅.",
)


@dataclass(frozen=True, slots=True)
class Chance:
    """What depends on the seed."""

    seed: int

    def roll(self, what: str, n: int) -> bytes:
        """Sixteen bytes of this thing's own."""
        return hashlib.md5(f"{self.seed}:{what}:{n}".encode(), usedforsecurity=False).digest()

    def id(self, what: str, n: int) -> str:
        """The UUID of the n-th thing of its sort."""
        return str(UUID(bytes=self.roll(what, n), version=4))

    def prompt(self, what: str, n: int) -> str:
        """A prompt with a word in it that no other one has: what and n."""
        roll = self.roll("prompt", n)
        words = f"{_HOW[roll[0] % 10]} {_WHAT[roll[1] % 10]} {_WHERE[roll[2] % 7]}"
        return f"A {words}, {what}{n}"

    def text(self, n: int) -> str:
        """A few sentences, a hundred to five hundred characters."""
        roll = self.roll("text", n)
        return " ".join(_SENTENCES[one % len(_SENTENCES)] for one in roll[: 2 + roll[15] % 7])

    def moment(self, n: int, step_s: float = 211.0) -> datetime:
        """The moment of the n-th thing: after the one before, with odd microseconds."""
        odd = int.from_bytes(self.roll("moment", n)[:2], "big")
        return BEGAN_AT + timedelta(seconds=n * step_s, microseconds=odd)

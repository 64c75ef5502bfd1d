"""A driver's memory of its own doing: how often it looked, failed, asked. Lost with the driver, and
that is fine.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from db.generations import Row
from providers.contract import Route

#: A provider that did not follow a cancel is told again at every so many looks.
CANCEL_EVERY_LOOKS = 5
GAP_GROWTH = 1.3


@dataclass(slots=True)
class Pace:
    """Mutable, one a driver; nothing in it decides what is true about the generation."""

    row: Row | None = None
    polls: int = 0
    failures: int = 0
    crashes: int = 0
    gone: int = 0
    cancels: int = 0
    outputs: tuple[str, ...] | None = None
    #: All places in flight were taken when it asked for one.
    waited: bool = False

    def gap_s(self, route: Route) -> float:
        """Seconds until the next look: short at first, growing to the route's maximum, with
        jitter.
        """
        gap = min(route.poll_max_s, route.poll_s * GAP_GROWTH ** min(self.polls, 20))
        return gap * random.uniform(0.9, 1.1)  # noqa: S311 - spreads load, keeps no secret

    def cancel_is_due(self) -> bool:
        """Whether the provider is to be told (again) to stop, at this look."""
        self.cancels += 1
        return self.cancels % CANCEL_EVERY_LOOKS == 1

"""Rates: how often somebody may do something, as a bucket that fills up again steadily.

The generic cell rate algorithm: of each caller one number is kept, the moment at which their bucket
is full again. Exact, without a sweep or a thread, and forgotten once the bucket is full. Kept in
memory: a restart forgets, and each process counts for itself.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

#: So many callers are remembered before those with full buckets are cleared away for the first
#: time; afterwards it is done whenever there are twice as many as were left.
REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a caller stands after asking: `left` more at once, all of them again in `full_in_s`;
    `wait_s`, when it was refused, until the next one.
    """

    left: int
    full_in_s: float
    wait_s: float | None = None

    @property
    def allowed(self) -> bool:
        """Whether this one was counted and may pass."""
        return self.wait_s is None


class Rate:
    """At most `most` at once and in each `window_s` after that, by caller."""

    def __init__(
        self, most: int, window_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.most = most
        self.window_s = window_s
        self._clock = clock
        self._step_s = window_s / most
        self._full_at: dict[Hashable, float] = {}
        self._clear_at = REMEMBERED

    def count(self, caller: Hashable) -> Standing:
        """Count one of this caller's, unless it is one too many."""
        now = self._clock()
        full_at = max(self._full_at.get(caller, now), now)
        then = full_at + self._step_s
        # A hair's breadth: sums of floats are not exact.
        if then - now > self.window_s + self._step_s * 1e-6:
            return Standing(0, full_at - now, wait_s=then - now - self.window_s)
        if len(self._full_at) >= self._clear_at:
            self._forget_full(now)
        self._full_at[caller] = then
        left = math.floor((self.window_s - (then - now)) / self._step_s + 1e-6)
        return Standing(left, then - now)

    def clear(self, caller: Hashable) -> None:
        """Forget what this caller has done."""
        self._full_at.pop(caller, None)

    def _forget_full(self, now: float) -> None:
        self._full_at = {who: full for who, full in self._full_at.items() if full > now}
        self._clear_at = max(REMEMBERED, 2 * len(self._full_at))

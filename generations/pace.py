"""A driver's memory of its own doing: how often it looked, failed, asked. Lost with the driver, and
that is fine.
"""

from __future__ import annotations

import random
import time
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from db.generations import Row
from providers.contract import Malformed, ProviderError, Route

#: A provider that did not follow a cancel is told again at every so many looks.
CANCEL_EVERY_LOOKS = 5
GAP_GROWTH = 1.3
#: Fewer past durations than this say nothing.
PAST_MIN = 5
#: Of those that took longer than what has passed, this part is done at the next look.
DONE_AT_LOOK = 0.2
#: The least and the longest wait, as parts of what it usually takes: a card wants to move, too.
GAP_LEAST, GAP_MOST = 0.02, 0.34
GAP_LEAST_S = 0.1


@dataclass(slots=True)
class Pace:
    """Mutable, one a driver; nothing in it decides what is true about the generation."""

    row: Row | None = None
    polls: int = 0
    failures: int = 0
    crashes: int = 0
    gone: int = 0
    spoiled: int = 0
    cancels: int = 0
    outputs: tuple[str, ...] | None = None
    #: Seconds since the submit at the last look that this driver took; None: it took none yet.
    looked_s: float | None = None
    malformed: int = 0
    last_asks: int = 0
    #: The step has left the row just as `row` says.
    is_sure: bool = False
    #: When the row was last read, by the monotonic clock.
    read_at: float = field(default_factory=time.monotonic)
    #: News of attempts before this one have been followed.
    read_older: bool = False

    def failed(self, error: ProviderError) -> int:
        """Count a failed look: how many of its kind there were in a row, since garbled answers mean
        something else than none.
        """
        self.failures += 1
        self.malformed += isinstance(error, Malformed)
        return self.malformed if isinstance(error, Malformed) else self.failures

    def gap_s(self, route: Route, past: Sequence[float], passed_s: float) -> float:
        """Seconds until the next look, with jitter: where it is likely to be done, by the past
        durations of its like (ascending); without enough of them short at first, and growing.
        """
        if len(past) >= PAST_MIN:
            gap = next_look_s(past, passed_s, longest_s=route.poll_max_s)
        else:
            gap = min(route.poll_max_s, route.poll_s * GAP_GROWTH ** min(self.polls, 20))
        return gap * random.uniform(0.95, 1.05)  # noqa: S311 - spreads load, keeps no secret

    def seen_done_s(self, passed_s: float) -> float | None:
        """How long the job took, now that it is seen done: between the last look and this one. None
        when nobody looked for so long that it says nothing.
        """
        if self.looked_s is None or passed_s - self.looked_s > max(1.0, passed_s / 2):
            return None
        return (self.looked_s + passed_s) / 2

    def know(self, row: Row) -> None:
        """Note that this is the row as it stands, so that it need not be read again."""
        self.row, self.is_sure = row, True

    def cancel_is_due(self) -> bool:
        """Whether the provider is to be told (again) to stop, at this look."""
        self.cancels += 1
        return self.cancels % CANCEL_EVERY_LOOKS == 1


def next_look_s(past: Sequence[float], passed_s: float, *, longest_s: float) -> float:
    """Seconds until a look is worth it: `past` are durations of its like, ascending, in seconds.

    Looking at quantiles of what is left costs few looks where nothing can be done yet, and little
    delay where it can.
    """
    usual_s = past[len(past) // 2]
    least_s = max(GAP_LEAST_S, usual_s * GAP_LEAST)
    later = past[bisect_right(past, passed_s) :]
    if later:
        wait_s = later[int(len(later) * DONE_AT_LOOK)] - passed_s
    else:
        # Later than all before it: the longer it takes, the less a little more matters.
        wait_s = max(least_s, (passed_s - past[-1]) / 2)
    return max(least_s, min(wait_s, max(longest_s, usual_s * GAP_MOST), usual_s * GAP_MOST))

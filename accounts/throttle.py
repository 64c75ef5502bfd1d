"""How often a login may be tried: for one account from one address, for one account, from one
address.

Counted before the password is looked at, so that a burst of parallel tries counts in full. The
first limit is the tight one, so that a stranger who guesses does not shut the person out; and what
it has stopped does not count for the others, so that people behind one address stay unaffected.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections.abc import Callable

from accounts.rate import Rate

WINDOW_S = 15 * 60.0
PER_BOTH, PER_ACCOUNT, PER_ADDRESS = 10, 50, 100


class Throttle:
    """Counts tries to log in."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._both = Rate(PER_BOTH, WINDOW_S, clock)
        self._accounts = Rate(PER_ACCOUNT, WINDOW_S, clock)
        self._addresses = Rate(PER_ADDRESS, WINDOW_S, clock)

    def note(self, account: str, address: str) -> int | None:
        """Count a try; returns the seconds to wait when it is one too many."""
        where = network(address)
        limits = (
            (self._both, (account, where)),
            (self._accounts, account),
            (self._addresses, where),
        )
        for rate, who in limits:
            standing = rate.count(who)
            if standing.wait_s is not None:
                return math.ceil(standing.wait_s)
        return None

    def forgive(self, account: str, address: str) -> None:
        """The right password was given: earlier mistakes from there count no more."""
        self._both.clear((account, network(address)))


def network(address: str) -> str:
    """The address as it is counted: of IPv6 the first 64 bits, which belong to one customer."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if known.version == 4:
        return str(known)
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    return str(ipaddress.ip_network((known, 64), strict=False))

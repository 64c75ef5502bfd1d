"""What a call that waits tells meanwhile.

The protocol wants every notification to name more progress than the one before; a line moves, and a
provider sometimes counts backwards, so what would not rise is told as a hair more.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import anyio
from mcp.server.session import ServerSession

#: Said again after so long even when nothing moved: clients give up on calls that stay silent.
SAID_AGAIN_AFTER_S = 5.0
HAIR = 0.0001
#: Where the work itself lies between what comes before and after it.
WORK_FROM, WORK_TO = 0.05, 0.95
VERBS = {"image": "painting", "video": "filming", "audio": "recording"}


class Progress:
    """The notifications of one call: rising, from 0 to 1, each with words for a person."""

    def __init__(self, session: ServerSession, token: str | int, request_id: str | int) -> None:
        self._session, self._token, self._request_id = session, token, str(request_id)
        self._told = -HAIR
        self._words = ""
        self._at = 0.0

    async def tell(self, readings: Sequence[dict[str, Any]]) -> None:
        """Say how the one generation stands, if that is news or was not said for a while."""
        [reading] = readings
        words, now = words_of(reading), time.monotonic()
        if words == self._words and now - self._at < SAID_AGAIN_AFTER_S:
            return
        self._told = round(min(max(amount_of(reading), self._told + HAIR), 1.0), 4)
        self._words, self._at = words, now
        try:
            await self._session.send_progress_notification(
                self._token, self._told, 1.0, words, related_request_id=self._request_id
            )
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            # The client has gone; the generation goes on without it.
            return


def amount_of(reading: dict[str, Any]) -> float:
    """How far a generation is, from 0 to 1."""
    status = reading["status"]
    if status == "queued":
        return 0.0
    if status in ("submitting", "in_progress"):
        return WORK_FROM + (WORK_TO - WORK_FROM) * (reading["progress"] or 0.0)
    return WORK_TO if status == "storing" else 1.0


def words_of(reading: dict[str, Any]) -> str:
    """How a generation stands, in a few words."""
    status: str = reading["status"]
    place, verb = reading["queue_position"], VERBS[reading["kind"]]
    if status == "queued":
        return "in line" if place is None else f"in line, {ordinal(place)}"
    if status == "in_progress":
        share = reading["progress"]
        return verb if share is None else f"{verb} {share:.0%}".replace("%", " %")
    return {"submitting": "being sent", "storing": "being stored"}.get(status, status)


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if 10 < number % 100 < 14 else ending}"

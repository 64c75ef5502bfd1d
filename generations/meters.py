"""stub"""

from __future__ import annotations


class Meters:
    def polled(self, provider: str) -> None: ...
    def settled(
        self, kind: str, model: str, provider: str, status: str, submit_to_done_s: float | None
    ) -> None: ...
    def reconnected(self) -> None: ...

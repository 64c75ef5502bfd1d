"""One request to this door: who came, and what answering them takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from accounts.visitor import Visitor
from api.links import Links
from generations.contract import Caller
from runtime import Runtime

#: Since this revision of the protocol clients know links to resources among a tool's content.
LINKS_SINCE = "2025-06-18"
GENERATIONS, ASSETS = "kinora://generations/", "kinora://assets/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """`version`: the revision of the protocol that the client speaks."""

    runtime: Runtime
    visitor: Visitor
    links: Links
    version: str

    @property
    def caller(self) -> Caller:
        """The visitor, as the heart knows callers."""
        return Caller(user_id=self.visitor.user_id)

    @property
    def knows_links(self) -> bool:
        """Whether a link among a tool's content is understood."""
        return self.version >= LINKS_SINCE

    def shown(self, reading: dict[str, Any]) -> dict[str, Any]:
        """The reading of a generation as it leaves by this door: whole addresses that open without
        a key, and the name by which it can be read here.
        """
        signed = self.links.in_reading(reading)
        return {**signed, "resource_uri": f"{GENERATIONS}{reading['id']}"}

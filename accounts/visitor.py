"""Who stands at the door, how they were let in, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

#: What a person may do who is logged in at the page.
PERSON = frozenset({"generate", "read"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """A caller who was let in. `grant` is the login or key that lets them in; None in local mode,
    where being on this machine does.
    """

    user_id: UUID
    identifier: str | None
    scopes: frozenset[str]
    grant: UUID | None = None
    by_key: bool = False
    #: Of a user of somebody's page that the widget stands in: the page's origin, or `frame`.
    place: str | None = None

"""The JSON of accounts, keys and the process itself."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

Scope = Literal["generate", "read", "widget", "admin"]


class Key(BaseModel):
    """An API key without its secret."""

    prefix: str = Field(description="Names the key; it stands in its text, `kn_<prefix>_<secret>`.")
    name: str
    scopes: list[Scope]
    created_at: datetime
    last_used_at: datetime | None = Field(description="To the minute.")


class KeyList(BaseModel):
    """The caller's keys, and the scopes that they may give."""

    data: list[Key]
    scopes: list[Scope]


class NewKey(Key):
    """A key that was made just now."""

    key: str = Field(description="The whole key. It is shown this once.")


class WidgetToken(BaseModel):
    """What a page hands to the widget."""

    token: str
    expires_at: datetime


class Alive(BaseModel):
    """The process lives."""

    status: Literal["ok"]


class Ready(BaseModel):
    """Whether it can do its work, and what it looked at."""

    status: Literal["ok", "unavailable"]
    checks: dict[str, bool]


class ChatModelInUse(BaseModel):
    """The model that answers in the chat."""

    label: str
    demo: bool
    source: str = Field(description="Where it was configured.")


class PainterInUse(BaseModel):
    """A provider that is on."""

    label: str
    demo: bool
    source: str = Field(description="Where it was configured.")


class InUse(BaseModel):
    """What this installation works with."""

    ready: bool
    chat_model: ChatModelInUse
    painters: list[PainterInUse]
    version: str


class NotReady(BaseModel):
    """All that is said while the database is away."""

    ready: Literal[False]

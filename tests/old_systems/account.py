"""What a generator put into an old system, for tests to hold against what arrived."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

SAMPLES = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleFile:
    """One of the first files, with what should become of it."""

    id: str
    #: `completed`, `failed`, `younger`, `text` or `other`.
    outcome: str
    #: More closely: `completed_without_url`, `stale`, `unknown_with_url`, ...
    case: str
    type: str
    prompt: str
    url: str | None
    #: Its name in the ledger.
    owner: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleChat:
    """One of the first chats."""

    id: str
    title: str
    #: None: a guest's.
    email: str | None
    user_id: str
    #: Ids in their order; of a chat in both tables, only the newer ones.
    message_ids: tuple[str, ...]
    #: Ids of SuperDuperAI's files that its messages name, each once.
    file_ids: tuple[str, ...]
    #: Ids of messages with a thumb up, and with one down.
    upvoted: tuple[str, ...]
    downvoted: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Account:
    """Counts of what was made. `+` joins two of them."""

    #: Rows by table: `files`, `User`, `Message_v2`, ...
    tables: Counter[str] = field(default_factory=Counter)
    #: Files by what should become of them, and the same more closely.
    outcomes: Counter[str] = field(default_factory=Counter)
    cases: Counter[str] = field(default_factory=Counter)
    #: Files and media rows by their owner's name in the ledger; "" for none.
    owners: Counter[str] = field(default_factory=Counter)
    #: Media rows that name a file of the other source, and that name nothing known there.
    shared_media: int = 0
    own_media: int = 0
    #: Documents by kind, each once, whatever its versions.
    documents: Counter[str] = field(default_factory=Counter)
    #: Deprecated messages of chats that have newer ones.
    carried_over: int = 0
    files: list[SampleFile] = field(default_factory=list)
    chats: list[SampleChat] = field(default_factory=list)

    def __add__(self, other: Account) -> Account:
        return Account(
            tables=self.tables + other.tables,
            outcomes=self.outcomes + other.outcomes,
            cases=self.cases + other.cases,
            owners=self.owners + other.owners,
            shared_media=self.shared_media + other.shared_media,
            own_media=self.own_media + other.own_media,
            documents=self.documents + other.documents,
            carried_over=self.carried_over + other.carried_over,
            files=self.files + other.files,
            chats=self.chats + other.chats,
        )

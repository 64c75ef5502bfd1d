"""Whose a row is: people by their e-mail, everybody else by the id they had.

A row may say it by a user's id of either system, by a session, or by a project; the ledger knows
which account here that is, also after it was given to a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from db import accounts, imported
from db.imported import Known
from importing.report import Report

NOBODY = "superduper:unknown"
KEPT_MAX = 50_000


@dataclass(frozen=True, slots=True)
class Owner:
    """An account here. Of two that claim one thing, the higher rank has it: somebody with an e-mail
    (3), a guest of the chat (2), an account of the media backend's (1), nobody known (0).
    """

    id: UUID
    identifier: str

    @property
    def rank(self) -> int:
        """See above."""
        if self.identifier == NOBODY:
            return 0
        system = self.identifier.partition(":")[0]
        return {"superduper": 1, "guest": 2}.get(system, 3)


class Owners:
    """Finds the account behind a ledger's name, and makes it where there is none."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._kept: dict[str, Owner] = {}

    def forget(self) -> None:
        """What was made in a transaction that did not come to its end is not there."""
        self._kept.clear()

    async def find(
        self, connection: AsyncConnection, names: Iterable[str | None]
    ) -> dict[str | None, Owner]:
        """The accounts behind these names; None is a row that says nothing."""
        wanted = set(names)
        if len(self._kept) > KEPT_MAX:
            self.forget()
        if new := {name or NOBODY for name in wanted} - self._kept.keys():
            await self._find_new(connection, new)
        return {name: self._kept[name or NOBODY] for name in wanted}

    async def welcome(self, connection: AsyncConnection, people: Mapping[str, str]) -> None:
        """Make the accounts of people: ledger's name -> identifier."""
        users = await self._ensure(connection, set(people.values()))
        await self.settle(connection, {name: users[people[name]] for name in people})

    async def settle(self, connection: AsyncConnection, owners: Mapping[str, UUID]) -> None:
        """Have these names mean these accounts. What went to an account without a person, while
        only the name was known, becomes theirs; what an operator has given away stays given.
        """
        heirs = {_in_backend(name): user_id for name, user_id in owners.items()} | dict(owners)
        ledger = await imported.known(connection, heirs)
        called = await imported.identifiers(connection, {one.target_id for one in ledger.values()})
        for name, known in ledger.items():
            is_nobodys = called.get(known.target_id) == identifier_of(name)
            if is_nobodys and not known.is_read and known.target_id != heirs[name]:
                await accounts.adopt(connection, known.target_id, heirs[name])
                self.forget()
        given = {name: ledger[name].target_id for name in owners if name in ledger}
        given = {name: one for name, one in given.items() if called.get(one) != identifier_of(name)}
        settled = {**owners, **given}
        await imported.note(connection, {name: Known(one, True) for name, one in settled.items()})

    async def by_id(self, connection: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, Owner]:
        """Accounts that are there, by their ids."""
        found = await imported.identifiers(connection, set(ids))
        return {user_id: Owner(user_id, identifier) for user_id, identifier in found.items()}

    async def _find_new(self, connection: AsyncConnection, names: set[str]) -> None:
        ledger = await imported.known(connection, names | {_same_in_chat(name) for name in names})
        found = {
            name: (ledger.get(name) or ledger[_same_in_chat(name)]).target_id
            for name in names
            if name in ledger or _same_in_chat(name) in ledger
        }
        missing = {name: identifier_of(name) for name in names - found.keys()}
        users = await self._ensure(connection, set(missing.values()))
        found |= {name: users[identifier] for name, identifier in missing.items()}
        # Only named so far: the row of the person, or of the project, may come later.
        await imported.note(connection, {name: Known(found[name], False) for name in missing})
        called = await imported.identifiers(connection, set(found.values()))
        self._kept |= {name: Owner(user_id, called[user_id]) for name, user_id in found.items()}

    async def _ensure(
        self, connection: AsyncConnection, identifiers: Iterable[str]
    ) -> dict[str, UUID]:
        users, made = await imported.ensure_users(connection, identifiers)
        for identifier in made:
            is_person = not identifier.startswith(("guest:", "superduper:"))
            self._report.made["people" if is_person else "owners without an e-mail"] += 1
        return users


def identifier_of(name: str) -> str:
    """What the account is called of whom nothing is known but this name."""
    system, _, rest = name.partition(":")
    if system == "chatbot":
        # `user:` and `session:` alike: both are guests.
        return f"guest:{rest.partition(':')[2]}"
    return f"superduper:{rest.removeprefix('user:')}"


def _same_in_chat(name: str) -> str:
    """Both systems gave people ids; one that both know is one person."""
    return name.replace("superduper:user:", "chatbot:user:", 1)


def _in_backend(name: str) -> str:
    return name.replace("chatbot:user:", "superduper:user:", 1)

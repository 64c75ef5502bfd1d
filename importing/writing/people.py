"""The people of the old chat become accounts: by their e-mail, without a password, or as guests.

Passwords are not taken over: they are hashed in another way, and nobody who moves should rely on
old ones. `manage.py users password EMAIL` gives a new one.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from accounts.identity import by_password
from db import imported
from db.imported import is_read
from importing.mapping.chatbot import Person
from importing.report import Report, Taken
from importing.writing.owners import Owners, identifier_of


class People:
    """Writes accounts, and whose which project was."""

    def __init__(self, owners: Owners, report: Report) -> None:
        self._owners = owners
        self._report = report

    async def take(self, connection: AsyncConnection, table: str, people: Sequence[Person]) -> None:
        """Accounts; several rows with one address are one person."""
        ledger = await imported.known(connection, [_name(person) for person in people])
        new = {
            _name(person): _identifier(person) for person in people if _name(person) not in ledger
        }
        there = await imported.users(connection, new.values())
        await self._owners.welcome(connection, new)
        for person in people:
            identifier = new.pop(_name(person), None)
            outcome: Taken = "unchanged"
            if identifier is not None:
                outcome = "merged" if identifier in there else "taken"
                there.add(identifier)
            self._report.take(table, person.id, outcome, remarks=person.remarks)

    async def take_projects(
        self, connection: AsyncConnection, table: str, projects: Sequence[tuple[str, str]]
    ) -> None:
        """Projects of the media backend, by which a file may be known to be somebody's."""
        ledger = await imported.known(connection, [_project(one[0]) for one in projects])
        owners = await self._owners.find(connection, {_user(one[1]) for one in projects})
        # Of two whose it was, the first.
        new = {
            _project(project_id): owners[_user(user_id)].id
            for project_id, user_id in reversed(projects)
            if not is_read(ledger, _project(project_id))
        }
        await self._owners.settle(connection, new)
        for project_id, _ in projects:
            outcome: Taken = "taken" if new.pop(_project(project_id), None) else "unchanged"
            self._report.take(table, project_id, outcome, remarks=())


def _identifier(person: Person) -> str:
    return by_password(person.email) if person.email else identifier_of(_name(person))


def _name(person: Person) -> str:
    return _user(person.id)


def _user(user_id: str) -> str:
    return f"chatbot:user:{user_id}"


def _project(project_id: str) -> str:
    return f"superduper:project:{project_id}"

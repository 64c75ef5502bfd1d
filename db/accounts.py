"""Accounts and their logins. A login is a row: its cookie holds for as long as the row does, so a
log-out, a new password or a disabled account ends it at once, in every process.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.ids import new_id
from db.tables import api_keys, assets, attempts, generations, imported, logins, threads, users

#: On this channel it is told that a login or key ended (`grant`), or all of a user's (`user`).
CHANNEL = "kinora_access"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user who can log in, or could."""

    id: UUID
    identifier: str
    password_hash: str | None
    is_admin: bool
    is_disabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """An imported owner to whom something belongs that nobody can log in for."""

    identifier: str
    threads: int
    generations: int


async def find(connection: AsyncConnection, identifier: str) -> Account | None:
    """The account that is called so."""
    u = users.c
    query = select(
        u.id, u.identifier, u.password_hash, u.is_admin, u.disabled_at.is_not(None)
    ).where(u.identifier == identifier)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    return Account(
        id=row[0], identifier=row[1], password_hash=row[2], is_admin=row[3], is_disabled=row[4]
    )


async def count(connection: AsyncConnection) -> int:
    """How many accounts there are that can log in."""
    query = (
        select(func.count())
        .select_from(users)
        .where(users.c.password_hash.is_not(None), users.c.disabled_at.is_(None))
    )
    return int((await connection.execute(query)).scalar_one())


async def count_without_password(connection: AsyncConnection, source: str) -> int:
    """How many accounts of people there are that wait for a password: imported, as a rule. `source`
    is what their identifiers begin with.
    """
    u = users.c
    waiting = (u.password_hash.is_(None), u.disabled_at.is_(None))
    query = select(func.count()).select_from(users)
    query = query.where(*waiting, u.identifier.startswith(f"{source}:", autoescape=True))
    return int((await connection.execute(query)).scalar_one())


async def add(
    connection: AsyncConnection, identifier: str, password_hash: str, *, is_admin: bool
) -> UUID | None:
    """Make an account; None when there is one of this name."""
    new = insert(users).values(
        id=new_id(), identifier=identifier, password_hash=password_hash, is_admin=is_admin
    )
    query = new.on_conflict_do_nothing(index_elements=[users.c.identifier]).returning(users.c.id)
    user_id: UUID | None = (await connection.execute(query)).scalar_one_or_none()
    return user_id


async def set_password(connection: AsyncConnection, user_id: UUID, password_hash: str) -> None:
    """Give the account another password, which ends all its logins."""
    await renew_hash(connection, user_id, password_hash)
    await end_logins(connection, user_id)


async def renew_hash(connection: AsyncConnection, user_id: UUID, password_hash: str) -> None:
    """Store the same password's hash under today's parameters."""
    await connection.execute(
        update(users).where(users.c.id == user_id).values(password_hash=password_hash)
    )


async def disable(connection: AsyncConnection, user_id: UUID) -> None:
    """Shut an account out, its keys included; what it has made stays, what runs is finished."""
    gone = update(users).where(users.c.id == user_id, users.c.disabled_at.is_(None))
    await connection.execute(gone.values(disabled_at=func.now()))
    await end_logins(connection, user_id)


async def enable(connection: AsyncConnection, user_id: UUID) -> None:
    """Let an account in again; its keys hold again too, its old logins do not."""
    await connection.execute(update(users).where(users.c.id == user_id).values(disabled_at=None))


async def begin_login(
    connection: AsyncConnection, user_id: UUID, lasts_s: float, login_id: UUID | None = None
) -> UUID:
    """Put a login on record and return its id; one that is on record already stays as it is."""
    login_id = login_id or new_id()
    until = func.now() + func.make_interval(0, 0, 0, 0, 0, 0, lasts_s)
    new = insert(logins).values(id=login_id, user_id=user_id, expires_at=until)
    await connection.execute(new.on_conflict_do_nothing())
    return login_id


async def end_login(connection: AsyncConnection, login_id: UUID) -> None:
    """Log out."""
    ended = update(logins).where(logins.c.id == login_id, logins.c.ended_at.is_(None))
    await connection.execute(ended.values(ended_at=func.now()))
    await tell(connection, grant=login_id)


async def end_logins(connection: AsyncConnection, user_id: UUID) -> None:
    """Log a user out everywhere."""
    ended = update(logins).where(logins.c.user_id == user_id, logins.c.ended_at.is_(None))
    await connection.execute(ended.values(ended_at=func.now()))
    await tell(connection, user=user_id)


async def tell(connection: AsyncConnection, **ended: UUID) -> None:
    """Have every process close what the ended grant, or all grants of the user, had opened."""
    news = json.dumps({what: str(which) for what, which in ended.items()})
    await connection.execute(
        text("select pg_notify(:channel, :news)"), {"channel": CHANNEL, "news": news}
    )


def _holds() -> ColumnElement[bool]:
    return and_(
        logins.c.ended_at.is_(None),
        logins.c.expires_at > func.now(),
        users.c.disabled_at.is_(None),
    )


async def login_owner(
    connection: AsyncConnection, login_id: UUID, identifier: str
) -> tuple[UUID, bool] | None:
    """The user of a login that holds, and whether they are an admin; None: it does not hold."""
    query = (
        select(users.c.id, users.c.is_admin)
        .join(logins, logins.c.user_id == users.c.id)
        .where(logins.c.id == login_id, users.c.identifier == identifier, _holds())
    )
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else (row[0], row[1])


async def still_hold(connection: AsyncConnection, grants: Collection[UUID]) -> set[UUID]:
    """Which of these logins and keys still hold."""
    live_logins = (
        select(logins.c.id)
        .join(users, users.c.id == logins.c.user_id)
        .where(logins.c.id.in_(grants), _holds())
    )
    live_keys = (
        select(api_keys.c.id)
        .join(users, users.c.id == api_keys.c.user_id)
        .where(
            api_keys.c.id.in_(grants),
            api_keys.c.revoked_at.is_(None),
            users.c.disabled_at.is_(None),
        )
    )
    return set((await connection.execute(live_logins.union_all(live_keys))).scalars())


async def forget_old_logins(connection: AsyncConnection, older_than: datetime) -> None:
    """Delete the rows of logins that ended, or ran out, before that."""
    over = or_(logins.c.ended_at < older_than, logins.c.expires_at < older_than)
    await connection.execute(logins.delete().where(over))


async def adopt(connection: AsyncConnection, giver: UUID, taker: UUID) -> dict[str, int]:
    """Give one user everything that another has made, and what a later import would bring the
    other; how many rows of each kind.
    """
    given = {}
    for table in (threads, generations, assets, attempts):
        moved = update(table).where(table.c.user_id == giver).values(user_id=taker)
        given[table.name] = (await connection.execute(moved)).rowcount
    heir = update(imported).where(imported.c.target_id == giver).values(target_id=taker)
    await connection.execute(heir)
    return given


async def imported_owners(connection: AsyncConnection) -> list[Owner]:
    """Those of the old systems' owners who have something and no password, the richest first."""
    u = users.c
    came = select(imported.c.legacy_id).where(imported.c.target_id == u.id).exists()
    counts = [
        select(func.count())
        .select_from(table)
        .where(table.c.user_id == u.id, table.c.deleted_at.is_(None))
        .scalar_subquery()
        for table in (threads, generations)
    ]
    query = select(u.identifier, *counts).where(u.password_hash.is_(None), came)
    owners = [
        Owner(identifier=row[0], threads=row[1], generations=row[2])
        for row in (await connection.execute(query)).all()
        if row[1] or row[2]
    ]
    return sorted(owners, key=lambda one: (-one.threads - one.generations, one.identifier))

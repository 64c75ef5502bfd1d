"""The entrance: from what a request shows to a visitor, or to nobody.

Three ways lead in: being on this machine (local mode), the cookie of a login (by password here, or
through the widget, `accounts.widget_entrance`), and an API key. Each request is checked against the
database anew, so that what was ended is out at once; a bare key or token that cannot be genuine
costs no query.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from accounts import identity, keys, tokens
from accounts.passwords import Passwords
from accounts.throttle import Throttle
from accounts.visitor import PERSON, Visitor
from db import accounts
from db import keys as key_rows

#: A login lasts so long at most; a log-out, a new password or a disabled account ends it before.
LOGIN_LASTS_S = 7 * 24 * 3600.0


class Refused(Exception):
    """What was shown is wrong, or not enough; the message is for the person."""


class Throttled(Refused):
    """Too many wrong logins; another try is possible after `retry_after_s`."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("Too many attempts to log in; wait a little and try again.")
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedIn:
    """A fresh login and the token for its cookie."""

    user_id: UUID
    token: str
    lasts_s: float


class Entrance:
    """Lets visitors in. `local_user_id`: whoever comes is this user, when it is set."""

    def __init__(self, engine: AsyncEngine, secret: bytes, local_user_id: UUID | None) -> None:
        self._engine = engine
        self._secret = secret
        self._throttle = Throttle()
        self._passwords = Passwords() if local_user_id is None else None
        self.local = (
            Visitor(user_id=local_user_id, identifier=identity.LOCAL, scopes=PERSON)
            if local_user_id
            else None
        )

    async def by_key(self, text: str) -> Visitor:
        """Who holds this key.

        Raises: Refused.
        """
        given = keys.read(text)
        if given is None:
            raise Refused("This API key is not known here.")
        async with self._engine.connect() as connection:
            row = await key_rows.find(connection, given.prefix)
        if row is None or not hmac.compare_digest(row.secret_sha256, given.digest()):
            raise Refused("This API key is not known here.")
        if not row.is_noted:
            async with self._engine.begin() as connection:
                await key_rows.note_use(connection, row.id)
        return Visitor(
            user_id=row.user_id, identifier=None, scopes=row.scopes, grant=row.id, by_key=True
        )

    async def by_token(self, text: str) -> Visitor | None:
        """Who is logged in with this token; None when nobody is, any more."""
        token = tokens.read(self._secret, text)
        if token is None:
            return None
        if self.local is not None:
            return self.local if token.identifier == identity.LOCAL else None
        if token.login_id is None:
            return None
        async with self._engine.connect() as connection:
            owner = await accounts.login_owner(connection, token.login_id, token.identifier)
        if owner is None:
            return None
        user_id, is_admin = owner
        return Visitor(
            user_id=user_id,
            identifier=token.identifier,
            scopes=PERSON | {"admin"} if is_admin else PERSON,
            grant=token.login_id,
            place=token.place,
        )

    async def log_in(self, email: str, password: str, address: str) -> LoggedIn:
        """Let a person in by their password.

        An unknown account, a disabled one and a wrong password are answered alike, and take as
        long.

        Raises: Refused; Throttled.
        """
        if self._passwords is None:
            raise Refused("Nobody logs in here: this installation has one local user.")
        try:
            identifier = identity.by_password(email)
        except identity.NoEmail:
            identifier = f"{identity.PASSWORD}:"
        wait_s = self._throttle.note(identifier, address)
        if wait_s is not None:
            raise Throttled(wait_s)
        async with self._engine.connect() as connection:
            account = await accounts.find(connection, identifier)
        stored = account.password_hash if account and not account.is_disabled else None
        fits = await self._passwords.fits(password, stored)
        if not fits or account is None or stored is None:
            raise Refused("E-mail address or password is wrong.")
        self._throttle.forgive(identifier, address)
        renewed = None
        if self._passwords.is_outdated(stored):
            renewed = await self._passwords.hash(password)
        async with self._engine.begin() as connection:
            if renewed is not None:
                await accounts.renew_hash(connection, account.id, renewed)
            login_id = await accounts.begin_login(connection, account.id, LOGIN_LASTS_S)
        name = identity.shown_name(identifier)
        token = tokens.sign(self._secret, identifier, name, login_id, LOGIN_LASTS_S)
        return LoggedIn(user_id=account.id, token=token, lasts_s=LOGIN_LASTS_S)

    async def count_accounts(self) -> tuple[int, int] | None:
        """How many may log in, and how many could if they had a password; None where nobody needs
        to.
        """
        if self.local is not None:
            return None
        async with self._engine.connect() as connection:
            waiting = await accounts.count_without_password(connection, identity.PASSWORD)
            return await accounts.count(connection), waiting

    async def log_out(self, visitor: Visitor) -> None:
        """End the visitor's login, in every tab and process."""
        if visitor.grant is not None and not visitor.by_key:
            async with self._engine.begin() as connection:
                await accounts.end_login(connection, visitor.grant)

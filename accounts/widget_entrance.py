"""The widget's way in: the token that a host's backend was given becomes a login of the host's
user, at the one page it was made for.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from accounts import tokens, widget
from accounts.entrance import LoggedIn, Refused
from accounts.widget import HostUser, WidgetToken
from db import accounts, users

#: A page asks for a fresh token each time it is opened, so a login need not outlast a day.
LOGIN_LASTS_S = 12 * 3600.0

_GONE = "This widget token is not valid here, or its time is over; ask your backend for a new one."
_ENDED = "This widget login was ended; ask your backend for a new token."


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """A login through the widget, and whose it is."""

    login: LoggedIn
    user: HostUser


class WidgetEntrance:
    """Gives tokens to hosts, and lets their users in. `token_secret` signs the tokens, and
    `login_secret` the logins.
    """

    def __init__(self, engine: AsyncEngine, token_secret: bytes, login_secret: bytes) -> None:
        self._engine = engine
        self._token_secret = token_secret
        self._login_secret = login_secret

    def mint(self, user: HostUser, key_id: UUID, origin: str, lasts_s: int) -> tuple[str, int]:
        """A token for a page of this origin, and when it ends (seconds since 1970)."""
        return widget.mint(self._token_secret, user, key_id, origin, lasts_s)

    async def enter(self, text: str, origin: str, place: str) -> Entered:
        """Log the token's user in. `origin`: the page that shows the token; `place`: where the
        login is to hold, that origin or `tokens.FRAME`.

        Raises: Refused.
        """
        token = widget.read(self._token_secret, text)
        if token is None:
            raise Refused(_GONE)
        if token.origin != origin:
            raise Refused(f"This widget token was made for pages of {token.origin}.")
        async with self._engine.begin() as connection:
            user_id = await self._log_in(connection, token)
        name = token.user.name or token.user.id
        signed = tokens.sign(
            self._login_secret,
            token.user.identifier,
            name,
            token.login_id,
            LOGIN_LASTS_S,
            place,
        )
        login = LoggedIn(user_id=user_id, token=signed, lasts_s=LOGIN_LASTS_S)
        return Entered(login=login, user=token.user)

    async def _log_in(self, connection: AsyncConnection, token: WidgetToken) -> UUID:
        """The user, logged in under the token's own id, so that showing it twice is one login."""
        if token.key_id not in await accounts.still_hold(connection, {token.key_id}):
            raise Refused(_GONE)
        identifier = token.user.identifier
        user_id = await users.ensure(connection, identifier)
        await accounts.begin_login(connection, user_id, LOGIN_LASTS_S, token.login_id)
        if await accounts.login_owner(connection, token.login_id, identifier) is None:
            raise Refused(_ENDED)
        return user_id

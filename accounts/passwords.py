"""Passwords: argon2id, computed beside the event loop, two at a time at most.

One hash takes 64 MiB and a tenth of a second by design; without the bound a burst of logins would
be an attack on the server itself.
"""

from __future__ import annotations

import asyncio
import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

AT_ONCE_MAX = 2
LENGTH_MIN, LENGTH_MAX = 8, 1024
#: Random bytes of a password that we make ourselves.
MADE_BYTES = 18


class WeakPassword(ValueError):
    """The password cannot be taken; the message says why."""


class Passwords:
    """Hashes and checks passwords for one process."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._turn = asyncio.Semaphore(AT_ONCE_MAX)
        #: Checked for an account that does not exist, so that the answer takes as long.
        self._nobody = self._hasher.hash(secrets.token_urlsafe(MADE_BYTES))

    async def hash(self, password: str) -> str:
        """The hash to be stored, with its parameters in it (a PHC string)."""
        async with self._turn:
            return await asyncio.to_thread(self._hasher.hash, _plain(password))

    async def fits(self, password: str, stored: str | None) -> bool:
        """Whether this is the password behind the hash; without a hash it takes as long."""
        async with self._turn:
            fits = await asyncio.to_thread(self._verify, stored or self._nobody, password)
        return fits and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Whether the hash was made with other parameters than those of today."""
        return self._hasher.check_needs_rehash(stored)

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, _plain(password))
        except (VerificationError, InvalidHashError):
            return False


def _plain(password: str) -> bytes:
    """One spelling of letters that keyboards write in several; what is no text is replaced."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace")


def check_new(password: str) -> str:
    """The password, if a new account may have it.

    Raises: WeakPassword.
    """
    if len(password) < LENGTH_MIN:
        raise WeakPassword(f"a password has at least {LENGTH_MIN} characters")
    if len(password) > LENGTH_MAX:
        raise WeakPassword(f"a password has at most {LENGTH_MAX} characters")
    if len(set(password)) == 1:
        raise WeakPassword("a password has more than one character")
    return password


def make() -> str:
    """A new random password of 24 characters, for a person who will be told it."""
    return secrets.token_urlsafe(MADE_BYTES)

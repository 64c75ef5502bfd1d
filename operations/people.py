"""Accounts and API keys from the terminal. What a program may read (a made password, a new key)
stands alone on a line of stdout; everything for people goes to stderr.
"""

from __future__ import annotations

import contextlib
import getpass
import re
import signal
import sys
from collections.abc import Iterator

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from accounts import identity, keys, passwords
from accounts.passwords import Passwords
from db import accounts
from db import keys as key_rows
from db.accounts import Account, Owner

KEY_NAME_CHARS_MAX = 100
#: So many are named to an operator who asks for one that is not there.
OWNERS_SHOWN = 10
_PREFIX = re.compile(r"[0-9A-Za-z]{1,64}", re.ASCII)


class Refused(Exception):
    """The command cannot be carried out; the message is one line for the operator."""


async def add(engine: AsyncEngine, email: str, *, is_admin: bool, from_stdin: bool) -> None:
    """Make an account. Raises: Refused."""
    identifier = _identifier(email)
    async with engine.connect() as connection:
        if await accounts.find(connection, identifier) is not None:
            raise Refused(f"there is an account {email} already; see: users password, users enable")
    password, is_made = _ask_password(from_stdin=from_stdin)
    hashed = await Passwords().hash(password)
    async with engine.begin() as connection:
        if await accounts.add(connection, identifier, hashed, is_admin=is_admin) is None:
            raise Refused(f"there is an account {email} already")
    _tell(f"{identity.shown_name(identifier)} can log in{' as an admin' if is_admin else ''}")
    if is_made:
        print(password)


async def set_password(engine: AsyncEngine, email: str, *, from_stdin: bool) -> None:
    """Give an account another password and end its logins. Raises: Refused."""
    async with engine.connect() as connection:
        account = await _find(connection, email)
    password, is_made = _ask_password(from_stdin=from_stdin)
    hashed = await Passwords().hash(password)
    async with engine.begin() as connection:
        await accounts.set_password(connection, account.id, hashed)
    _tell(f"{email} has a new password; everybody logged in with the old one is out")
    if is_made:
        print(password)


async def disable(engine: AsyncEngine, email: str) -> None:
    """Shut an account out, its logins and keys. Raises: Refused."""
    async with engine.begin() as connection:
        account = await _find(connection, email)
        await accounts.disable(connection, account.id)
    _tell(f"{email} is out, with all logins and API keys; back in by: users enable {email}")


async def enable(engine: AsyncEngine, email: str) -> None:
    """Let a disabled account in again. Raises: Refused."""
    async with engine.begin() as connection:
        account = await _find(connection, email)
        await accounts.enable(connection, account.id)
    _tell(f"{email} can log in again, and its API keys hold again")


async def adopt_local(engine: AsyncEngine, email: str) -> None:
    """Give an account everything that was made in local mode. Raises: Refused."""
    async with engine.begin() as connection:
        taker = await _find(connection, email)
        giver = await accounts.find(connection, identity.LOCAL)
        if giver is None:
            raise Refused("local mode has made nothing here")
        given = await accounts.adopt(connection, giver.id, taker.id)
    _tell(f"{email} has it all now: {_counted(given)}")


async def adopt(engine: AsyncEngine, owner: str, email: str) -> None:
    """Give an account, or the user of local mode, everything of an imported owner who cannot log
    in, and what later imports bring that owner. Raises: Refused.
    """
    async with engine.begin() as connection:
        taker = await _find(connection, email, or_local=True)
        giver = await _giver(connection, owner)
        if giver.id == taker.id:
            raise Refused(f"{_shown(giver.identifier)} is {email} itself")
        if giver.password_hash is not None:
            raise Refused(f"{_shown(giver.identifier)} can log in: what it has made stays its own")
        given = await accounts.adopt(connection, giver.id, taker.id)
    if any(given.values()):
        _tell(f"{email} has it all now: {_counted(given)}")
    else:
        _tell(f"{_shown(giver.identifier)} has nothing left; what it is brought goes to {email}")


async def _giver(connection: AsyncConnection, owner: str) -> Account:
    """The owner of this identifier, or of this address. Raises: Refused."""
    names = [owner] if _can_be_stored(owner) else []
    with contextlib.suppress(identity.NoEmail):
        names.append(identity.by_password(owner.removeprefix(f"{identity.PASSWORD}:")))
    for name in names:
        if (found := await accounts.find(connection, name)) is not None:
            return found
    known = await accounts.imported_owners(connection)
    those = f"; there are {_listed(known)}" if known else "; nothing imported waits for a person"
    raise Refused(f"there is no owner {_shown(owner)}{those}")


def _can_be_stored(text: str) -> bool:
    """Whether the database can hold it, or be asked for it."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _listed(owners: list[Owner]) -> str:
    named = [
        f"{_shown(one.identifier)} ({one.threads} threads, {one.generations} generations)"
        for one in owners[:OWNERS_SHOWN]
    ]
    more = len(owners) - len(named)
    return ", ".join(named) + (f", and {more} more" if more else "")


def _shown(identifier: str) -> str:
    """As it can stand in one line: an old system may have had any text for an id."""
    return identifier if identifier.isprintable() else ascii(identifier)


def _counted(given: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in given.items())


async def create_key(engine: AsyncEngine, email: str, *, name: str, scopes: str) -> None:
    """Make an API key and print it, once. Raises: Refused."""
    try:
        wanted = keys.check_scopes([part.strip() for part in scopes.split(",") if part.strip()])
    except keys.UnknownScope as error:
        raise Refused(str(error)) from error
    if len(name) > KEY_NAME_CHARS_MAX or not name.isprintable():
        raise Refused(f"a key's name has at most {KEY_NAME_CHARS_MAX} characters, on one line")
    made = keys.make()
    async with engine.begin() as connection:
        account = await _find(connection, email, or_local=True)
        await key_rows.create(
            connection,
            account.id,
            name=name,
            prefix=made.prefix,
            secret_sha256=made.digest(),
            scopes=wanted,
        )
    _tell(f"key {made.prefix} of {email} for {', '.join(wanted)}; it is shown this once:")
    print(made.text())


async def revoke_key(engine: AsyncEngine, prefix: str) -> None:
    """End an API key and what it has opened. Raises: Refused."""
    given = keys.read(prefix)
    bare = given.prefix if given else prefix.removeprefix(keys.MARK).split("_")[0]
    if not _PREFIX.fullmatch(bare):
        raise Refused("a key's prefix is the part between kn_ and the next _")
    async with engine.begin() as connection:
        if not await key_rows.revoke(connection, bare):
            raise Refused(f"there is no key {bare} that holds")
    _tell(f"key {bare} is revoked")


def _identifier(email: str) -> str:
    try:
        return identity.by_password(email)
    except identity.NoEmail as error:
        raise Refused(f"{email!r}: {error}") from error


async def _find(connection: AsyncConnection, email: str, *, or_local: bool = False) -> Account:
    """The account of this address; `local`, where that may be, is the user of local mode."""
    is_local = or_local and email == identity.LOCAL
    account = await accounts.find(connection, identity.LOCAL if is_local else _identifier(email))
    if account is None and is_local:
        raise Refused("local mode has not been started here yet")
    if account is None:
        raise Refused(f"there is no account {email}; make it with: users add {email}")
    return account


def _ask_password(*, from_stdin: bool) -> tuple[str, bool]:
    """The password, and whether we made it because nobody could be asked."""
    # Without a standard input at all there is no object for it either.
    is_terminal = sys.stdin is not None and sys.stdin.isatty()
    try:
        if from_stdin:
            return passwords.check_new(_first_line()), False
        if not is_terminal:
            return passwords.make(), True
        with _interruptible():
            password = passwords.check_new(getpass.getpass("Password: "))
            if getpass.getpass("Again: ") != password:
                raise Refused("these were two different passwords")
    except passwords.WeakPassword as error:
        raise Refused(str(error)) from error
    except EOFError as error:
        raise Refused("no password was given") from error
    return password, False


def _first_line() -> str:
    """Of the standard input. Raises: Refused."""
    line = sys.stdin.buffer.readline(8 * passwords.LENGTH_MAX) if sys.stdin is not None else b""
    try:
        return line.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise Refused("the password is no text in UTF-8") from error


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Have Ctrl-C end a question; the event loop's own way would wait for the answer."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _tell(sentence: str) -> None:
    print(sentence, file=sys.stderr)

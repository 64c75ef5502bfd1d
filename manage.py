"""The operator's door: the doctor, accounts, API keys, storage, what old systems hold.
`manage.py --help` lists the commands.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable
from functools import partial

import psycopg
from alembic.util.exc import CommandError
from sqlalchemy.ext.asyncio import AsyncEngine

from accounts.keys import DEFAULT_SCOPES, SCOPES
from db.connect import DATABASE_ERRORS
from operations import imports, people, storage_copy
from operations.doctor import doctor
from operations.place import open_database
from settings import SettingsError, load
from shared_process import ServerUnavailable

HOURS_MAX = 100_000
Command = Callable[[AsyncEngine], Awaitable[None]]


def read_command_line(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command and its arguments; `run` is what it does with the database, None for the
    doctor.
    """
    parser = argparse.ArgumentParser(prog="manage.py", description="Kinora's operator's door.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    found = commands.add_parser("doctor", help="check everything; exit 0, or say what is wrong")
    found.set_defaults(command=None)
    _add_users(commands.add_parser("users", help="accounts, for AUTH_MODE=password"))
    _add_keys(commands.add_parser("keys", help="API keys"))
    _add_import(commands.add_parser("import", help="bring over the old systems' data"))
    _add_storage(commands.add_parser("storage", help="where pictures and films lie"))
    return parser.parse_args(arguments)


def _add_users(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    for name, does in (
        ("add", "make an account"),
        ("password", "give it another password; ends its logins"),
        ("disable", "shut it out, its logins and keys"),
        ("enable", "let it in again"),
        ("adopt-local", "give it everything that local mode made"),
    ):
        action = actions.add_parser(name, help=does)
        action.add_argument("email", metavar="EMAIL")
        action.set_defaults(command=name)
        if name in ("add", "password"):
            action.add_argument(
                "--password-stdin", action="store_true", help="read it from the first line"
            )
        if name == "add":
            action.add_argument("--admin", action="store_true", help="may operate Kinora")
    adopt = actions.add_parser("adopt", help="give an account everything of an imported owner")
    adopt.add_argument("owner", metavar="IDENTITY", help="superduper:ID, guest:ID, or an e-mail")
    adopt.add_argument("email", metavar="EMAIL", help="whose it becomes; or: local")
    adopt.set_defaults(command="adopt")


def _add_keys(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    create = actions.add_parser("create", help="make a key and print it, once")
    create.add_argument("--user", required=True, metavar="EMAIL", help="whose; or: local")
    create.add_argument("--name", default="", metavar="N", help="what it is for")
    create.add_argument(
        "--scopes",
        default=",".join(DEFAULT_SCOPES),
        metavar="S,S",
        help=f"of {', '.join(SCOPES)}; default {','.join(DEFAULT_SCOPES)}",
    )
    create.set_defaults(command="create-key")
    revoke = actions.add_parser("revoke", help="end a key")
    revoke.add_argument("prefix", metavar="PREFIX", help="the part between kn_ and the next _")
    revoke.set_defaults(command="revoke-key")


def _add_import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--superduper", metavar="DSN_OR_FILE", help="its Postgres, or a dump in JSON lines"
    )
    parser.add_argument("--chatbot", metavar="DSN", help="the Postgres of Super Chatbot")
    parser.add_argument("--dry-run", action="store_true", help="count everything, change nothing")
    parser.add_argument("--copy-files", action="store_true", help="fetch the files now, too")
    parser.add_argument(
        "--keep-in-progress", action="store_true", help="take what has not ended as it stands"
    )
    parser.add_argument(
        "--stale-after",
        type=_hours,
        default=24.0,
        metavar="HOURS",
        help="what is in progress for longer has failed; default 24",
    )
    parser.set_defaults(command="import")


def _hours(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 <= (hours := float(text)) <= HOURS_MAX:
            return hours
    raise argparse.ArgumentTypeError(f"{text!r} is no number of hours from 0 to {HOURS_MAX}")


def _add_storage(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    copy = actions.add_parser("copy", help="every file from one storage to the other, resumable")
    for name in ("source", "target"):
        copy.add_argument(
            name, metavar={"source": "FROM", "target": "TO"}[name], help="file:///path, s3://..."
        )
    copy.set_defaults(command="copy-storage")


def command_of(said: argparse.Namespace) -> Command:
    """What was asked for, still without the database."""
    match said.command:
        case "add":
            from_stdin = said.password_stdin
            return partial(people.add, email=said.email, is_admin=said.admin, from_stdin=from_stdin)
        case "password":
            return partial(people.set_password, email=said.email, from_stdin=said.password_stdin)
        case "disable":
            return partial(people.disable, email=said.email)
        case "enable":
            return partial(people.enable, email=said.email)
        case "adopt-local":
            return partial(people.adopt_local, email=said.email)
        case "adopt":
            return partial(people.adopt, owner=said.owner, email=said.email)
        case "create-key":
            return partial(people.create_key, email=said.user, name=said.name, scopes=said.scopes)
        case "revoke-key":
            return partial(people.revoke_key, prefix=said.prefix)
        case _:
            raise ValueError(said.command)


async def do(said: argparse.Namespace) -> None:
    """Do what was asked for; most of it with the database open."""
    loaded = load()
    if said.command == "copy-storage":
        # Only the files themselves are looked at.
        await storage_copy.copy(loaded, said.source, said.target)
    elif said.command == "import":
        await imports.bring_over(loaded, imports.wanted_of(said))
    else:
        async with open_database(loaded) as engine:
            await command_of(said)(engine)


def main() -> int:
    """Read the command line and do what it says; returns the exit code."""
    said = read_command_line()
    if said.command is None:
        return doctor()
    try:
        asyncio.run(do(said))
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return 130
    except (
        people.Refused,
        storage_copy.Refused,
        imports.Refused,
        SettingsError,
        ServerUnavailable,
        OSError,
    ) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except (*DATABASE_ERRORS, psycopg.Error, CommandError) as error:
        first_line = next(iter(str(error).strip().splitlines()), type(error).__name__)
        sys.stderr.write(f"the database: {first_line}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

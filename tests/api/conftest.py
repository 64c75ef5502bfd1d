"""A server in password mode for the doors' tests, with two people who do not know each other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.demo_process import Demo
from tests.house import Served
from tests.people import Person, a_person, serve_people

PUBLIC_URL = "https://kinora.example.org"
#: An origin that the settings trust.
FRIEND = "https://friend.example.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordServer:
    """`ada` and `bob` are logged in (`.client`) and have an API key each (`.by_key`);
    `served.client` is nobody.
    """

    served: Served
    database_url: str
    ada: Person
    bob: Person


@pytest.fixture(scope="session")
async def password_server(
    fresh_database: Callable[[str], str], demo: Demo, shared_folder: Path
) -> AsyncIterator[PasswordServer]:
    """The run's server with accounts, at its public address too, without a limit of requests."""
    url = fresh_database("with_accounts")
    settings = {
        "DATABASE_URL": url,
        "DEMO_BASE_URL": demo.url,
        "PUBLIC_URL": PUBLIC_URL,
        "ALLOWED_ORIGINS": FRIEND,
        "REQUESTS_PER_MINUTE": "0",
    }
    async with (
        serve_people(shared_folder / "with_accounts", **settings) as served,
        a_person(served, url, "ada@example.org") as ada,
        a_person(served, url, "bob@example.org") as bob,
    ):
        yield PasswordServer(served=served, database_url=url, ada=ada, bob=bob)

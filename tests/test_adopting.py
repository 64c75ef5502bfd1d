"""What an old system's owners have is given to people who can log in, in one line each, once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

import manage
from accounts.identity import LOCAL
from db import accounts, users
from db.connect import open_engine
from db.ids import new_id
from operations import people
from tests.demo_process import Demo
from tests.generations.imported_rows import insert_file, insert_imported
from tests.house import Served
from tests.people import PASSWORD, add_account, serve_people
from tests.test_manage_people import Operator

ANNA, BEN = "anna@example.org", "ben@example.org"


@dataclass(frozen=True, slots=True)
class Place:
    """A database that an old system's data were brought into, and its operator's terminal."""

    url: str
    engine: AsyncEngine
    capsys: pytest.CaptureFixture[str]

    async def owner(self, identifier: str, generations: int = 0, threads: int = 0) -> UUID:
        """An owner as an import leaves them, with so much of their own."""
        async with self.engine.begin() as connection:
            user_id = await users.ensure(connection, identifier)
        with psycopg.connect(self.url) as connection_:
            said = (f"superduper:user:{identifier}", user_id)
            connection_.execute(
                "insert into kinora.imported (legacy_id, target_id) values (%s, %s)", said
            )
            for _ in range(threads):
                made = "insert into kinora.threads (id, user_id) values (%s, %s)"
                connection_.execute(made, (new_id(), user_id))
        for _ in range(generations):
            known = insert_imported(self.url, user_id, "completed")
            insert_file(self.url, user_id, known)
        return user_id

    async def adopt(self, owner: str, email: str) -> str:
        """What the operator is told."""
        command = manage.command_of(manage.read_command_line(["users", "adopt", owner, email]))
        await command(self.engine)
        said = self.capsys.readouterr()
        assert (said.out, said.err.count("\n")) == ("", 1)
        return said.err.rstrip("\n")

    async def refused(self, owner: str, email: str) -> str:
        """Why it is not done, in one line."""
        with pytest.raises(people.Refused) as refused:
            await self.adopt(owner, email)
        (line,) = str(refused.value).splitlines()
        return line

    def belongings(self, user_id: UUID) -> tuple[int, ...]:
        """How many threads, generations, files and names of old owners are this user's."""
        tables = ("threads", "generations", "assets")
        queries = [f"select count(*) from kinora.{name} where user_id = %(id)s" for name in tables]
        queries.append("select count(*) from kinora.imported where target_id = %(id)s")
        with psycopg.connect(self.url) as connection:
            found = [connection.execute(query, {"id": user_id}).fetchone() for query in queries]
        return tuple(row[0] for row in found if row is not None)


@pytest.fixture
async def place(database_url: str, capsys: pytest.CaptureFixture[str]) -> AsyncIterator[Place]:
    engine = open_engine(database_url)
    yield Place(database_url, engine, capsys)
    await engine.dispose()


async def test_everything_goes_to_the_person_and_so_will_what_comes_later(place: Place) -> None:
    anna = await add_account(place.url, ANNA)
    giver = await place.owner("superduper:7", generations=3, threads=2)
    other = await place.owner("guest:8", generations=1)
    said = await place.adopt("superduper:7", ANNA.upper())
    assert said == (
        f"{ANNA.upper()} has it all now: 2 threads, 3 generations, 3 assets, 0 attempts"
    )
    assert place.belongings(anna) == (2, 3, 3, 1)
    assert place.belongings(giver) == (0, 0, 0, 0)
    assert place.belongings(other) == (0, 1, 1, 1)
    assert "nothing left" in await place.adopt("superduper:7", ANNA)
    assert place.belongings(anna) == (2, 3, 3, 1)


@pytest.mark.parametrize("named", [BEN, f" {BEN.upper()}", f"password:{BEN}"])
async def test_an_owner_with_an_address_is_named_by_it(place: Place, named: str) -> None:
    anna = await add_account(place.url, ANNA)
    await place.owner(f"password:{BEN}", generations=1)
    await place.adopt(named, ANNA)
    assert place.belongings(anna) == (0, 1, 1, 1)


async def test_the_user_of_local_mode_can_be_given_things_and_gives_them_on(place: Place) -> None:
    anna = await add_account(place.url, ANNA)
    async with place.engine.begin() as connection:
        local = await users.ensure(connection, LOCAL)
    await place.owner("guest:1", generations=2)
    await place.adopt("guest:1", LOCAL)
    assert place.belongings(local) == (0, 2, 2, 1)
    await people.adopt_local(place.engine, ANNA)
    assert place.belongings(anna) == (0, 2, 2, 1)


async def test_whoever_can_log_in_keeps_what_is_theirs(place: Place) -> None:
    anna = await add_account(place.url, ANNA)
    await add_account(place.url, BEN)
    insert_imported(place.url, anna, "completed")
    assert "can log in" in await place.refused(ANNA, BEN)
    assert "itself" in await place.refused(ANNA, ANNA)
    assert "itself" in await place.refused(f"password:{ANNA}", ANNA)
    assert place.belongings(anna)[1] == 1


async def test_who_is_there_is_said_to_whoever_names_nobody(place: Place) -> None:
    await add_account(place.url, ANNA)
    assert "nothing imported waits" in await place.refused("superduper:1", ANNA)
    for number in range(12):
        await place.owner(f"superduper:{number:02}", generations=1 + (number == 7))
    await place.owner("guest:odd\n\x1b[31m", threads=9)
    await place.owner("guest:empty")
    line = await place.refused("superduper:99", ANNA)
    assert line.startswith("there is no owner superduper:99; there are 'guest:odd\\n\\x1b[31m' (9 ")
    assert "superduper:07 (0 threads, 2 generations)" in line
    assert line.endswith("and 3 more")
    assert line.count("generations)") == people.OWNERS_SHOWN
    assert "empty" not in line
    assert "there is no owner '\\udcff'" in await place.refused("\udcff", ANNA)
    assert "there is no owner 'a\\x00b'" in await place.refused("a\0b", ANNA)


async def test_only_those_with_a_password_are_counted_and_the_others_are_told_how(
    place: Place, tmp_path: Path, demo: Demo
) -> None:
    """A start with imported accounts only says how one of them gets in, and then they do."""
    await place.owner(f"password:{ANNA}", generations=1)
    await place.owner(f"password:{BEN}")
    await place.owner("guest:1", generations=1)
    settings = {"DATABASE_URL": place.url, "DEMO_BASE_URL": demo.url}
    operator = Operator(tmp_path, **settings)
    async with serve_people(tmp_path, **settings) as served:
        told = await _who(served)
        assert "nobody yet; 2 without a password" in told
        assert "users password EMAIL" in told
        there = await operator.run("users", "add", ANNA)
        assert there.refused("users password")
        given = await operator.run(
            "users", "password", ANNA, "--password-stdin", typed=f"{PASSWORD}\n".encode()
        )
        assert given.code == 0, given
        entered = await served.client.post("/login", data={"username": ANNA, "password": PASSWORD})
        assert entered.status_code == 200
        mine = await served.client.get("/api/generations")
        assert len(mine.json()["data"]) == 1
        doctor = await operator.run("doctor")
        assert (doctor.code, doctor.out.splitlines()[-1]) == (0, "all is well"), doctor.out
    async with place.engine.connect() as connection:
        assert await accounts.count(connection) == 1
        assert await accounts.count_without_password(connection, "password") == 1


async def _who(served: Served) -> str:
    """The line about who may enter; said when the server is ready, and read a moment later."""
    async with asyncio.timeout(10):
        while not (told := [line for line in served.lines if "who may enter" in line]):
            await served.client.get("/healthz")
    return told[0]

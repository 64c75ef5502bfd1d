"""The entrance and what is open because of it, on a real database: who comes in, and until when."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from accounts import identity, keys, tokens
from accounts.entrance import Entrance, Refused, Throttled
from accounts.passwords import Passwords
from accounts.presence import Presence
from accounts.throttle import PER_BOTH
from accounts.visitor import PERSON, Visitor
from db import accounts, users
from db import keys as key_rows
from db.connect import open_engine

SECRET = b"a secret of the tests, long enough 123"
ANNA, PASSWORD = "anna@example.org", "correct horse"


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    opened = open_engine(database_url)
    yield opened
    await opened.dispose()


@pytest.fixture(scope="module")
async def hashed() -> str:
    return await Passwords().hash(PASSWORD)


@pytest.fixture
async def anna(engine: AsyncEngine, hashed: str) -> UUID:
    async with engine.begin() as connection:
        made = await accounts.add(connection, identity.by_password(ANNA), hashed, is_admin=False)
    assert made is not None
    return made


@pytest.fixture
def entrance(engine: AsyncEngine) -> Entrance:
    return Entrance(engine, SECRET, None)


async def give_key(engine: AsyncEngine, user_id: UUID, *scopes: str) -> keys.GivenKey:
    made = keys.make()
    async with engine.begin() as connection:
        await key_rows.create(
            connection,
            user_id,
            name="test",
            prefix=made.prefix,
            secret_sha256=made.digest(),
            scopes=scopes,
        )
    return made


async def test_a_login_lets_in_until_it_is_ended(
    engine: AsyncEngine, entrance: Entrance, anna: UUID
) -> None:
    entered = await entrance.log_in(" Anna@example.org", PASSWORD, "192.0.2.1")
    visitor = await entrance.by_token(entered.token)
    assert visitor is not None
    assert (visitor.user_id, visitor.scopes) == (anna, PERSON)
    await entrance.log_out(visitor)
    assert await entrance.by_token(entered.token) is None


@pytest.mark.parametrize("how", ["disable", "set_password"])
async def test_all_logins_end_with_the_account_and_with_the_password(
    engine: AsyncEngine, entrance: Entrance, anna: UUID, hashed: str, how: str
) -> None:
    entered = [await entrance.log_in(ANNA, PASSWORD, "192.0.2.1") for _ in range(2)]
    async with engine.begin() as connection:
        if how == "disable":
            await accounts.disable(connection, anna)
        else:
            await accounts.set_password(connection, anna, hashed)
    assert [await entrance.by_token(one.token) for one in entered] == [None, None]
    if how == "disable":
        with pytest.raises(Refused):
            await entrance.log_in(ANNA, PASSWORD, "192.0.2.1")
        async with engine.begin() as connection:
            await accounts.enable(connection, anna)
        assert await entrance.by_token(entered[0].token) is None
    assert await entrance.log_in(ANNA, PASSWORD, "192.0.2.1")


async def test_a_login_runs_out(engine: AsyncEngine, entrance: Entrance, anna: UUID) -> None:
    entered = await entrance.log_in(ANNA, PASSWORD, "192.0.2.1")
    async with engine.begin() as connection:
        await connection.execute(text("update kinora.logins set expires_at = now()"))
    assert await entrance.by_token(entered.token) is None


async def test_unknown_account_and_wrong_password_are_answered_alike(
    entrance: Entrance, anna: UUID
) -> None:
    said = set()
    for email, password in ((ANNA, "wrong"), ("ben@example.org", PASSWORD), ("nonsense", "x")):
        with pytest.raises(Refused) as refused:
            await entrance.log_in(email, password, "192.0.2.1")
        said.add((type(refused.value), str(refused.value)))
    assert len(said) == 1


async def test_wrong_logins_are_throttled_and_the_right_password_waits_too(
    entrance: Entrance, anna: UUID
) -> None:
    for _ in range(PER_BOTH):
        with pytest.raises(Refused):
            await entrance.log_in(ANNA, "wrong", "192.0.2.1")
    with pytest.raises(Throttled) as throttled:
        await entrance.log_in(ANNA, PASSWORD, "192.0.2.1")
    assert throttled.value.retry_after_s > 60
    assert await entrance.log_in(ANNA, PASSWORD, "192.0.2.2")


async def test_a_token_must_be_ours_whole_and_of_the_same_person(
    entrance: Entrance, anna: UUID
) -> None:
    entered = await entrance.log_in(ANNA, PASSWORD, "192.0.2.1")
    token = tokens.read(SECRET, entered.token)
    assert token is not None
    assert token.login_id is not None
    forged = (
        "",
        "a.b.c",
        entered.token[:-2] + ("AA" if entered.token[-2:] != "AA" else "BB"),
        tokens.sign(b"another secret, also of length 32!", *_said(token), 60),
        tokens.sign(SECRET, "password:ben@example.org", "ben", token.login_id, 60),
        tokens.sign(SECRET, *_said(token), -5),
        tokens.sign(SECRET, token.identifier, "", UUID(int=7), 60),
    )
    assert [await entrance.by_token(one) for one in forged] == [None] * len(forged)


def _said(token: tokens.Token) -> tuple[str, str, UUID]:
    assert token.login_id is not None
    return token.identifier, "", token.login_id


async def test_local_mode_knows_its_own_token_only(engine: AsyncEngine, anna: UUID) -> None:
    async with engine.begin() as connection:
        local_id = await users.ensure(connection, identity.LOCAL)
    local = Entrance(engine, SECRET, local_id)
    own = tokens.sign(SECRET, identity.LOCAL, "", UUID(int=1), 60)
    anna_s = tokens.sign(SECRET, identity.by_password(ANNA), "", UUID(int=1), 60)
    assert await local.by_token(own) == local.local
    assert await local.by_token(anna_s) is None
    assert await Entrance(engine, SECRET, None).by_token(own) is None
    with pytest.raises(Refused):
        await local.log_in(ANNA, PASSWORD, "127.0.0.1")


async def test_a_key_lets_in_with_its_scopes_until_it_is_revoked(
    engine: AsyncEngine, entrance: Entrance, anna: UUID
) -> None:
    key = await give_key(engine, anna, "read")
    visitor = await entrance.by_key(key.text())
    assert (visitor.user_id, visitor.by_key) == (anna, True)
    assert visitor.scopes == {"read"}
    async with engine.begin() as connection:
        listed = await key_rows.of_user(connection, anna)
        assert listed[0]["last_used_at"] is not None
        assert key.secret not in json.dumps(listed)
        assert not await key_rows.revoke(connection, key.prefix, UUID(int=9))
        assert await key_rows.revoke(connection, key.prefix, anna)
    with pytest.raises(Refused):
        await entrance.by_key(key.text())


async def test_a_key_of_a_disabled_account_and_a_wrong_secret_are_refused(
    engine: AsyncEngine, entrance: Entrance, anna: UUID
) -> None:
    key = await give_key(engine, anna, "read")
    other = replace(keys.make(), prefix=key.prefix)
    with pytest.raises(Refused):
        await entrance.by_key(other.text())
    async with engine.begin() as connection:
        await accounts.disable(connection, anna)
    with pytest.raises(Refused):
        await entrance.by_key(key.text())


def visitor_by(user_id: UUID, grant: UUID) -> Visitor:
    return Visitor(user_id=user_id, identifier=None, scopes=PERSON, grant=grant)


async def test_what_is_open_is_told_of_the_end_of_its_grant_alone(engine: AsyncEngine) -> None:
    presence, ended = Presence(engine), list[str]()
    one, other = UUID(int=1), UUID(int=2)
    with (
        presence.here(visitor_by(one, UUID(int=11)), lambda: ended.append("one")),
        presence.here(visitor_by(one, UUID(int=12)), lambda: ended.append("one too")),
        presence.here(visitor_by(other, UUID(int=21)), lambda: ended.append("other")),
        presence.here(None, lambda: ended.append("nobody")),
    ):
        presence.hear(json.dumps({"grant": str(UUID(int=11))}))
        assert ended == ["one"]
        presence.hear(json.dumps({"user": str(one)}))
        assert sorted(ended) == ["one", "one", "one too"]
        for nonsense in ("", "[]", "null", '{"grant": 5}', "{"):
            presence.hear(nonsense)
    presence.hear(json.dumps({"user": str(other)}))
    assert "other" not in ended


async def test_a_message_that_was_missed_is_made_up_for_by_asking(
    engine: AsyncEngine, entrance: Entrance, anna: UUID
) -> None:
    presence = Presence(engine)
    entered = [await entrance.log_in(ANNA, PASSWORD, "192.0.2.1") for _ in range(2)]
    gone, stays = [await entrance.by_token(one.token) for one in entered]
    key = await entrance.by_key((await give_key(engine, anna, "read")).text())
    assert gone is not None
    ended = list[str]()
    with (
        presence.here(gone, lambda: ended.append("gone")),
        presence.here(stays, lambda: ended.append("stays")),
        presence.here(key, lambda: ended.append("key")),
    ):
        await presence.recheck()
        assert ended == []
        await entrance.log_out(gone)
        await presence.recheck()
    assert ended == ["gone"]


async def test_parallel_wrong_logins_do_not_hold_the_loop(entrance: Entrance, anna: UUID) -> None:
    loop = asyncio.get_running_loop()
    worst, stop = 0.0, asyncio.Event()

    async def look_at_the_clock() -> None:
        nonlocal worst
        while not stop.is_set():
            before = loop.time()
            await asyncio.sleep(0)
            worst = max(worst, loop.time() - before)

    looking = asyncio.create_task(look_at_the_clock())
    tries = (entrance.log_in(ANNA, f"wrong {n}", "192.0.2.1") for n in range(40))
    answers = await asyncio.gather(*tries, return_exceptions=True)
    stop.set()
    await looking
    assert sum(isinstance(answer, Throttled) for answer in answers) == 40 - PER_BOTH
    # One hash alone takes longer than that; generous, since others share these cores.
    assert worst < 1.0

"""News of providers by HTTP: the door behind guard and entrance, in front of a real database."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import structlog
import uvicorn
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

import api
from api.access import Access
from api.bodies import BODY_BYTES_MAX
from api.front import Front
from api.guard import Guard
from api.heads import BoundedHeads
from api.problems import install
from api.webhooks import hearing_of
from db.connect import open_engine
from generations.hearing import Hearing, Hooks
from providers.contract import Forged, News
from providers.runpod import RunPod
from runtime import Runtime
from tests.db.hearers import Ear, a_row, calls, listening, noted
from tests.proxy import Wire, wire_to

PUBLIC_HOST = "kinora.example.org"
HOOKS = Hooks(public_url=f"https://{PUBLIC_HOST}", key=b"k" * 32)
COMPLETED = b'{"id": "j-1", "status": "COMPLETED", "output": {"secret": "CANARY"}}'
NOTED = [(1, "j-1:COMPLETED", "j-1")]


class Signing(RunPod):
    """A provider that signs what it sends."""

    def hear(self, headers: Mapping[str, str], raw: bytes) -> News:
        if headers.get("x-signature") != "ours":
            raise Forged("the signature does not hold")
        return super().hear(headers, raw)


class Server(uvicorn.Server):
    """Leaves the signals to pytest."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass(frozen=True, slots=True)
class Door:
    """Our doors in local mode, as a provider reaches them."""

    client: httpx.AsyncClient
    engine: AsyncEngine

    async def send(
        self, address: str, content: bytes | AsyncIterator[bytes] = COMPLETED, **headers: str
    ) -> httpx.Response:
        return await self.client.post(address, content=content, headers=headers)


def address_of(generation_id: UUID, attempt: int = 1, provider: str = "demo") -> str:
    """Where its news go, without our name."""
    url = HOOKS.url_for(provider, generation_id, attempt)
    assert url is not None
    return url.removeprefix(f"https://{PUBLIC_HOST}")


def nobody_asks() -> Runtime:
    raise AssertionError("whoever sends news is nobody, and counted with nobody")


@contextlib.asynccontextmanager
async def a_door(database_url: str) -> AsyncIterator[Door]:
    engine = open_engine(database_url)
    app = FastAPI()
    install(app)
    app.include_router(api.routes())
    async with httpx.AsyncClient() as nobody:
        providers = {
            "demo": RunPod("demo", "https://provider.invalid/v2", None, nobody),
            "signing": Signing("signing", "https://provider.invalid/v2", None, nobody),
        }
        hearing = Hearing(engine, HOOKS, providers)
        app.dependency_overrides[hearing_of] = lambda: hearing
        guarded = Guard(Access(app, nobody_asks), Front(public_url=HOOKS.public_url))
        async with served(guarded) as url:
            headers = {"Host": PUBLIC_HOST, "Content-Type": "application/json"}
            async with httpx.AsyncClient(
                base_url=url, headers=headers, trust_env=False, timeout=30
            ) as client:
                yield Door(client, engine)
    await engine.dispose()


@contextlib.asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """Run an app under the server's own HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            app, http=BoundedHeads, lifespan="off", log_config=None, access_log=False
        )
        server = Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await serving


@pytest.fixture
async def door(database_url: str) -> AsyncIterator[Door]:
    async with a_door(database_url) as door:
        yield door


@pytest.fixture
async def ear(database_url: str) -> AsyncIterator[Ear]:
    async with listening(database_url) as ear:
        yield ear


async def test_genuine_news_are_noted_and_told(door: Door, ear: Ear) -> None:
    row = await a_row(door.engine)
    answer = await door.send(address_of(row))
    assert (answer.status_code, answer.content) == (200, b"")
    assert "set-cookie" not in answer.headers
    assert "ratelimit" not in answer.headers
    assert await noted(door.engine) == NOTED
    assert [news["w"] for news in await ear.so_far()] == [True]


async def test_news_of_a_generation_that_is_gone_are_taken_and_dropped(
    door: Door, ear: Ear
) -> None:
    assert (await door.send(address_of(uuid4()))).status_code == 202
    assert await noted(door.engine) == []
    assert await ear.so_far() == []


def forgeries(row: UUID) -> list[str]:
    """Addresses that are nearly one of ours, or one of ours in another spelling."""
    genuine = address_of(row)
    front, token = genuine.rsplit("/", 1)
    other = address_of(uuid4()).rsplit("/", 1)[1]
    parts = [
        *(f"{front}/{other}", f"{front}/{token[:-1]}", f"{front}/{token}A", f"{front}/{token}="),
        *(f"{front}/{token.swapcase()}", f"{front}/x", f"{front}/%C3%A9%FF", f"{front}/%00"),
        *(genuine.replace("/1/", f"/{n}/") for n in ("2", "01", "+1", "%D9%A1", "0", "1%20")),
        *(genuine.replace("/demo/", f"/{name}/") for name in ("signing", "Demo", "demo%20")),
        *(genuine.replace(str(row), str(one)) for one in (uuid4(), str(row).upper(), row.hex)),
        genuine.replace(str(row), f"{{{row}}}"),
    ]
    assert genuine not in parts
    return parts


async def test_a_forged_address_is_refused_and_nothing_happens(door: Door, ear: Ear) -> None:
    row = await a_row(door.engine)
    for address in forgeries(row):
        answer = await door.send(address)
        assert answer.status_code == 401, address
        assert answer.headers["content-type"] == "application/problem+json"
    assert await noted(door.engine) == []
    assert await ear.so_far() == []
    assert (await door.send(address_of(row))).status_code == 200


async def test_a_forged_address_is_refused_without_asking_the_database() -> None:
    async with a_door("postgresql://nobody@127.0.0.1:1/nothing") as door:
        assert (await door.send(address_of(uuid4()) + "x")).status_code == 401
        assert (await door.send(address_of(uuid4()))).status_code == 503


async def test_what_the_provider_did_not_sign_is_refused(door: Door, ear: Ear) -> None:
    address = address_of(await a_row(door.engine, provider="signing"), provider="signing")
    assert (await door.send(address)).status_code == 401
    assert await noted(door.engine) == []
    assert await ear.so_far() == []
    signed = {"X-Signature": "ours"}
    answer = await door.client.post(address, content=COMPLETED, headers=signed)
    assert answer.status_code == 200
    assert await noted(door.engine) == NOTED


async def test_a_hundred_equal_ones_at_once_are_one(door: Door, ear: Ear) -> None:
    row = await a_row(door.engine, status="unknown")
    answers = await asyncio.gather(*(door.send(address_of(row)) for _ in range(100)))
    assert {answer.status_code for answer in answers} == {200}
    assert await noted(door.engine) == NOTED
    assert len(await ear.so_far()) == 1
    assert await calls(door.engine, row) == 1


async def test_reordered_news_and_those_of_an_older_attempt_are_noted_as_they_come(
    door: Door, ear: Ear
) -> None:
    row = await a_row(door.engine, status="submitting", attempt=2)
    for attempt, status in ((2, b"COMPLETED"), (2, b"IN_PROGRESS"), (1, b"FAILED")):
        body = b'{"id": "j-%d", "status": "%s"}' % (attempt, status)
        assert (await door.send(address_of(row, attempt), body)).status_code == 200
    assert await noted(door.engine) == [
        (1, "j-1:FAILED", "j-1"),
        (2, "j-2:COMPLETED", "j-2"),
        (2, "j-2:IN_PROGRESS", "j-2"),
    ]
    assert [news["s"] for news in await ear.so_far()] == ["submitting"] * 3


async def endless(pieces: int = 512) -> AsyncIterator[bytes]:
    for _ in range(pieces):
        yield b"x" * 65536


async def test_news_too_large_to_read_wake_all_the_same(door: Door, ear: Ear) -> None:
    told, untold = await a_row(door.engine), await a_row(door.engine)
    answers = [
        await door.send(address_of(told), b"x" * (BODY_BYTES_MAX + 1)),
        await door.send(address_of(untold), endless()),
    ]
    assert [answer.status_code for answer in answers] == [413, 413]
    assert await noted(door.engine) == [(1, "unreadable", None)] * 2
    assert {news["id"] for news in await ear.so_far()} == {str(told), str(untold)}
    fits = COMPLETED + b" " * (BODY_BYTES_MAX - len(COMPLETED))
    assert (await door.send(address_of(told), fits)).status_code == 200
    assert NOTED[0] in await noted(door.engine)


async def test_what_a_stranger_sends_is_not_read(door: Door) -> None:
    forged = address_of(uuid4()) + "x"
    assert (await door.send(forged, b"x" * (2 * BODY_BYTES_MAX))).status_code == 401
    assert (await door.send(forged, endless())).status_code == 401
    assert (await door.send(forged)).status_code == 401, "and the connection still works"


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"CANARY": 1}', b"[" * 100_000, b"\xff"])
async def test_unreadable_news_wake_and_are_not_repeated_in_the_log(
    door: Door, ear: Ear, raw: bytes
) -> None:
    address = address_of(await a_row(door.engine))
    with structlog.testing.capture_logs() as lines:
        assert (await door.send(address, raw)).status_code == 200
    assert await noted(door.engine) == [(1, "unreadable", None)]
    assert len(await ear.so_far()) == 1
    assert [line["event"] for line in lines] == ["webhook not understood", "webhook heard"]
    assert "CANARY" not in repr(lines)


async def test_news_of_a_provider_that_is_not_configured_any_more_are_noted(door: Door) -> None:
    row = await a_row(door.engine, provider="gone")
    assert (await door.send(address_of(row, provider="gone"))).status_code == 200
    assert await noted(door.engine) == [(1, "unreadable", None)]


async def test_while_the_database_is_away_the_provider_is_asked_to_send_again(
    database_url: str, tmp_path: Path
) -> None:
    async with wire_to(database_url, tmp_path) as wire, a_door(wire.url) as door:
        address = address_of(await a_row(door.engine))
        with structlog.testing.capture_logs() as lines:
            answer = await without(wire, door, address)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert [line["event"] for line in lines] == ["webhook not noted"]
        assert address.rsplit("/", 1)[1] not in repr(lines) + answer.text
        assert (await door.send(address)).status_code == 200
        assert await noted(door.engine) == NOTED


async def without(wire: Wire, door: Door, address: str) -> httpx.Response:
    """What is answered while the database is away."""
    wire.cut()
    answer = await door.send(address)
    wire.mend()
    return answer


async def test_the_door_takes_nothing_but_posts_of_programs(door: Door) -> None:
    address = address_of(await a_row(door.engine))
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"):
        answer = await door.client.request(method, address)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert (await door.send(address, Origin="https://evil.example")).status_code == 403
    assert (await door.send(address, Host="evil.example")).status_code == 403
    for other in (f"{address}/", f"/{address}", address.rsplit("/", 1)[0]):
        assert (await door.send(other)).status_code in (403, 404)
    assert await noted(door.engine) == []
    assert (await door.send(address, Host="localhost:8000")).status_code == 200

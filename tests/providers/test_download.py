"""Results come whole and in time, or not at all."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from providers.contract import Gone, Malformed, ProviderError, TooLarge, Unreachable
from providers.download import ResultClients, fetch_result
from providers.sink import FETCH_LIMITS, Fetched, in_thread
from tests.providers.downloads import BODY, LIMITS, clients_by_book, fetch, files_in, reply_body
from tests.providers.servers import Answer, Exchange, serving


@pytest.fixture(scope="module")
async def clients() -> AsyncIterator[ResultClients]:
    async with clients_by_book() as clients:
        yield clients


async def test_a_result_is_written_whole_and_summed_up(
    clients: ResultClients, tmp_path: Path
) -> None:
    async with serving(reply_body) as server:
        fetched = await fetch(clients, server, tmp_path / "r")
        assert (tmp_path / "r").read_bytes() == BODY
        assert fetched == Fetched(
            size_bytes=len(BODY), sha256=hashlib.sha256(BODY).hexdigest(), media_type="image/png"
        )
        sent = server.seen[0].headers
        assert sent["accept-encoding"] == "identity"
        assert not {"authorization", "cookie", "x-key"} & set(sent)


async def reply_packed(exchange: Exchange) -> None:
    await exchange.reply(b"\x1f\x8b", headers={"Content-Encoding": "gzip"})


async def break_off(exchange: Exchange) -> None:
    await exchange.reply(BODY[:1000], headers={"Content-Length": str(len(BODY))})
    exchange.writer.close()


async def reset_midway(exchange: Exchange) -> None:
    await exchange.reply(BODY[:1000], headers={"Content-Length": str(len(BODY))})
    exchange.reset()


async def break_off_a_chunked_body(exchange: Exchange) -> None:
    await exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    exchange.writer.close()


async def announce_too_much(exchange: Exchange) -> None:
    await exchange.reply(b"", headers={"Content-Length": "3000001"})


async def send_too_much(exchange: Exchange) -> None:
    await exchange.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    for _ in range(100):
        await exchange.send(bytes(100_000))
    exchange.writer.close()


async def reply_nothing(exchange: Exchange) -> None:
    await exchange.reply(b"")


async def stop_talking(exchange: Exchange) -> None:
    await exchange.reply(b"x", headers={"Content-Length": "10"})
    await asyncio.Event().wait()


async def drip(exchange: Exchange) -> None:
    await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    clock = asyncio.get_running_loop()
    while True:
        await exchange.send(b".")
        tick = asyncio.Event()
        clock.call_later(0.05, tick.set)
        await tick.wait()


def refusing(status: int) -> Answer:
    async def answer(exchange: Exchange) -> None:
        await exchange.reply(status=status)

    answer.__name__ = f"status_{status}"
    return answer


SPOILED: list[tuple[Answer, type[ProviderError]]] = [
    (reply_packed, Malformed),
    (break_off, Unreachable),
    (reset_midway, Unreachable),
    (break_off_a_chunked_body, Unreachable),
    (announce_too_much, TooLarge),
    (send_too_much, TooLarge),
    (reply_nothing, Unreachable),
    (stop_talking, Unreachable),
    (refusing(403), Gone),
    (refusing(404), Gone),
    (refusing(410), Gone),
    (refusing(401), Unreachable),
    (refusing(500), Unreachable),
    (refusing(206), Unreachable),
    (refusing(304), Unreachable),
]


@pytest.mark.parametrize(
    ("answer", "error"), SPOILED, ids=[answer.__name__ for answer, _ in SPOILED]
)
async def test_a_spoiled_result_leaves_no_file(
    clients: ResultClients, tmp_path: Path, answer: Answer, error: type[ProviderError]
) -> None:
    async with serving(answer) as server, asyncio.timeout(10):
        with pytest.raises(error) as raised:
            await fetch(clients, server, tmp_path / "r")
        assert type(raised.value) is error
        assert not files_in(tmp_path)


async def test_a_drip_fast_enough_for_the_rate_still_ends_at_the_deadline(
    clients: ResultClients, tmp_path: Path
) -> None:
    lenient = replace(LIMITS, deadline_s=0.4, rate_min_bytes_s=1)
    async with serving(drip) as server, asyncio.timeout(5):
        with pytest.raises(Unreachable, match=r"within 0\.4 s"):
            await fetch(clients, server, tmp_path / "r", limits=lenient)
        assert not files_in(tmp_path)


async def send_a_broken_chunk_later(exchange: Exchange) -> None:
    await exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    later = asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, later.set)
    await later.wait()
    await exchange.send(b"ZZ\r\n")


async def test_a_body_that_breaks_its_own_rules_ends_at_the_deadline(
    clients: ResultClients, tmp_path: Path
) -> None:
    """aiohttp 3.14.5 closes such a connection and tells its reader nothing, time-out or not."""
    async with serving(send_a_broken_chunk_later) as server, asyncio.timeout(5):
        with pytest.raises(Unreachable):
            await fetch(clients, server, tmp_path / "r", limits=replace(LIMITS, deadline_s=0.4))
        assert not files_in(tmp_path)


async def test_a_drip_is_given_up_long_before_the_deadline(
    clients: ResultClients, tmp_path: Path
) -> None:
    async with serving(drip) as server, asyncio.timeout(5):
        with pytest.raises(Unreachable, match="bytes a second"):
            await fetch(clients, server, tmp_path / "r")


async def test_a_fetch_that_is_cancelled_leaves_no_file(
    clients: ResultClients, tmp_path: Path
) -> None:
    arrived = asyncio.Event()

    async def begin(exchange: Exchange) -> None:
        await exchange.reply(bytes(2_000_000), headers={"Content-Length": "2000001"})
        arrived.set()
        await asyncio.Event().wait()

    async with serving(begin) as server, asyncio.timeout(5):
        task = asyncio.create_task(fetch(clients, server, tmp_path / "r"))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not files_in(tmp_path)


async def test_a_result_in_the_answer_itself_is_written_like_one_that_was_fetched(
    clients: ResultClients, tmp_path: Path
) -> None:
    uri = f"data:image/png;base64,{base64.b64encode(BODY).decode()}"
    fetched = await fetch_result(
        clients, uri, tmp_path / "r", allowed_hosts=(), origin=None, limits=LIMITS
    )
    assert (tmp_path / "r").read_bytes() == BODY
    assert (fetched.size_bytes, fetched.media_type) == (len(BODY), "image/png")
    assert fetched.sha256 == hashlib.sha256(BODY).hexdigest()


@pytest.mark.parametrize(
    ("uri", "error"),
    [
        ("data:image/png;base64,@@@@", Malformed),
        ("data:image/png;base64,abc", Malformed),
        ("data:image/png,plain", Malformed),
        ("data:image/png;base64", Malformed),
        ("data:image/png;base64,", Unreachable),
        (f"data:image/png;base64,{'A' * 4_100_000}", TooLarge),
    ],
    ids=["signs", "padding", "plain", "no comma", "empty", "large"],
)
async def test_a_broken_data_uri_leaves_no_file(
    clients: ResultClients, tmp_path: Path, uri: str, error: type[ProviderError]
) -> None:
    with pytest.raises(error):
        await fetch_result(
            clients, uri, tmp_path / "r", allowed_hosts=(), origin=None, limits=LIMITS
        )
    assert not files_in(tmp_path)


async def test_a_thread_is_seen_to_its_end_even_when_nobody_waits_for_it() -> None:
    began, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        began.set()
        may_end.wait(5)
        ended.set()

    task = asyncio.create_task(in_thread(work))
    await asyncio.to_thread(began.wait, 5)
    task.cancel()
    await asyncio.to_thread(lambda: None)
    assert not task.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


def test_the_limits_are_those_we_promise() -> None:
    assert FETCH_LIMITS["image"].size_bytes_max == 50 * 1024**2
    assert FETCH_LIMITS["video"].size_bytes_max == 2 * 1024**3

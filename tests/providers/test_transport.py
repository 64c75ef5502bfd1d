"""What the kind of a transport error says: whether a paid request may have arrived."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import aiohttp
import httpx
import pytest

from providers.transport import Limits, open_client
from tests.providers.servers import Answer, Exchange, closed_port, serving

QUICK = Limits(connect_s=0.3, read_s=0.3, pool_wait_s=0.3)


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with open_client(QUICK) as client:
        yield client


async def drop(exchange: Exchange) -> None:
    exchange.writer.close()


async def cut(exchange: Exchange) -> None:
    exchange.reset()


async def hang(exchange: Exchange) -> None:
    await asyncio.Event().wait()


async def drop_in_head(exchange: Exchange) -> None:
    await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Le")
    exchange.writer.close()


async def speak_nonsense(exchange: Exchange) -> None:
    await exchange.send(b"SMTP ready when you are\r\n\r\n")


async def send_bad_header(exchange: Exchange) -> None:
    await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n")


async def stop_in_body(exchange: Exchange) -> None:
    await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", b"only this")
    exchange.writer.close()


async def cut_in_body(exchange: Exchange) -> None:
    await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", b"only this")
    exchange.reset()


async def send_a_broken_chunk(exchange: Exchange) -> None:
    await exchange.send(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nZZ\r\n"
    )


async def hang_in_body(exchange: Exchange) -> None:
    await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", b"only this")
    await asyncio.Event().wait()


ARRIVED: list[Answer] = [
    drop,
    cut,
    hang,
    drop_in_head,
    speak_nonsense,
    send_bad_header,
    stop_in_body,
    cut_in_body,
    hang_in_body,
    send_a_broken_chunk,
]


@pytest.mark.parametrize("answer", ARRIVED, ids=lambda answer: answer.__name__)
async def test_a_request_that_arrived_never_reads_as_one_that_did_not(
    client: httpx.AsyncClient, answer: Answer
) -> None:
    async with serving(answer) as server:
        with pytest.raises(httpx.TransportError) as raised:
            await client.post(f"{server.url}/run", content=b"{}")
        assert not isinstance(raised.value, httpx.ConnectError | httpx.ConnectTimeout)
        assert len(server.seen) == 1, "and it is sent only once"


async def test_a_refused_connection_is_one_never_made(client: httpx.AsyncClient) -> None:
    with pytest.raises(httpx.ConnectError):
        await client.post(f"http://127.0.0.1:{closed_port()}/run")


async def test_a_name_that_leads_nowhere_is_a_connection_never_made(
    client: httpx.AsyncClient,
) -> None:
    with pytest.raises(httpx.ConnectError):
        await client.post("http://nobody.invalid/run")


async def test_a_failed_tls_handshake_is_a_connection_never_made(
    client: httpx.AsyncClient,
) -> None:
    async def know_no_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(16)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(know_no_tls, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(httpx.ConnectError) as raised:
            await client.post(f"https://127.0.0.1:{port}/run")
        assert isinstance(raised.value.__cause__, aiohttp.ClientConnectorSSLError)


async def test_a_handshake_that_hangs_is_a_connection_never_made(
    client: httpx.AsyncClient,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # connected to by the kernel alone
        port = silent.getsockname()[1]
        with pytest.raises(httpx.ConnectError):
            await client.post(f"https://127.0.0.1:{port}/run")


async def test_no_place_among_the_connections_is_a_connection_never_made() -> None:
    arrived = asyncio.Event()

    async def arrive_and_hang(exchange: Exchange) -> None:
        arrived.set()
        await hang(exchange)

    async with (
        open_client(Limits(connect_s=0.1, read_s=5, pool_wait_s=0.1, connections=1)) as client,
        serving(arrive_and_hang) as server,
    ):
        first = asyncio.create_task(client.post(f"{server.url}/run"))
        async with asyncio.timeout(5):
            await arrived.wait()
        with pytest.raises(httpx.ConnectError):
            await client.post(f"{server.url}/run")
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert len(server.seen) == 1


async def test_polls_share_a_connection_and_submits_never_do(client: httpx.AsyncClient) -> None:
    async with serving(Exchange.reply) as server:
        for _ in range(3):
            await client.get(f"{server.url}/status")
        assert server.connections == 1
        for _ in range(3):
            await client.post(f"{server.url}/run")
        assert server.connections == 4


async def test_a_poll_on_a_connection_the_server_has_closed_goes_through(
    client: httpx.AsyncClient,
) -> None:
    async def reply_and_leave(exchange: Exchange) -> None:
        await exchange.reply()
        exchange.writer.close()

    async with serving(reply_and_leave) as server:
        for _ in range(5):
            assert (await client.get(f"{server.url}/status")).status_code == 200


async def test_redirects_are_not_followed_and_cookies_not_kept(client: httpx.AsyncClient) -> None:
    async def bake(exchange: Exchange) -> None:
        headers = {"Location": "/elsewhere", "Set-Cookie": "session=1; Path=/"}
        await exchange.reply(status=302, headers=headers)

    async with serving(bake) as server:
        for _ in range(2):
            assert (await client.get(f"{server.url}/status")).status_code == 302
        assert [one.path for one in server.seen] == ["/status", "/status"]
        assert all("cookie" not in one.headers for one in server.seen)
        assert server.seen[0].headers["user-agent"] == "kinora/0.1"


async def test_a_proxy_of_the_environment_is_not_used(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(Exchange.reply) as proxy, serving(Exchange.reply) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        async with open_client(QUICK) as fresh:
            await fresh.get(f"{server.url}/status")
        assert not proxy.seen
        assert len(server.seen) == 1

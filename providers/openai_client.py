"""The openai SDK as the images provider uses it: nothing sent twice, followed elsewhere, or read
without an end.

The SDK stands on httpx2. Its connections are opened fresh for every request, so that a kept one
which its server is just closing cannot make a submit look like one whose answer was lost.
Source: openai 3.54.0 (README, httpx2.md), httpx2 2.16.2, 2026-11-22.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import httpx2
from openai import AsyncOpenAI

from crash_points import crash_point

ANSWER_BYTES_MAX = 64 << 20  # as for every other provider's answer
CONNECT_S = 10.0
POOL_S = 25.0  # for a place among the connections
CONNECTIONS = 200
#: What proves that not one byte of a request left. A write that failed is not among them: some of
#: it may have arrived, and the rest be behind.
NEVER_LEFT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.UnsupportedProtocol,
)


class Counted(httpx2.AsyncByteStream):
    """A body that ends in an error when it is longer than anything we would keep."""

    def __init__(self, body: httpx2.AsyncByteStream, size_bytes_max: int) -> None:
        self._body = body
        self._size_bytes_max = size_bytes_max

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Pass on what comes. Raises: httpx2.RemoteProtocolError."""
        size_bytes = 0
        async for chunk in self._body:
            size_bytes += len(chunk)
            if size_bytes > self._size_bytes_max:
                raise httpx2.RemoteProtocolError("the answer is too large")
            yield chunk

    async def aclose(self) -> None:
        """Close the connection underneath."""
        await self._body.aclose()


class Transport(httpx2.AsyncBaseTransport):
    """httpx2's own, with an end to every answer, and none that would have to be unpacked."""

    def __init__(self, size_bytes_max: int = ANSWER_BYTES_MAX) -> None:
        self._size_bytes_max = size_bytes_max
        self._inner = httpx2.AsyncHTTPTransport(
            verify=httpx.create_ssl_context(),  # whom every other adapter trusts, and no one else
            trust_env=False,
            retries=0,
            limits=httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=0),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request; only its headers have been read when this returns."""
        answer = await self._inner.handle_async_request(request)
        if request.method == "POST":
            crash_point("submit.answering")
        if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
            await answer.aclose()
            raise httpx2.RemoteProtocolError("the answer came packed", request=request)
        assert isinstance(answer.stream, httpx2.AsyncByteStream)
        answer.stream = Counted(answer.stream, self._size_bytes_max)
        return answer

    async def aclose(self) -> None:
        """Close the pool."""
        await self._inner.aclose()


def open_openai(base_url: str, key: str, answer_within_s: float) -> AsyncOpenAI:
    """Return the SDK's client with our settings only; `close()` closes it.

    By itself it would take headers and an organisation from the environment, follow redirects, and
    send again what failed.
    """
    client = AsyncOpenAI(
        api_key=key,
        base_url=base_url,
        max_retries=0,
        timeout=httpx2.Timeout(answer_within_s, connect=CONNECT_S, pool=POOL_S),
        http_client=httpx2.AsyncClient(
            transport=Transport(), follow_redirects=False, trust_env=False
        ),
    )
    client.organization = client.project = None
    # OPENAI_CUSTOM_HEADERS is merged into every client, and would go to whatever server this is.
    client._custom_headers = {"Accept-Encoding": "identity"}
    return client

"""The one HTTP client: httpx's API on aiohttp's transport, with errors that tell the truth.

What matters most is said by the kind of an error: `httpx.ConnectError` means that the request never
left, every other one that it may have. The figures behind it: docs/adr/0002-http-transport.md.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy

import aiohttp
import httpx
from aiohttp import SocketFactoryType
from aiohttp.abc import AbstractResolver
from httpx_aiohttp import AiohttpTransport

USER_AGENT = "kinora/0.1"
#: What proves that not one byte left: DNS, refused, TLS, out of time or of places while connecting.
NEVER_LEFT = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
    aiohttp.NonHttpUrlClientError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How patient and how wide a client is; whole requests have their own deadline besides."""

    connect_s: float = 10.0
    read_s: float = 30.0  # from one piece of the answer to the next
    pool_wait_s: float = 15.0  # for a place among the connections
    connections: int = 200
    keepalive_s: float = 15.0  # well under what load balancers allow an idle connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """Who says where connections may go: asked at look-up, and again for each address tried."""

    resolver: Callable[[], AbstractResolver]
    socket_factory: SocketFactoryType


class Transport(httpx.AsyncBaseTransport):
    """Two pools of aiohttp connections under httpx.

    GET goes over kept connections. Anything else goes over a fresh one each time: on a kept one
    that its server is just closing, a submit would look like one whose answer was lost.
    """

    def __init__(self, limits: Limits, guard: Guard | None = None) -> None:
        context = httpx.create_ssl_context()  # a company's own CA by SSL_CERT_FILE is welcome
        self._kept, self._fresh = (
            AiohttpTransport(
                verify=context,
                trust_env=False,
                client=partial(open_session, limits, context, guard, is_kept=is_kept),
            )
            for is_kept in (True, False)
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request. Raises: httpx.ConnectError if it never left, another one if it did."""
        pool = self._kept if request.method == "GET" else self._fresh
        with true_errors(request):
            return await pool.handle_async_request(request)

    async def aclose(self) -> None:
        """Close both pools."""
        await self._fresh.aclose()
        await self._kept.aclose()


@contextmanager
def true_errors(request: httpx.Request) -> Iterator[None]:
    """Set right what httpx-aiohttp 0.2.0 reports: a dropped connection is no connect time-out."""
    try:
        yield
    except httpx.TransportError as error:
        if isinstance(error.__cause__, NEVER_LEFT):
            raise httpx.ConnectError(str(error), request=request) from error.__cause__
        if isinstance(error, httpx.ConnectTimeout | httpx.ConnectError):
            raise httpx.ReadError(str(error), request=request) from error.__cause__
        raise
    except aiohttp.ClientError as error:
        raise httpx.RemoteProtocolError(str(error), request=request) from error


def open_session(
    limits: Limits, context: ssl.SSLContext, guard: Guard | None, *, is_kept: bool
) -> aiohttp.ClientSession:
    """Open one pool; called by the transport at its first request, inside the running loop."""
    connector = aiohttp.TCPConnector(
        ssl=context,
        limit=limits.connections,
        resolver=guard.resolver() if guard else None,
        socket_factory=guard.socket_factory if guard else None,
        **({"keepalive_timeout": limits.keepalive_s} if is_kept else {"force_close": True}),
    )
    return aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
    )


def open_client(limits: Limits | None = None, guard: Guard | None = None) -> httpx.AsyncClient:
    """Return the client that all adapters share: no cookies, no redirects, no proxies, no keys."""
    limits = limits or Limits()
    return httpx.AsyncClient(
        transport=Transport(limits, guard),
        timeout=httpx.Timeout(
            limits.read_s, connect=limits.connect_s, pool=limits.pool_wait_s + limits.connect_s
        ),
        headers={"User-Agent": USER_AGENT},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        follow_redirects=False,
        trust_env=False,
    )

"""Fetching what a provider made: from named hosts at public addresses, bounded, without a key.

The address of a result is somebody else's word. So: https only, hosts of the route's list only,
every address checked while connecting, redirects followed by hand under the same rules, nothing
unpacked, and an end to size, to time and to slowness. The one exception is the very place the
provider is configured at: scheme, host and port together.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver

from providers.addresses import BlockedAddress, origin_of, public_only
from providers.contract import (
    BlockedUrl,
    Gone,
    Malformed,
    Origin,
    ProviderError,
    Unreachable,
)
from providers.sink import Fetched, FetchLimits, Sink, in_thread, too_large, write_data_uri
from providers.transport import Limits, open_client

REDIRECTS_MAX = 3
PORTION_BYTES = 1 << 20
HeadersFor = Callable[[str], Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultClients:
    """Two clients without keys: for the public internet, and for the configured places."""

    public: httpx.AsyncClient
    configured: httpx.AsyncClient


@asynccontextmanager
async def open_result_clients(
    limits: Limits | None = None, resolver: AbstractResolver | None = None
) -> AsyncIterator[ResultClients]:
    """Open what results are fetched with; `resolver` looks names up instead of the system."""
    async with AsyncExitStack() as stack:
        yield ResultClients(
            public=await stack.enter_async_context(open_client(limits, public_only(resolver))),
            configured=await stack.enter_async_context(open_client(limits)),
        )


async def fetch_result(
    clients: ResultClients,
    url: str,
    path: Path,
    *,
    allowed_hosts: Collection[str],
    origin: Origin | None,
    limits: FetchLimits,
    headers_for: HeadersFor | None = None,
) -> Fetched:
    """Write a result to a file; a file that could not be finished is removed. `headers_for`: what
    a request to an address carries besides, asked anew for each that a redirect leads to.

    Raises:
        BlockedUrl: the address, or one it redirects to, is not among those allowed.
        Gone: the result is no longer there, or no longer for us.
        TooLarge: it is, or says it will be, larger than the limit.
        Unreachable: it did not arrive whole or in time; another try may succeed.
        Malformed: it came packed, or the address or the data in it are no such thing.
    """
    done = False
    try:
        async with asyncio.timeout(limits.deadline_s):
            if url[:5].lower() == "data:":
                fetched = await in_thread(write_data_uri, url, path, limits)
            else:
                source = Source(clients, allowed_hosts, origin, headers_for)
                async with source.open(url) as response:
                    fetched = await write_body(response, path, limits)
        done = True
        return fetched
    except TimeoutError:
        raise Unreachable(f"the result did not arrive within {limits.deadline_s:g} s") from None
    except httpx.InvalidURL as error:
        raise BlockedUrl("the result's address cannot be read") from error
    except httpx.TransportError as error:
        raise explain(error) from error
    finally:
        if not done:
            await in_thread(path.unlink, missing_ok=True)


class Source:
    """Where one result may come from."""

    def __init__(
        self,
        clients: ResultClients,
        allowed_hosts: Collection[str],
        origin: Origin | None,
        headers_for: HeadersFor | None = None,
    ) -> None:
        self._clients = clients
        self._allowed_hosts = allowed_hosts
        self._origin = origin
        self._headers_for = headers_for or (lambda url: {})

    @asynccontextmanager
    async def open(self, text: str) -> AsyncIterator[httpx.Response]:
        """Yield the answer that holds the result, after at most three redirects."""
        url = read_url(text)
        for _ in range(REDIRECTS_MAX + 1):
            client = self._client_for(url)
            headers = {"Accept-Encoding": "identity", **self._headers_for(str(url))}
            request = client.build_request("GET", url, headers=headers)
            response = await client.send(request, stream=True)
            try:
                if not response.has_redirect_location:
                    check_answer(response)
                    yield response
                    return
                url = read_url(str(url.join(response.headers["Location"])))
            finally:
                await response.aclose()
        raise BlockedUrl(f"the result is redirected more than {REDIRECTS_MAX} times")

    def _client_for(self, url: httpx.URL) -> httpx.AsyncClient:
        place = origin_of(url)
        if place == self._origin:
            return self._clients.configured
        if place.scheme != "https":
            raise BlockedUrl(f"the result at {place.host} is not offered over https")
        if not any(is_host(pattern, place) for pattern in self._allowed_hosts):
            raise BlockedUrl(f"{place.host}:{place.port} is none of the provider's result hosts")
        return self._clients.public


def read_url(text: str) -> httpx.URL:
    """Return an address without anything that two readers could read differently."""
    if not text.isprintable() or any(char in text for char in " \\"):
        raise BlockedUrl("the result's address holds characters no address has")
    url = httpx.URL(text)
    if url.scheme not in ("http", "https") or not url.host or url.userinfo:
        raise BlockedUrl("the result's address is no plain web address")
    return url.copy_with(fragment=None)


def is_host(pattern: str, place: Origin) -> bool:
    """Whether a place fits `media.example.com`, `*.example.com` or `media.example.com:8443`."""
    host, colon, port = pattern.lower().rpartition(":")
    if not colon:
        host, port = port, "443"
    if port != str(place.port):
        return False
    if host.startswith("*."):
        return place.host.endswith(host[1:])
    return place.host == host


def check_answer(response: httpx.Response) -> None:
    """Refuse an answer that does not hold the result as it is."""
    status = response.status_code
    if status in (403, 404, 410):
        raise Gone(f"the result is no longer there (HTTP {status})")
    if status != 200:
        raise Unreachable(f"the result's host answers HTTP {status}")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Malformed("the result came packed, though we asked for it plain")


async def write_body(response: httpx.Response, path: Path, limits: FetchLimits) -> Fetched:
    """Write an answer's body in portions, outside the event loop."""
    announced = response.headers.get("Content-Length", "")
    if announced.isdecimal() and int(announced) > limits.size_bytes_max:
        raise too_large(int(announced), limits)
    sink = await in_thread(Sink, path, limits)
    try:
        portion = bytearray()
        async for chunk in in_time(response.aiter_raw(), limits):
            portion += chunk
            if len(portion) >= PORTION_BYTES:
                await in_thread(sink.write, bytes(portion))
                portion.clear()
        await in_thread(sink.write, bytes(portion))
        if announced.isdecimal() and int(announced) != sink.size_bytes:
            raise Unreachable(f"the result broke off at {sink.size_bytes} of {announced} bytes")
        return sink.finish(response.headers.get("Content-Type"))
    finally:
        sink.close()


async def in_time(chunks: AsyncIterator[bytes], limits: FetchLimits) -> AsyncIterator[bytes]:
    """Pass chunks on as long as enough of them come."""
    clock = asyncio.get_running_loop().time
    since, received = clock(), 0
    async for chunk in chunks:
        received += len(chunk)
        elapsed = clock() - since
        if elapsed >= limits.patience_s:
            if received < limits.rate_min_bytes_s * elapsed:
                raise Unreachable(f"the result comes at {received / elapsed:.0f} bytes a second")
            since, received = clock(), 0
        yield chunk


def explain(error: httpx.TransportError) -> ProviderError:
    """Say what went wrong on the way to a result."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, BlockedAddress):
            return BlockedUrl("the result's host leads to an address that is not public")
        if isinstance(seen, aiohttp.InvalidURL):
            return BlockedUrl("the result's address cannot be read")
        seen = seen.__cause__
    return Unreachable(f"the result did not arrive ({type(error).__name__})")

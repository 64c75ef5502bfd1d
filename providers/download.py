"""Fetching what a provider made: from named hosts at public addresses, bounded, without a key.

The address of a result is somebody else's word. So: https only, hosts of the route's list only,
every address checked while connecting, redirects followed by hand under the same rules, nothing
unpacked, and an end to size, to time and to slowness. The one exception is the very place the
provider is configured at: scheme, host and port together.

What an old system kept may lie at any host. The same holds for it but for the list: https only,
public addresses only, and as exceptions the places that the operator has named.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
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
class Step:
    """One request on the way to a file: at this address, by the client that may go there."""

    client: httpx.AsyncClient
    url: httpx.URL
    headers: Mapping[str, str] = field(default_factory=dict)


#: What may be done with an address, the first one or one that a redirect leads to.
#: Raises: BlockedUrl.
Rule = Callable[[httpx.URL], Step]


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
    rule = named_hosts(clients, allowed_hosts, origin, headers_for)
    return await _fetch(rule, url, path, limits)


async def fetch_from_anywhere(
    clients: ResultClients,
    url: str,
    path: Path,
    *,
    origins: Collection[Origin],
    limits: FetchLimits,
) -> Fetched:
    """Write a file to which a person's own data points, wherever in public it lies, or at one of
    these places; else as `fetch_result`, with the same errors.
    """
    return await _fetch(public_hosts(clients, origins), url, path, limits)


async def _fetch(rule: Rule, url: str, path: Path, limits: FetchLimits) -> Fetched:
    done = False
    try:
        async with asyncio.timeout(limits.deadline_s):
            if url[:5].lower() == "data:":
                fetched = await in_thread(write_data_uri, url, path, limits)
            else:
                async with opened(rule, url) as response:
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


@asynccontextmanager
async def opened(rule: Rule, text: str) -> AsyncIterator[httpx.Response]:
    """Yield the answer that holds the result, after at most three redirects."""
    url = read_url(text)
    for _ in range(REDIRECTS_MAX + 1):
        step = rule(url)
        headers = {"Accept-Encoding": "identity", **step.headers}
        request = step.client.build_request("GET", step.url, headers=headers)
        response = await step.client.send(request, stream=True)
        try:
            if not response.has_redirect_location:
                check_answer(response)
                yield response
                return
            url = read_url(str(step.url.join(response.headers["Location"])))
        finally:
            await response.aclose()
    raise BlockedUrl(f"the result is redirected more than {REDIRECTS_MAX} times")


def named_hosts(
    clients: ResultClients,
    allowed_hosts: Collection[str],
    origin: Origin | None,
    headers_for: HeadersFor | None = None,
) -> Rule:
    """The rule for what a provider made: its result hosts, and the place it is configured at."""

    def rule(url: httpx.URL) -> Step:
        place = origin_of(url)
        headers = headers_for(str(url)) if headers_for else {}
        if place == origin:
            return Step(client=clients.configured, url=url, headers=headers)
        if place.scheme != "https":
            raise BlockedUrl(f"the result at {place.host} is not offered over https")
        if not any(is_host(pattern, place) for pattern in allowed_hosts):
            raise BlockedUrl(f"{place.host}:{place.port} is none of the provider's result hosts")
        return Step(client=clients.public, url=url, headers=headers)

    return rule


def public_hosts(clients: ResultClients, origins: Collection[Origin]) -> Rule:
    """The rule for what an old system kept: any host at public addresses, asked over https even
    where the old system wrote http; and exactly these places, wherever they are.
    """

    def rule(url: httpx.URL) -> Step:
        if origin_of(url) in origins:
            return Step(client=clients.configured, url=url)
        return Step(client=clients.public, url=url.copy_with(scheme="https"))

    return rule


def read_url(text: str) -> httpx.URL:
    """Return an address without anything that two readers could read differently."""
    if not text.isprintable() or any(char in text for char in " \\"):
        raise BlockedUrl("the result's address holds characters no address has")
    url = httpx.URL(text)
    if url.scheme not in ("http", "https") or not url.host or url.userinfo:
        raise BlockedUrl("the result's address is no plain web address")
    if not _can_be_looked_up(url.host):
        raise BlockedUrl("the result's address names no host that can be looked up")
    return url.copy_with(fragment=None)


def _can_be_looked_up(host: str) -> bool:
    """Whether the system's own look-up takes the name at all; it knows no label that is empty or
    longer than 63 characters.
    """
    try:
        return bool(host.encode("idna"))
    except UnicodeError:
        return False


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
    sink = Sink(path, limits)
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

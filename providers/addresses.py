"""Where a connection for somebody else's address may go: only to the public internet.

A result's address comes from outside, and what a name means is decided by whoever owns the name. So
it is not the text that is judged but the addresses it leads to, at the moment of connecting.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import AddrInfoType

from providers.contract import Origin
from providers.transport import Guard

#: The one block of unicast addresses that IPv6 gives to the public.
PUBLIC_IPV6 = ip_network("2000::/3")
#: What `is_global` lets through and must not: it knows too little before Python 3.12.4
#: (CVE-2024-4032), and addresses that carry an IPv4 address inside lead elsewhere.
REFUSED = tuple(
    ip_network(block)
    for block in (
        "192.0.0.0/24",
        "192.88.99.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
    )
)


def origin_of(url: httpx.URL | str) -> Origin:
    """Return scheme, host and port of an address, as one would compare them."""
    url = httpx.URL(url)
    port = url.port or (443 if url.scheme == "https" else 80)
    return Origin(url.scheme, url.host.lower().rstrip("."), port)


class BlockedAddress(OSError):
    """A name leads to an address we do not connect to."""

    def __init__(self) -> None:
        super().__init__("the host leads to an address that is not public")


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is one of the public internet, and no other in disguise."""
    if isinstance(address, IPv6Address) and address not in PUBLIC_IPV6:
        return False
    return address.is_global and not any(
        address in block for block in REFUSED if block.version == address.version
    )


class CheckedResolver(AbstractResolver):
    """Looks names up, and knows none that has even one address which is not public."""

    def __init__(self, resolver: AbstractResolver) -> None:
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a name. Raises: BlockedAddress."""
        found = await self._resolver.resolve(host, port, family)
        if not all(is_public(ip_address(one["host"].partition("%")[0])) for one in found):
            raise BlockedAddress
        return found

    async def close(self) -> None:
        """Close what looks up."""
        await self._resolver.close()


def open_socket(address: AddrInfoType) -> socket.socket:
    """Open a socket for an address about to be connected to. Raises: BlockedAddress."""
    family, kind, protocol, _, sockaddr = address
    if not is_public(ip_address(str(sockaddr[0]).partition("%")[0])):
        raise BlockedAddress
    return socket.socket(family, kind, protocol)


def public_only(resolver: AbstractResolver | None = None) -> Guard:
    """Return the guard that lets a client connect to public addresses only."""
    return Guard(
        resolver=lambda: CheckedResolver(resolver or aiohttp.ThreadedResolver()),
        socket_factory=open_socket,
    )

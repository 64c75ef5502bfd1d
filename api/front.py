"""What this installation calls itself and whom it trusts: the hosts that lead here and the origins
whose pages may call.

Compared as exact texts, never taken apart by a parser of addresses, which would find a `localhost`
in `evil.example@localhost` too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs

from starlette.types import Scope

from settings import LOOPBACK_HOSTS, Settings

#: By which of its names a request came.
Name = Literal["loopback", "bound", "public"]

_NAMES = "|".join(re.escape(f"[{name}]" if ":" in name else name) for name in LOOPBACK_HOSTS)
_LOOPBACK = re.compile(rf"(?:{_NAMES})(?::[0-9]{{1,5}})?", re.IGNORECASE | re.ASCII)
_PORT = re.compile(r":[0-9]{1,5}", re.ASCII)
#: Listening everywhere is no name.
WILDCARDS = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared with, not listened on
USUAL_PORTS = {"http": 80, "https": 443}
#: What machines ask that know no name of ours: balancers, probes, collectors of figures.
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: A socket's polling handshake is a GET; it opens a door all the same.
SOCKET_PREFIX = "/ws/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """Names and trusted origins, from the settings; without any, those of local mode."""

    is_local: bool = True
    bound: str | None = None
    public_url: str | None = None
    allowed_origins: tuple[str, ...] = ()

    def name_of(self, hosts: list[str]) -> Name | None:
        """Which of our names the Host headers say; None for somebody else's, none, or several."""
        if len(hosts) != 1:
            return None
        host = hosts[0].lower()
        if _LOOPBACK.fullmatch(host):
            return "loopback"
        if host in self._public_hosts():
            return "public"
        if self.bound and host.startswith(self.bound):
            port = host[len(self.bound) :]
            return "bound" if not port or _PORT.fullmatch(port) else None
        return None

    def _public_hosts(self) -> frozenset[str]:
        """With the port it has, and, since a proxy may leave that out, without."""
        if self.public_url is None:
            return frozenset()
        scheme, _, host = self.public_url.partition("://")
        bare = _PORT.sub("", host) if not host.endswith("]") else host
        with_port = host if host != bare else f"{bare}:{USUAL_PORTS[scheme]}"
        return frozenset({bare, with_port})

    def lets_in(self, scope: Scope, name: Name | None) -> bool:
        """Whether this path answers under this name."""
        if not self.is_local:
            is_probe = scope["path"] in PROBES and len(header_values(scope, b"host")) < 2
            return name is not None or is_probe
        return name == "loopback" or (name == "public" and _opens_for_anybody(scope))

    def may_change(self, scope: Scope, name: Name | None, host: str) -> bool:
        """Whether a request that changes something or opens a socket comes from a page we trust, or
        from a program, which sends no Origin.
        """
        opens = scope["type"] == "websocket" or scope["path"].startswith(SOCKET_PREFIX)
        if not opens and scope["method"] in SAFE_METHODS:
            return True
        origins = header_values(scope, b"origin")
        if not origins:
            return "cross-site" not in header_values(scope, b"sec-fetch-site")
        trusted = {*self._own(name, host), *self.allowed_origins}
        return len(origins) == 1 and origins[0].lower() in trusted

    def _own(self, name: Name | None, host: str) -> set[str]:
        """The origins of our own page at this Host; a tunnel may show loopback by https. Local mode
        has no page at its public address.
        """
        found: set[str] = set()
        if name != "public":
            found = {f"{scheme}://{host.lower()}" for scheme in USUAL_PORTS}
        return found | {self.public_url} if self.public_url and not self.is_local else found

    def is_secure(self, name: Name | None) -> bool:
        """Whether the request came to our public address, and that is https."""
        return name == "public" and (self.public_url or "").startswith("https://")


def front_of(settings: Settings) -> Front:
    """The front that the settings describe."""
    host = settings.host.lower()
    bound = f"[{host}]" if ":" in host else host
    return Front(
        is_local=settings.auth_mode == "local",
        bound=None if host in WILDCARDS else bound,
        public_url=settings.public_url,
        allowed_origins=settings.allowed_origins,
    )


def header_values(scope: Scope, name: bytes) -> list[str]:
    """Every value of a request's header, as it was sent."""
    return [value.decode("latin-1") for found, value in scope["headers"] if found == name]


def _opens_for_anybody(scope: Scope) -> bool:
    """Local mode's two doors to the outside: news of providers, and media by a signed address."""
    path: str = scope["path"]
    if path.startswith("/webhooks/"):
        return True
    said = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    return path.startswith("/media/") and "exp" in said and "sig" in said

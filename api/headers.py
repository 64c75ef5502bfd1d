"""The headers that every answer goes out with, whoever made it: refusals, files, the framework's.

An answer's own content policy stays; without one it may load nothing and stand in no frame. What
the framework says about foreign origins and cookies is not left to it.
"""

from __future__ import annotations

from starlette.types import Message, Scope, Send

from api.front import Front, Name, header_values

Header = tuple[bytes, bytes]

HEADERS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
CLOSED = "default-src 'none'; frame-ancestors 'none'"
#: A drawing that is opened by itself keeps its inline styles, and nothing else.
DRAWING = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
HSTS: Header = (b"strict-transport-security", b"max-age=31536000")
#: What pages of trusted origins may call: the API, and for the widget what the chat's page asks.
CALLED = (
    *("/api", "/auth", "/user", "/project", "/public", "/copilot", "/avatars", "/logo", "/logout"),
    "/set-session-cookie",
)
#: Answered for the origins we trust; these are what their pages may read and send.
EXPOSED = b"ETag, Location, Retry-After, RateLimit, RateLimit-Policy"
METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE"
SENDABLE = (
    b"Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, "
    b"MCP-Protocol-Version"
)
PREFLIGHT_KEPT_S = 600


def with_ours(front: Front, scope: Scope, name: Name | None, send: Send) -> Send:
    """Send an answer with everything it has to carry."""

    async def send_with_ours(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": _complete(front, scope, name, message)}
        await send(message)

    return send_with_ours


def is_preflight(scope: Scope) -> bool:
    """Whether a browser asks if a page of another origin may call the API."""
    asks = header_values(scope, b"access-control-request-method")
    return scope["method"] == "OPTIONS" and _is_called(scope) and bool(asks)


def trusted_origin(front: Front, scope: Scope) -> str | None:
    """The foreign origin this request comes from, when it is one that may read the answer."""
    origins = header_values(scope, b"origin")
    return origins[0] if len(origins) == 1 and origins[0] in front.allowed_origins else None


def preflight_headers() -> dict[str, str]:
    """What a page that may call is told beside who it is."""
    return {
        "Access-Control-Allow-Methods": METHODS.decode(),
        "Access-Control-Allow-Headers": SENDABLE.decode(),
        "Access-Control-Max-Age": str(PREFLIGHT_KEPT_S),
    }


def _complete(front: Front, scope: Scope, name: Name | None, message: Message) -> list[Header]:
    given: list[Header] = [(n.lower(), v) for n, v in message.get("headers", ())]
    # The framework trusts its own list of origins; only what this layer's own answers say stays.
    kept = [h for h in given if not h[0].startswith(b"access-control-allow-origin")]
    kept = [h for h in kept if h[0] != b"access-control-allow-credentials"]
    bare = _is_bare(scope, name)
    kept = [(n, _safe_cookie(v, bare) if n == b"set-cookie" else v) for n, v in kept]
    present = {n for n, _ in kept}
    policy = _policy(kept)
    framing = _framing(policy)
    kept = [h for h in kept if h[0] != b"content-security-policy"]
    kept += [h for h in HEADERS if h[0] not in present]
    kept += [(b"content-security-policy", policy.encode("latin-1")), *framing]
    kept += [HSTS] if front.is_secure(name) else []
    return kept + (_for_origin(front, scope) if _is_called(scope) else [])


def _policy(headers: list[Header]) -> str:
    own = next((v for n, v in headers if n == b"content-security-policy"), b"").decode("latin-1")
    if own:
        return own if "frame-ancestors" in own else f"{own}; frame-ancestors 'none'"
    media_type = next((v for n, v in headers if n == b"content-type"), b"")
    return DRAWING if media_type.startswith(b"image/svg") else CLOSED


def _framing(policy: str) -> list[Header]:
    """The same for browsers that do not know `frame-ancestors`; they know no list of origins."""
    who = policy.partition("frame-ancestors")[2].partition(";")[0].strip()
    word = {"'none'": b"DENY", "'self'": b"SAMEORIGIN"}.get(who)
    return [(b"x-frame-options", word)] if word else []


def _for_origin(front: Front, scope: Scope) -> list[Header]:
    # Said to everybody: a cache must not give one origin what was made for another.
    found: list[Header] = [(b"vary", b"Origin")]
    origin = trusted_origin(front, scope)
    if origin is not None:
        found += [
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-allow-credentials", b"true"),
            (b"access-control-expose-headers", EXPOSED),
        ]
    return found


def _safe_cookie(cookie: bytes, bare: bool) -> bytes:
    """Never for scripts, and by https only, except where a person tries Kinora on their own
    machine.
    """
    said = {part.strip().lower() for part in cookie.split(b";")[1:]}
    if b"httponly" not in said:
        cookie += b"; HttpOnly"
    if b"secure" not in said and not bare:
        cookie += b"; Secure"
    return cookie


def _is_bare(scope: Scope, name: Name | None) -> bool:
    return name == "loopback" and scope.get("scheme", "http") == "http"


def _is_called(scope: Scope) -> bool:
    path: str = scope["path"]
    return any(path == door or path.startswith(f"{door}/") for door in CALLED)

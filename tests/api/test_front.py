"""Names and trusted origins beyond local mode: which Host leads where, whose pages may call, and
what every answer carries.
"""

from __future__ import annotations

import pytest
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from api.front import Front, front_of
from api.guard import Guard
from settings import load

PUBLIC = "https://kinora.example:8443"
FRIEND = "https://friend.example"
LOCAL = Front(is_local=True, public_url=PUBLIC, allowed_origins=(FRIEND,))
OPEN = Front(is_local=False, bound="192.168.1.5", public_url=PUBLIC, allowed_origins=(FRIEND,))


class Asked:
    """One request to a guard around an app that answers everything alike."""

    def __init__(self, front: Front, inner: Response | None = None) -> None:
        self.front = front
        self.inner = inner or PlainTextResponse("in")
        self.headers: list[tuple[str, str]] = []

    async def ask(
        self, path: str = "/", method: str = "GET", scheme: str = "http", **headers: str
    ) -> int:
        """The status; the answer's headers are kept."""
        path, _, query = path.partition("?")
        sent: list[Message] = []

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await self.inner(scope, receive, send)

        async def receive() -> Message:
            return {"type": "http.request"}

        async def send(message: Message) -> None:
            sent.append(message)

        given = [(n.replace("_", "-").encode(), v.encode()) for n, v in headers.items()]
        scope = {"type": "http", "method": method, "path": path, "headers": given}
        await Guard(app, self.front)(
            {**scope, "query_string": query.encode(), "scheme": scheme}, receive, send
        )
        self.headers = [(n.decode(), v.decode()) for n, v in sent[0]["headers"]]
        return int(sent[0]["status"])

    def given(self, name: str) -> list[str]:
        return [value for found, value in self.headers if found == name]


SIGNED = "/media/x?exp=1&sig=2"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        *((path, 200) for path in ("/webhooks/demo/1/1/x", SIGNED, SIGNED + "&w=1")),
        *((path, 403) for path in ("/", "/api/tools", "/media/x", "/media/x?exp=1", "/webhooks")),
        *((path, 403) for path in ("/healthz", "/media/?sig=1", "/ws/socket.io/", "/public/x.js")),
    ],
)
async def test_local_modes_public_name_opens_two_doors_and_no_other(path: str, status: int) -> None:
    for host in ("kinora.example", "kinora.example:8443", "KINORA.example"):
        assert await Asked(LOCAL).ask(path, host=host) == status
    for host in ("kinora.example:8000", "kinora.example.", "x.kinora.example"):
        assert await Asked(LOCAL).ask(path, host=host) == 403
    assert await Asked(LOCAL).ask(path, host="localhost:8000") == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        *((h, 200) for h in ("localhost", "127.0.0.1:9", "[::1]:80", "kinora.example")),
        *((h, 200) for h in ("kinora.example:8443", "192.168.1.5", "192.168.1.5:8000")),
        *((h, 403) for h in ("kinora.example:443", "192.168.1.50", "192.168.1.5.evil.example")),
        *((h, 403) for h in ("evil.example", "kinora.example@evil.example", "0.0.0.0", "")),
        *((h, 403) for h in ("evil.example@kinora.example", "kinora.example:8443:1", "[::]")),
    ],
)
async def test_with_accounts_three_names_lead_here(host: str, status: int) -> None:
    assert await Asked(OPEN).ask("/", host=host) == status


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_probes_are_answered_under_any_name_once_there_are_accounts(path: str) -> None:
    assert await Asked(OPEN).ask(path, host="10.0.0.7:8000") == 200
    assert await Asked(OPEN).ask(path) == 200
    assert await Asked(LOCAL).ask(path, host="10.0.0.7:8000") == 403


def test_listening_everywhere_is_no_name() -> None:
    more = {"AUTH_MODE": "password", "CHAINLIT_AUTH_SECRET": "0123456789abcdefghijklmnopqrstuvwxyz"}
    for host, bound in (("0.0.0.0", None), ("::", None), ("fd00::1", "[fd00::1]"), ("Box", "box")):
        assert front_of(load({**more, "HOST": host}).settings).bound == bound


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        *(("kinora.example", o, 200) for o in (PUBLIC, FRIEND, PUBLIC.upper())),
        *(("kinora.example", o, 403) for o in ("http://kinora.example:8443", "null", "")),
        *(("kinora.example", o, 403) for o in ("https://kinora.example", "http://friend.example")),
        *(("kinora.example", o, 403) for o in (f"{FRIEND}:444", f"{FRIEND}.evil", f"x{FRIEND}")),
        *(("localhost:1", o, 200) for o in ("http://localhost:1", PUBLIC, FRIEND)),
        *(("localhost:1", o, 403) for o in ("http://localhost:2", "http://192.168.1.5")),
        ("192.168.1.5:1", "http://192.168.1.5:1", 200),
    ],
)
async def test_what_changes_something_comes_from_a_page_we_trust(
    host: str, origin: str, status: int
) -> None:
    for method, path in (("POST", "/api/tools/x"), ("DELETE", "/x"), ("GET", "/ws/socket.io/")):
        assert await Asked(OPEN).ask(path, method, host=host, origin=origin) == status


async def test_local_mode_trusts_no_page_at_its_public_address() -> None:
    asked = Asked(LOCAL)
    assert await asked.ask("/api/x", "POST", host="localhost:1", origin=PUBLIC) == 403


async def test_a_page_of_others_that_hides_its_origin_is_refused() -> None:
    asked, host = Asked(OPEN), "localhost:1"
    assert await asked.ask("/x", "POST", host=host, sec_fetch_site="cross-site") == 403
    assert await asked.ask("/ws/x", host=host, sec_fetch_site="cross-site") == 403
    assert await asked.ask("/x", host=host, sec_fetch_site="cross-site") == 200
    for fetched in ("same-origin", "none"):
        assert await asked.ask("/x", "POST", host=host, sec_fetch_site=fetched) == 200
    foreign = {"host": host, "origin": FRIEND, "sec_fetch_site": "cross-site"}
    assert await asked.ask("/x", "POST", **foreign) == 200


async def test_a_trusted_page_may_read_the_api_and_what_the_widget_asks_and_nobody_else() -> None:
    stubborn = PlainTextResponse(
        "in",
        headers={"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Credentials": "true"},
    )
    for path, origin, is_read in (
        *(("/api/generations", FRIEND, True), ("/api/generations", "https://evil.example", False)),
        *(("/api/generations", PUBLIC, False), ("/api/generations", "null", False)),
        *(("/project/threads", FRIEND, True), ("/project/threads", "https://evil.example", False)),
        *(("/media/x", FRIEND, False), ("/", FRIEND, False), ("/projects", FRIEND, False)),
    ):
        asked = Asked(OPEN, stubborn)
        assert await asked.ask(path, host="localhost", origin=origin) == 200
        assert asked.given("access-control-allow-origin") == ([FRIEND] if is_read else [])
        assert asked.given("access-control-allow-credentials") == (["true"] if is_read else [])
        assert asked.given("vary") == (
            ["Origin"] if path.startswith(("/api/", "/project/")) else []
        )
    asked = Asked(OPEN)
    await asked.ask("/api/x", host="localhost", origin=FRIEND)
    assert "RateLimit" in asked.given("access-control-expose-headers")[0]
    await asked.ask("/api/x", host="localhost")
    assert asked.given("vary") == ["Origin"]


async def test_a_refusal_can_be_read_by_a_trusted_page_too() -> None:
    asked = Asked(OPEN)
    headers = {"host": "localhost", "origin": FRIEND, "content_length": "9999999999"}
    assert await asked.ask("/api/x", "POST", **headers) == 413
    assert asked.given("access-control-allow-origin") == [FRIEND]


async def test_a_preflight_is_answered_before_anybody_asks_who_it_is() -> None:
    ask = {"host": "kinora.example", "access_control_request_method": "POST"}
    asked = Asked(OPEN, PlainTextResponse("no", status_code=401))
    assert await asked.ask("/api/tools/x", "OPTIONS", origin=FRIEND, **ask) == 204
    assert asked.given("access-control-allow-origin") == [FRIEND]
    for name in ("Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID"):
        assert name in asked.given("access-control-allow-headers")[0]
    assert "DELETE" in asked.given("access-control-allow-methods")[0]
    for origin in ("https://evil.example", "null", f"{FRIEND}.evil.example"):
        assert await asked.ask("/api/tools/x", "OPTIONS", origin=origin, **ask) == 403
        assert asked.given("access-control-allow-origin") == []
        assert asked.given("vary") == ["Origin"]
    assert await asked.ask("/media/x", "OPTIONS", origin=FRIEND, **ask) == 401


async def test_what_has_no_policy_of_its_own_may_do_nothing() -> None:
    asked = Asked(OPEN)
    await asked.ask("/x", host="localhost")
    policy = ["default-src 'none'; frame-ancestors 'none'"]
    assert asked.given("content-security-policy") == policy
    assert asked.given("x-frame-options") == ["DENY"]
    await asked.ask("/x", host="evil.example")
    assert asked.given("content-security-policy") == policy
    drawn = Asked(OPEN, Response("<svg/>", media_type="image/svg+xml"))
    await drawn.ask("/x", host="localhost")
    assert "style-src 'unsafe-inline'" in drawn.given("content-security-policy")[0]


@pytest.mark.parametrize(
    ("own", "policy", "frame"),
    [
        (
            "default-src 'none'; sandbox",
            "default-src 'none'; sandbox; frame-ancestors 'none'",
            "DENY",
        ),
        ("frame-ancestors 'self'", "frame-ancestors 'self'", "SAMEORIGIN"),
        (f"frame-ancestors 'self' {FRIEND}", f"frame-ancestors 'self' {FRIEND}", None),
    ],
)
async def test_older_browsers_are_told_of_frames_as_far_as_they_understand(
    own: str, policy: str, frame: str | None
) -> None:
    asked = Asked(OPEN, Response("in", headers={"Content-Security-Policy": own}))
    await asked.ask("/x", host="localhost")
    assert asked.given("content-security-policy") == [policy]
    assert asked.given("x-frame-options") == ([frame] if frame else [])


async def test_only_the_public_address_by_https_asks_to_stay_with_https() -> None:
    asked = Asked(OPEN)
    await asked.ask("/x", host="kinora.example")
    assert asked.given("strict-transport-security") == ["max-age=31536000"]
    await asked.ask("/x", host="localhost")
    assert asked.given("strict-transport-security") == []
    plain = Asked(Front(is_local=False, public_url="http://kinora.example"))
    await plain.ask("/x", host="kinora.example")
    assert plain.given("strict-transport-security") == []


@pytest.mark.parametrize(
    ("host", "scheme", "cookie", "sent"),
    [
        ("localhost:1", "http", "a=1; Path=/; HttpOnly", "a=1; Path=/; HttpOnly"),
        ("localhost:1", "http", "a=1", "a=1; HttpOnly"),
        ("localhost:1", "https", "a=1; httponly", "a=1; httponly; Secure"),
        ("kinora.example", "http", "a=1; HttpOnly", "a=1; HttpOnly; Secure"),
        ("192.168.1.5", "http", "secure=1; HttpOnly", "secure=1; HttpOnly; Secure"),
        ("kinora.example", "https", "a=1; HttpOnly; Secure", "a=1; HttpOnly; Secure"),
    ],
)
async def test_cookies_are_for_https_and_never_for_scripts(
    host: str, scheme: str, cookie: str, sent: str
) -> None:
    asked = Asked(OPEN, Response("in", headers={"Set-Cookie": cookie}))
    await asked.ask("/x", host=host, scheme=scheme)
    assert asked.given("set-cookie") == [sent]

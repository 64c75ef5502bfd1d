"""Somebody else's website, whose backend knows its users: where the widget stands in tests."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import psycopg

from settings import ROOT
from tests.demo_process import Demo
from tests.house import free_port
from tests.people import a_person, serve_people

PAGE = """<!doctype html><html lang="en"><head><meta charset="{charset}">
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<title>A shop</title><style>
body {{ margin: 0 40px; padding: 40px 0; font: 17px/1.6 Georgia, serif; letter-spacing: .4px }}
html.dark {{ background: #14161a; color: #dde }}
button {{ border: 5px solid red; text-transform: uppercase }}</style></head><body>
<h1>A shop</h1><p>Product 42 is a red zeppelin.</p>{script}</body></html>"""
#: Where the pages of docs/widget.md are, which come in this order.
DOCUMENTED = {"/script": 0, "/bare": 1}
#: Pages with the strictest policy that docs/widget.md allows them, by the form of the widget.
STRICT = {"/latin": "script", "/frame": "frame"}
SCRIPT = '<script src="{server}/public/widget.js" {data} async></script>'


@dataclass(kw_only=True)
class Website:
    """The website: whoever visits it is `user`; `served` is the Kinora that it speaks with."""

    port: int
    served: str
    key: str
    user: str = "42"
    #: What its backend answers for the next requests instead of a fresh token.
    tokens: list[str] = field(default_factory=list)
    minted: int = 0

    @property
    def near(self) -> str:
        """The origin under which it is of the same site as `localhost`."""
        return f"http://localhost:{self.port}"

    @property
    def far(self) -> str:
        """The origin under which it is of another site."""
        return f"http://127.0.0.1:{self.port}"

    def mint(self, origin: str, ttl_s: int = 300) -> str:
        """A token for the visitor, as the backend gets it."""
        self.minted += 1
        wanted = {"user": {"id": self.user, "name": f"User {self.user}"}, "ttl_s": ttl_s}
        answer = httpx.post(
            f"{self.served}/api/widget/tokens",
            json={**wanted, "origin": origin},
            headers={"Authorization": f"Bearer {self.key}"},
            trust_env=False,
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])

    def page(self, path: str, server: str) -> str:
        """A page with the widget's tag, or without, or one of those in docs/widget.md."""
        if path in DOCUMENTED:
            told = re.findall(r"^```html\n(.*?)^```", guide(), re.MULTILINE | re.DOTALL)
            shown = str(told[DOCUMENTED[path]])
            shown = shown.replace("https://chat.example.com", server)
            return shown.replace("https://www.example.com", self.far)
        data = {
            "/": 'data-token="/kinora-token"',
            "/latin": 'data-token="/kinora-token"',
            "/frame": 'data-token="/kinora-token" data-mode="frame"',
            "/plain": "",
        }
        charset = "iso-8859-1" if path == "/latin" else "utf-8"
        script = SCRIPT.format(server=server, data=data[path])
        return PAGE.format(charset=charset, script=script)


def guide() -> str:
    """What we tell those who put the widget into their pages."""
    return (ROOT / "docs" / "widget.md").read_text(encoding="utf-8")


def policy(form: str, server: str) -> str:
    """What docs/widget.md says that a page with this form has to allow, for this chat."""
    found = re.search(rf"^\| {form} \| `([^`]*;[^`]*)` \|$", guide(), re.MULTILINE)
    assert found is not None
    example, scheme = "://chat.example.com", server.partition("://")[0]
    sockets = "wss" if scheme == "https" else "ws"
    rest = server.removeprefix(scheme)
    said = found[1].replace(f"https{example}", server).replace(f"wss{example}", sockets + rest)
    own = "; style-src 'unsafe-inline'; img-src data:" if form == "frame" else ""
    return f"default-src 'none'; {said}{own}"


@contextlib.contextmanager
def website(port: int, served: str, key: str) -> Iterator[Website]:
    """Run it until the block ends; its pages take the widget from `localhost`."""
    site = Website(port=port, served=served, key=key)
    seen_as = served.replace("127.0.0.1", "localhost")

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/favicon.ico":
                return self.answer(b"", "image/png")
            return self.answer(site.page(self.path, seen_as).encode(), "text/html")

        def do_POST(self) -> None:
            origin = f"http://{self.headers['Host']}"
            token = site.tokens.pop(0) if site.tokens else site.mint(origin)
            self.answer(f'{{"token": "{token}"}}'.encode(), "application/json")

        def answer(self, body: bytes, media_type: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            if form := STRICT.get(self.path):
                self.send_header("Content-Security-Policy", policy(form, seen_as))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", port), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()


@contextlib.asynccontextmanager
async def website_with_kinora(
    folder: Path, database_url: str, demo: Demo, *names: str
) -> AsyncIterator[Website]:
    """A website that Kinora knows under these names, whose backend has a key for the widget."""
    port = free_port()
    settings = {
        "DATABASE_URL": database_url,
        "DEMO_BASE_URL": demo.url,
        "ALLOWED_ORIGINS": ",".join(f"http://{name}:{port}" for name in names),
    }
    async with (
        serve_people(folder, **settings) as served,
        a_person(served, database_url, "host@example.org") as host,
    ):
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("update kinora.api_keys set scopes = scopes || '{widget}'")
        with website(port, served.url, host.key) as site:
            yield site

"""The chat's page and its files, served by us: our bytes, our headers, nothing from a foreign host.

Chainlit's template is taken once at the start. Its links to font and style hosts go, its two inline
scripts are hashed for the content policy, and its bundles are compressed once instead of at every
page load, which would stall each running stream.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api.problems import Problem

#: The single-page app's own list of routes.
PATHS = (
    "/",
    "/thread",
    "/thread/{rest:path}",
    "/element/{rest:path}",
    "/login",
    "/login/callback",
    "/env",
)
_FOREIGN_LINK = re.compile(r"<link\b[^>]*\bhref=\"https?://[^>]*>", re.IGNORECASE)
_FOREIGN_META = re.compile(
    r"<meta\b[^>]*\bproperty=\"og:(?:url|image)\"[^>]*\bcontent=\"https?://[^>]*>", re.IGNORECASE
)
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_HASHED_NAME = re.compile(r"[\w.-]+")
_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".png": "image/png",
}
#: The framework's custom elements are compiled in the browser, hence `unsafe-eval`; its styles are
#: inline. Whatever a model writes into the chat, the page loads nothing of anybody else's.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval' {scripts}; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors {embedders}"
)

#: A page of the public folder loads what lies beside it.
OWN_PAGE = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

#: The page's answer as it goes out: with the cookie of local mode, or on the way to the login.
Enter = Callable[[Request, Response], Awaitable[Response]]


def page_routes(template: str, enter: Enter, allowed_origins: Sequence[str] = ()) -> APIRouter:
    """The page at every address of the app; `enter` sees to it that whoever opens it is known, and
    pages of the allowed origins may show it in a frame.
    """
    html = _FOREIGN_META.sub("", _FOREIGN_LINK.sub("", template))
    body = html.encode()
    scripts = " ".join(f"'sha256-{_digest(text)}'" for text in _INLINE_SCRIPT.findall(html))
    headers = {
        "Content-Security-Policy": _POLICY.format(
            scripts=scripts, embedders=" ".join(["'self'", *allowed_origins])
        ),
        "Cache-Control": "no-store",
    }
    router = APIRouter(include_in_schema=False)

    async def page(request: Request) -> Response:
        response = Response(body, media_type="text/html; charset=utf-8", headers=headers)
        return await enter(request, response)

    for path in PATHS:
        router.add_api_route(path, page, methods=["GET", "HEAD"])
    return router


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def bundle_routes(assets: Path, widget: Path) -> APIRouter:
    """The framework's bundles: those of its page, whose names change with their content, and the
    widget's, whose name does not, so that browsers ask whether it is still the same.
    """
    router = APIRouter(include_in_schema=False)
    packed = Packed()

    @router.get("/assets/{name}")
    async def bundle(name: str, request: Request) -> Response:
        path = assets / name
        if not _HASHED_NAME.fullmatch(name) or not path.is_file():
            raise Problem(404, "not_found", "There is no such file.")
        return await packed.answer(path, request, "public, max-age=31536000, immutable")

    @router.get("/copilot/index.js")
    async def widget_bundle(request: Request) -> Response:
        return await packed.answer(widget / "index.js", request, "public, no-cache")

    return router


class Packed:
    """Files that are read and compressed once, in a thread, and then kept."""

    def __init__(self) -> None:
        self._files: dict[Path, asyncio.Task[tuple[bytes, str]]] = {}

    async def answer(self, path: Path, request: Request, cache: str) -> Response:
        """The file, compressed for whoever takes that; 304 for whoever has it."""
        if path not in self._files:
            self._files[path] = asyncio.create_task(asyncio.to_thread(_pack, path))
        data, digest = await asyncio.shield(self._files[path])
        takes_gzip = "gzip" in request.headers.get("accept-encoding", "")
        etag = f'"{digest}{"-gzip" if takes_gzip else ""}"'
        headers = {"Cache-Control": cache, "Vary": "Accept-Encoding", "ETag": etag}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        if takes_gzip:
            headers["Content-Encoding"] = "gzip"
        else:
            data = await asyncio.to_thread(gzip.decompress, data)
        media_type = _TYPES.get(path.suffix, "application/octet-stream")
        return Response(data, media_type=media_type, headers=headers)


def _pack(path: Path) -> tuple[bytes, str]:
    data = path.read_bytes()
    return gzip.compress(data, compresslevel=6), hashlib.sha256(data).hexdigest()[:32]


class PublicFiles(StaticFiles):
    """Our own public folder. Cards fetch their element anew each time, so a browser may keep that
    for a while; for the rest it asks, and mostly hears that nothing changed.
    """

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file, with how long it may be kept."""
        response = await super().get_response(path, scope)
        kept = "max-age=300" if path.startswith("elements/") else "no-cache"
        response.headers.setdefault("Cache-Control", kept)
        if path.endswith(".html"):
            response.headers.setdefault("Content-Security-Policy", OWN_PAGE)
        return response

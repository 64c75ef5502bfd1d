"""How far a ComfyUI has got with a prompt, which it tells on a websocket to whoever listens.

It tells only the client that queued the prompt, and only what happens while that one listens; so a
look listens for a moment, and nothing heard is no error. The truth stays in the history.
Source: ComfyUI's server.py, protocol.py and comfy_execution/progress.py (Comfy-Org/ComfyUI
@002c3fb) and docs.comfy.org/development/comfyui-server/comms_messages, 2026-11-22.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import NoReturn

import aiohttp
import httpx

LISTEN_S = 0.7  # all in all, the connecting included
FAREWELL_S = 0.1
MESSAGE_BYTES_MAX = 8_000_000  # previews are large
TEXT_MAX = 1_000_000
STEPS_MAX = 1_000_000
KEPT = 1000
#: After these there is nothing more to hear of a prompt.
ENDS = frozenset({"execution_success", "execution_error", "execution_interrupted"})


class Moved(aiohttp.ClientError):
    """The websocket is said to be elsewhere; we do not go there."""


class Listener:
    """Listens to one server; remembers how far each prompt was, so that none goes back."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        # A company's own CA by SSL_CERT_FILE is welcome, as everywhere; made once, it takes long.
        is_safe = httpx.URL(base_url).scheme == "https"
        self._context = httpx.create_ssl_context() if is_safe else True
        self._heard: dict[str, float] = {}
        self._listening: set[str] = set()

    async def progress(self, prompt_id: str, address: str | None) -> float | None:
        """Listen for a moment at the address of whoever queued the prompt; return the most that
        was ever heard of it, 0 to 1, None if that is nothing.
        """
        if address is not None and prompt_id not in self._listening:
            self._listening.add(prompt_id)
            try:
                await self._listen(prompt_id, f"{self._base_url}/{address}")
            finally:
                self._listening.discard(prompt_id)
        return self._heard.get(prompt_id)

    def forget(self, prompt_id: str) -> None:
        """The prompt has ended."""
        self._heard.pop(prompt_id, None)

    async def _listen(self, prompt_id: str, url: str) -> None:
        """Return with the first word on how far it is, or when there will be none."""
        farewell = aiohttp.ClientWSTimeout(ws_close=FAREWELL_S)
        with contextlib.suppress(aiohttp.ClientError, OSError, ValueError):
            async with (
                asyncio.timeout(LISTEN_S),
                self._session() as session,
                session.ws_connect(
                    url, timeout=farewell, max_msg_size=MESSAGE_BYTES_MAX
                ) as websocket,
            ):
                async for message in websocket:
                    if message.type is not aiohttp.WSMsgType.TEXT or len(message.data) > TEXT_MAX:
                        continue
                    kind, data = read(message.data)
                    share = share_in(kind, data, prompt_id)
                    if share is not None:
                        self._note(prompt_id, share)
                    if share is not None or is_end(kind, data, prompt_id):
                        return

    def _session(self) -> aiohttp.ClientSession:
        """One for a single websocket: no cookies, no proxies, no redirects, no key."""
        tracing = aiohttp.TraceConfig()
        tracing.on_request_redirect.append(refuse_redirect)
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._context, limit=1, force_close=True),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            trace_configs=[tracing],
        )

    def _note(self, prompt_id: str, share: float) -> None:
        self._heard[prompt_id] = max(share, self._heard.pop(prompt_id, 0.0))
        for oldest in list(self._heard)[:-KEPT]:
            del self._heard[oldest]


async def refuse_redirect(
    _session: aiohttp.ClientSession,
    _context: SimpleNamespace,
    params: aiohttp.TraceRequestRedirectParams,
) -> NoReturn:
    """aiohttp would follow, and has no word to forbid it for websockets. Raises: Moved."""
    params.response.close()
    raise Moved


def read(text: str) -> tuple[object, Mapping[str, object]]:
    """Return kind and content of a message, whatever it is."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        message = None
    told = message if isinstance(message, Mapping) else {}
    data = told.get("data")
    return told.get("type"), data if isinstance(data, Mapping) else {}


def share_in(kind: object, data: Mapping[str, object], prompt_id: str) -> float | None:
    """Return how much of this prompt is done, as far as a message says that."""
    if data.get("prompt_id") != prompt_id:
        return None
    if kind == "progress":
        return share_of([data])
    if kind == "progress_state":
        nodes = data.get("nodes")
        listed = nodes.values() if isinstance(nodes, Mapping) else ()
        return share_of([node for node in listed if isinstance(node, Mapping)])
    return None


def share_of(nodes: list[Mapping[str, object]]) -> float | None:
    """Return how many of the steps are done: of samplers, since any other node has a single one."""
    steps = list(steps_in(nodes))
    most = sum(of for _, of in steps)
    return sum(done for done, _ in steps) / most if most else None


def steps_in(nodes: list[Mapping[str, object]]) -> Iterator[tuple[float, float]]:
    """Yield the steps done, and how many there are, of nodes with more than one."""
    for node in nodes:
        done, of = node.get("value"), node.get("max")
        if not isinstance(done, int | float) or not isinstance(of, int | float):
            continue
        if 1 < of <= STEPS_MAX and 0 <= done <= of:
            yield done, of


def is_end(kind: object, data: Mapping[str, object], prompt_id: str) -> bool:
    """Whether a message says that this prompt has ended; `executing` no node says so too."""
    if data.get("prompt_id") != prompt_id:
        return False
    return kind in ENDS or (kind == "executing" and data.get("node") is None)

"""How long the head of a request may be, and how long it may take: what arrives before there is a
request that the guard could look at.

The server's parser keeps a head until it is whole, however long that is; so one connection of
nobody's could fill the memory. Here what has arrived without leading to anything is counted.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES_MAX = 64 * 1024
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


class BoundedHeads(HttpToolsProtocol):
    """The server's HTTP, with an end to heads, and to what may follow a body."""

    head_lasts_s = 30.0

    _unseen_bytes = 0
    _too_slow: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody has come, and may not stand there without a word."""
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """They have gone."""
        self._head_is_here()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Let the parser have it, and see what has come of it."""
        self._unseen_bytes += len(data)
        super().data_received(data)
        if self._unseen_bytes > HEAD_BYTES_MAX and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        """A request begins."""
        self._unseen_bytes = 0
        self._wait_for_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its head is whole."""
        self._unseen_bytes = 0
        self._head_is_here()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of its body, which the guard counts."""
        self._unseen_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """It is whole."""
        self._unseen_bytes = 0
        super().on_message_complete()

    def _wait_for_head(self) -> None:
        self._head_is_here()
        self._too_slow = self.loop.call_later(self.head_lasts_s, self.transport.close)

    def _head_is_here(self) -> None:
        if self._too_slow is not None:
            self._too_slow.cancel()
            self._too_slow = None

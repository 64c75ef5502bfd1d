"""The chat model the agent talks to: who it is, where it was configured, and how a request reaches
it.

The wire is OpenAI's Chat Completions, streamed, with nothing in the request that a server could
refuse (no `stream_options`, no `strict`). What one server turns out to need or not to take is
learned from its refusal, and the request is sent once more: a refused request has produced nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

import httpx2
import openai
import structlog
from openai import AsyncAPIResponse, AsyncOpenAI

from agent.failure import ChatFailure, detail_of, status_failure
from agent.history import Message
from settings import LOOPBACK_HOSTS, Loaded

DEMO_MODEL = "demo-chat"
OPENAI_BASE_URL = "https://api.openai.com/v1"
#: The newest small model openai 3.54.0 names; over Chat Completions it takes tools only without
#: reasoning.
#: Source: https://developers.openai.com/api/docs/models/gpt-6-luna, 2026-11-22.
DEFAULT_MODEL = "gpt-6-luna"
DEFAULT_EXTRAS = {"reasoning_effort": "none"}
CONNECT_WITHIN_S = 10.0
#: A model on a slow machine reads a long conversation for minutes before its first word.
ANSWER_WITHIN_S = 300.0
RETRIES_MAX = 2
RESPONSE_BYTES_MAX = 16 * 1024 * 1024
#: Words in a refusal that speak of pictures: servers have no common code for it.
PICTURE_WORDS = ("image", "vision", "multimodal", "multi-modal", "must be a string")

log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class ChatModel:
    """One model on one server. `name` is empty until the server was asked for what it has.

    `label` and `source` are for people: what it is, and which setting chose it. `sees`: it may be
    sent pictures. `extras` are parameters this server needs; `pads_thoughts` that it wants thoughts
    with every past answer.
    """

    client: AsyncOpenAI
    name: str
    server: str
    key_setting: str
    source: str
    demo: bool = False
    sees: bool = True
    extras: dict[str, Any] = field(default_factory=dict)
    pads_thoughts: bool = False

    @property
    def label(self) -> str:
        """What the terminal and the page call it."""
        if self.demo:
            return "Demo chat model"
        return f"{self.name or 'the first model'} at {self.server}"

    async def close(self) -> None:
        """Close the connections."""
        await self.client.close()

    async def find_name(self) -> str:
        """The model's name; where none was configured, the first chat model the server lists.

        Raises: ChatFailure.
        """
        if not self.name:
            try:
                async with asyncio.timeout(CONNECT_WITHIN_S):
                    page: object = await self.client.models.list()
            except (openai.APIError, TimeoutError, ValueError) as error:
                raise self._failure(error) from error
            # Whatever answers at the address is taken as it comes: the SDK checks no shapes.
            listed = [str(getattr(m, "id", "")) for m in getattr(page, "data", None) or ()]
            names = [name for name in listed if name and "embed" not in name.lower()]
            if not names:
                raise ChatFailure(lambda words: words.no_model.format(where=self.server))
            self.name = names[0]
            log.info("chat model chosen", model=self.name, server=self.server)
        return self.name

    async def stream(
        self, messages: list[Message], tools: list[dict[str, Any]]
    ) -> AsyncGenerator[bytes]:
        """Send a request and yield the payload of each `data:` line; closing it ends the stream.

        `messages` loses its pictures for good where the server refuses them. Raises: ChatFailure.
        """
        await self.find_name()
        try:
            async with AsyncExitStack() as stack:
                async with asyncio.timeout(ANSWER_WITHIN_S):
                    response = await self._open(stack, messages, tools)
                payloads = await stack.enter_async_context(aclosing(read_payloads(response)))
                async for payload in payloads:
                    yield payload
        except (openai.APIError, httpx2.HTTPError, TimeoutError) as error:
            raise self._failure(error) from error

    async def _open(
        self, stack: AsyncExitStack, messages: list[Message], tools: list[dict[str, Any]]
    ) -> AsyncAPIResponse[Any]:
        while True:
            if self.pads_thoughts:
                pad_thoughts(messages)
            request = self.client.chat.completions.with_streaming_response.create(
                model=self.name,
                messages=cast(Any, messages),
                tools=cast(Any, tools),
                stream=True,
                **self.extras,
            )
            try:
                return await stack.enter_async_context(request)
            except openai.APIStatusError as error:
                # Each lesson can be learned once, so this ends.
                if not self._learn(detail_of(error.body).lower(), messages):
                    raise

    def _learn(self, refusal: str, messages: list[Message]) -> bool:
        """Adapt to what a refusal says; whether the request is worth sending again."""
        if "reasoning_effort" in refusal and "none" in refusal and not self.extras:
            # Source: https://github.com/BerriAI/litellm/pull/34569, 2026-07-24.
            self.extras = dict(DEFAULT_EXTRAS)
        elif "reasoning_content" in refusal and not self.pads_thoughts:
            # Source: https://github.com/NousResearch/hermes-agent/pull/17341, 2026-04-29.
            self.pads_thoughts = True
        elif not (any(w in refusal for w in PICTURE_WORDS) and drop_pictures(messages)):
            return False
        log.info("chat model refused, asked again", model=self.name, extras=sorted(self.extras))
        return True

    def _failure(self, error: Exception) -> ChatFailure:
        status = error.status_code if isinstance(error, openai.APIStatusError) else None
        log.warning("chat model failed", model=self.name, status=status, error=type(error).__name__)
        if isinstance(error, openai.APIStatusError):
            return status_failure(error, self.name, self.server, self.key_setting)
        if isinstance(error, TimeoutError | openai.APITimeoutError | httpx2.TimeoutException):
            return ChatFailure(lambda words: words.too_slow.format(where=self.server))
        if isinstance(error, openai.APIConnectionError):
            return ChatFailure(lambda words: words.unreachable.format(where=self.server))
        # The SDK gives its own errors until the answer begins; then the HTTP client's come through.
        if isinstance(error, httpx2.HTTPError):
            return ChatFailure(lambda words: words.cut_off)
        return ChatFailure(lambda words: words.not_understood)


async def read_payloads(response: AsyncAPIResponse[Any]) -> AsyncGenerator[bytes]:
    """The payload of each `data:` line, or the whole body of a server that does not stream.

    Split here and not by the HTTP client, whose lines also end at characters that JSON may hold.
    Raises: ChatFailure when the answer grows out of bounds.
    """
    content_type = response.headers.get("content-type", "")
    if "html" in content_type:
        raise ChatFailure(lambda words: words.not_understood)
    streams = "json" not in content_type
    rest = bytearray()
    read = 0
    async for block in response.iter_bytes():
        read += len(block)
        if read > RESPONSE_BYTES_MAX:
            raise ChatFailure(lambda words: words.endless)
        rest += block
        if not streams or b"\n" not in block:
            continue
        *lines, last = bytes(rest).split(b"\n")
        rest = bytearray(last)
        for line in lines:
            if payload := payload_of(line):
                yield payload
        # Blocks that are already buffered never yield to the loop: other streams would stand still.
        await asyncio.sleep(0)
    if payload := payload_of(bytes(rest)) if streams else bytes(rest):
        yield payload


def payload_of(line: bytes) -> bytes:
    return line.removeprefix(b"data:").strip() if line.startswith(b"data:") else b""


def drop_pictures(messages: list[Message]) -> bool:
    """Take all pictures out of a request, in place; whether there were any."""
    dropped = False
    for message in messages:
        if isinstance(message.get("content"), list):
            texts = [part["text"] for part in message["content"] if part["type"] == "text"]
            message["content"] = "\n".join(texts)
            dropped = True
    return dropped


def pad_thoughts(messages: list[Message]) -> None:
    """Give every past answer thoughts, a blank where they are gone: empty ones are refused."""
    for message in messages:
        if message["role"] == "assistant":
            message.setdefault("reasoning_content", " ")


def open_chat_model(loaded: Loaded, demo_base_url: str) -> ChatModel:
    """The chat model of the settings; with neither key nor base URL the demo provider's.

    `demo_base_url` is the demo provider's address without its `/v1`. Nothing is asked of any server
    yet.
    """
    settings = loaded.settings
    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else None
    base_url = settings.openai_base_url
    if key is None and base_url is None:
        return ChatModel(
            client=open_client(f"{demo_base_url.rstrip('/')}/v1", "none"),
            name=DEMO_MODEL,
            server=host_of(demo_base_url),
            key_setting="OPENAI_API_KEY",
            source="built in",
            demo=True,
            sees=False,
        )
    decided_by = "openai_base_url" if base_url else "openai_api_key"
    at_openai = host_of(base_url or OPENAI_BASE_URL) == host_of(OPENAI_BASE_URL)
    by_default = at_openai and settings.chat_model is None
    return ChatModel(
        client=open_client(base_url or OPENAI_BASE_URL, key or "none"),
        name=DEFAULT_MODEL if by_default else settings.chat_model or "",
        server=host_of(base_url or OPENAI_BASE_URL),
        key_setting=f"OPENAI_API_KEY ({loaded.origin('openai_api_key')})"
        if key
        else "OPENAI_API_KEY",
        source=f"{decided_by.upper()}, {loaded.origin(decided_by)}",
        extras=dict(DEFAULT_EXTRAS) if by_default else {},
    )


def open_client(base_url: str, key: str) -> AsyncOpenAI:
    """The SDK's client with our settings only: it would also read an organisation from the
    environment.
    """
    # A proxy of the environment cannot reach a server on this machine.
    trust_env = urlsplit(base_url).hostname not in LOOPBACK_HOSTS
    client = AsyncOpenAI(
        api_key=key,
        base_url=base_url,
        max_retries=RETRIES_MAX,
        timeout=httpx2.Timeout(ANSWER_WITHIN_S, connect=CONNECT_WITHIN_S),
        http_client=openai.DefaultAsyncHttpxClient(trust_env=trust_env),
    )
    client.organization = client.project = None
    return client


def host_of(url: str) -> str:
    """Host and port of an address, without a login that may stand in it."""
    return urlsplit(url).netloc.rpartition("@")[2]

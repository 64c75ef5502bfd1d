"""OpenAI's chat wire over the brain: `GET /v1/models`, `POST /v1/chat/completions`.

Deterministic: the same request gets the same ids and the same words.
"""

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from emulators.brain.answer import Answer, answer
from emulators.broken_answers import CutShort, Dropped, Hanging, refusal
from emulators.runpod_wire import desk_of
from emulators.submit import read_body

MODEL = "demo-chat"
ARGUMENT_PIECE_CHARS = 24
MAX_BODY_BYTES = 64_000_000


def wrong(message: str, param: str | None = None) -> Response:
    """Return a refusal in OpenAI's shape."""
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": None}
    return JSONResponse({"error": error}, status_code=400)


async def models(_: Request) -> Response:
    """`GET /v1/models`"""
    model = {"id": MODEL, "object": "model", "created": 1763769600, "owned_by": "kinora-demo"}
    return JSONResponse({"object": "list", "data": [model]})


async def chat(request: Request) -> Response:
    """`POST /v1/chat/completions`"""
    fault = desk_of(request).faults.take("chat", MODEL)
    match fault.fault if fault else None:
        case "drop_before":
            return Dropped()
        case "hang":
            return Hanging()
        case "status" if fault:
            return refusal(fault)
    content = await read_body(request, MAX_BODY_BYTES)
    if content is None:
        return wrong(f"the body is over {MAX_BODY_BYTES} bytes")
    try:
        body = json.loads(content)
    except ValueError:
        return wrong("the body is not valid JSON")
    if problem := check(body):
        return wrong(*problem)
    reply = answer(body["messages"], body.get("tools") or [])
    completion = Completion(body, reply, hashlib.sha256(content).hexdigest())
    if fault and fault.fault == "malformed":
        return Response(b'data: {"choices": [{"de\n\n', media_type="text/event-stream")
    if not body.get("stream"):
        return JSONResponse(completion.whole())
    stream = StreamingResponse(completion.stream(), media_type="text/event-stream")
    return CutShort(stream, whole_pieces=3) if fault and fault.fault == "drop_after" else stream


def check(body: object) -> tuple[str, str | None] | None:
    """Return what is wrong with a request body and where, or None."""
    if not isinstance(body, dict):
        return "the body must be an object", None
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        return "`messages` must be a list with at least one message", "messages"
    if not all(isinstance(m, dict) and isinstance(m.get("role"), str) for m in messages):
        return "each message must be an object with a role", "messages"
    tools = body.get("tools") or []
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        return "`tools` must be a list of objects", "tools"
    return None


class Completion:
    """One answer in OpenAI's clothes."""

    def __init__(self, body: dict[str, Any], reply: Answer, digest: str) -> None:
        self._reply = reply
        self._model = str(body.get("model") or MODEL)
        options = body.get("stream_options") or {}
        self._with_usage = isinstance(options, dict) and bool(options.get("include_usage"))
        self._prompt_chars = sum(len(str(m.get("content") or "")) for m in body["messages"])
        self._id = f"chatcmpl-{digest[:24]}"
        self._call_ids = [f"call_{digest[24:40]}{at}" for at in range(len(reply.calls))]
        self._created = int(time.time())

    @property
    def _finish_reason(self) -> str:
        return "tool_calls" if self._reply.calls else "stop"

    def _usage(self) -> dict[str, int]:
        prompt = self._prompt_chars // 4 + 1
        said = len(self._reply.text) + sum(len(call.arguments) for call in self._reply.calls)
        completion = said // 4 + 1
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        }

    def whole(self) -> dict[str, Any]:
        """Return the answer in one piece."""
        message: dict[str, Any] = {"role": "assistant", "content": self._reply.text or None}
        if self._reply.calls:
            message["tool_calls"] = [
                {
                    "id": call_id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments},
                }
                for call_id, call in zip(self._call_ids, self._reply.calls, strict=True)
            ]
        choice = {"index": 0, "message": message, "finish_reason": self._finish_reason}
        return {
            "id": self._id,
            "object": "chat.completion",
            "created": self._created,
            "model": self._model,
            "choices": [choice],
            "usage": self._usage(),
        }

    def _chunk(self, choices: list[dict[str, Any]], **more: object) -> bytes:
        chunk = {
            "id": self._id,
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": self._model,
            "choices": choices,
            **more,
        }
        return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n".encode()

    def _delta(self, delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
        return self._chunk([{"index": 0, "delta": delta, "finish_reason": finish_reason}])

    def _call_deltas(self) -> Iterator[bytes]:
        for at, call in enumerate(self._reply.calls):
            head = {"name": call.name, "arguments": ""}
            begin = {"index": at, "id": self._call_ids[at], "type": "function", "function": head}
            yield self._delta({"tool_calls": [begin]})
            for start in range(0, len(call.arguments), ARGUMENT_PIECE_CHARS):
                piece = call.arguments[start : start + ARGUMENT_PIECE_CHARS]
                part = {"index": at, "function": {"arguments": piece}}
                yield self._delta({"tool_calls": [part]})

    async def stream(self) -> AsyncIterator[bytes]:
        """Yield the answer as server-sent events, at a pace that can be seen."""
        yield self._delta({"role": "assistant"})
        for piece in self._reply.pieces():
            await asyncio.sleep(self._reply.pause_s)
            yield self._delta({"content": piece})
        for delta in self._call_deltas():
            yield delta
        yield self._delta({}, self._finish_reason)
        if self._with_usage:
            yield self._chunk([], usage=self._usage())
        yield b"data: [DONE]\n\n"


ROUTES = [
    Route("/v1/models", models, methods=["GET"]),
    Route("/v1/chat/completions", chat, methods=["POST"]),
]

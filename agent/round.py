"""One answer of a chat model, put together by hand from its stream.

Servers that speak "OpenAI" differ in every detail of a streamed tool call (PROVIDERS section 13),
so nothing is taken for granted: a call may come in one piece or in many, without an id, with the
name repeated, with index null or always 0, with its arguments as an object, and under
`finish_reason` "stop". What counts is only what was really said.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.failure import ChatFailure, stream_failure
from agent.history import as_object_text, clean
from tools.reading import ARGUMENTS_BYTES_MAX

DONE = b"[DONE]"
NAME_CHARS_MAX = 100


@dataclass(slots=True)
class Call:
    """A tool call while it is being put together; `echo` is what the server wants to have back with
    it.
    """

    index: int | None
    id: str
    name: str = ""
    announced: bool = False
    echo: dict[str, Any] = field(default_factory=dict)
    pieces: list[str] = field(default_factory=list)
    chars: int = 0

    @property
    def arguments(self) -> str:
        return "".join(self.pieces)

    def add(self, piece: str) -> None:
        """Take a piece of the arguments; past the bound they are refused anyway."""
        if self.chars <= ARGUMENTS_BYTES_MAX:
            self.pieces.append(piece)
            self.chars += len(piece)

    def is_complete(self) -> bool:
        """Whether the arguments are a whole JSON object, so that nothing can belong behind them."""
        text = self.arguments.strip()
        return text.startswith("{") and text.endswith("}") and parses(text)


class Round:
    """What one request brought: text, calls in their order, and whether it came to its end."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.finish_reason = ""
        self.ended = False
        self._text: list[str] = []
        self._thoughts: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self._text)

    def take(self, payload: bytes) -> tuple[str, list[Call]]:
        """Take one `data:` line: the new text, and the calls newly named. Raises: ChatFailure."""
        if payload == DONE:
            self.ended = True
            return "", []
        try:
            chunk = json.loads(payload)
        except (ValueError, RecursionError) as error:
            raise ChatFailure(lambda words: words.not_understood) from error
        if not isinstance(chunk, dict):
            raise ChatFailure(lambda words: words.not_understood)
        if chunk.get("error") or chunk.get("object") == "error":
            raise stream_failure(chunk)
        choices = chunk.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, dict):
            return "", []
        # A server that does not stream at all sends a `message` where the others send a `delta`.
        delta = choice.get("delta") or choice.get("message") or {}
        if choice.get("finish_reason"):
            self.finish_reason = str(choice["finish_reason"])
            self.ended = True
        return self._take_delta(delta) if isinstance(delta, dict) else ("", [])

    def _take_delta(self, delta: dict[str, Any]) -> tuple[str, list[Call]]:
        text = clean(text_of(delta.get("content")) + text_of(delta.get("refusal")))
        if text:
            self._text.append(text)
        self._thoughts.append(clean(text_of(delta.get("reasoning_content"))))
        named = []
        for piece in delta.get("tool_calls") or ():
            if isinstance(piece, dict) and (call := self._take_call(piece)).name:
                if not call.announced:
                    named.append(call)
                call.announced = True
        return text, named

    def _take_call(self, piece: dict[str, Any]) -> Call:
        function = piece.get("function")
        function = function if isinstance(function, dict) else {}
        name = clean(text_of(function.get("name")))[:NAME_CHARS_MAX]
        sent = function.get("arguments")
        arguments = sent if isinstance(sent, str) else json.dumps(sent) if sent else ""
        call = self._call_for(piece, name, arguments)
        call.name = call.name or name
        call.id = call.id or text_of(piece.get("id"))
        if isinstance(piece.get("extra_content"), dict):
            call.echo["extra_content"] = piece["extra_content"]
        if arguments and not (name and call.is_complete()):
            call.add(arguments)
        return call

    def _call_for(self, piece: dict[str, Any], name: str, arguments: str) -> Call:
        """The call that a piece belongs to; a new one where it can belong to none so far."""
        index = piece.get("index")
        index = index if isinstance(index, int) else None
        known = [c for c in self.calls if index is None or c.index == index]
        if not known or begins_anew(known[-1], text_of(piece.get("id")), name, arguments):
            self.calls.append(Call(index, text_of(piece.get("id"))))
            return self.calls[-1]
        return known[-1]

    def cut(self) -> None:
        """End the answer here, on our side; what it had begun to call is dropped."""
        self.calls.clear()
        self.ended = True

    def check_whole(self) -> None:
        """Raises: ChatFailure where the answer was cut off: then no call of it may be run."""
        if not self.ended:
            raise ChatFailure(lambda words: words.cut_off)
        if self.finish_reason == "content_filter" and not self.calls:
            raise ChatFailure(lambda words: words.filtered)

    def message(self, ids: Iterator[str]) -> tuple[dict[str, Any], list[str]]:
        """The answer as it goes back to the model, and the ids of its calls.

        Ids are ours. Thoughts go back under the name they came in: some servers refuse a call that
        lost them.
        """
        taken = [next(ids) for _ in self.calls]
        calls = [
            {
                "id": call_id,
                "type": "function",
                "function": {"name": call.name, "arguments": as_object_text(call.arguments)},
                **call.echo,
            }
            for call_id, call in zip(taken, self.calls, strict=True)
        ]
        message = {"role": "assistant", "content": self.text or None, "tool_calls": calls}
        if thoughts := "".join(self._thoughts):
            message["reasoning_content"] = thoughts
        return message, taken


def begins_anew(call: Call, call_id: str, name: str, arguments: str) -> bool:
    """Whether a piece at the same index begins another call: some servers number every call 0, or
    none.
    """
    if not name:
        return False
    other_id = bool(call_id and call.id and call_id != call.id)
    if not call.pieces:
        return other_id
    if not call.is_complete():
        return False
    return other_id or bool(arguments and arguments != call.arguments)


def text_of(value: object) -> str:
    """The text of a field that may be missing, null, or a list of typed parts."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        parts = [part for part in value if isinstance(part, Mapping)]
        return "".join(str(p.get("text") or "") for p in parts if p.get("type") == "text")
    return ""


def parses(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True

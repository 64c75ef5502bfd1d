"""One message of the old chat in each of the forms that its parts and attachments took.

Facts of https://github.com/fortunto2/super-chatbot: hooks/use-chat-image-websocket.ts (what it
saved when a picture came), lib/db/helpers/01-core-to-parts.ts (what the deprecated messages hold).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.old_systems.chatbot_media import document_id, document_kind
from tests.old_systems.chatbot_tables import Chatbot
from tests.old_systems.superduper import File

_MEDIA_TYPES = {"image": "image/webp", "video": "video/mp4"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one message holds."""

    parts: list[dict[str, Any]]
    attachments: list[dict[str, Any]] = field(default_factory=list)
    #: Files of the media backend that it names.
    file_ids: tuple[str, ...] = ()


def deprecated_content(chatbot: Chatbot, n: int, *, is_answer: bool) -> list[tuple[str, Any]]:
    """Role and content of the rows that one turn became: some answers are a call, its result and
    words, in three rows.
    """
    text = _words(chatbot, n)
    if not is_answer:
        return [("user", text if n % 4 else [{"type": "text", "text": text}])]
    if n % 4 != 3:
        return [("assistant", [{"type": "text", "text": text}] if n % 2 else text)]
    call = {"type": "tool-call", "toolCallId": f"call_{n}", "toolName": "createDocument"}
    result = {**call, "type": "tool-result", "result": _document(chatbot, n)}
    return [
        ("assistant", [{**call, "args": {"kind": "image"}}]),
        ("tool", [result]),
        ("assistant", [{"type": "text", "text": text}]),
    ]


def _words(chatbot: Chatbot, n: int) -> str:
    return f"{chatbot.chance.text(n)} (word{n})"


def _text(chatbot: Chatbot, n: int) -> dict[str, Any]:
    return {"type": "text", "text": _words(chatbot, n)}


def _file(chatbot: Chatbot, n: int) -> File | None:
    """A file behind those that media and documents name; round and round, where they are few."""
    begin = chatbot.media + chatbot.documents
    spare = chatbot.files.completed_count - begin
    return chatbot.file(begin + n // 2 % spare) if spare > 0 else None


def _document(chatbot: Chatbot, n: int) -> dict[str, Any]:
    at = n % max(chatbot.documents, 1)
    return {
        "id": document_id(chatbot, at),
        "title": f"Document {at}",
        "kind": document_kind(at),
        "content": "A document was created and is now visible to the user.",
    }


def question(chatbot: Chatbot, n: int) -> Turn:
    """Words of a person."""
    return Turn(parts=[_text(chatbot, n)])


def question_with_upload(chatbot: Chatbot, n: int) -> Turn:
    """Words and a picture that the person gave."""
    url = f"{chatbot.base_url}/upload/{chatbot.chance.id('upload', n)}.png"
    upload = {"name": f"photo {n}.png", "url": url, "contentType": "image/png"}
    return Turn(parts=[_text(chatbot, n)], attachments=[upload])


def answer(chatbot: Chatbot, n: int) -> Turn:
    """Words, after some thinking that nobody read."""
    return Turn(
        parts=[
            {"type": "step-start"},
            {"type": "reasoning", "reasoning": "hm", "details": [{"type": "text", "text": "hm"}]},
            _text(chatbot, n),
        ]
    )


def named_attachment(chatbot: Chatbot, n: int) -> Turn:
    """A picture of the media backend, whose id stands in the attachment's name."""
    file = _file(chatbot, n)
    if file is None:
        return answer(chatbot, n)
    attachment = {
        "name": f"[FILE_ID:{file.id}] {file.prompt}",
        "url": file.url,
        "contentType": _MEDIA_TYPES.get(file.type, "audio/wav"),
        "thumbnailUrl": f"{file.url}?thumbnail",
    }
    words = {"type": "text", "text": f"Here it is (word{n})"}
    return Turn(parts=[words], attachments=[attachment], file_ids=(file.id,))


def generated_attachment(chatbot: Chatbot, n: int) -> Turn:
    """A picture that is known by its address only."""
    url = f"{chatbot.base_url}/image/{chatbot.chance.id('attached', n)}.png"
    attachment = {
        "name": f"generated-image-{1_700_000_000_000 + n}.webp",
        "url": url,
        "contentType": "image/webp",
    }
    words = {"type": "text", "text": f"Image generated successfully (word{n})"}
    return Turn(parts=[words], attachments=[attachment])


def tool_invocation(chatbot: Chatbot, n: int) -> Turn:
    """A tool's answer as the fourth version of the SDK wrote it: a document."""
    invocation = {
        "state": "result",
        "step": 0,
        "toolCallId": f"call_{n}",
        "toolName": "createDocument",
        "args": {"title": "A picture", "kind": "image"},
        "result": _document(chatbot, n),
    }
    part = {"type": "tool-invocation", "toolInvocation": invocation}
    return Turn(parts=[{"type": "step-start"}, part, _text(chatbot, n)])


def tool_output(chatbot: Chatbot, n: int) -> Turn:
    """A tool's answer as the fifth version wrote it: a file of the media backend."""
    file = _file(chatbot, n)
    if file is None:
        return answer(chatbot, n)
    part = {
        "type": "tool-configureImageGeneration",
        "toolCallId": f"call_{n}",
        "state": "output-available",
        "input": {"prompt": file.prompt},
        "output": {"fileId": file.id, "requestId": chatbot.chance.id("request of tool", n)},
    }
    return Turn(parts=[part, _text(chatbot, n)], file_ids=(file.id,))


def file_part(chatbot: Chatbot, n: int) -> Turn:
    """A part that is a file itself."""
    url = f"{chatbot.base_url}/image/{chatbot.chance.id('part', n)}.png"
    part = {"type": "file", "mediaType": "image/png", "filename": "a fox.png", "url": url}
    return Turn(parts=[_text(chatbot, n), part])


def artifact(chatbot: Chatbot, n: int) -> Turn:
    """The JSON by which the page drew a picture, between fences in the text."""
    file = _file(chatbot, n)
    if file is None:
        return answer(chatbot, n)
    drawn = {
        "status": "completed",
        "projectId": chatbot.files.project(0),
        "requestId": chatbot.chance.id("request of artifact", n),
        "fileId": file.id,
        "imageUrl": file.url,
    }
    text = f"{_words(chatbot, n)}\n\n```json\n{json.dumps(drawn, indent=2)}\n```"
    return Turn(parts=[{"type": "text", "text": text}], file_ids=(file.id,))


Make = Callable[[Chatbot, int], Turn]
QUESTIONS: tuple[Make, ...] = (question, question, question, question_with_upload, question)
ANSWERS: tuple[Make, ...] = (
    *(answer, named_attachment, answer, tool_invocation, answer, tool_output),
    *(answer, file_part, generated_attachment, answer, artifact),
)

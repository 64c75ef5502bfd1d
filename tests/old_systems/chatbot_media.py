"""What people made in the old chat, as its own tables tell of it: media, and documents with all
their versions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.old_systems.account import Account
from tests.old_systems.chatbot_tables import Chatbot, copy_rows

MEDIA_COLUMNS = (
    *("id", "userId", "sessionId", "type", "url", "prompt", "model", "settings"),
    *("requestId", "fileId", "thumbnailUrl", "createdAt"),
)
DOCUMENT_COLUMNS = ("id", "createdAt", "title", "content", "text", "userId")
_WRITTEN = {
    "text": "# A plan\n\nFirst the harbour, then the *fox*.\n",
    "code": "print('a fox')\nprint(1 < 2)\n",
    "sheet": 'scene,seconds\nharbour,4\n"fox, red",6\n',
}
#: Kilobytes that every picture's document carries along.
_LISTS = {
    "availableResolutions": [
        {"width": 64 * n, "height": 36 * n, "label": f"{64 * n}x{36 * n}", "aspectRatio": "16:9"}
        for n in range(12, 24)
    ],
    "availableStyles": [{"id": f"flux_style_{n}", "label": f"Style {n}"} for n in range(80)],
    "availableShotSizes": [{"id": f"shot-{n}", "label": f"Shot {n}"} for n in range(8)],
    "availableModels": [{"id": f"comfyui/model-{n}", "label": f"Model {n}"} for n in range(20)],
}


def write_media(chatbot: Chatbot, url: str, account: Account) -> None:
    """Fill `GeneratedMedia`."""
    rows = (_medium(chatbot, n, account) for n in range(chatbot.media))
    account.tables["GeneratedMedia"] = copy_rows(url, "GeneratedMedia", MEDIA_COLUMNS, rows)


def _medium(chatbot: Chatbot, n: int, account: Account) -> tuple[Any, ...]:
    """Half of them name a file of the media backend: by its id, by the request's, or by both; one
    in ten names a file that nobody knows.
    """
    chance = chatbot.chance
    media_id = chance.id("media", n)
    file = chatbot.file(n) if n % 10 < 5 else None
    type_, place = ("image", "png") if n % 3 else ("video", "mp4")
    url = f"{chatbot.base_url}/{type_}/{media_id}.{place}"
    file_id = request_id = None
    if file is not None:
        type_, url = file.type, file.url or url
        file_id = file.id if n % 10 != 3 else None
        request_id = {3: file.id, 4: chance.id("request", n)}.get(n % 10)
        account.shared_media += 1
    else:
        file_id = chance.id("unknown file", n) if n % 10 == 5 else None
        account.own_media += 1
    session_id = f"session-{n % 5}" if n % 4 == 1 else None
    user_id = chatbot.user(n)[0] if session_id is None else None
    owner = f"chatbot:user:{user_id}" if user_id else f"chatbot:session:{session_id}"
    account.owners[owner] += 1
    settings = {"style": "flux_watercolor", "seed": n, "resolution": "1344x768", "duration": 5}
    return (
        *(media_id, user_id, session_id, type_, url, chance.prompt("media", n), "comfyui/flux"),
        *(json.dumps(settings) if n % 3 else None, request_id, file_id),
        *(f"{url}?thumbnail" if n % 2 else None, chatbot.stamp(n)),
    )


def write_documents(chatbot: Chatbot, url: str, account: Account) -> None:
    """Fill `Document`."""
    rows = (row for n in range(chatbot.documents) for row in _versions(chatbot, n, account))
    account.tables["Document"] = copy_rows(url, "Document", DOCUMENT_COLUMNS, rows)


def _versions(chatbot: Chatbot, n: int, account: Account) -> Iterator[tuple[Any, ...]]:
    kind = document_kind(n)
    account.documents[kind] += 1
    count = 1 + n % 3
    title = f"Document {n}"
    if kind == "image" and n % 2:
        title = json.dumps({"prompt": chatbot.chance.prompt("document", n)})
    for version in range(count):
        content = _WRITTEN.get(kind, "") + f"\nVersion {version} of document{n}."
        if kind == "image":
            content = json.dumps(_picture(chatbot, n, is_last=version == count - 1))
        moment = chatbot.stamp(n * 4 + version)
        yield document_id(chatbot, n), moment, title, content, kind, chatbot.user(n)[0]


def document_id(chatbot: Chatbot, n: int) -> str:
    """The id of the n-th document, round and round."""
    return chatbot.chance.id("document", n % max(chatbot.documents, 1))


def document_kind(n: int) -> str:
    """Three of four are pictures."""
    return [*_WRITTEN][n // 4 % 3] if n % 4 == 3 else "image"


def _picture(chatbot: Chatbot, n: int, *, is_last: bool) -> dict[str, Any]:
    """Every second one names a file of the media backend, from behind those of the media rows."""
    chance = chatbot.chance
    file = chatbot.file(chatbot.media + n) if n % 2 == 0 else None
    content: dict[str, Any] = {
        "status": "completed" if is_last else "pending",
        "projectId": chatbot.files.project(n % max(chatbot.files.projects, 1)),
        "requestId": chance.id("request of document", n),
        "prompt": file.prompt if file else chance.prompt("document", n),
        "style": {"id": "flux_watercolor", "label": "Watercolor"},
        "resolution": {"width": 1344, "height": 768, "label": "1344x768", "aspectRatio": "16:9"},
        "model": {"id": "comfyui/flux", "label": "Flux"},
        "shotSize": {"id": "medium-shot", "label": "Medium Shot"},
        "negativePrompt": "blurry",
        "seed": 40_000 + n,
        **_LISTS,
    }
    if file is not None:
        content["fileId"] = file.id
    if is_last:
        own = f"{chatbot.base_url}/image/{chance.id('picture of document', n)}.png"
        content["imageUrl"] = file.url if file else own
    return content

"""What the old chat's tools answered: documents they made, and media they tell of.

An answer may be anything, so it is looked through for objects that name such a thing, to a depth
and a number that no real one reaches.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from importing.drafts import Kind, Medium
from importing.mapping.addresses import kind_of_type, kind_of_word, type_by_url, type_of, usable_url
from importing.mapping.documents import WRITTEN_KINDS
from importing.mapping.drafting import file_names, limited_prompt
from importing.mapping.mentions import Gathered
from importing.reading.values import first, opened, parsed, read_id

NODES_MAX = 400
_FENCE, _FENCE_END = "```json", "```"
_URLS: tuple[tuple[str, Kind | None], ...] = (
    ("imageUrl", "image"),
    ("image_url", "image"),
    ("videoUrl", "video"),
    ("video_url", "video"),
    ("audioUrl", "audio"),
    ("audio_url", "audio"),
    ("download_url", None),
    ("url", None),
)
_ORDERS = ("image_generation", "video_generation", "audio_generation")
_TOOL_KINDS: tuple[tuple[str, Kind], ...] = (
    ("video", "video"),
    ("audio", "audio"),
    ("music", "audio"),
    ("voice", "audio"),
    ("speech", "audio"),
    ("sound", "audio"),
)
_ARTIFACT_IDS = ("fileId", "requestId", "projectId")


def look_through(result: Any, gathered: Gathered, tool: Any = None) -> None:
    """Note every document and medium that a tool's answer names."""
    name = tool.lower() if isinstance(tool, str) else ""
    kind_of_tool = next((kind for word, kind in _TOOL_KINDS if word in name), None)
    open_nodes = [result]
    for _ in range(NODES_MAX):
        if not open_nodes:
            return
        node = opened(open_nodes.pop())
        if isinstance(node, Mapping):
            if not _note(node, gathered, kind_of_tool):
                open_nodes.extend(reversed([*node.values()][:NODES_MAX]))
        elif isinstance(node, list):
            open_nodes.extend(reversed(node[:NODES_MAX]))
    gathered.remarks.append("tool_result_cut")


def without_artifacts(text: str, gathered: Gathered) -> str:
    """The text without the JSON by which the old page drew a picture; the picture is noted."""
    if not any(key in text for key in _ARTIFACT_IDS):
        return text
    bare = text.strip()
    if bare.startswith("{") and bare.endswith("}"):
        return "" if _is_artifact(parsed(bare), gathered) else text
    before, *blocks = text.split(_FENCE)
    kept = [before]
    for block in blocks:
        body, end, after = block.partition(_FENCE_END)
        is_artifact = bool(end) and _is_artifact(parsed(body), gathered)
        kept.append(after if is_artifact else _FENCE + block)
    return "".join(kept)


def _is_artifact(node: Any, gathered: Gathered) -> bool:
    """Whether this is the JSON of a picture; if so it is noted."""
    if not isinstance(node, Mapping) or first(node, "status") is None:
        return False
    if first(node, *_ARTIFACT_IDS) is None:
        return False
    if not _note(node, gathered, None):
        gathered.remarks.append("artifact_without_file")
    return True


def _note(node: Mapping[str, Any], gathered: Gathered, kind_of_tool: Kind | None) -> bool:
    """Note what this object names; False: it names nothing itself."""
    kind_word = node.get("kind")
    own_id = read_id(node.get("id"))
    if own_id and isinstance(kind_word, str) and kind_word in WRITTEN_KINDS:
        gathered.documents[own_id] = None
        return True
    document = own_id if own_id and kind_of_word(kind_word) else None
    is_file = own_id is not None and any(key in node for key in _ORDERS)
    file_id = read_id(first(node, "fileId", "file_id")) or (own_id if is_file else None)
    request_id = read_id(first(node, "requestId", "request_id"))
    own = (f"chatbot:document:{document}",) if document else ()
    names = file_names(file_id, request_id, own)
    url, kind_of_key = _url(node)
    said = first(node, "kind", "type", "contentType", "mediaType", "mimeType")
    kind = kind_of_word(said) or kind_of_key or kind_of_type(type_by_url(url))
    # An address alone may be that of a page somewhere.
    if not names and (url is None or kind is None):
        return False
    kind = kind or kind_of_tool or "image"
    medium = Medium(url=url, media_type=type_of(url, kind, said)) if url else None
    told = node.get("prompt")
    prompt, _ = limited_prompt(told if isinstance(told, str) else None, "prompt", gathered.remarks)
    gathered.mention(names, kind, medium, prompt=prompt)
    return True


def _url(node: Mapping[str, Any]) -> tuple[str | None, Kind | None]:
    """The address, and the kind that the name of its field tells."""
    for key, kind in _URLS:
        url = usable_url(node.get(key))
        if url is not None:
            return url, kind
    return None, None

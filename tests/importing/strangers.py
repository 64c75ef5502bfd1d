"""Rows as strangers make them: the right fields with anything in them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

PLAUSIBLE = [
    *("", " ", "image", "video", "voiceover", "text", "sheet", "code", "other", "completed"),
    *("error", "in_progress", "user", "assistant", "tool", "file", "tool-invocation", "tool-x"),
    *("tool-result", "https://x.example/a.png", "https://[", "http://", "blob:x", "data:,"),
    *("data:image/png;base64,AAAA", "[FILE_ID:abc] fox", "[FILE_ID:", "![a](https://x.example)"),
    *('{"status": "completed", "requestId": "r", "imageUrl": "https://x.example/a.png"}', "[{}]"),
    *("[" * 3000, '{"fileId": ' * 500, "2025-06-14", "infinity", "a@b.example", "1024x768"),
    *("guest-17", "\0", "\ud800", "a" * 300, "9" * 5000, "1e999"),
    *(0, -1, 5, 10**30, 10**400, 1.5, float("nan"), float("inf"), True, False, None),
]
FIELDS = [
    *("id", "file_id", "fileId", "requestId", "type", "kind", "text", "status", "prompt", "url"),
    *("imageUrl", "settings", "content", "title", "parts", "attachments", "name", "contentType"),
    *(
        "image_generation",
        "tasks",
        "references",
        "width",
        "seed",
        "duration",
        "style",
        "resolution",
    ),
    *("model", "shotSize", "negativePrompt", "createdAt", "created_at", "userId", "user_id"),
    *("projectId", "chatId", "messageId", "role", "email", "toolInvocation", "result", "output"),
    *("toolName", "data", "mimeType", "isUpvoted", "error", "label", "visibility", "generation"),
]
_LEAVES = st.one_of(
    st.sampled_from(PLAUSIBLE),
    st.text(max_size=20),
    st.integers(),
    st.floats(),
)


def _within(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    keys = st.one_of(st.sampled_from(FIELDS), st.text(max_size=5))
    return st.one_of(st.lists(children, max_size=4), st.dictionaries(keys, children, max_size=6))


ANYTHING = st.recursive(_LEAVES, _within, max_leaves=8)


def _joined(drawn: tuple[bool, dict[str, Any], dict[str, Any]]) -> dict[str, Any]:
    others_win, fixed, others = drawn
    return {**fixed, **others} if others_win else {**others, **fixed}


def rows(**fields: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Rows with these fields, mostly as given so that they get past the first look, and a few
    others with anything in them.
    """
    fixed = st.fixed_dictionaries({key: st.just(value) for key, value in fields.items()})
    others = st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=6)
    either = st.tuples(st.booleans(), fixed, others)
    return either.map(_joined)

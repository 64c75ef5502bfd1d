"""What comes in on the chat's socket, before the framework sees it.

The framework believes its page: a message may name its author, its type and its thread, and an
event of a feature that is switched off is served all the same. Here the events are fronted: the few
that the page needs pass with what we know ourselves in place of what the client says, and all
others fall silent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog

log = structlog.get_logger(__name__)

Handler = Callable[..., Awaitable[Any]]
#: The framework's session of a socket, which has a `thread_id`; None when there is none (any more).
SessionOf = Callable[[str], Any]
#: Runs the framework's part of a connection, perhaps later; False when the page has gone meanwhile.
Patiently = Callable[[str, Callable[[], Awaitable[Any]]], Awaitable[Any]]
#: Gives a message (its step) back to the page of a session, since its files are not here.
GiveBack = Callable[[Any, dict[str, Any]], Awaitable[None]]

#: About the session itself; they carry nothing.
PLAIN = frozenset({"connection_successful", "clear_session", "disconnect", "stop"})
CHECKED = frozenset({"connect", "client_message"})
#: Features that are off: their handlers would act on what the client says, or run a turn again.
SILENT = frozenset(
    {
        *("edit_message", "message_favorite", "fetch_favorites", "window_message"),
        *("audio_start", "audio_chunk", "audio_end"),
        *("chat_settings_change", "chat_settings_edit"),
    }
)
PAGES = ("webapp", "copilot")
FILES_MAX = 8


def front(
    handlers: dict[str, Handler],
    session_of: SessionOf,
    author_of: Callable[[Any], str],
    patiently: Patiently,
    give_back: GiveBack,
) -> None:
    """Put ours before the framework's handlers of socket events, in their own table.

    Only once: the table outlives a reload of the chat.
    """
    for name in list(handlers):
        if name in PLAIN:
            handlers[name] = _plain(handlers[name], session_of)
        elif name not in CHECKED:
            handlers[name] = _silent
    handlers["connect"] = _connect(handlers["connect"], session_of, patiently)
    handlers["client_message"] = _message(
        handlers["client_message"], session_of, author_of, give_back
    )


async def _silent(sid: str, *_: object) -> None:
    """Nothing happens."""


def _is_genuine(environ: object) -> bool:
    """Whether the library made this of a handshake. A client may send an event of this name too,
    with headers of its own invention; what it cannot send is a function.
    """
    return isinstance(environ, dict) and callable(environ.get("asgi.receive"))


def _plain(inner: Handler, session_of: SessionOf) -> Handler:
    async def pass_on(sid: str, *_: object) -> None:
        if session_of(sid) is not None:
            await inner(sid)

    return pass_on


def _connect(inner: Handler, session_of: SessionOf, patiently: Patiently) -> Handler:
    async def connect(sid: str, environ: object = None, auth: object = None, *_: object) -> Any:
        said = connection(auth)
        if said is None or not _is_genuine(environ):
            # This is how the socket's library is told to refuse.
            return False
        is_in = await patiently(sid, lambda: inner(sid, environ, said))
        if is_in:
            _go_on_in(session_of(sid), said["threadId"])
        return is_in

    return connect


def _go_on_in(session: Any, thread_id: str | None) -> None:
    """A page that comes back from another server is in a thread of which the session that it left
    here knows nothing: what it says now belongs there. Whose thread it is, was looked at before.
    """
    if session is None or thread_id is None or session.thread_id == thread_id:
        return
    session.thread_id = session.thread_id_to_resume = thread_id
    session.has_first_interaction = True


def _message(
    inner: Handler, session_of: SessionOf, author_of: Callable[[Any], str], give_back: GiveBack
) -> Handler:
    async def client_message(sid: str, payload: object = None, *_: object) -> None:
        session = session_of(sid)
        if session is None:
            return
        said = message(payload, author_of(session), session.thread_id)
        if said is None:
            # The page sends none such, so there is nobody to tell.
            log.info("message of a strange shape not taken")
            return
        if any(file["id"] not in session.files for file in said["fileReferences"]):
            # They lie where the page was before; the framework would answer without them.
            await give_back(session, said["message"])
            return
        await inner(sid, said)

    return client_message


def connection(auth: object) -> dict[str, Any] | None:
    """What a page says of itself when it connects, as far as we listen; None when it makes no
    sense. The session's id becomes a folder's name, so nothing but an id will do.
    """
    if not isinstance(auth, dict):
        return None
    session_id, thread_id = _id(auth.get("sessionId")), auth.get("threadId") or None
    if session_id is None or (thread_id is not None and _id(thread_id) is None):
        return None
    page = auth.get("clientType")
    return {
        "sessionId": session_id,
        "threadId": thread_id,
        "clientType": page if page in PAGES else PAGES[0],
        "userEnv": None,
        "chatProfile": None,
    }


def message(payload: object, author: str, thread_id: str) -> dict[str, Any] | None:
    """A person's message: their id for it, their words, their files; everything else is ours to
    say. None when there is no such message in it.
    """
    said = payload.get("message") if isinstance(payload, dict) else None
    if not isinstance(payload, dict) or not isinstance(said, dict):
        return None
    step_id, text, files = _id(said.get("id"), 4), said.get("output"), _files(payload)
    if step_id is None or not isinstance(text, str) or not (text.strip() or files):
        return None
    step: dict[str, Any] = {
        "id": step_id,
        "threadId": thread_id,
        "parentId": None,
        "name": author,
        "type": "user_message",
        "output": text,
        "createdAt": datetime.now(UTC).isoformat(),
        "metadata": {},
    }
    return {"message": step, "fileReferences": files}


def _files(payload: dict[Any, Any]) -> list[dict[str, str]]:
    """The files it names, once each; the framework looks for them in the session's own only."""
    named = payload.get("fileReferences")
    listed = named if isinstance(named, list) else []
    ids = [_id(one.get("id")) for one in listed if isinstance(one, dict)]
    return [{"id": known} for known in dict.fromkeys(ids) if known is not None][:FILES_MAX]


def _id(value: object, version: int | None = None) -> str | None:
    """The id as it was written, if it is written the one usual way."""
    if not isinstance(value, str):
        return None
    try:
        known = UUID(value)
    except ValueError:
        return None
    return value if str(known) == value and version in (None, known.version) else None

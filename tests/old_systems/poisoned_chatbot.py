"""A chat's database that was mended by hand, or filled by somebody ill-meant: no key holds, every
column takes everything, and what can be wrong with a row is wrong with one.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg

from tests.old_systems.chance import Chance
from tests.old_systems.chatbot_media import DOCUMENT_COLUMNS, MEDIA_COLUMNS
from tests.old_systems.chatbot_tables import copy_rows
from tests.old_systems.chatbot_talk import (
    CHAT_COLUMNS,
    DEPRECATED_COLUMNS,
    MESSAGE_COLUMNS,
    VOTE_COLUMNS,
)
from tests.old_systems.poison import IDS, MOMENTS, WRONG, addresses, flat

_CHANCE = Chance(667)
PERSON, CHAT = _CHANCE.id("person", 0), _CHANCE.id("chat", 0)
EMAIL = "poisoned@example.com"
_AT = "2024-05-05T10:00:00"
_TABLES = {
    "User": ("id", "email", "password", "balance"),
    "UserProject": ("userId", "projectId"),
    "GeneratedMedia": MEDIA_COLUMNS,
    "Document": DOCUMENT_COLUMNS,
    "Chat": CHAT_COLUMNS,
    "Message_v2": MESSAGE_COLUMNS,
    "Message": DEPRECATED_COLUMNS,
    "Vote_v2": VOTE_COLUMNS,
    "Vote": VOTE_COLUMNS,
}
_JSON = ("parts", "attachments", "settings", "isUpvoted", "balance")
_TEXTS = [one for one in (*MOMENTS, *IDS) if isinstance(one, str)]
#: Postgres itself takes neither in a text.
_CELLS = [text.replace("\0", "").replace("\ud800", "") for text in _TEXTS]
Rows = Iterator[tuple[Any, ...]]


@dataclass(slots=True)
class Poisoned:
    """What was put in."""

    #: Rows by table.
    tables: Counter[str] = field(default_factory=Counter)
    #: Messages of `CHAT` with which nothing is wrong, in their order: `PERSON`, who has the address
    #: `EMAIL`, is to find them.
    message_ids: list[str] = field(default_factory=list)


def write_poisoned_chatbot(url: str, hits: str) -> Poisoned:
    """Make the tables and fill them; of files the addresses lead to `hits`, or nowhere."""
    poisoned = Poisoned()
    with psycopg.connect(url) as connection:
        for name, columns in _TABLES.items():
            kept = {"content": "json" if name == "Message" else "text"}
            kept |= dict.fromkeys(_JSON, "json")
            typed = ", ".join(f'"{one}" {kept.get(one, "text")}' for one in columns)
            connection.execute(f'create table "{name}" ({typed})'.encode())
    rows: dict[str, Rows] = {
        "User": _users(),
        "UserProject": _projects(),
        "GeneratedMedia": _media(hits),
        "Document": _documents(hits),
        "Chat": _chats(),
        "Message_v2": _messages(hits, poisoned.message_ids),
        "Message": _deprecated(),
        "Vote_v2": _votes(),
        "Vote": _votes(),
    }
    for name, of_table in rows.items():
        poisoned.tables[name] = copy_rows(url, name, _TABLES[name], of_table)
    _write_bytes(url, poisoned)
    return poisoned


def _write_bytes(url: str, poisoned: Poisoned) -> None:
    """Bytes that are no text, where the database takes everything."""
    with psycopg.connect(url) as connection:
        if connection.info.parameter_status("server_encoding") != "SQL_ASCII":
            return
        connection.execute(b"set client_encoding to SQL_ASCII")
        connection.execute(
            b"insert into \"Chat\" values ('%s', '%s', E'caf\\xe9 \\xff', '%s', 'private')"
            % (_CHANCE.id("bytes", 0).encode(), _AT.encode(), PERSON.encode())
        )
        poisoned.tables["Chat"] += 1


def _id(n: int) -> str:
    return _CHANCE.id("row", n)


def _users() -> Rows:
    yield PERSON, EMAIL, "$2b$10$x", "0"
    yield PERSON, EMAIL, None, None
    yield _id(1), EMAIL.upper(), "$2b$10$x", "[]"
    for n, email in enumerate([None, "guest-1", "guest-x", "@", "a@b@c", "x" * 9999, *_CELLS], 2):
        yield _id(n), email, None, '"much"'
    yield from ((cell, "nobody@example.com", None, None) for cell in _CELLS)


def _projects() -> Rows:
    yield from ((PERSON, "7"), (PERSON, "7"), (_id(1), "7"), (None, "7"), (PERSON, None))
    yield from ((cell, cell) for cell in _CELLS)


def _media(hits: str) -> Rows:
    """Among them the same ids as in the poisoned dump, and one file that many rows name."""
    for n, address in enumerate(addresses(hits), 1000):
        yield _medium(n, url=address.replace("\0", ""), thumbnailUrl=address.replace("\0", ""))
    for n, wrong in enumerate(WRONG, 1200):
        yield _medium(n, settings=json.dumps(wrong))
    for n, cell in enumerate(_CELLS, 1300):
        yield _medium(n, fileId=cell, requestId=cell, userId=cell, sessionId=cell, type=cell)
        yield _medium(n, createdAt=cell)
        yield _medium(n, id=cell)
    for k in range(100, 130):
        file_id = flat(k)["file_id"]
        yield _medium(1400 + k, id=file_id, fileId=file_id, requestId=_id(k))
        yield _medium(1600 + k, fileId=file_id, requestId=flat(k + 1)["file_id"], type="video")
    yield tuple(None for _ in MEDIA_COLUMNS)


def _medium(n: int, **more: str | None) -> tuple[Any, ...]:
    row: dict[str, str | None] = dict.fromkeys(MEDIA_COLUMNS)
    row |= {"id": _id(n), "userId": PERSON, "type": "image", "createdAt": _AT}
    row |= {"url": f"https://media.superduper.invalid/image/{n}.png", "prompt": f"poison{n}"}
    return tuple((row | more).values())


def _documents(hits: str) -> Rows:
    contents = ["", "{", "null", "[]", "7", '{"status": "completed"}', "[" * 100_000, None]
    contents += [json.dumps({"prompt": wrong, "status": wrong, "seed": wrong}) for wrong in WRONG]
    contents += [json.dumps({"status": "completed", "imageUrl": one}) for one in addresses(hits)]
    contents += ['{"a": "\\u0000 \\ud800"}', json.dumps({"a": [["x" * 1000] * 10] * 1000})]
    for n, content in enumerate(contents, 2000):
        yield _id(n), _AT, None, content, "image", PERSON
        yield _id(n), _AT, "the same version again", content, "text", PERSON
    for n, cell in enumerate(_CELLS, 3000):
        yield cell, cell, cell, "text", "text", PERSON
        yield _id(n), cell, cell, cell, cell, cell


def _chats() -> Rows:
    yield CHAT, _AT, "A poisoned chat", PERSON, "private"
    yield CHAT, _AT, "The same again", _id(1), "public"
    yield _id(4000), _AT, None, None, None
    yield _id(4001), _AT, "x" * (1 << 20), _CHANCE.id("nobody", 0), "secret"
    for n, cell in enumerate(_CELLS, 4002):
        yield _id(n), cell, cell, PERSON, cell
        yield cell, _AT, "a chat", PERSON, "private"
        yield _id(n + 1000), _AT, "a chat", cell, "private"


def _messages(hits: str, sound: list[str]) -> Rows:
    """Between the poisoned ones of the chat stand sound ones."""
    for n, (role, parts, attachments) in enumerate(_said(hits)):
        moment = f"2024-05-05T{10 + n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}"
        yield _id(10_000 + n), CHAT, role, parts, attachments, moment
        if n % 10 == 0:
            sound.append(_id(20_000 + n))
            text = json.dumps([{"type": "text", "text": f"Sound words, sound{n}"}])
            yield sound[-1], CHAT, "user", text, "[]", f"{moment}.5"
    text = '[{"type": "text", "text": "x"}]'
    yield _id(10_000), CHAT, "user", text, "[]", _AT
    yield _id(30_000), _CHANCE.id("no chat", 0), "user", text, "[]", _AT
    yield None, None, None, None, None, None
    for n, cell in enumerate(_CELLS, 30_001):
        yield _id(n), cell, "user", text, "[]", _AT
        yield _id(n + 500), CHAT, "user", text, "[]", cell
        yield cell, CHAT, "user", text, "[]", _AT


def _said(hits: str) -> Iterator[tuple[str | None, str | None, str | None]]:
    """Role, parts and attachments."""
    text = [{"type": "text", "text": "Words of somebody."}]
    for role in ("system", "data", "tool", "", None, "USER", "x" * 5000, "function"):
        yield role, json.dumps(text), "[]"
    for wrong in (*WRONG, None, [None], [[[]]], [{"type": 7}], [{"type": "text", "text": [7]}]):
        yield "assistant", json.dumps(wrong), "null"
        yield "user", json.dumps(text), json.dumps(wrong)
        output = {"type": "tool-x", "output": wrong, "state": "output-available"}
        invocation = {"type": "tool-invocation", "toolInvocation": wrong}
        yield "assistant", json.dumps([output, invocation, {"type": "file", "url": wrong}]), None
    for address in addresses(hits):
        name = f"[FILE_ID:{address[:100]}] a fox"
        item = {"name": name, "url": address, "contentType": "image/png", "thumbnailUrl": address}
        shown = [{"type": "text", "text": f"![a fox]({address}) <img src='{address}'> {address}"}]
        yield "assistant", json.dumps(shown), json.dumps([item])
        yield "user", json.dumps([{"type": "file", "url": address}]), json.dumps([item])
    yield "user", json.dumps([{"type": "text", "text": "fox " * (5 << 18)}]), "[]"
    yield "user", json.dumps(text * 100_000), "[]"
    yield "user", json.dumps(text), json.dumps([{"name": "a", "url": "b"}] * 50_000)
    deep = "[" * 900 + "]" * 900
    yield "assistant", f'[{{"type": "tool-x", "output": {deep}}}]', "[]"
    yield "assistant", json.dumps([{"type": "tool-x", "output": [["x" * 1000] * 10] * 1000}]), "[]"
    yield "user", '[{"type": "text", "text": "\\u0000 \\ud800 \\u202e"}]', "[]"


def _deprecated() -> Rows:
    """Of the poisoned chat none is to be taken; of another one all that can be."""
    for n, wrong in enumerate((*WRONG, None, [None], [{"type": "tool-result", "result": [7]}])):
        yield _id(40_000 + n), CHAT, "assistant", json.dumps(wrong), _AT
        yield _id(41_000 + n), _id(4002), "assistant", json.dumps(wrong), _AT
    yield None, None, None, None, None


def _votes() -> Rows:
    yield from ((CHAT, _id(20_000), one) for one in ("true", "false", "null", "7", '"up"', "[]"))
    yield from ((CHAT, _CHANCE.id("no message", 0), "true"), (None, None, None))
    yield from ((cell, cell, "true") for cell in _CELLS)

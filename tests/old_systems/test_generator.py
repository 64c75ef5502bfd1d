"""The generators of old systems make what they say, in both shapes, and the same each time."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from db import old_databases
from db.old_databases import OldDatabase, OldTable, open_old_database
from importing.drafts import Clock, NotTaken
from importing.mapping.superduper import superduper_file
from importing.reading.dump import Dump
from importing.reading.rows import Row, read_row
from tests.old_systems.chatbot import write_chatbot
from tests.old_systems.chatbot_tables import Chatbot
from tests.old_systems.databases import old_database
from tests.old_systems.files import file_at
from tests.old_systems.superduper import Files, Shape, rows_in, write_dump, write_table

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TABLES = {
    "User": old_databases.USERS,
    "UserProject": old_databases.PROJECTS,
    "GeneratedMedia": old_databases.MEDIA,
    "Document": old_databases.DOCUMENTS,
    "Chat": old_databases.CHATS,
    "Message_v2": old_databases.MESSAGES,
    "Vote_v2": old_databases.VOTES,
    "Vote": old_databases.DEPRECATED_VOTES,
}


@pytest.fixture
def old_url(postgres: Callable[[str], str]) -> Iterator[str]:
    with old_database(postgres) as url:
        yield url


async def values_in(old: OldDatabase, table: OldTable) -> list[dict[str, Any]]:
    return [values_of(row) async for row in old.rows(table)]


def values_of(data: object) -> dict[str, Any]:
    assert isinstance(data, bytes)
    row = read_row(data)
    assert isinstance(row, Row)
    assert row.remarks == ()
    return row.values


@pytest.mark.parametrize("shape", ["table", "bare table", "objects", "objects in a column"])
async def test_files_are_the_same_in_a_database_and_in_a_dump(
    old_url: str, tmp_path: Path, shape: Shape
) -> None:
    files = Files(count=120, shape=shape, now=NOW)
    account = write_table(files, old_url)
    assert account == write_dump(files, tmp_path / "files.jsonl")
    async with open_old_database(old_url) as old:
        found = await values_in(old, await old.files_table())
    dumped = [values_of(line) for _, line in Dump(tmp_path / "files.jsonl")]
    key = "file_id" if "table" in shape else "id"
    assert len(found) == len({row[key] for row in found}) == account.tables["files"] == 120
    by_id = {row[key]: row for row in dumped}
    for row in found:
        assert without_moment(row) == without_moment(by_id[row[key]])
    assert account.outcomes.total() == account.cases.total() == account.owners.total() == 120
    assert account.outcomes["completed"] > 80
    assert min(account.cases.values()) >= 2
    assert {file.id for file in account.files} <= by_id.keys()


@pytest.mark.parametrize("shape", ["table", "bare table", "objects", "objects in a column"])
def test_an_account_says_what_the_mapping_makes_of_it(shape: Shape) -> None:
    files = Files(count=150, shape=shape, now=NOW)
    clock = Clock(now=NOW, stale_before=NOW - timedelta(hours=24))
    outcomes: Counter[str] = Counter()
    owners: Counter[str] = Counter()
    for values, file in zip(rows_in(files), files, strict=True):
        found = superduper_file(values_of(json.dumps(values).encode()), clock)
        if isinstance(found, NotTaken):
            outcomes[found.reason] += 1
            owners[(file.owner or "") if shape != "bare table" else ""] += 1
        else:
            outcomes[found.status] += 1
            owners[found.owner or ""] += 1
    account = files.account()
    assert outcomes == account.outcomes
    assert owners == account.owners


def without_moment(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "created_at"}


async def test_the_chat_holds_what_its_account_says(old_url: str) -> None:
    chatbot = Chatbot(files=Files(count=300, now=NOW))
    account = write_chatbot(chatbot, old_url)
    async with open_old_database(old_url) as old:
        rows = {name: await values_in(old, table) for name, table in TABLES.items()}
        deprecated = await values_in(old, old_databases.DEPRECATED_MESSAGES)
        carried_over = await old.count_left_out(old_databases.DEPRECATED_MESSAGES)
    counts = {name: len(found) for name, found in rows.items()}
    assert counts | {"Message": len(deprecated) + carried_over} == account.tables
    assert carried_over == account.carried_over > 0
    assert Counter(len(row["parts"]) > 0 for row in rows["Message_v2"]).keys() == {True}
    by_chat: dict[str, list[str]] = {}
    for row in [*rows["Message_v2"], *deprecated]:
        by_chat.setdefault(row["chatId"], []).append(row["id"])
    titles = {row["id"]: row["title"] for row in rows["Chat"]}
    for chat in account.chats:
        assert titles[chat.id] == chat.title
        # Of deprecated ones also calls and results are there.
        kept = [one for one in by_chat[chat.id] if one in chat.message_ids]
        assert kept == list(chat.message_ids)
    votes = {row["messageId"]: row["isUpvoted"] for row in rows["Vote_v2"] + rows["Vote"]}
    assert all(votes[one] for chat in account.chats for one in chat.upvoted)
    assert not any(votes[one] for chat in account.chats for one in chat.downvoted)
    assert sum(len(chat.upvoted) for chat in account.chats) > 10


async def test_the_chat_names_files_of_the_other_source(old_url: str) -> None:
    chatbot = Chatbot(files=Files(count=300, now=NOW))
    account = write_chatbot(chatbot, old_url)
    known = {file.id: file for file in chatbot.files}
    async with open_old_database(old_url) as old:
        media = await values_in(old, old_databases.MEDIA)
        documents = await values_in(old, old_databases.DOCUMENTS)
        messages = await values_in(old, old_databases.MESSAGES)
    named = [row for row in media if row["fileId"] in known or row["requestId"] in known]
    assert len(named) == account.shared_media == len(media) - account.own_media == 20
    assert any(row["userId"] is None and row["sessionId"] for row in media)
    contents = [json.loads(row["content"]) for row in documents if row["text"] == "image"]
    assert {content.get("fileId") in known for content in contents} == {True, False}
    assert min(len(json.dumps(content)) for content in contents) > 4000
    said = "".join(json.dumps([row["parts"], row["attachments"]]) for row in messages)
    named_in_chats = {one for chat in account.chats for one in chat.file_ids}
    assert len(named_in_chats) > 20
    assert all(known[one].outcome == "completed" and one in said for one in named_in_chats)


async def test_a_seed_tells_everything(postgres: Callable[[str], str]) -> None:
    found = []
    for seed in (1, 1, 2):
        with old_database(postgres) as url:
            write_chatbot(Chatbot(seed=seed, files=Files(seed=seed, now=NOW), chats=8), url)
            async with open_old_database(url) as old:
                found.append([await values_in(old, table) for table in TABLES.values()])
    assert found[0] == found[1]
    assert found[0] != found[2]


@pytest.mark.parametrize("path", ["/image/a.png", "/video/a.mp4?thumbnail"])
def test_a_picture_is_a_picture(path: str) -> None:
    found = file_at(path)
    assert found is not None
    assert found[0] == "image/png"
    assert Image.open(io.BytesIO(found[1])).size == (8, 8)
    assert found != file_at(path.replace("a.", "b."))


@pytest.mark.parametrize(("path", "stream"), [("/video/a.mp4", "video"), ("/music/a.wav", "audio")])
def test_a_film_and_a_sound_can_be_played(path: str, stream: str) -> None:
    found = file_at(path)
    assert found is not None
    assert found[0].startswith(stream)
    with av.open(io.BytesIO(found[1]), "r") as container:
        assert [one.type for one in container.streams] == [stream]
        assert list(container.decode())


def test_nothing_lies_elsewhere() -> None:
    assert file_at("/text/a.txt") is None

"""Old data may hold anything, and somebody's malice: it is imported or reported, the import never
fails over it, and nothing in it makes us knock at a door of our own network.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.importing.moving import Moving
from tests.old_systems.databases import old_database
from tests.old_systems.poison import write_poison
from tests.old_systems.poisoned_chatbot import EMAIL, write_poisoned_chatbot


class Canary:
    """Listens where nobody may knock, and counts who did."""

    def __init__(self) -> None:
        self.hits = 0
        self.port = 0

    async def hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.hits += 1
        writer.close()


@pytest.fixture
async def canary() -> AsyncIterator[Canary]:
    """At both loopback addresses, on one port."""
    canary = Canary()
    async with AsyncExitStack() as stack:
        first = await asyncio.start_server(canary.hear, "127.0.0.1", 0)
        await stack.enter_async_context(first)
        canary.port = first.sockets[0].getsockname()[1]
        second = await asyncio.start_server(canary.hear, "::1", canary.port)
        await stack.enter_async_context(second)
        yield canary


@pytest.fixture(params=["SQL_ASCII", pytest.param("UTF8", marks=pytest.mark.long)])
def old_chat(postgres: Callable[[str], str], request: pytest.FixtureRequest) -> Iterator[str]:
    with old_database(postgres, request.param) as url:
        yield url


async def test_poison_is_imported_or_reported(
    old_chat: str, database_url: str, tmp_path: Path, canary: Canary
) -> None:
    hits = f"http://127.0.0.1:{canary.port}"
    dump = write_poison(tmp_path / "files.jsonl", hits)
    chat = write_poisoned_chatbot(old_chat, hits)
    data_dir = tmp_path / "data"
    data_dir.mkdir(mode=0o711)
    moving = Moving(
        database_url=database_url,
        data_dir=data_dir,
        superduper=str(tmp_path / "files.jsonl"),
        chatbot=old_chat,
    )
    report = await moving.bring("--copy-files")
    assert report["tables"]["superduper.files"]["read"] == dump.lines
    for table, rows in chat.tables.items():
        read = report["tables"][f"chatbot.{table}"]["read"]
        assert read == rows, table
    # What was sound among it has arrived.
    for file_id in dump.sound_ids:
        assert moving.one(
            "select count(*) from kinora.generations where legacy_id = %s", f"superduper:{file_id}"
        ), file_id
    steps = moving.rows(
        "select s.id::text from kinora.steps s join kinora.threads t on t.id = s.thread_id"
        " join kinora.users u on u.id = t.user_id where u.identifier = %s"
        " order by s.created_at, s.seq",
        f"password:{EMAIL}",
    )
    found = [step for (step,) in steps if step in chat.message_ids]
    assert found == chat.message_ids
    assert canary.hits == 0
    assert report["files"]["copied"] == 0
    assert report["files"]["gone"] > 0
    # Nothing of it makes trouble the second time either.
    before = moving.hashes()
    again = await moving.bring()
    assert moving.hashes() == before
    assert not any(again["made"].values())


async def test_the_report_is_one_json_document_with_each_odd_row(
    database_url: str, tmp_path: Path
) -> None:
    dump = write_poison(tmp_path / "files.jsonl", "http://127.0.0.1:9")
    moving = Moving(
        database_url=database_url,
        data_dir=tmp_path / "data",
        superduper=str(dump),
        chatbot="",
    )
    moving.data_dir.mkdir(mode=0o711)
    code, said, told = await moving.run("--superduper", str(tmp_path / "files.jsonl"))
    assert code == 0, told
    report = json.loads(said)
    (kept,) = (moving.data_dir / "imports").glob("*.json")
    assert json.loads(kept.read_text()) == report
    for row in report["rows"]:
        assert row["id"]
        assert row["reason"]
        assert (row["id"] + row["detail"]).isprintable()

"""The poison is poisonous: it is all there, and reading it goes to its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from db import old_databases
from db.old_databases import OldTable, TooLong, open_old_database
from importing.reading.dump import Dump
from importing.reading.rows import Broken, read_row
from tests.old_systems.databases import old_database
from tests.old_systems.poison import addresses, write_poison
from tests.old_systems.poisoned_chatbot import CHAT, write_poisoned_chatbot

HITS = "http://127.0.0.1:9"


def test_a_poisoned_dump_is_read_to_its_end(tmp_path: Path) -> None:
    poisoned = write_poison(tmp_path / "files.jsonl", HITS)
    dump = Dump(tmp_path / "files.jsonl")
    assert dump.size_bytes > 100 << 20
    reasons: Counter[str] = Counter()
    remarks: Counter[str] = Counter()
    ids: list[object] = []
    for _, line in dump:
        row = read_row(line)
        if isinstance(row, Broken):
            reasons[row.reason] += 1
        else:
            remarks.update(row.remarks)
            ids.append(row.values.get("file_id"))
    assert reasons.total() + len(ids) == poisoned.lines > 300
    assert [one for one in ids if one in poisoned.sound_ids] == [*poisoned.sound_ids]
    assert len(poisoned.sound_ids) > 20
    wanted = {"too_long", "too_deep", "too_many_values", "bad_json", "no_object"}
    assert reasons.keys() == wanted
    assert remarks.keys() == {"bad_encoding", "duplicate_keys", "huge_number", "not_a_number"}


@pytest.mark.parametrize("encoding", ["UTF8", "SQL_ASCII"])
async def test_a_poisoned_chat_is_read_to_its_end(
    postgres: Callable[[str], str], encoding: str
) -> None:
    broken: Counter[str] = Counter()
    with old_database(postgres, encoding) as url:
        poisoned = write_poisoned_chatbot(url, HITS)
        async with open_old_database(url) as old:
            counts, ids = Counter[str](), []
            for name in poisoned.tables:
                table = OldTable(name, ("createdAt", "id"))
                async for data in old.rows(table):
                    row = read_row(data)
                    counts[name] += 1
                    if isinstance(row, Broken):
                        broken[row.reason] += 1
                    elif name == "Message_v2" and row.values["chatId"] == CHAT:
                        ids.append(row.values["id"])
            documents = [data async for data in old.rows(old_databases.DOCUMENTS)]
            assert await old.count_left_out(old_databases.DEPRECATED_MESSAGES) > 10
    assert counts == poisoned.tables
    assert not any(isinstance(data, TooLong) for data in documents)
    # Only what is nested too deep is beyond a reading.
    assert broken.keys() == {"too_deep"}
    assert len(poisoned.message_ids) > 15
    assert [one for one in ids if one in poisoned.message_ids] == poisoned.message_ids


def test_many_addresses_lead_to_the_canary() -> None:
    found = addresses("http://127.0.0.1:4321")
    assert sum("4321" in one for one in found) > 20
    assert max(map(len, found)) > 1 << 20

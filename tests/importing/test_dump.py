"""A dump on the disk: line by line, packed or not, with a bound on every line."""

from __future__ import annotations

import gzip
import os
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest

from db.old_databases import TooLong
from importing.reading import dump as dumps
from importing.reading.dump import Dump, DumpError


def written(folder: Path, content: bytes) -> Path:
    path = folder / "files.jsonl"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("is_packed", [False, True])
def test_every_line_comes_with_its_number(tmp_path: Path, is_packed: bool) -> None:
    content = b'\xef\xbb\xbf{"a": 1}\r\n\n   \n{"a": 2}\n\xff\xfe\n{"a": 3}'
    dump = Dump(written(tmp_path, gzip.compress(content) if is_packed else content))
    lines = [(1, b'{"a": 1}'), (4, b'{"a": 2}'), (5, b"\xff\xfe"), (6, b'{"a": 3}')]
    assert list(dump) == lines
    # From its beginning again.
    assert list(dump) == lines


@pytest.mark.parametrize("is_packed", [False, True])
def test_lines_are_whole_wherever_a_portion_ends(
    tmp_path: Path, is_packed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"\xef\xbb\xbf" + b"".join(b'{"n": %d}\n' % n for n in range(300))
    path = written(tmp_path, gzip.compress(content) if is_packed else content)
    expected = [(n + 1, b'{"n": %d}' % n) for n in range(300)]
    for portion_bytes in (3, 7, 9, 64, 4096):
        monkeypatch.setattr(dumps, "_PORTION_BYTES", portion_bytes)
        assert list(Dump(path)) == expected


def test_a_line_beyond_the_bound_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dumps, "ROW_BYTES_MAX", 1000)
    monkeypatch.setattr(dumps, "_PORTION_BYTES", 300)
    within, beyond = b"w" * 1000, b"b" * 1001
    lines = list(Dump(written(tmp_path, b"first\n" + within + b"\n" + beyond + b"\nlast")))
    assert lines[:2] == [(1, b"first"), (2, within)]
    number, passed_over = lines[2]
    assert isinstance(passed_over, TooLong)
    assert (number, passed_over.size_bytes) == (3, 1001)
    assert beyond.startswith(passed_over.head)
    assert len(passed_over.head) > 100
    assert lines[3] == (4, b"last")


def test_a_line_of_two_hundred_megabytes_is_not_held(tmp_path: Path) -> None:
    path = tmp_path / "files.jsonl.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(200):
            file.write(b"x" * (1 << 20))
        file.write(b"\n{}\n")
    tracemalloc.start()
    try:
        lines = list(Dump(path))
        assert tracemalloc.get_traced_memory()[1] < 100 << 20
    finally:
        tracemalloc.stop()
    assert [number for number, _ in lines] == [1, 2]
    assert lines[1][1] == b"{}"
    assert isinstance(lines[0][1], TooLong)
    assert lines[0][1].size_bytes == 200 << 20
    assert len(lines[0][1].head) <= 4096


@pytest.mark.parametrize("is_packed", [False, True])
def test_the_position_grows_to_the_size_of_the_file(tmp_path: Path, is_packed: bool) -> None:
    content = b"".join(b'{"noise": "%s"}\n' % os.urandom(500).hex().encode() for _ in range(3000))
    dump = Dump(written(tmp_path, gzip.compress(content) if is_packed else content))
    assert dump.position == 0
    seen = [dump.position for _ in dump]
    assert seen == sorted(seen)
    assert len(set(seen)) > 3
    assert 0 < seen[0] < dump.size_bytes / 2
    assert dump.position == dump.size_bytes == dump.path.stat().st_size


def test_it_is_of_the_moment_it_was_written(tmp_path: Path) -> None:
    path = written(tmp_path, b"{}")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    assert Dump(path).written_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def test_an_empty_dump_has_no_lines(tmp_path: Path) -> None:
    assert list(Dump(written(tmp_path, b""))) == []
    assert list(Dump(written(tmp_path, gzip.compress(b"")))) == []


@pytest.mark.parametrize(
    "content",
    [
        b'[{"id": 1}, {"id": 2}]',
        b'[\n  {"id": 1}\n]\n',
        b'\n [ {"id": 1}]',
        b"[]",
        b'{\n "id": 1\n}',
    ],
)
@pytest.mark.parametrize("is_packed", [False, True])
def test_one_piece_of_json_is_refused_with_the_remedy(
    tmp_path: Path, content: bytes, is_packed: bool
) -> None:
    path = written(tmp_path, gzip.compress(content) if is_packed else content)
    with pytest.raises(DumpError, match=r"one object on each line, which `jq -c '\.\[\]'"):
        Dump(path)


def test_a_broken_first_line_is_a_line(tmp_path: Path) -> None:
    assert list(Dump(written(tmp_path, b"[[[[\n{}"))) == [(1, b"[[[["), (2, b"{}")]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"a": 1}'.encode("utf-16"), "UTF-16"),
        (b"PGDMP\x01\x0e", "pg_dump"),
        (b"\x1f\x8b broken", "damaged"),
    ],
)
def test_another_kind_of_file_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(DumpError, match=words):
        Dump(written(tmp_path, content))


def test_a_file_that_is_not_there_or_none_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(DumpError, match="no such file"):
        Dump(tmp_path / "nothing.jsonl")
    with pytest.raises(DumpError, match="no file"):
        Dump(tmp_path)
    with pytest.raises(DumpError, match="cannot be read"):
        Dump(Path("a\0b"))


def test_a_packing_that_ends_early_is_told_after_the_lines_before_it(tmp_path: Path) -> None:
    content = b"".join(b'{"noise": "%s"}\n' % os.urandom(500).hex().encode() for _ in range(3000))
    packed = gzip.compress(content)
    dump = Dump(written(tmp_path, packed[: len(packed) * 2 // 3]))
    seen: list[object] = []
    with pytest.raises(DumpError, match="damaged"):
        seen.extend(dump)
    assert Dump(dump.path).size_bytes == len(packed) * 2 // 3

"""Files lie whole under keys of ours, for us alone, and nowhere else."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

import pytest

from db.files import SCRATCH_KEPT_S, LocalFiles
from db.storage import CHUNK_BYTES

KEY = "generations/0199aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee/1-0.png"


@pytest.fixture
def files(tmp_path: Path) -> LocalFiles:
    return LocalFiles(tmp_path / "files")


def _below(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


async def _all(files: LocalFiles, start: int = 0, stop: int | None = None) -> bytes:
    return b"".join([chunk async for chunk in files.read(KEY, start, stop)])


async def test_a_file_moves_to_its_place_whole_and_for_us_alone(files: LocalFiles) -> None:
    with files.scratch() as path:
        path.write_bytes(b"film")
        born = path.stat().st_ino
        await files.put_file(KEY, path)
    placed = files.path(KEY)
    assert placed.read_bytes() == b"film"
    assert placed.stat().st_ino == born
    assert stat.S_IMODE(placed.stat().st_mode) == 0o600
    for folder in (placed.parent, placed.parent.parent, files.root):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert _below(files.root) == [KEY]


async def test_putting_again_replaces_the_file_in_one_step(files: LocalFiles) -> None:
    await files.put_bytes(KEY, b"old")
    with files.path(KEY).open("rb") as reader:
        await files.put_bytes(KEY, b"newer")
        assert reader.read() == b"old"
    assert files.path(KEY).read_bytes() == b"newer"
    assert await files.size_bytes(KEY) == 5
    assert _below(files.root) == [KEY]


async def test_scratch_leaves_nothing_behind_even_after_an_error(files: LocalFiles) -> None:
    with suppress(OSError), files.scratch() as path:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        path.write_bytes(b"half")
        raise OSError("the disk is full")
    assert not path.exists()
    assert _below(files.root) == []


async def test_only_what_killed_processes_left_in_scratch_is_cleared(files: LocalFiles) -> None:
    await files.clear_scratch()
    with files.scratch() as living:
        left = living.with_name("left")
        left.write_bytes(b"x")
        long_ago = left.stat().st_mtime - SCRATCH_KEPT_S - 1
        os.utime(left, (long_ago, long_ago))
        await files.clear_scratch()
        assert living.exists()
        assert not left.exists()


async def test_any_range_of_a_file_can_be_read(files: LocalFiles) -> None:
    data = os.urandom(CHUNK_BYTES * 2 + 7)
    await files.put_bytes(KEY, data)
    assert await _all(files) == data
    assert await _all(files, 5) == data[5:]
    assert (
        await _all(files, CHUNK_BYTES - 3, CHUNK_BYTES + 9)
        == data[CHUNK_BYTES - 3 : CHUNK_BYTES + 9]
    )
    assert await _all(files, 10, 10) == b""
    assert await _all(files, len(data) - 2, len(data) + 100) == data[-2:]
    chunks = [len(chunk) async for chunk in files.read(KEY)]
    assert max(chunks) <= CHUNK_BYTES


async def test_what_is_not_there_is_said_and_is_as_good_as_deleted(files: LocalFiles) -> None:
    with pytest.raises(FileNotFoundError):
        await files.size_bytes(KEY)
    with pytest.raises(FileNotFoundError):
        await _all(files)
    await files.delete(KEY)


async def test_the_last_file_of_a_generation_takes_its_folder_along(files: LocalFiles) -> None:
    second = KEY.replace("1-0.png", "1-0-w512.webp")
    for key in (KEY, second, "uploads/a.png"):
        await files.put_bytes(key, b"x")
    await files.delete(KEY)
    assert files.path(second).exists()
    await files.delete(second)
    assert not files.path(KEY).parent.exists()
    await files.delete("uploads/a.png")
    assert files.path("uploads/a.png").parent.is_dir()


async def test_a_folder_goes_with_all_in_it_and_no_other(files: LocalFiles) -> None:
    for key in (KEY, KEY.replace("1-0.png", "1-0-w256.webp"), "generations/other/1-0.png"):
        await files.put_bytes(key, b"x")
    for _ in range(2):
        await files.delete_folder(KEY.rsplit("/", 1)[0])
    assert _below(files.root) == ["generations/other/1-0.png"]


@pytest.mark.parametrize(
    "key",
    [
        "",
        "a",
        "/etc/passwd",
        "uploads/../../x",
        "uploads/..",
        "uploads/a..png",
        "uploads//x",
        "uploads/x/",
        "./uploads/x",
        ".scratch/x",
        "uploads/\0",
        "uploads/x\n",
        "file::uploads/x",
        "uploads\\x",
        "uploads/\u043b\u0438\u0441\u0430.png",
        "uploads/" + "x" * 300,
    ],
)
async def test_a_path_that_is_no_key_of_ours_is_refused(files: LocalFiles, key: str) -> None:
    with pytest.raises(ValueError, match="no key"):
        files.path(key)
    with pytest.raises(ValueError, match="no key"):
        await files.put_bytes(key, b"x")
    assert not files.root.exists()

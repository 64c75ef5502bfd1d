"""`manage.py storage copy`, as an operator runs it: from a folder into a bucket and back, begun
again, and when something is wrong.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from db.files import LocalFiles
from db.s3_files import S3Files
from settings import ROOT, child_environment
from tests.s3_server import S3Server

FILES = {f"generations/{number:03}/1-0.png": os.urandom(1000 + number) for number in range(30)} | {
    "uploads/large/0.png": os.urandom(20 * 1024 * 1024)
}


async def storage_copy(s3: S3Server, data_dir: Path, source: str, target: str) -> tuple[int, str]:
    """Exit code and everything said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "manage.py", "storage", "copy", source, target),
        cwd=ROOT,
        env=child_environment() | s3.settings() | {"DATA_DIR": str(data_dir)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(process.communicate(), 120)
    return int(process.returncode or 0), said.decode()


async def test_everything_goes_into_a_bucket_and_back(
    s3_server: S3Server, shared_folder: Path
) -> None:
    """The second run sends only what was spoiled in between, and what is new."""
    folder, data_dir = shared_folder / "copied", shared_folder / "copying"
    source, back = f"file://{folder}", f"file://{folder}-back"
    files = LocalFiles(folder)
    for key, data in FILES.items():
        await files.put_bytes(key, data)
    async with S3Files(data_dir, s3_server.bucket("copies", "deep/er/")).opened() as bucket:
        await bucket.make_bucket()
        code, said = await storage_copy(s3_server, data_dir, source, "s3://copies/deep/er")
        assert (code, f"{len(FILES)} sent" in said) == (0, True), said
        first = next(iter(FILES))
        await bucket.put_bytes(first, bytes(len(FILES[first])))
        await files.put_bytes("uploads/new/0.png", b"new")
        code, said = await storage_copy(s3_server, data_dir, source, "s3://copies/deep/er/")
        assert (code, "2 sent" in said, f"{len(FILES) - 1} were there" in said) == (0, True, True)
    code, said = await storage_copy(s3_server, data_dir, "s3://copies/deep/er", back)
    assert code == 0, said
    for key, data in (FILES | {"uploads/new/0.png": b"new"}).items():
        assert (Path(f"{folder}-back") / key).read_bytes() == data


async def test_what_cannot_be_copied_is_named(s3_server: S3Server, shared_folder: Path) -> None:
    folder, data_dir = shared_folder / "uncopied", shared_folder / "uncopying"
    await LocalFiles(folder).put_bytes("uploads/a/0.png", b"a")
    code, said = await storage_copy(s3_server, data_dir, f"file://{folder}", "s3://nowhere")
    assert (code, "uploads/a/0.png" in said, "Traceback" in said) == (1, True, False), said
    code, said = await storage_copy(s3_server, data_dir, "here", "s3://nowhere")
    assert (code, "s3://bucket/prefix" in said) == (1, True), said
    code, said = await storage_copy(s3_server, data_dir, "s3://one", "s3://one/")
    assert (code, "same" in said) == (1, True), said

"""`--copy-files` brings the bytes over by the command itself, once, as they were."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from tests.db.samples import encoded, picture
from tests.importing.moving import Moving
from tests.old_files import OldStorage, old_storage

PNG = encoded(picture(), "PNG")


async def copied(moving: Moving, old: OldStorage, *words: str) -> dict[str, Any]:
    """Run the command; what its report says of files."""
    code, said, told = await moving.run(*words, "--copy-files", IMPORT_ORIGINS=old.url)
    assert code == 0, told
    found: dict[str, Any] = json.loads(said)
    return found


def stored(data_dir: Path) -> list[bytes]:
    """Every original that lies in the new house."""
    return [path.read_bytes() for path in (data_dir / "files").rglob("*.png")]


async def test_files_are_copied_once_with_their_hashes_and_what_is_lost_is_named(
    database_url: str, tmp_path: Path
) -> None:
    data_dir, dump = tmp_path / "data", tmp_path / "files.jsonl"
    data_dir.mkdir(mode=0o711)
    moving = Moving(database_url=database_url, data_dir=data_dir, superduper=str(dump), chatbot="")
    async with old_storage() as old:
        urls = {"f1": old.keep("/fox.png", PNG), "f2": f"{old.url}/lost.png?secret=x"}
        rows = [
            {"file_id": one, "status": "completed", "download_url": u} for one, u in urls.items()
        ]
        dump.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        report = await copied(moving, old, "--superduper", str(dump))
        files = report["files"]
        assert (files["copied"], files["bytes"], files["gone"]) == (1, len(PNG), 1)
        (lost,) = [row for row in report["rows"] if row["outcome"] == "gone"]
        assert (lost["id"], lost["detail"]) == ("superduper:f2", f"{old.url}/lost.png")
        assert stored(data_dir) == [PNG]
        query = "select sha256 from kinora.assets where storage_key is not null"
        assert moving.one(query) == hashlib.sha256(PNG).hexdigest()
        again = await copied(moving, old)
        assert (again["files"]["copied"], again["files"]["gone_before"]) == (0, 1)
        assert (old.count("/fox.png"), old.count("/lost.png")) == (1, 1)

"""The media backend's files, in both shapes: the flat table, and the objects of its API.

Each file is a pure function of the seed and its number, so that the chat's rows can name it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import psycopg

from tests.old_systems.account import SAMPLES, Account, SampleFile
from tests.old_systems.chance import Chance

Shape = Literal["table", "bare table", "objects", "objects in a column"]

EXTENSIONS = {
    **dict.fromkeys(("audio", "voiceover", "sound_effect", "music"), "wav"),
    "image": "png",
    "video": "mp4",
    "text": "txt",
    "other": "bin",
}
_TYPES = [
    *("image", "image", "video", "image", "audio", "image", "music", "video"),
    *("image", "voiceover", "image", "sound_effect", "video"),
]
#: What happens to the first files of each fifty: case -> outcome; the others are completed.
_CASES = {
    "error": "failed",
    "error_with_url": "failed",
    "stale": "failed",
    "young": "younger",
    "text": "text",
    "other": "other",
    "completed_without_url": "completed",
    "unknown_with_url": "completed",
    "unknown_without_url": "failed",
    "task_error": "failed",
    "in_progress_with_url": "completed",
}
_PERIOD = 50
_STATUS = {
    **dict.fromkeys(("error", "error_with_url", "task_error"), "error"),
    **dict.fromkeys(("stale", "young", "in_progress_with_url"), "in_progress"),
    **dict.fromkeys(("unknown_with_url", "unknown_without_url"), "archived"),
}
_WITHOUT_URL = {
    *("error", "stale", "young", "completed_without_url", "unknown_without_url", "task_error"),
}
_COLUMNS = {
    "file_id": "uuid",
    "prompt": "text",
    "status": "text",
    "download_url": "text",
    "type": "text",
    "created_at": "timestamptz",
    "user_id": "text",
    "project_id": "text",
}
_BARE = ("file_id", "prompt", "status", "download_url")


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One of them, before it takes a shape."""

    n: int
    id: str
    type: str
    case: str
    prompt: str
    url: str | None
    created_at: datetime
    user_id: str | None
    project_id: str | None

    @property
    def outcome(self) -> str:
        return _CASES.get(self.case, "completed")

    @property
    def owner(self) -> str | None:
        if self.user_id:
            return f"superduper:user:{self.user_id}"
        return f"superduper:project:{self.project_id}" if self.project_id else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """All of them."""

    count: int = 100
    seed: int = 9
    shape: Shape = "table"
    #: Of which the media's addresses are.
    base_url: str = "https://media.superduper.invalid"
    people: int = 12
    projects: int = 6
    #: What is young is so at this moment.
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __iter__(self) -> Iterator[File]:
        return (self.at(n) for n in range(self.count))

    def at(self, n: int) -> File:
        """The n-th."""
        chance = Chance(self.seed)
        case = [*_CASES][n % _PERIOD] if n % _PERIOD < len(_CASES) else "completed"
        if self.shape == "bare table" and case in ("text", "other"):
            # Nothing there would say so.
            case = "completed"
        type_ = case if case in ("text", "other") else _TYPES[n % len(_TYPES)]
        file_id = chance.id("file", n)
        url = f"{self.base_url}/{type_}/{file_id}.{EXTENSIONS[type_]}"
        is_young = case == "young"
        return File(
            n=n,
            id=file_id,
            type=type_,
            case=case,
            prompt=chance.prompt("file", n),
            url=None if case in _WITHOUT_URL else url,
            created_at=self.now - timedelta(minutes=5 + n % 50) if is_young else chance.moment(n),
            user_id=self.person(n % self.people) if n % 7 < 5 else None,
            project_id=self.project(n % self.projects) if n % 7 == 5 else None,
        )

    @property
    def completed_count(self) -> int:
        """How many are simply completed."""
        each = _PERIOD - len(_CASES)
        return self.count // _PERIOD * each + max(0, self.count % _PERIOD - len(_CASES))

    def completed(self, k: int) -> File | None:
        """The k-th of those that are simply completed; None beyond the last."""
        each = _PERIOD - len(_CASES)
        n = k // each * _PERIOD + len(_CASES) + k % each
        return self.at(n) if n < self.count else None

    def person(self, n: int) -> str:
        """The id of one of its people."""
        return Chance(self.seed).id("superduper person", n)

    def project(self, n: int) -> str:
        """The id of one of its projects."""
        return Chance(self.seed).id("project", n)

    def account(self) -> Account:
        """What these files are, and should become."""
        account = Account()
        account.tables["files"] = self.count
        is_bare = self.shape == "bare table"
        for file in self:
            # Without a date, what is in progress may be young; a dump's own date would tell.
            is_ageless = is_bare and file.case in ("stale", "unknown_without_url")
            outcome = "younger" if is_ageless else file.outcome
            account.outcomes[outcome] += 1
            account.cases[file.case] += 1
            owner = None if is_bare else file.owner
            account.owners[owner or ""] += 1
            if len(account.files) < SAMPLES:
                account.files.append(
                    SampleFile(
                        id=file.id,
                        outcome=outcome,
                        case=file.case,
                        type=file.type,
                        prompt=file.prompt,
                        url=file.url,
                        owner=owner,
                    )
                )
        return account


def row_of(file: File) -> dict[str, Any]:
    """A row of the flat table."""
    return {
        "file_id": file.id,
        "prompt": file.prompt,
        "status": _STATUS.get(file.case, "completed"),
        "download_url": file.url,
        "type": file.type,
        "created_at": file.created_at.isoformat(),
        "user_id": file.user_id,
        "project_id": file.project_id,
    }


def object_of(file: File) -> dict[str, Any]:
    """The same as an object of the API: no status, prompt or download_url of its own."""
    order = {"image": "image_generation", "video": "video_generation"}.get(
        file.type, "audio_generation"
    )
    orders = dict.fromkeys(("image_generation", "video_generation", "audio_generation"))
    if file.type in ("text", "other"):
        order = ""
    is_film = file.type == "video"
    return {
        "id": file.id,
        "url": file.url,
        "thumbnail_url": f"{file.url}?thumbnail" if file.url and file.n % 3 else None,
        "type": file.type,
        **{key: _order(file, is_film) if key == order else value for key, value in orders.items()},
        "tasks": _tasks(file),
        "duration": 5.0 if is_film else None,
        "created_at": file.created_at.isoformat(),
        "user_id": file.user_id,
        "project_id": file.project_id,
    }


def _order(file: File, is_film: bool) -> dict[str, Any]:
    return {
        "prompt": file.prompt,
        "negative_prompt": "blurry, text" if file.n % 2 else None,
        "generation_config_name": "google-cloud/veo2" if is_film else "comfyui/flux",
        "seed": str(file.n * 7919 % (1 << 48)),
        "width": 1344,
        "height": 768,
        "steps": 20 + file.n % 10,
        "style_name": "flux_watercolor" if file.n % 4 else None,
        "shot_size": "Medium Shot" if file.n % 5 else None,
        "duration": 5 if is_film else None,
        "aspect_ratio": "16:9",
        "references": [{"type": "source", "reference_id": file.id}] if file.n % 6 == 0 else [],
    }


def _tasks(file: File) -> list[dict[str, Any]]:
    if file.case == "completed" and file.n % 2:
        return []
    status = {"archived": "paused"}.get(word := _STATUS.get(file.case, "completed"), word)
    if file.case in ("text", "other"):
        return []
    first = {"type": f"{file.type}-generation-flow", "status": status}
    return [first, {"type": "upscale", "status": "completed"}] if file.n % 3 == 0 else [first]


def rows_in(files: Files) -> Iterator[dict[str, Any]]:
    """Each file in the shape that is asked for."""
    for file in files:
        if files.shape == "objects":
            yield object_of(file)
        elif files.shape == "objects in a column":
            yield {"data": object_of(file)}
        else:
            row = row_of(file)
            yield {name: row[name] for name in _BARE} if files.shape == "bare table" else row


def write_dump(files: Files, path: Path) -> Account:
    """Write them as JSON lines."""
    with path.open("w", encoding="utf-8") as out:
        for n, values in enumerate(rows_in(files)):
            # Both are JSON; old dumps came with either.
            out.write(json.dumps(values, ensure_ascii=n % 2 == 0) + "\n")
    return files.account()


def write_table(files: Files, url: str, table: str = "superduperai.files") -> Account:
    """Write them into a new table of this database."""
    values = rows_in(files)
    schema = table.partition(".")[0]
    with psycopg.connect(url) as connection:
        connection.execute(f'create schema if not exists "{schema}"'.encode())
        columns = _columns(files.shape)
        typed = ", ".join(f"{name} {type_}" for name, type_ in columns.items())
        connection.execute(f"create table {table} ({typed})".encode())
        names = ", ".join(columns)
        with connection.cursor().copy(f"copy {table} ({names}) from stdin".encode()) as copy:
            for row in values:
                copy.write_row([_cell(row[name]) for name in columns])
    return files.account()


def _columns(shape: Shape) -> dict[str, str]:
    if shape == "objects in a column":
        return {"data": "jsonb"}
    if shape == "bare table":
        return {name: _COLUMNS[name] for name in _BARE}
    if shape == "table":
        return _COLUMNS
    plain = {"id": "uuid", "url": "text", "thumbnail_url": "text", "type": "text"}
    orders = dict.fromkeys(
        ("image_generation", "video_generation", "audio_generation", "tasks"), "jsonb"
    )
    last = {name: _COLUMNS[name] for name in ("created_at", "user_id", "project_id")}
    return {**plain, **orders, "duration": "double precision", **last}


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list) else value

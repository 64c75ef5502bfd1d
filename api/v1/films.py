"""A film as OpenAI's clients read it: a reading of its generation in their words."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from api.problems import Problem
from api.v1.shapes import Video, VideoError, VideoNotes
from api.v1.starting import Reading
from api.v1.waiting import CODES, failure
from db.ids import parse_id
from generations.contract import Caller
from runtime import Runtime

STATUSES: dict[str, Literal["queued", "in_progress", "completed", "failed"]] = {
    "queued": "queued",
    "submitting": "in_progress",
    "in_progress": "in_progress",
    "storing": "in_progress",
    "completed": "completed",
    "failed": "failed",
    "cancelled": "failed",
    "unknown": "failed",
}


async def find_film(runtime: Runtime, caller: Caller, video_id: str) -> Reading:
    """The caller's film. Raises: Problem."""
    wanted = parse_id(video_id.removeprefix("video_"))
    found = await runtime.admission.get_many(caller, [wanted]) if wanted else []
    if not found or found[0]["kind"] != "video":
        raise Problem(404, "not_found", "There is no such video.")
    return found[0]


def film_of(reading: Reading, ignored: list[str] | None = None) -> Video:
    status = STATUSES[reading["status"]]
    error = None
    if status == "failed":
        code, message = failure(reading)
        error = VideoError(code=CODES.get(code, code), message=message)
    return Video(
        id=reading["id"],
        status=status,
        progress=round(100 * (reading["progress"] or 0)),
        model=reading["model"],
        prompt=reading["prompt"],
        seconds=_seconds(reading),
        size=_size(reading),
        created_at=_moment(reading["created_at"]) or 0,
        completed_at=_moment(reading["finished_at"]) if status == "completed" else None,
        error=error,
        kinora=VideoNotes(
            status=reading["status"],
            provider=reading["provider"],
            cost_usd=reading["cost_usd"],
            notes=reading["notes"],
            ignored=ignored or [],
        ),
    )


def _seconds(reading: Reading) -> str | None:
    """As it was asked for, else as it came."""
    came = [asset["duration_s"] for asset in reading["assets"] if asset["duration_s"]]
    asked = reading["params"].get("duration_s") or next(iter(came), None)
    return None if asked is None else f"{round(float(asked), 2):g}"


def _size(reading: Reading) -> str | None:
    """As it came, else as it was asked for, where that was in pixels."""
    for found in (*reading["assets"], reading["params"]):
        if found.get("width_px") and found.get("height_px"):
            return f"{found['width_px']}x{found['height_px']}"
    return None


def _moment(told: str | None) -> int | None:
    return None if told is None else int(datetime.fromisoformat(told).timestamp())

"""An interaction in the Gemini API's words, as its GET and its news tell of it.

Source: google-genai 3.4.0 (_gaos/types/interactions), 2026-11-22; the news:
ai.google.dev/gemini-api/docs/webhooks, 2026-07-30.
"""

import json
import time
from typing import Any

from emulators.ledger import timestamp
from emulators.store import Job, Status

PATH = "gemini/v1beta"
WORDS = {
    Status.IN_QUEUE: "queued",
    Status.IN_PROGRESS: "in_progress",
    Status.COMPLETED: "completed",
    Status.FAILED: "failed",
    Status.CANCELLED: "cancelled",
}
FILTERED = "The video was filtered because it violates the safety policy."


def describe_interaction(job: Job, origin: str, film: str | None = None) -> dict[str, Any]:
    """Return an interaction as it stands; `film` is its film as base64 where that is asked for."""
    body: dict[str, Any] = {
        "id": job.id,
        "object": "interaction",
        "model": (job.wire or {}).get("model", ""),
        "status": WORDS[job.status],
        "created": timestamp(job.accepted_at),
        "updated": timestamp(job.finished_at or job.started_at or job.accepted_at),
        "steps": [],
    }
    if job.error is not None:
        code = "https://ai.google.dev/errors/internal"
        body["errors"] = [{"code": code, "message": job.error}]
    if job.output is not None:
        body["steps"] = [{"type": "thought", "signature": "ZGVtbw=="}, output_of(job, origin, film)]
        body["usage"] = {"total_tokens": 5792}
    return body


def output_of(job: Job, origin: str, film: str | None) -> dict[str, Any]:
    """Return the step that holds the film, or what a case says instead."""
    cases = (job.wire or {}).get("cases", ())
    if "filtered" in cases:
        error = {"code": 3, "message": FILTERED}
        return {"type": "model_output", "content": [], "error": error}
    if "empty" in cases:
        return {"type": "model_output", "content": []}
    where = (
        {"data": film}
        if film is not None
        else {"uri": f"{origin}/{PATH}/files/{job.id}:download?alt=media"}
    )
    content = [{"type": "video", "mime_type": "video/mp4", **where}]
    return {"type": "model_output", "content": content}


def interaction_content(job: Job, _job_input: dict[str, Any]) -> bytes:
    """Return the news of an interaction: thin, as Google's are."""
    event = "interaction.completed" if job.status is Status.COMPLETED else "interaction.failed"
    sent_at = timestamp(time.time())
    data = {"id": job.id, **({"error_message": job.error} if job.error else {})}
    body = {"type": event, "version": "v1", "timestamp": sent_at, "data": data}
    return json.dumps(body).encode()

"""A task of Black Forest Labs: as its submit is answered, as it is polled, as its news tell of it.

Source: docs.bfl.ai/quick_start/generating_images and /api_integration/errors, 2026-11-22.
"""

from typing import Any

from emulators.endpoints import ENDPOINTS
from emulators.status_object import with_addresses
from emulators.store import Job, Status

CREDITS_PER_USD = 100
PATH = "bfl/v1/get_result"
WORDS = {
    Status.IN_QUEUE: "Pending",
    Status.IN_PROGRESS: "Pending",
    Status.COMPLETED: "Ready",
    Status.FAILED: "Error",
    Status.CANCELLED: "Error",
}
#: How a case in a prompt ends a task: the job's error, which is the task's status.
DOOMS = {
    "request-moderated": "Request Moderated",
    "content-moderated": "Content Moderated",
    "failed": "Failed",
}
ELSEWHERE = "https://bfl.ai.example.org/v1/get_result"  # of the case `elsewhere`: not the company's


def describe_task(job: Job, origin: str, progress: float = 0.0) -> tuple[dict[str, Any], int]:
    """Return what a poll is answered, and the HTTP status it comes with."""
    cases = (job.wire or {}).get("cases", ())
    body: dict[str, Any] = {
        "id": job.id,
        "status": WORDS[job.status],
        "result": None,
        "progress": progress if job.status is Status.IN_PROGRESS else None,
        "details": None,
        "preview": None,
    }
    if job.error is not None and job.error in DOOMS.values():
        body["status"] = job.error
        body["details"] = {"Moderation Reasons": ["Demo"]} if "Moderated" in job.error else None
    elif job.error is not None:
        body["details"] = {"error": job.error}
    if job.output is not None and "gone" in cases:
        return {"id": job.id, "status": "Task not found", "result": None}, 404
    if job.output is not None:
        body["result"] = result_of(job, job.output, origin)
    return body, 503 if job.error and "unwell" in cases else 200


def result_of(job: Job, output: dict[str, Any], origin: str) -> dict[str, Any]:
    """Return the result of a finished task; the case `empty` leaves the picture out."""
    made = with_addresses(output, f"{origin}/results/{job.id}")
    sample = made.get("video_url") or made["images"][0]["url"]
    seed = made.get("seed", made.get("images", [{}])[0].get("seed"))
    took = (job.finished_at or 0.0) - (job.started_at or 0.0)
    result = {"seed": seed, "prompt": "", "duration": took}
    return result if "empty" in (job.wire or {}).get("cases", ()) else {"sample": sample, **result}


def describe_submit(job: Job, origin: str) -> dict[str, Any]:
    """Return what a submit is answered; its cost is in credits."""
    wire, endpoint = job.wire or {}, ENDPOINTS[job.endpoint]
    cost_usd = endpoint.price_usd * wire.get("units", 1)
    here = f"{origin}/{PATH}"
    if "elsewhere" in wire.get("cases", ()):
        here = ELSEWHERE
    if "moved" in wire.get("cases", ()):
        here = f"{origin}/bfl/v1/moved"
    return {
        "id": job.id,
        "polling_url": f"{here}?id={job.id}",
        "cost": round(cost_usd * CREDITS_PER_USD, 4),
        "input_mp": 0.0,
        "output_mp": 1.05,
    }


def describe_news(job: Job, origin: str) -> dict[str, Any]:
    """Return the body of a webhook."""
    body, _ = describe_task(job, origin)
    return {name: body.get(name) for name in ("id", "status", "result")}

"""Replicate's answer about a prediction, and its signature under the news.

Source: replicate.com/docs/reference/http#predictions.get, 2026-08-22; replicate/webhook.py of
replicate 1.0.7 for the signature.
"""

import base64
import hashlib
import hmac
import time
from typing import Any

from emulators.ledger import timestamp
from emulators.status_object import with_addresses
from emulators.store import Job, Status

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # the specification's own example: no secret
WORDS = {
    Status.IN_QUEUE: "starting",
    Status.IN_PROGRESS: "processing",
    Status.COMPLETED: "succeeded",
    Status.FAILED: "failed",
    Status.CANCELLED: "canceled",
}
PATH = "replicate/v1/predictions"


def describe_prediction(job: Job, origin: str, progress: float = 0.0) -> dict[str, Any]:
    """Return a prediction as it stands; what it was asked is gone, as on the real one in time."""
    wire = job.wire or {}
    here = f"{origin}/{PATH}/{job.id}"
    took = (job.finished_at or 0) - (job.started_at or job.finished_at or 0)
    is_gone = job.status is Status.COMPLETED and "removed" in wire.get("cases", ())
    done = 100 if job.status is Status.COMPLETED else round(progress * 100)
    return {
        "id": job.id,
        "model": wire.get("model", ""),
        "version": wire.get("version", "hidden"),
        "input": {},
        "logs": "" if job.started_at is None else f"{done:3d}%|####| demo\n",
        "output": None if is_gone else output_of(job, origin),
        "error": job.error,
        "status": WORDS[job.status],
        "created_at": timestamp(job.accepted_at),
        "started_at": None if job.started_at is None else timestamp(job.started_at),
        "completed_at": None if job.finished_at is None else timestamp(job.finished_at),
        "data_removed": is_gone,
        "deadline": None,
        "metrics": {"predict_time": round(took, 6)} if job.finished_at else {},
        "source": "api",
        "urls": {"get": here, "cancel": f"{here}/cancel", "web": here},
    }


def output_of(job: Job, origin: str) -> object:
    """Return the output: a film's address, a list of them for pictures, or what a case says."""
    if job.output is None:
        return None
    cases = (job.wire or {}).get("cases", ())
    made = with_addresses(job.output, f"{origin}/results/{job.id}")
    if "video_url" in made:
        return {"film": {"link": made["video_url"]}} if "table" in cases else made["video_url"]
    urls = [image["url"] for image in made["images"]]
    if "partial" in cases:
        urls = urls[:-1]
    if "table" in cases:
        return {f"picture_{at}": url for at, url in enumerate(urls)}
    if "empty" in cases:
        return []
    return urls[0] if "single" in cases else urls


def sign_prediction(job: Job, content: bytes) -> dict[str, str]:
    """Return the headers of Standard Webhooks; tries of the same news have the same id."""
    message_id = f"msg_{job.id}_{WORDS[job.status]}"
    sent_at = str(int(time.time()))
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    message = f"{message_id}.{sent_at}.".encode() + content
    digest = hmac.new(key, message, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": sent_at,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }

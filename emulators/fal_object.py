"""fal's answers about a request: its status, its result, and the signed news of its end.

What status and result say of a cancelled request is believed, not documented.
Source: fal.ai/docs/inference-api (queue), docs.fal.ai/model-apis/model-endpoints/webhooks and
fal.ai/docs/documentation/model-apis (errors, request-errors), 2026-11-22.
"""

import base64
import hashlib
import json
import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from emulators.ledger import timestamp
from emulators.status_object import with_addresses
from emulators.store import Job, Status

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))  # everybody's: it proves nothing
USER = "demo-user"
POLICY = "content_policy_violation"
LONGER_APPS = ("workflows", "comfy")
DOCS = "https://docs.fal.ai/errors"


def key_set() -> dict[str, Any]:
    """Return the public half, as a JSON Web Key Set."""
    raw = base64.urlsafe_b64encode(KEY.public_key().public_bytes_raw()).rstrip(b"=")
    return {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": raw.decode()}]}


def app_of(model: str) -> str:
    """Return the part of a model's id under which its requests live."""
    parts = model.split("/")
    return "/".join(parts[: 3 if parts[0] in LONGER_APPS else 2])


def cases_of(job: Job) -> list[str]:
    """Return what the marks in the request ordered."""
    cases: list[str] = (job.wire or {}).get("cases", [])
    return cases


def describe_request(
    job: Job, origin: str, progress: float, place: int
) -> tuple[dict[str, Any], int]:
    """Return the status of a request, and the HTTP status that it comes with."""
    here = f"{origin}/fal/{app_of((job.wire or {}).get('model', ''))}/requests/{job.id}"
    body: dict[str, Any] = {
        "request_id": job.id,
        "gateway_request_id": job.id,
        "response_url": here,
        "status_url": f"{here}/status",
        "cancel_url": f"{here}/cancel",
        "logs": None,
    }
    if job.status is Status.IN_QUEUE:
        return {**body, "status": "IN_QUEUE", "queue_position": place}, 202
    line = {"level": "INFO", "source": "USER", "timestamp": timestamp(job.accepted_at)}
    body["logs"] = [{**line, "message": f"{round(progress * 100):3d}%|####      |"}]
    if job.status is Status.IN_PROGRESS:
        return {**body, "status": "IN_PROGRESS"}, 202
    took = (job.finished_at or 0) - (job.started_at or job.finished_at or 0)
    body |= {"status": "COMPLETED", "metrics": {"inference_time": round(took, 6)}}
    if job.status is Status.CANCELLED:
        body |= {"error": "Request was cancelled", "error_type": "client_cancelled"}
    elif "error" in cases_of(job):
        body |= {"error": "Request timed out", "error_type": "request_timeout"}
    elif job.status is Status.FAILED and "policy" in cases_of(job):
        body["error"] = "Invalid status code: 422"
    return body, 200


def result_of(job: Job, origin: str) -> tuple[dict[str, Any], int]:
    """Return the result of a request with its HTTP status: a failure has that of the model."""
    cases = cases_of(job)
    if not job.is_finished:
        return {"detail": "Request is still in progress"}, 400
    if job.status is Status.CANCELLED:
        return {"detail": "Request was cancelled", "error_type": "client_cancelled"}, 499
    if "removed" in cases:
        return {"detail": "Request not found"}, 404
    if "error" in cases:
        return {"detail": "Request timed out", "error_type": "request_timeout"}, 504
    if job.output is None:
        return failure_of(job.error or "", cases)
    made = with_addresses(job.output, f"{origin}/results/{job.id}")
    if "video_url" in made:
        film = {"url": made["video_url"], "content_type": "video/mp4", "file_name": "0.mp4"}
        return {"video": film, "seed": made["seed"]}, 200
    images = [
        {**{name: image[name] for name in ("url", "width", "height")}, "content_type": "image/png"}
        for image in made["images"]
    ][: -1 if "partial" in cases else None]
    if "single" in cases:
        return {"image": images[0]}, 200
    flags = ["nsfw" in cases or ("nsfw-first" in cases and at == 0) for at in range(len(images))]
    seed = made["images"][0]["seed"]
    timings = {"inference": round((job.finished_at or 0) - (job.started_at or 0), 6)}
    return {
        "images": [] if "empty" in cases else images,
        "timings": timings,
        "seed": seed,
        "has_nsfw_concepts": flags,
        "prompt": "",
    }, 200


def failure_of(error: str, cases: list[str]) -> tuple[dict[str, Any], int]:
    """Return a model's error: about what it was given, or of its own."""
    kind, status = "internal_server_error", 500
    if "policy" in cases:
        kind, status = POLICY, 422
    elif error.startswith("Invalid"):
        kind, status = "value_error", 422
    return {"detail": [detail(kind, error, "prompt" if status == 422 else None)]}, status


def detail(kind: str, message: str, field: str | None) -> dict[str, Any]:
    """Return one typed error."""
    where = ["body", field] if field else ["body"]
    return {"loc": where, "msg": message, "type": kind, "url": f"{DOCS}#{kind}", "input": {}}


def news_of(job: Job) -> bytes:
    """Return the body of a webhook."""
    body, status = result_of(job, job.origin or "")
    is_well = status == 200 or not job.is_finished
    told = {
        "request_id": job.id,
        "gateway_request_id": job.id,
        "status": "OK" if is_well else "ERROR",
        "error": None if is_well else f"Invalid status code: {status}",
        "payload": body if job.is_finished else None,
        "payload_error": None,
    }
    return json.dumps(told).encode()


def sign_news(job: Job, content: bytes) -> dict[str, str]:
    """Return the headers of fal's signature."""
    digest = hashlib.sha256(content).hexdigest()
    sent_at = str(int(time.time()))
    signature = KEY.sign("\n".join((job.id, USER, sent_at, digest)).encode())
    return {
        "X-Fal-Webhook-Request-Id": job.id,
        "X-Fal-Webhook-User-Id": USER,
        "X-Fal-Webhook-Timestamp": sent_at,
        "X-Fal-Webhook-Signature": signature.hex(),
    }

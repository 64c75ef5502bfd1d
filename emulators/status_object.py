"""A job in RunPod's words, as `/status` and webhooks tell of it.

Source: docs.runpod.io/serverless/endpoints/operation-reference, 2026-08-20.
"""

import time
from dataclasses import replace
from typing import Any

from emulators.store import Job, Status


def milliseconds(since: float, until: float | None) -> int:
    """Return a span between two Unix times, up to now while it has no end."""
    return max(0, round(((until or time.time()) - since) * 1000))


def describe(
    job: Job, origin: str, *, progress: float = 0.0, queue_position: int = 1
) -> dict[str, Any]:
    """Return a job as it stands; result addresses begin with `origin`."""
    body: dict[str, Any] = {"id": job.id, "status": str(job.status)}
    if job.started_at is not None:
        body["delayTime"] = milliseconds(job.accepted_at, job.started_at)
        body["workerId"] = "demo-worker"
    if job.status is Status.IN_QUEUE:
        body["queue_position"] = queue_position
    if job.status is Status.IN_PROGRESS:
        body["output"] = {"progress": progress}
    if job.started_at is not None and job.is_finished:
        body["executionTime"] = milliseconds(job.started_at, job.finished_at)
    if job.error is not None:
        body["error"] = job.error
    if job.output is not None:
        body["output"] = with_addresses(job.output, f"{origin}/results/{job.id}")
    return body


def with_addresses(output: dict[str, Any], base: str) -> dict[str, Any]:
    """Return a finished job's output with addresses in place of file names."""
    if "file" in output:
        rest = {name: value for name, value in output.items() if name != "file"}
        return {"video_url": f"{base}/{output['file']}", **rest}
    images = [
        {
            "url": f"{base}/{i['file']}",
            "width": i["width"],
            "height": i["height"],
            "seed": i["seed"],
        }
        for i in output["images"]
    ]
    only = {"image_url": images[0]["url"]} if len(images) == 1 else {}
    return {"images": images, **only, "cost": output["cost"]}


def unfinished(job: Job) -> Job:
    """Return a job as it stood before it ended."""
    started_at = job.started_at or job.accepted_at
    return replace(job, status=Status.IN_PROGRESS, output=None, error=None, started_at=started_at)

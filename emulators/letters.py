"""A webhook's body and headers, for the wire that the job came by: RunPod's, or a company's."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emulators.bfl_object import describe_news
from emulators.fal_object import news_of, sign_news
from emulators.interaction_object import interaction_content
from emulators.prediction_object import describe_prediction, sign_prediction
from emulators.status_object import describe, unfinished
from emulators.store import Job, Status

Sign = Callable[[Job, bytes], dict[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Letters:
    """How a company writes news: the body, how it signs (None: not at all), and of which ends."""

    content: Callable[[Job, dict[str, Any]], bytes]
    sign: Sign | None
    tells: frozenset[Status]


def runpod_content(job: Job, job_input: dict[str, Any]) -> bytes:
    """Return the status object, and what was asked for; no progress."""
    body = describe(job, job.origin or "")
    if not job.is_finished:
        del body["output"]
    return json.dumps({**body, "input": job_input, "webhook": job.webhook}).encode()


def prediction_content(job: Job, job_input: dict[str, Any]) -> bytes:
    """Return the prediction itself."""
    body = describe_prediction(job, job.origin or "")
    return json.dumps({**body, "input": job_input.get("asked", {})}).encode()


def bfl_content(job: Job, _job_input: dict[str, Any]) -> bytes:
    """Return the task with its result, as a poll would."""
    return json.dumps(describe_news(job, job.origin or "")).encode()


def fal_content(job: Job, _job_input: dict[str, Any]) -> bytes:
    """Return the result, in fal's envelope."""
    return news_of(job)


ENDS = frozenset({Status.COMPLETED, Status.FAILED})
RUNPOD = Letters(content=runpod_content, sign=None, tells=ENDS)
LETTERS = {
    "fal": Letters(content=fal_content, sign=sign_news, tells=ENDS),
    "bfl": Letters(content=bfl_content, sign=None, tells=ENDS),
    "gemini": Letters(content=interaction_content, sign=None, tells=ENDS),
    "replicate": Letters(
        content=prediction_content, sign=sign_prediction, tells=ENDS | {Status.CANCELLED}
    ),
}


def letters_of(job: Job) -> Letters:
    """Return how the news of a job are written."""
    return LETTERS.get((job.wire or {}).get("name", ""), RUNPOD)


def early_content(job: Job, job_input: dict[str, Any]) -> bytes:
    """Return the news of a job as it stood before it ended."""
    return letters_of(job).content(unfinished(job), job_input)


def broken(headers: dict[str, str]) -> dict[str, str]:
    """Return headers whose signature does not hold any more.

    The last sign of base64 before its `=` is left alone: not all of its bits mean something.
    """
    name = next(name for name in headers if name.lower().endswith("signature"))
    other = "1" if headers[name][-3] == "0" else "0"
    return {**headers, name: headers[name][:-3] + other + headers[name][-2:]}

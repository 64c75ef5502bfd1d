"""RunPod serverless: submit by /run, look by /status, stop by /cancel; its news are the status.

The same class speaks to any address with this wire: to RunPod's cloud, and to the demo provider.
What is special about an endpoint stands in its dialect in the catalogue. An `output` is a result
only when the status says COMPLETED; while it runs, it is the worker's progress message.
Source: docs.runpod.io/serverless/endpoints (operation-reference, job-states, send-requests),
2026-08-20.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TypeGuard

import httpx
from pydantic import SecretStr

from providers import wire
from providers.addresses import origin_of
from providers.contract import (
    AnswerLost,
    Cancelled,
    Failed,
    Job,
    JobState,
    Malformed,
    News,
    Rejected,
    Request,
    Route,
    Running,
    Succeeded,
    Unauthorized,
    Waiting,
)
from providers.dialect import Json
from providers.failures import classify, message_of, plain_text
from providers.outputs import find_cost_usd, find_outputs, find_progress
from providers.place import Configured, Question
from providers.spelling import spell
from settings import Settings

BODY_BYTES_MAX = 10_000_000  # "10 MB" for /run; the smaller reading of it
ROOM_FOR_WORDS_BYTES = 400_000
EXECUTION_S_RANGE = (5.0, 604_800.0)
TTL_MARGIN_S = 60.0  # a job nobody follows any more is deleted this long after our own deadline
JOB_ID = re.compile(r"(?=.*[A-Za-z0-9])[A-Za-z0-9._:-]{1,200}")
STATUS = re.compile(r"[A-Z_]{1,40}")
TOO_LATE = frozenset({400, 404, 409, 410, 422})  # to a cancel: there is nothing left to stop
HEALTH_ENDPOINT = "black-forest-labs-flux-1-schnell"
RETRYABLE = frozenset({"provider_error", "timeout"})


class RunPod:
    """A place that speaks RunPod's wire, under the name the catalogue's routes call it by."""

    def __init__(
        self, name: str, base_url: str, api_key: SecretStr | str | None, client: httpx.AsyncClient
    ) -> None:
        self.name = name
        self.origin = origin_of(base_url)
        self.input_bytes_max = (BODY_BYTES_MAX - ROOM_FOR_WORDS_BYTES) * 3 // 4
        self._base_url = base_url.rstrip("/")
        self._client = client
        self._secret = api_key if isinstance(api_key, SecretStr) else SecretStr(api_key or "")

    async def submit(
        self, route: Route, request: Request, *, key: str, webhook_url: str | None = None
    ) -> Job:
        """Send the one paid request. Raises: any ProviderError but Unreachable and Gone."""
        body = json.dumps(payload(route, request, webhook_url), allow_nan=False).encode()
        if len(body) > BODY_BYTES_MAX:
            raise Rejected(too_heavy(self.name, request, len(body)))
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        if route.on_lost_submit == "key":
            headers["Idempotency-Key"] = key
        call = self._request("POST", f"{route.endpoint}/run", headers, body)
        answer = await wire.submit(self._client, call, self._key())
        job_id = answer.json.get("id") if isinstance(answer.json, Mapping) else None
        if not is_job_id(job_id):
            raise AnswerLost(f"{self.name} took the request, but named no job")
        return self.job(route, job_id)

    async def poll(self, route: Route, job: Job) -> JobState:
        """Ask how the job stands. Raises: Unreachable, Busy, Gone, Unauthorized, Malformed."""
        call = self._request("GET", job.urls["status"])
        answer = await wire.look(self._client, call, self._key())
        named = answer.json.get("id") if isinstance(answer.json, Mapping) else None
        if named is not None and named != job.id:
            raise Malformed(f"{self.name} answered about another job than was asked for")
        return parse(route, answer.json, self._key())

    async def cancel(self, route: Route, job: Job) -> None:
        """Ask to stop; that a job is over or forgotten, `poll` tells. Raises: like `poll`."""
        call = self._request("POST", job.urls["cancel"])
        await wire.look(self._client, call, self._key(), too_late=TOO_LATE)

    async def find(self, route: Route, key: str) -> Job | None:
        """Return None: RunPod lists no jobs and knows no reference of ours."""
        return None

    def hear(self, headers: Mapping[str, str], raw: bytes) -> News:
        """Read a status object; RunPod signs nothing, so only the address proves the sender.

        Raises: Malformed. Source: docs.runpod.io/serverless/endpoints/send-requests, 2026-08-20.
        """
        try:
            body = json.loads(raw)
        except (ValueError, RecursionError):
            raise Malformed("the news is no JSON") from None
        job_id = body.get("id") if isinstance(body, Mapping) else None
        status = body.get("status") if isinstance(body, Mapping) else None
        if not is_job_id(job_id) or not isinstance(status, str) or not STATUS.fullmatch(status):
            raise Malformed("the news names no job and status")
        return News(event=f"{job_id}:{status}", job_id=job_id)

    def job(self, route: Route, job_id: str) -> Job:
        """Return the job of this id, at the addresses that the endpoint has for it.

        Raises: Malformed.
        """
        if not is_job_id(job_id):
            raise Malformed(f"no job of {self.name} can have such an id")
        return Job(
            id=job_id,
            urls={
                "status": f"{route.endpoint}/status/{job_id}",
                "cancel": f"{route.endpoint}/cancel/{job_id}",
            },
        )

    def _key(self) -> str:
        return self._secret.get_secret_value()

    def _request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> httpx.Request:
        key = self._key()
        if not (key.isascii() and key.isprintable()):
            raise Unauthorized(f"the key of {self.name} holds characters that no key has")
        authorization = {"Authorization": f"Bearer {key}"} if key else {}
        return self._client.build_request(
            method,
            f"{self._base_url}/{path}",
            headers={"Accept-Encoding": "identity", **authorization, **(headers or {})},
            content=wire.portions(body) if body else None,
        )


def is_job_id(job_id: object) -> TypeGuard[str]:
    """Whether this can name a job, and nothing else, in an address."""
    return isinstance(job_id, str) and JOB_ID.fullmatch(job_id) is not None


def configured(settings: Settings, client: httpx.AsyncClient) -> Configured | None:
    """RunPod, where its key is set. The question is the health of a public endpoint.

    Source: docs.runpod.io/serverless/endpoints/operation-reference, 2026-08-20.
    """
    key = settings.runpod_api_key
    if key is None:
        return None
    return Configured(
        provider=RunPod("runpod", settings.runpod_base_url, key, client),
        label="RunPod",
        setting="runpod_api_key",
        question=Question(
            url=f"{settings.runpod_base_url}/{HEALTH_ENDPOINT}/health",
            headers={"Authorization": f"Bearer {key.get_secret_value()}"},
        ),
    )


def payload(route: Route, request: Request, webhook_url: str | None = None) -> dict[str, Json]:
    """Return the body of /run: the endpoint's own words, how long the job may run and last, and
    where its news go.
    """
    least, most = EXECUTION_S_RANGE
    execution_s = min(max(route.deadline_s, least), most)
    ttl_s = min(execution_s + TTL_MARGIN_S, most)
    return {
        "input": spell(route.dialect, request),
        "policy": {"executionTimeout": int(execution_s * 1000), "ttl": int(ttl_s * 1000)},
        **({"webhook": webhook_url} if webhook_url else {}),
    }


def parse(route: Route, body: object, secret: str = "") -> JobState:
    """Return how a job stands by its status object. Raises: Malformed."""
    if not isinstance(body, Mapping):
        raise Malformed("the job's status is no JSON object")
    output, error = body.get("output"), body.get("error")
    match body.get("status"):
        case "IN_QUEUE":
            return Waiting(position=queue_position(body))
        case "IN_PROGRESS" | "RUNNING":
            return Running(progress=find_progress(output))
        case "COMPLETED":
            return completed(route, output, error, secret)
        case "FAILED":
            return failed(route, error or output, secret)
        case "TIMED_OUT":
            said = plain_text(message_of(error), secret)
            return Failed(
                code="timeout",
                message=said or "the provider stopped the job at its time limit",
                charged=route.dialect.charges_failed,
            )
        case "CANCELLED":
            return Cancelled()
        case other:
            raise Malformed(f"unknown job status {plain_text(str(other), secret)[:60]!r}")


def queue_position(body: Mapping[str, object]) -> int | None:
    """Return the place in the queue, where a provider tells it; RunPod's cloud does not."""
    position = body.get("queue_position")
    if isinstance(position, bool) or not isinstance(position, int):
        return None
    return position if 0 <= position < 1_000_000 else None


def completed(route: Route, output: object, error: object, secret: str) -> JobState:
    """Return a finished job: done is not yet success."""
    outputs = find_outputs(output, route.dialect.output)
    if outputs:
        return Succeeded(outputs=outputs, cost_usd=find_cost_usd(output))
    if error or (isinstance(output, Mapping) and output.get("error")):
        return failed(route, error or output, secret)
    return Failed(
        code="provider_error",
        message="the provider finished the job without a result",
        charged=route.dialect.charges_failed,
    )


def failed(route: Route, error: object, secret: str) -> Failed:
    """Return a job that ended without a result, by the worker's own words."""
    said = plain_text(message_of(error), secret) or "the provider gives no reason"
    code = classify(said)
    return Failed(
        code=code,
        message=said,
        retryable=code in RETRYABLE,
        charged=route.dialect.charges_failed,
    )


def too_heavy(name: str, request: Request, body_bytes: int) -> str:
    """Say what weighs how much."""
    pictures = ", ".join(f"{file.role} {len(file.data) / 1e6:.1f} MB" for file in request.inputs)
    return (
        f"the request has {body_bytes / 1e6:.1f} MB, and {name} takes up to "
        f"{BODY_BYTES_MAX / 1e6:.0f} MB ({pictures or 'no pictures'}); send smaller pictures"
    )

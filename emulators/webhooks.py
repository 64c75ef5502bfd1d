"""News of finished jobs, sent to the address a submit named: RunPod's webhooks, and their faults.

Sent for COMPLETED and FAILED, unsigned, three tries in all; 200 or 202 ends them. None is sent
for a cancelled job. Tries that wait when the provider stops are lost.
Source: docs.runpod.io/serverless/endpoints/send-requests, 2026-08-20.
"""

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx

from emulators.fault_orders import POSSIBLE, Fault, FaultName
from emulators.faults import Faults
from emulators.ledger import Ledger
from emulators.status_object import describe, unfinished
from emulators.store import Job, Status

TRIES = 3
GAP_S = 10.0
TAKEN = frozenset({200, 202})
AT_THE_START: frozenset[FaultName] = frozenset({"early"})
AT_THE_END = frozenset(POSSIBLE["webhook"]) - AT_THE_START


def forged_address(url: str) -> str:
    """Return an address whose last path segment, the token, is another one."""
    parts = urlsplit(url)
    head, _, token = parts.path.rpartition("/")
    token = ("B" if token[:1] == "A" else "A") + token[1:]
    return urlunsplit(parts._replace(path=f"{head}/{token}"))


class Webhooks:
    """Sends the news; `gap_s` lies between two tries."""

    def __init__(self, client: httpx.AsyncClient, ledger: Ledger, faults: Faults) -> None:
        self._client = client
        self._ledger = ledger
        self._faults = faults
        self._tasks: set[asyncio.Task[None]] = set()
        self.gap_s = GAP_S

    async def announce(self, job: Job, job_input: dict[str, Any]) -> None:
        """Send an `early` one when that is ordered; returns when it is answered."""
        if job.webhook is None or self._take(job, AT_THE_START) is None:
            return
        await self._try(job, job.webhook, content_of(unfinished(job), job_input))

    def tell(self, job: Job, job_input: dict[str, Any]) -> None:
        """Begin to send the news of a job that has just ended."""
        if job.webhook is None or job.status is Status.CANCELLED:
            return
        task = asyncio.create_task(self._tell(job, job.webhook, job_input), name=f"tell {job.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Give up what is not sent yet."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _take(self, job: Job, among: frozenset[FaultName]) -> Fault | None:
        return self._faults.take("webhook", job.endpoint, job.subject, among)

    async def _tell(self, job: Job, url: str, job_input: dict[str, Any]) -> None:
        fault = self._take(job, AT_THE_END)
        content = content_of(job, job_input)
        match fault.fault if fault else None:
            case "lost":
                return
            case "forged":
                await self._try(job, forged_address(url), content)
            case "twice":
                await asyncio.gather(*(self._deliver(job, url, content) for _ in range(2)))
            case "reordered":
                await self._deliver(job, url, content)
                await self._try(job, url, content_of(unfinished(job), job_input))
            case "late" if fault:
                await asyncio.sleep(fault.delay_s)
                await self._deliver(job, url, content)
            case _:
                await self._deliver(job, url, content)

    async def _deliver(self, job: Job, url: str, content: bytes) -> None:
        """Try until it is taken, as often as RunPod does."""
        for left in range(TRIES - 1, -1, -1):
            if await self._try(job, url, content) in TAKEN:
                return
            if left:
                await asyncio.sleep(self.gap_s)

    async def _try(self, job: Job, url: str, content: bytes) -> int | None:
        """Send once; returns the HTTP status, or None when no answer came."""
        self._ledger.count(job.subject, "webhooks")
        headers = {"Content-Type": "application/json"}
        try:
            answer = await self._client.post(url, content=content, headers=headers)
        except httpx.HTTPError:
            return None
        self._ledger.note_answer(job.subject, answer.status_code)
        return answer.status_code


def content_of(job: Job, job_input: dict[str, Any]) -> bytes:
    """Return the body of a webhook: the status object, and what was asked for; no progress."""
    body = describe(job, job.origin or "")
    if not job.is_finished:
        del body["output"]
    return json.dumps({**body, "input": job_input, "webhook": job.webhook}).encode()

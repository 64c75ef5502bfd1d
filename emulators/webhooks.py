"""News of finished jobs, sent to the address a submit named, and their faults.

RunPod's are sent for COMPLETED and FAILED, unsigned; letters.py says how other wires write. Three
tries in all; 200 or 202 ends them. Tries that wait when the provider stops are lost.
Source: docs.runpod.io/serverless/endpoints/send-requests, 2026-08-20.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx

from emulators.fault_orders import POSSIBLE, Fault, FaultName
from emulators.faults import Faults
from emulators.ledger import Ledger
from emulators.letters import broken, early_content, letters_of
from emulators.status_object import unfinished
from emulators.store import Job

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
        await self._try(unfinished(job), job.webhook, early_content(job, job_input))

    def begin(self, job: Job, job_input: dict[str, Any]) -> None:
        """Begin to send that a job has started, where its submit wants to know that; a fault of
        webhooks that waits for it speaks of all its news.
        """
        if job.webhook is None or "start" not in (job.wire or {}).get("events", ()):
            return
        if not any(
            rule["on"] == "webhook" and rule["generation"] in (None, job.subject)
            for rule in self._faults.read()
        ):
            content = early_content(job, job_input)
            self._send(self._deliver(unfinished(job), job.webhook, content), job)

    def tell(self, job: Job, job_input: dict[str, Any]) -> None:
        """Begin to send the news of a job that has just ended."""
        if job.webhook is not None and job.status in letters_of(job).tells:
            self._send(self._tell(job, job.webhook, job_input), job)

    def _send(self, sending: Coroutine[Any, Any, None], job: Job) -> None:
        task = asyncio.create_task(sending, name=f"tell {job.id}")
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
        content = letters_of(job).content(job, job_input)
        match fault.fault if fault else None:
            case "lost":
                return
            case "forged":
                await self._forge(job, url, content)
            case "twice":
                await asyncio.gather(*(self._deliver(job, url, content) for _ in range(2)))
            case "reordered":
                await self._deliver(job, url, content)
                await self._try(unfinished(job), url, early_content(job, job_input))
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

    async def _forge(self, job: Job, url: str, content: bytes) -> None:
        """Send once under a signature that does not hold, or to an address nobody gave out."""
        if sign := letters_of(job).sign:
            await self._try(job, url, content, broken(sign(job, content)))
        else:
            await self._try(job, forged_address(url), content)

    async def _try(
        self, job: Job, url: str, content: bytes, signed: dict[str, str] | None = None
    ) -> int | None:
        """Send once; returns the HTTP status, or None when no answer came."""
        self._ledger.count(job.subject, "webhooks")
        sign = letters_of(job).sign
        headers = {
            "Content-Type": "application/json",
            **(signed or (sign(job, content) if sign else {})),
        }
        try:
            answer = await self._client.post(url, content=content, headers=headers)
        except httpx.HTTPError:
            return None
        self._ledger.note_answer(job.subject, answer.status_code)
        return answer.status_code

"""The demo painters' wire as the tests of faults and webhooks use it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx

from tests.demo_process import Demo

KEY = {"Authorization": "Bearer any"}
ENDPOINT = "demo-image-quick"


async def submit(
    demo: Demo,
    generation: str | None = None,
    prompt: str = "a fox",
    *,
    fault: str | None = None,
    webhook: str | None = None,
    seed: int = 1,
) -> httpx.Response:
    """The answer to a submit; `fault` is its header's."""
    headers = dict(KEY)
    headers |= {"Idempotency-Key": f"{generation}-1"} if generation else {}
    headers |= {"X-Demo-Fault": fault} if fault is not None else {}
    body: dict[str, Any] = {"input": {"prompt": prompt, "width": 160, "height": 90, "seed": seed}}
    body |= {"webhook": webhook} if webhook is not None else {}
    return await demo.client.post(f"/v2/{ENDPOINT}/run", json=body, headers=headers)


async def look(demo: Demo, job_id: str) -> httpx.Response:
    return await demo.client.get(f"/v2/{ENDPOINT}/status/{job_id}", headers=KEY)


async def status(demo: Demo, job_id: str) -> Any:
    return (await look(demo, job_id)).json()


async def completed(demo: Demo, prompt: str = "a fox", fault: str | None = None) -> tuple[str, str]:
    """Generation and job id of work that is done."""
    generation = str(uuid4())
    job_id = (await submit(demo, generation, prompt, fault=fault)).json()["id"]
    await demo.until(generation, "completed")
    return generation, job_id

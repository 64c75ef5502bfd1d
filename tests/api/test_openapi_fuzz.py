"""Whatever is sent, allowed or not: no fault of ours, nothing that is not described, and the
process lives on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.api.fuzzing import Fuzz
from tests.demo_process import Demo
from tests.house import Served, serve


@pytest.fixture
async def fuzzed(
    fresh_database: Callable[[str], str],
    calm_demo: Demo,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> AsyncIterator[Served]:
    """A server of its own, which counts no requests."""
    urls = {
        "DATABASE_URL": fresh_database(f"fuzzed_{request.node.name[-5:]}"),
        "DEMO_BASE_URL": calm_demo.url,
    }
    async with serve(tmp_path / "fuzzed", REQUESTS_PER_MINUTE="0", **urls) as served:
        yield served


async def fuzz(served: Served, examples_each: int) -> Fuzz:
    """Fuzz the server, and look after it."""
    fuzzing = Fuzz(url=served.url, examples_each=examples_each)
    # In a thread: what the server says meanwhile has to be read.
    await asyncio.to_thread(fuzzing.run)
    assert fuzzing.faults == [], "\n\n".join(dict.fromkeys(fuzzing.faults))
    assert served.process.returncode is None
    assert (await served.client.get("/readyz")).status_code == 200
    said = [line for line in served.lines if "Traceback" in line or "internal" in line.lower()]
    assert said == []
    return fuzzing


@pytest.mark.timeout(600)
async def test_made_up_requests_are_answered_as_described(fuzzed: Served) -> None:
    fuzzing = await fuzz(fuzzed, examples_each=6)
    came = {status for counts in fuzzing.answers.values() for status in counts}
    # It got beyond the doors' refusals: things were made, found, not found and refused.
    assert {200, 201, 202, 204, 404, 409, 422} <= came, came


@pytest.mark.long
@pytest.mark.timeout(1800)
async def test_a_great_many_of_them_too(fuzzed: Served) -> None:
    await fuzz(fuzzed, examples_each=150)

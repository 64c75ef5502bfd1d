"""The official client of OpenAI's at the run's server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import openai
import pytest

from tests.demo_process import Demo
from tests.house import Served


@pytest.fixture
async def client(server: Served, calm_demo: Demo) -> AsyncIterator[openai.AsyncOpenAI]:
    """As it is set up by everybody: an address, and some key."""
    async with openai.AsyncOpenAI(
        base_url=f"{server.url}/v1",
        api_key="sk-any",
        http_client=openai.DefaultAsyncHttpxClient(trust_env=False, timeout=60),
    ) as opened:
        yield opened

"""A scripted chat server and an agent that talks to it."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from agent.chat_model import ChatModel, open_client
from agent.loop import Agent
from tests.agent.scripted_server import ScriptedServer, scripted_server
from tests.tools.recording import CALLER, RecordingAdmission
from tools.registry import Toolbox


@pytest.fixture
async def server() -> AsyncGenerator[ScriptedServer]:
    async with scripted_server() as server:
        yield server


@pytest.fixture
async def chat(server: ScriptedServer) -> AsyncGenerator[ChatModel]:
    chat = ChatModel(
        client=open_client(server.base_url, "sk-secret-0123456789"),
        name="test-model",
        server=f"127.0.0.1:{server.port}",
        key_setting="OPENAI_API_KEY (.env)",
        source="a test",
    )
    yield chat
    await chat.close()


@pytest.fixture
def agent(chat: ChatModel) -> Agent:
    return Agent(chat)


@pytest.fixture
def admission() -> RecordingAdmission:
    return RecordingAdmission()


@pytest.fixture
def toolbox(admission: RecordingAdmission) -> Toolbox:
    return Toolbox(CALLER, admission.door)

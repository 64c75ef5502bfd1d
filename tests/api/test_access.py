"""What the access layer hands on: the login it has checked, and nothing else that could be one."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from accounts import tokens
from accounts.identity import LOCAL
from api.access import Access
from tests.demo_process import Demo
from tests.house import open_house

OLD = "an.old.login"


class Listener:
    """An app that notes what it is sent."""

    def __init__(self) -> None:
        self.cookies: list[str] = []
        self.names: set[bytes] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.names = {name for name, _ in scope["headers"]}
        self.cookies = [value.decode() for name, value in scope["headers"] if name == b"cookie"]
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})


@pytest.mark.parametrize(
    "around",
    [
        "{ours}",
        f"access_token={OLD}; {{ours}}",
        f'x="a\\073access_token={OLD}"; {{ours}}',
        f"access_token_0={OLD}; access_token_1={OLD}; {{ours}}",
        f"{{ours}}; theme=dark; x=a access_token={OLD}",
    ],
)
async def test_of_all_cookies_the_checked_login_alone_is_handed_on(
    database_url: str, demo: Demo, tmp_path: Path, around: str
) -> None:
    async with open_house(database_url, demo.url, tmp_path) as house:
        listener = Listener()
        transport = httpx.ASGITransport(Access(listener, lambda: house))
        token = tokens.sign(house.secret, LOCAL, "", UUID(int=1), 60)
        headers = {
            "Cookie": around.format(ours=f"access_token={token}"),
            "Authorization": f"Bearer {OLD}",
        }
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            await client.get("/project/threads", headers=headers)
            assert listener.cookies == [f"access_token={token}"]
            assert b"authorization" not in listener.names
            await client.get("/project/threads", headers={"Cookie": f"access_token={OLD}"})
            assert listener.cookies == []

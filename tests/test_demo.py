"""The demo provider's process: one for a folder, there as long as anybody uses it, the same after
its death.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from demo import DemoProvider
from settings import ROOT, child_environment

WAIT_S = 40.0
PROGRAM = """
import sys
from pathlib import Path
from demo import DemoProvider

provider = DemoProvider(Path(sys.argv[1]))
for _ in iter(sys.stdin.readline, "leave\\n"):
    print(provider.enter(), flush=True)
provider.leave()
"""
KEY = "0199aaaa-0000-7000-8000-000000000000-1"


class User:
    """Another process of ours that uses the demo provider of a folder."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=child_environment(),
            start_new_session=True,
        )

    def enter(self) -> str:
        """Enter (again), as the house's keeper does; the address."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"enter\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], WAIT_S)
        assert ready, "it did not enter in time"
        return self._process.stdout.readline().decode().strip()

    def leave(self) -> None:
        with self._process:
            self._process.communicate(b"leave\n", WAIT_S)
        assert self._process.returncode == 0

    def kill(self) -> None:
        """End it as a crash would, with all it has in its process group."""
        with self._process:
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(WAIT_S)


class Users:
    """Those of one test; whoever is left in the end is killed, the provider with them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._all: list[User] = []

    def another(self) -> User:
        self._all.append(User(self.folder))
        return self._all[-1]

    def end(self) -> None:
        for user in self._all:
            user.kill()
        port = self.folder / "port"
        said = health(f"http://127.0.0.1:{port.read_text('ascii')}") if port.exists() else None
        if said and said["data_dir"] == str(self.folder / "state"):
            last = DemoProvider(self.folder)
            last.enter()
            last.leave()


@pytest.fixture
def users(tmp_path: Path) -> Iterator[Users]:
    made = Users(tmp_path / "demo")
    yield made
    made.end()


@pytest.fixture
def strangers(tmp_path: Path) -> Iterator[Users]:
    made = Users(tmp_path / "another folder")
    yield made
    made.end()


def health(url: str) -> dict[str, Any] | None:
    """What the provider says of itself; None when nobody answers."""
    try:
        answer: dict[str, Any] = httpx.get(f"{url}/healthz", trust_env=False).json()
    except httpx.TransportError:
        return None
    return answer


def submit(url: str) -> str:
    """A job under a key; its id."""
    answer = httpx.post(
        f"{url}/v2/demo-image-quick/run",
        json={"input": {"prompt": "a fox", "width": 64, "height": 64}},
        headers={"Authorization": "Bearer demo", "Idempotency-Key": KEY},
        trust_env=False,
    )
    return str(answer.raise_for_status().json()["id"])


def submits(url: str) -> int:
    book = httpx.get(f"{url}/_ledger", trust_env=False).json()["generations"]
    return int(book[KEY[:36]]["submits"])


def test_the_first_starts_it_and_the_last_stops_it(users: Users) -> None:
    first, second = users.another(), users.another()
    url = first.enter()
    started = health(url)
    assert started is not None
    assert second.enter() == url
    first.leave()
    assert health(url) == started
    second.leave()
    assert health(url) is None


def test_a_user_that_was_killed_neither_stops_it_nor_keeps_it(users: Users) -> None:
    killed, second = users.another(), users.another()
    url = killed.enter()
    started = health(url)
    assert second.enter() == url
    killed.kill()
    assert health(url) == started
    second.leave()
    assert health(url) is None


def test_port_and_ledger_are_kept_from_one_start_to_the_next(users: Users) -> None:
    first = users.another()
    url = first.enter()
    job_id = submit(url)
    first.leave()
    second = users.another()
    assert second.enter() == url
    assert submits(url) == 1
    assert submit(url) == job_id
    assert submits(url) == 1


def test_one_that_was_killed_is_brought_back_at_its_port_with_its_ledger(users: Users) -> None:
    user = users.another()
    url = user.enter()
    job_id = submit(url)
    before = health(url)
    assert before is not None
    os.kill(before["pid"], signal.SIGKILL)
    assert user.enter() == url
    after = health(url)
    assert after is not None
    assert after["pid"] != before["pid"]
    assert (submit(url), submits(url)) == (job_id, 1)
    user.leave()
    assert health(url) is None


def test_a_stranger_at_its_port_is_not_taken_for_it_and_not_stopped(
    users: Users, strangers: Users
) -> None:
    first = users.another()
    url = first.enter()
    first.leave()
    strangers.folder.mkdir(mode=0o700)
    (strangers.folder / "port").write_text(url.rsplit(":", 1)[1], "ascii")
    assert strangers.another().enter() == url
    second = users.another()
    elsewhere = second.enter()
    assert elsewhere != url
    second.leave()
    said = health(url)
    assert said is not None
    assert said["data_dir"] == str(strangers.folder / "state")

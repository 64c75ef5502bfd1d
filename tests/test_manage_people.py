"""Accounts and keys from the terminal: the secret alone on stdout, one line when it cannot be."""

from __future__ import annotations

import asyncio
import fcntl
import io
import os
import pty
import signal
import sys
import termios
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

import manage
from accounts import keys, passwords
from db.connect import open_engine
from operations import people
from settings import ROOT, child_environment
from tests.demo_process import Demo
from tests.house import free_port
from tests.people import PASSWORD, serve_people

ANNA = "anna@example.org"
SAID_S = 50.0


@dataclass(frozen=True, slots=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    complaint: str

    def refused(self, because: str) -> bool:
        """Exit code 1, one line, nothing for programs."""
        assert "Traceback" not in self.complaint, self.complaint
        (line,) = self.complaint.splitlines()
        return (self.code, self.out) == (1, "") and because in line


class Operator:
    """Types `manage.py` commands for one installation."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        self._environ = child_environment() | {"DATA_DIR": str(data_dir)} | settings

    async def run(self, *words: str | bytes, typed: bytes | None = None) -> Said:
        """`typed` is what stands in the standard input; None leaves it closed."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(ROOT / "manage.py"), *words),
            env=self._environ,
            stdin=asyncio.subprocess.DEVNULL if typed is None else asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(SAID_S):
            out, complaint = await process.communicate(typed)
        assert process.returncode is not None
        return Said(process.returncode, out.decode(), complaint.decode())

    async def at_terminal(self, *words: str, typed: list[bytes]) -> tuple[int, str]:
        """The exit code and all that was shown; what is typed follows one prompt each."""
        ours, theirs = pty.openpty()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(ROOT / "manage.py"), *words),
            env=self._environ,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: _take_terminal(theirs),
        )
        os.close(theirs)
        shown = b""
        try:
            async with asyncio.timeout(SAID_S):
                for line in typed:
                    while not shown.rstrip().endswith(b":"):
                        shown += await asyncio.to_thread(os.read, ours, 1000)
                    os.write(ours, line)
                    shown += b" ."
                code = await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
            os.close(ours)
        return code, shown.decode()


def _take_terminal(theirs: int) -> None:
    """Make it the process's own terminal, so that its Ctrl-C is a signal there."""
    fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)


@pytest.fixture
def operator(database_url: str, tmp_path: Path) -> Operator:
    """For a database of its own that is configured."""
    return Operator(tmp_path, DATABASE_URL=database_url)


async def test_a_made_password_and_a_new_key_stand_alone_on_stdout(operator: Operator) -> None:
    added = await operator.run("users", "add", ANNA)
    assert (added.code, added.out.count("\n")) == (0, 1)
    assert passwords.check_new(added.out.rstrip("\n"))
    assert added.out.strip() not in added.complaint
    made = await operator.run("keys", "create", "--user", ANNA.upper(), "--name", "CI")
    assert (made.code, made.out.count("\n")) == (0, 1)
    key = keys.read(made.out.rstrip("\n"))
    assert key is not None
    assert key.secret not in made.complaint
    assert "generate, read" in made.complaint
    assert (await operator.run("keys", "revoke", key.prefix)).code == 0
    again = await operator.run("keys", "revoke", made.out.strip())
    assert again.refused(f"there is no key {key.prefix}")


async def test_a_password_from_stdin_is_taken_as_it_is_and_never_said(operator: Operator) -> None:
    said = await operator.run(
        "users", "add", ANNA, "--admin", "--password-stdin", typed=f"{PASSWORD}\r\nmore".encode()
    )
    assert (said.code, said.out) == (0, "")
    assert PASSWORD not in said.complaint
    renewed = await operator.run(
        "users", "password", ANNA, "--password-stdin", typed=f"{PASSWORD} two".encode()
    )
    assert (renewed.code, renewed.out) == (0, "")


@pytest.mark.parametrize(
    ("words", "typed", "because"),
    [
        (("users", "add", "no address"), b"", "no e-mail address"),
        (("users", "add", "\udcff@example.org"), b"", "no e-mail address"),
        (("users", "add", "a\n@example.org"), b"", "no e-mail address"),
        (("users", "add", ANNA, "--password-stdin"), b"", "at least 8"),
        (("users", "add", ANNA, "--password-stdin"), b"short\n", "at least 8"),
        (("users", "add", ANNA, "--password-stdin"), b"xy" * 10_000, "at most 1024"),
        (("users", "add", ANNA, "--password-stdin"), b"\xff" * 20, "UTF-8"),
        (("users", "password", ANNA), b"", "there is no account"),
        (("users", "disable", ANNA), b"", "there is no account"),
        (("users", "enable", ANNA), b"", "there is no account"),
        (("users", "adopt-local", ANNA), b"", "there is no account"),
        (("users", "adopt", "superduper:7", ANNA), b"", "there is no account"),
        (("users", "adopt", "superduper:7", "local"), b"", "local mode has not been started"),
        (("users", "password", "local"), b"", "no e-mail address"),
        (("users", "disable", "local"), b"", "no e-mail address"),
        (("keys", "create", "--user", "local"), b"", "local mode"),
        (("keys", "create", "--user", ANNA, "--scopes", "read,all"), b"", "scopes are"),
        (("keys", "create", "--user", ANNA, "--scopes", ","), b"", "scopes are"),
        (("keys", "create", "--user", ANNA, "--name", "\udcff"), b"", "on one line"),
        (("keys", "revoke", "nothing!"), b"", "prefix"),
        (("keys", "revoke", "\udcff"), b"", "prefix"),
    ],
)
async def test_what_cannot_be_is_refused_in_one_line(
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    typed: bytes,
    because: str,
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(typed), "utf-8"))
    command = manage.command_of(manage.read_command_line(list(words)))
    engine = open_engine(database_url)
    with pytest.raises(people.Refused, match=because) as refused:
        await command(engine)
    await engine.dispose()
    assert len(str(refused.value).splitlines()) == 1


async def test_a_refusal_is_one_line_and_an_exit_code(operator: Operator) -> None:
    assert (await operator.run("users", "add", b"\xff@example.org")).refused("no e-mail address")


@pytest.mark.parametrize(
    "words", [(), ("users",), ("users", "add"), ("keys", "create"), ("users", "delete", ANNA)]
)
def test_words_that_are_no_command_show_how_it_goes(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    with pytest.raises(SystemExit) as ended:
        manage.read_command_line(list(words))
    assert ended.value.code == 2
    assert "usage: " in capsys.readouterr().err


async def test_at_a_terminal_the_password_is_asked_for_twice_and_not_shown(
    operator: Operator,
) -> None:
    typed = f"{PASSWORD}\n".encode()
    code, shown = await operator.at_terminal("users", "add", ANNA, typed=[typed, typed])
    assert code == 0
    assert PASSWORD not in shown
    for leaving, code_of_it in ((b"\x03", 128 + signal.SIGINT), (b"\x04", 1)):
        code, shown = await operator.at_terminal("users", "password", ANNA, typed=[leaving])
        assert code == code_of_it
        assert "Traceback" not in shown


async def test_of_two_at_once_one_makes_the_account(operator: Operator) -> None:
    both = await asyncio.gather(*(operator.run("users", "add", ANNA) for _ in range(2)))
    won, lost = sorted(both, key=lambda said: said.code)
    assert won.code == 0
    assert lost.refused("there is an account")


async def test_a_database_that_is_away_is_one_line_without_its_password(tmp_path: Path) -> None:
    url = f"postgresql://kinora:{PASSWORD.replace(' ', '')}@127.0.0.1:{free_port()}/kinora"
    said = await Operator(tmp_path, DATABASE_URL=url).run("users", "add", ANNA)
    assert said.refused("the database: ")
    assert PASSWORD.replace(" ", "") not in said.complaint


async def test_without_a_server_and_beside_one_it_is_the_same_database(
    shared_folder: Path, demo: Demo
) -> None:
    folder = shared_folder / "operated"
    operator = Operator(folder)
    first, second = await asyncio.gather(
        operator.run("users", "add", ANNA), operator.run("users", "add", "ben@example.org")
    )
    assert (first.code, second.code) == (0, 0), (first, second)
    key = await operator.run("keys", "create", "--user", ANNA)
    async with serve_people(folder, DEMO_BASE_URL=demo.url) as served:
        entered = await served.client.post(
            "/login", data={"username": ANNA, "password": first.out.strip()}
        )
        assert entered.status_code == 200
        by_key = {"Authorization": f"Bearer {key.out.strip()}"}
        assert await _usage(served.client, by_key) == await _usage(served.client, {}) == 200
        assert (await operator.run("users", "disable", ANNA)).code == 0
        assert await _usage(served.client, by_key) == await _usage(served.client, {}) == 401
        assert (await operator.run("users", "enable", ANNA)).code == 0
        assert await _usage(served.client, by_key) == 200
        assert await _usage(served.client, {}) == 401


async def _usage(client: httpx.AsyncClient, headers: dict[str, str]) -> int:
    return (await client.get("/api/usage", headers=headers)).status_code

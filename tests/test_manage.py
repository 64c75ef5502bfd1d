"""The doctor: all well, or what is wrong and what to do, and never a secret."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from settings import ROOT, child_environment
from tests.demo_process import Demo
from tests.house import Served, free_port

SECRET = "kept-between-us-0123456789"
ANSWERED_401 = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
ANSWERED_200 = ANSWERED_401.replace(b"401 Unauthorized", b"200 OK")


class Doctor:
    """Runs `manage.py doctor` on a folder of its own and reads what it says."""

    def __init__(self, data_dir: Path, demo: Demo) -> None:
        self._usual = {"DATA_DIR": str(data_dir), "DEMO_BASE_URL": demo.url}

    async def look(self, **settings: str) -> tuple[int, list[str]]:
        """The exit code and the lines; each finding with its remedy on one."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(ROOT / "manage.py"), "doctor"),
            env=child_environment() | self._usual | settings,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(50):
            said, complaints = await process.communicate()
        text = said.decode()
        assert SECRET not in text + complaints.decode()
        assert "Traceback" not in complaints.decode(), complaints.decode()
        assert process.returncode is not None
        return process.returncode, text.replace("\n      -> ", " -> ").splitlines()


@pytest.fixture
def doctor(tmp_path: Path, demo: Demo) -> Doctor:
    return Doctor(tmp_path / "data", demo)


@pytest.fixture
async def gateway() -> AsyncIterator[Callable[[bytes], str]]:
    """A tiny server that answers every request alike; it is told how, and tells where it is."""
    answer = [b""]
    keys: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        keys.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer[0])
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    def answering(how: bytes) -> str:
        answer[0] = how
        return f"http://127.0.0.1:{port}/v1"

    async with server:
        yield answering
    assert all(f"Bearer {SECRET}".encode() in asked for asked in keys)


def line_about(lines: list[str], about: str) -> str:
    (found,) = [line for line in lines if line[6:].startswith(f"{about}:")]
    return found


async def test_an_installation_at_work_is_well(
    server: Served, demo: Demo, shared_folder: Path, postgres: Callable[[str], str]
) -> None:
    doctor = Doctor(shared_folder / "served", demo)
    code, lines = await doctor.look(DATABASE_URL=postgres("served"))
    assert code == 0, lines
    assert lines[-1] == "all is well"
    assert all(line.startswith("ok    ") for line in lines[:-1])
    assert "1 alive" in line_about(lines, "workers")
    about = [line[6:].split(":")[0] for line in lines[:-1]]
    wanted = {"settings", "storage", "catalogue", "chat model", "database", "workers", "sweep"}
    assert wanted <= set(about)


async def test_an_installation_that_was_started_once_is_well_while_it_rests(
    doctor: Doctor, database_url: str, gateway: Callable[[bytes], str]
) -> None:
    code, lines = await doctor.look(DATABASE_URL=database_url, **keys_at(gateway(ANSWERED_200)))
    assert (code, lines[-1]) == (0, "all is well"), lines
    assert "0 alive" in line_about(lines, "workers")
    for about in ("chat model", "RunPod"):
        assert line_about(lines, about) == f"ok    {about}: answers (200)"


async def test_servers_without_a_worker_are_not_well(doctor: Doctor, database_url: str) -> None:
    code, lines = await doctor.look(DATABASE_URL=database_url, WORKER="off")
    assert (code, lines[-1]) == (1, "1 wrong"), lines
    start = "start one, here or on another machine: make worker (WORKER=off)"
    assert_wrong(lines, "workers", "0 alive", remedy=start)


def keys_at(base_url: str) -> dict[str, str]:
    return {
        "OPENAI_API_KEY": SECRET,
        "OPENAI_BASE_URL": base_url,
        "RUNPOD_API_KEY": SECRET,
        "RUNPOD_BASE_URL": base_url,
    }


def assert_wrong(lines: list[str], about: str, *said: str, remedy: str) -> None:
    found = line_about(lines, about)
    assert found.startswith("WRONG")
    assert found.endswith(f"-> {remedy}")
    assert [words for words in said if words not in found] == []


async def test_a_database_and_servers_that_are_away_are_named_and_their_passwords_are_not(
    doctor: Doctor, tmp_path: Path
) -> None:
    away = f"127.0.0.1:{free_port()}"
    models = tmp_path / "models.toml"
    models.write_text("[[models]]\nid = \n", "utf-8")
    code, lines = await doctor.look(
        DATABASE_URL=f"postgresql://kinora:{SECRET}@{away}/kinora",
        MODELS_FILE=str(models),
        **keys_at(f"http://{away}"),
    )
    assert (code, lines[-1]) == (1, "4 wrong"), lines
    assert_wrong(lines, "database", remedy="check DATABASE_URL")
    mend = "mend MODELS_FILE (docs/models.md)"
    assert_wrong(lines, "catalogue", "models.toml line 2", remedy=mend)
    openai = "check OPENAI_API_KEY, OPENAI_BASE_URL"
    assert_wrong(lines, "chat model", "not reached", remedy=openai)
    assert_wrong(lines, "RunPod", "not reached", remedy="check RUNPOD_API_KEY")


async def test_a_new_database_is_to_be_started_once_and_keys_that_are_refused_are_to_be_checked(
    doctor: Doctor, postgres: Callable[[str], str], gateway: Callable[[bytes], str]
) -> None:
    name = f"e{uuid4().hex[:12]}"
    with psycopg.connect(postgres("kinora"), autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        code, lines = await doctor.look(
            DATABASE_URL=postgres(name), **keys_at(gateway(ANSWERED_401))
        )
        connection.execute(sql.SQL("drop database {}").format(sql.Identifier(name)))
    assert (code, lines[-1]) == (1, "3 wrong"), lines
    once = "start Kinora once: it applies them"
    assert_wrong(lines, "migrations", "schema kinora", "schema jobs", remedy=once)
    refused, openai = "the key is not accepted", "check OPENAI_API_KEY, OPENAI_BASE_URL"
    assert_wrong(lines, "chat model", refused, remedy=openai)
    assert_wrong(lines, "RunPod", refused, remedy="check RUNPOD_API_KEY")


async def test_a_key_with_characters_that_no_key_has_is_wrong_and_no_crash(
    doctor: Doctor, database_url: str, gateway: Callable[[bytes], str]
) -> None:
    keys = keys_at(gateway(ANSWERED_200)) | {"OPENAI_API_KEY": f"{SECRET}-ключ"}
    code, lines = await doctor.look(DATABASE_URL=database_url, **keys)
    assert (code, lines[-1]) == (1, "1 wrong")
    assert_wrong(lines, "chat model", remedy="check OPENAI_API_KEY, OPENAI_BASE_URL")


async def test_a_setting_that_stops_the_start_is_said_and_nothing_else(doctor: Doctor) -> None:
    code, lines = await doctor.look(DATABASE_URL=f"postgresql://kinora:{SECRET}@[::1/kinora")
    assert (code, len(lines)) == (1, 2)
    assert lines[0].startswith("WRONG settings: DATABASE_URL (from environment)")
    assert lines[0].endswith("-> mend it in .env or the environment")


async def test_a_data_folder_that_cannot_be_is_said(demo: Demo, tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    code, lines = await Doctor(tmp_path / "a file", demo).look()
    assert (code, len(lines)) == (1, 2)
    assert lines[0].endswith("-> choose another DATA_DIR")

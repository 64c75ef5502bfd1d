"""A backup as docs/deploy.md tells it, of a real Postgres and a bucket: dumped, copied, everything
wiped, restored somewhere else, and every conversation and picture is back.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from db.embedded_home import binaries
from db.s3_files import S3Files
from tests.api.belongings import give_everything
from tests.demo_process import Demo
from tests.house import Served
from tests.people import PASSWORD, Person, a_person, serve_people
from tests.s3_server import S3Server
from tests.test_storage_copy import storage_copy

pytestmark = pytest.mark.timeout(180)
PEOPLE = ("anna@example.org", "ben@example.org")


async def postgres_program(program: str, *arguments: str) -> None:
    """Run one of Postgres's own programs to its good end."""
    process = await asyncio.create_subprocess_exec(
        str(binaries() / program), *arguments, stderr=asyncio.subprocess.PIPE
    )
    _, said = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, said.decode()


async def everything_of(person: Person) -> dict[str, Any]:
    """What a person sees of theirs: chats, what was said in them, generations, each file's hash."""
    listed = await person.client.post(
        "/project/threads", json={"pagination": {"first": 50}, "filter": {}}
    )
    threads = [thread["id"] for thread in listed.json()["data"]]
    made = (await person.client.get("/api/generations", params={"limit": 100})).json()["data"]
    files = {}
    for asset in (asset for one in made for asset in one["assets"]):
        for url in (asset["url"], asset["thumbnail_url"]):
            answer = await person.client.get(url)
            assert answer.status_code == 200, answer.text
            files[url] = hashlib.sha256(answer.content).hexdigest()
    read = [(await person.client.get(f"/project/thread/{one}")).json() for one in threads]
    assert threads
    assert made
    assert files
    said = {thread["id"]: [step["output"] for step in thread["steps"]] for thread in read}
    return {"said": said, "made": made, "files": files}


async def log_in_again(served: Served, person: Person) -> None:
    """The old cookie holds too; this shows that the password does."""
    person.client.base_url = served.url
    asked = {"username": person.email, "password": PASSWORD}
    assert (await person.client.post("/login", data=asked)).status_code == 200


async def test_everything_is_back_after_a_restore(
    fresh_database: Callable[[str], str], demo: Demo, s3_server: S3Server, shared_folder: Path
) -> None:
    folder, url = shared_folder / "backup", fresh_database("backed_up")
    dump, copies = folder / "kinora.dump", f"file://{folder}/copies"
    async with S3Files(folder, s3_server.bucket("living")).opened() as bucket:
        await bucket.make_bucket()
        settings = {"DEMO_BASE_URL": demo.url, **s3_server.settings()}
        first = settings | {"DATABASE_URL": url, "STORAGE_URL": "s3://living"}
        async with (
            serve_people(folder / "first", **first) as served,
            a_person(served, url, PEOPLE[0]) as anna,
            a_person(served, url, PEOPLE[1]) as ben,
        ):
            for person in (anna, ben):
                await give_everything(person, url)
            before = [await everything_of(person) for person in (anna, ben)]
            # The database first: of what is made meanwhile there may be a file without a row,
            # never a row without its file.
            await postgres_program("pg_dump", "--format=custom", f"--file={dump}", url)
            code, said = await storage_copy(s3_server, folder, "s3://living", copies)
            assert code == 0, said
            async with S3Files(folder, s3_server.bucket("restored")).opened() as restored:
                await restored.make_bucket()
                await wipe(url, bucket)
                fresh = await restore(fresh_database, dump)
                code, said = await storage_copy(s3_server, folder, copies, "s3://restored")
                assert code == 0, said
                second = settings | {"DATABASE_URL": fresh, "STORAGE_URL": "s3://restored"}
                async with serve_people(folder / "second", **second) as again:
                    for person, known in zip((anna, ben), before, strict=True):
                        await log_in_again(again, person)
                        assert await everything_of(person) == known


async def wipe(url: str, bucket: S3Files) -> None:
    """Lose everything."""
    with psycopg.connect(url, autocommit=True) as connection:
        for schema in ("kinora", "jobs"):
            connection.execute(f"drop schema {schema} cascade")
    async for key in bucket.keys():  # noqa: SIM118 - no dictionary
        await bucket.delete(key)


async def restore(fresh_database: Callable[[str], str], dump: Path) -> str:
    """The dump in an empty database."""
    url = fresh_database("restored")
    with psycopg.connect(url, autocommit=True) as connection:
        for schema in ("kinora", "jobs"):
            connection.execute(f"drop schema {schema} cascade")
    await postgres_program("pg_restore", "--exit-on-error", f"--dbname={url}", str(dump))
    return url

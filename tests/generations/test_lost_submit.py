"""A submit whose answer is lost follows the route's way, and is never sent blindly again.

The routes stand at provider `runpod`, pointed at the demo provider. Those without a key are counted
by job: what the provider calls `unkeyed`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db import generations, jobs, users
from db.connect import open_engine
from db.files import LocalFiles
from db.generations import Row
from db.ids import new_id
from generations import sending
from generations.contract import Wanted
from generations.hands import Hands
from generations.hearing import Hooks
from generations.lifecycle import MOVES, Again, Status
from generations.pace import Pace
from generations.remote import RemoteFiles
from generations.watch import Watch
from providers.catalogue import load_catalogue
from providers.contract import Busy, Job, JobState, News, Origin, Request, Route
from providers.download import open_result_clients
from runtime import Runtime
from tests.demo_process import Demo
from tests.house import free_port, local, open_house, reaches, settled

WAYS = ("key", "lookup", "webhook", "ask")
UNANSWERED = ("lookup", "webhook", "ask")
MODEL = """
[[models]]
id = "by-{way}"
label = "By {way}"
kind = "image"
sizes = {{ min_px = 64, max_px = 512, square_px = 64 }}
seed = true

[[models.routes]]
provider = "runpod"
endpoint = "demo-image-quick"
on_lost_submit = "{way}"
poll_s = 0.1
poll_max_s = 0.2
fields = {{ prompt = "prompt", width_px = "width", height_px = "height", seed = "seed" }}
"""
NOTE_MOVES = """
create table public.moves_seen (old text, new text);
create function public.note_move() returns trigger language plpgsql as
    'begin insert into public.moves_seen values (old.status, new.status); return null; end';
create trigger note_move after update on kinora.generations for each row
    when (old.status is distinct from new.status) execute function public.note_move();
"""


@pytest.fixture
def moves(database_url: str) -> list[tuple[str, str]]:
    """Filled at the end of a house: the moves its generations made, in order."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(NOTE_MOVES)
    return []


@contextlib.asynccontextmanager
async def house_at(
    database_url: str, provider_url: str, demo: Demo, folder: Path
) -> AsyncIterator[Runtime]:
    """A house whose models `by-<way>` are painted at `provider_url`."""
    models = folder / "models.toml"
    models.write_text("".join(MODEL.format(way=way) for way in WAYS), "utf-8")
    settings = {
        "MODELS_FILE": str(models),
        "RUNPOD_API_KEY": "rpa_x",
        "RUNPOD_BASE_URL": f"{provider_url}/v2",
    }
    async with open_house(database_url, demo.url, folder, **settings) as runtime:
        yield runtime


@pytest.fixture
async def house(
    database_url: str, moves: list[tuple[str, str]], calm_demo: Demo, tmp_path: Path
) -> AsyncIterator[Runtime]:
    async with house_at(database_url, calm_demo.url, calm_demo, tmp_path) as runtime:
        yield runtime
    moves += moves_seen(database_url)
    assert set(moves) <= {(str(old), str(new)) for old, news in MOVES.items() for new in news}


def moves_seen(database_url: str) -> list[tuple[str, str]]:
    with psycopg.connect(database_url) as connection:
        return connection.execute("select old, new from public.moves_seen").fetchall()


def a_fox(way: str) -> Wanted:
    return Wanted(kind="image", prompt="a red fox", model=f"by-{way}")


async def jobs_without_key(demo: Demo) -> set[str]:
    """The provider's jobs that came without a key."""
    pages = (await demo.client.get("/_ledger")).json()["unkeyed"]
    return {job["id"] for page in pages for job in page["jobs"]}


async def row_of(runtime: Runtime, generation_id: str) -> Row:
    async with runtime.engine.connect() as connection:
        row = await generations.load(connection, UUID(generation_id))
    assert row is not None
    return row


async def lose_an_answer(house: Runtime, demo: Demo, way: str = "webhook") -> str:
    """A generation that has become unknown; its id."""
    await demo.fault(on="submit", fault="drop_after", times=1)
    started = await house.admission.submit(local(house), a_fox(way))
    assert (await settled(house, started["id"]))["status"] == "unknown"
    return str(started["id"])


@pytest.mark.parametrize(
    ("way", "fault"),
    [*((way, "drop_after") for way in UNANSWERED), ("webhook", "malformed"), ("ask", "status")],
)
async def test_a_lost_answer_that_nobody_can_give_is_left_to_the_person(
    house: Runtime, demo: Demo, way: str, fault: str
) -> None:
    before = await jobs_without_key(demo)
    await demo.fault(on="submit", fault=fault, times=1, status=502)
    started = await house.admission.submit(local(house), a_fox(way))
    lost = await settled(house, started["id"])
    assert lost["status"] == "unknown"
    assert lost["error"]["code"] == "submit_unknown"
    assert (lost["error"]["retryable"], lost["charged"]) == (True, "maybe")
    assert lost["finished_at"] is not None
    # A 502 was refused by the demo, which we cannot know; what it took, it took once.
    assert len(await jobs_without_key(demo) - before) == (0 if fault == "status" else 1)


async def test_a_retry_from_unknown_is_the_second_attempt(house: Runtime, demo: Demo) -> None:
    before = await jobs_without_key(demo)
    lost = await lose_an_answer(house, demo)
    again = await house.admission.retry(local(house), lost)
    assert (again["id"], again["attempt"], again["status"]) == (lost, 2, "queued")
    assert (again["error"], again["charged"], again["finished_at"]) == (None, "no", None)
    done = await settled(house, lost)
    assert (done["status"], done["attempt"]) == ("completed", 2), done["error"]
    assert len(await jobs_without_key(demo) - before) == 2


async def test_an_unknown_one_that_is_dropped_is_cancelled_at_once(
    house: Runtime, demo: Demo
) -> None:
    cancels = (await demo.client.get("/_ledger")).json()["totals"]["cancels"]
    lost = await lose_an_answer(house, demo, "ask")
    dropped = await house.admission.cancel(local(house), lost)
    assert (dropped["status"], dropped["error"]) == ("cancelled", None)
    assert dropped["cancel_requested_at"] is not None
    assert dropped["charged"] == "maybe"
    assert (await demo.client.get("/_ledger")).json()["totals"]["cancels"] == cancels


async def test_an_unknown_one_that_nobody_decides_on_fails_in_the_end(
    house: Runtime, demo: Demo
) -> None:
    lost = await lose_an_answer(house, demo)
    async with house.engine.begin() as connection:
        assert await generations.settle_undecided(connection, 3600) == 0
        assert await generations.settle_undecided(connection, 0) == 1
    failed = await house.admission.get(local(house), lost)
    assert (failed["status"], failed["error"]["code"]) == ("failed", "submit_unknown")
    assert failed["charged"] == "maybe"


async def leave_an_intent(connection: AsyncConnection, user_id: UUID, way: str) -> Row:
    """A generation whose driver died after writing the intent, before or after sending."""
    values = {
        "id": new_id(),
        "user_id": user_id,
        "kind": "image",
        "prompt": "a red fox",
        "model": f"by-{way}",
        "provider": "runpod",
        "endpoint": "demo-image-quick",
        "params": {"width_px": 64, "height_px": 64, "n": 1, "seed": 7},
    }
    queued = await generations.insert_generation(connection, values, [])
    claimed = await generations.claim(connection, queued.id)
    assert claimed is not None
    row = await generations.move(connection, claimed, Status.SUBMITTING, intent_claim=claimed.claim)
    assert row is not None
    return row


async def drive_a_left_intent(house: Runtime, way: str) -> str:
    async with house.engine.begin() as connection:
        row = await leave_an_intent(connection, house.local_user_id, way)
        await jobs.defer_drive(connection, row.id)
    return str(row.id)


@pytest.mark.parametrize("way", UNANSWERED)
async def test_an_intent_of_a_dead_driver_is_never_sent_by_another(
    house: Runtime, demo: Demo, way: str
) -> None:
    before = await jobs_without_key(demo)
    found = await settled(house, await drive_a_left_intent(house, way))
    assert (found["status"], found["charged"]) == ("unknown", "maybe")
    assert await jobs_without_key(demo) == before


async def test_an_intent_of_a_dead_driver_is_sent_under_its_key(house: Runtime, demo: Demo) -> None:
    generation_id = await drive_a_left_intent(house, "key")
    assert (await settled(house, generation_id))["status"] == "completed"
    ledger = await demo.ledger(generation_id)
    assert (ledger["submits"], ledger["submit_requests"]) == (1, 1)
    assert ledger["jobs"][0]["key"] == f"{generation_id}-1"


async def test_a_repeat_that_is_put_off_does_not_forget_the_first_send(
    house: Runtime, demo: Demo, database_url: str
) -> None:
    """The first send may have been accepted: as `queued` the row could be cancelled without a word
    to the provider.
    """
    await demo.fault(on="submit", fault="drop_after", times=1)
    await demo.fault(on="submit", fault="status", times=1, status=429, retry_after_s=0.1)
    started = await house.admission.submit(local(house), a_fox("key"))
    done = await settled(house, started["id"])
    assert done["status"] == "completed"
    ledger = await demo.ledger(started["id"])
    assert (ledger["submits"], ledger["submit_requests"]) == (1, 3)
    assert ("submitting", "queued") not in moves_seen(database_url)


async def test_what_never_left_costs_nothing_and_can_be_cancelled(
    database_url: str, calm_demo: Demo, tmp_path: Path
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    async with house_at(database_url, nobody, calm_demo, tmp_path) as house:
        started = await house.admission.submit(local(house), a_fox("ask"))
        async with asyncio.timeout(20):
            reading = started
            while not reading["notes"]:
                await house.watch.sleep(UUID(started["id"]), reading["v"], 1.0)
                reading = await house.admission.get(local(house), started["id"])
        # It may be about to try again just now: then its driver follows the wish.
        assert reading["status"] in ("queued", "submitting")
        assert reading["charged"] == "no"
        await house.admission.cancel(local(house), started["id"])
        done = await settled(house, started["id"])
        assert (done["status"], done["charged"]) == ("cancelled", "no")


class SlowLine:
    """A line to the provider that keeps its answers back until `released`; `asked`: something is on
    its way.
    """

    def __init__(self, to_url: str) -> None:
        self._there = urlsplit(to_url)
        self.asked, self.released = asyncio.Event(), asyncio.Event()
        self.url = ""
        self._carrying = set[asyncio.Task[None]]()

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[SlowLine]:
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for task in self._carrying:
                task.cancel()
            await asyncio.gather(*self._carrying, return_exceptions=True)

    async def _carry(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._carrying.add(task)
        far, forth = await asyncio.open_connection(self._there.hostname, self._there.port)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._copy(near, forth))
                both.create_task(self._copy(far, back, self.released))
        finally:
            forth.close()
            back.close()

    async def _copy(
        self,
        source: asyncio.StreamReader,
        to: asyncio.StreamWriter,
        gate: asyncio.Event | None = None,
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                if gate is not None:
                    await gate.wait()
                to.write(data)
                await to.drain()
                self.asked.set()
            to.write_eof()


async def test_the_late_answer_of_a_submit_rescues_what_was_given_up(
    database_url: str, moves: list[tuple[str, str]], calm_demo: Demo, tmp_path: Path
) -> None:
    """The first house hangs in its submit and loses its lock; the second gives the submit up."""
    before = await jobs_without_key(calm_demo)
    async with (
        SlowLine(calm_demo.url).open() as line,
        house_at(database_url, line.url, calm_demo, tmp_path) as first,
    ):
        started = await first.admission.submit(local(first), a_fox("webhook"))
        await reaches(first, started["id"], "submitting")
        async with house_at(database_url, line.url, calm_demo, tmp_path) as second:
            cut_the_lock_of_the_busy_worker(database_url)
            lost = await settled(second, started["id"])
            assert lost["status"] == "unknown"
            line.released.set()
            await reaches(second, started["id"], "completed", within_s=8)
        row = await row_of(first, started["id"])
    taken = await jobs_without_key(calm_demo) - before
    assert row.provider_job is not None
    assert taken == {row.provider_job["id"]}
    assert row.attempt == 1
    assert ("unknown", "in_progress") in moves_seen(database_url)


def cut_the_lock_of_the_busy_worker(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        cut = connection.execute(
            """
            select pg_terminate_backend(l.pid) from pg_locks l
            join jobs.procrastinate_jobs j on j.worker_id = l.objid::bigint and j.status = 'doing'
            where l.locktype = 'advisory' and l.classid = %s and l.database =
                (select oid from pg_database where datname = current_database())
            """,
            (jobs.WORKER_LOCK,),
        ).fetchall()
    assert cut == [(True,)]


class AskedTooOften:
    """A provider that can be asked about a lost submit, but not just now."""

    name, input_bytes_max = "runpod", 1_000_000
    origin = Origin("https", "provider.example", 443)

    async def submit(
        self, route: Route, request: Request, *, key: str, webhook_url: str | None = None
    ) -> Job:
        raise AssertionError("a second blind submit")

    def hear(self, headers: Mapping[str, str], raw: bytes) -> News:
        raise AssertionError("nobody told anything")

    def job(self, route: Route, job_id: str) -> Job:
        raise AssertionError("nobody named a job")

    async def poll(self, route: Route, job: Job) -> JobState:
        raise AssertionError("nothing to look at")

    async def cancel(self, route: Route, job: Job) -> None:
        raise AssertionError("nothing to cancel")

    async def find(self, route: Route, key: str) -> Job | None:
        raise Busy("not so fast", retry_after_s=7)


async def test_a_provider_too_busy_to_be_asked_is_not_sent_the_request_again(
    database_url: str, tmp_path: Path
) -> None:
    models = tmp_path / "models.toml"
    models.write_text(MODEL.format(way="lookup"), "utf-8")
    engine = open_engine(database_url)
    async with open_result_clients() as results:
        hands = Hands(
            engine=engine,
            watch=Watch(engine, database_url),
            files=LocalFiles(tmp_path / "files"),
            catalogue=load_catalogue(models),
            providers={"runpod": AskedTooOften()},
            results=results,
            remote_files=RemoteFiles(engine, LocalFiles(tmp_path / "files"), results),
            hooks=Hooks(public_url=None, key=b"k"),
        )
        async with engine.begin() as connection:
            user_id = await users.ensure(connection, "somebody")
            left = await leave_an_intent(connection, user_id, "lookup")
            taken_over = await generations.claim(connection, left.id)
        assert taken_over is not None
        verdict = await sending.send(hands, taken_over, Pace())
        async with engine.connect() as connection:
            row = await generations.load(connection, left.id)
    await engine.dispose()
    assert row is not None
    assert (row.status, row.version) == ("submitting", taken_over.version)
    assert isinstance(verdict, Again)
    assert verdict.after_s >= 7

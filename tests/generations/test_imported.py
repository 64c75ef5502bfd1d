"""What came from an old system is shown, searched, used and deleted like anything else, and never
driven, polled, submitted, retried or counted, however much its row looks like ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from db import figures, generations, jobs, lines, readings, webhook_notes
from db.ids import new_id
from db.lines import Limits
from db.threads_of import ensure
from generations.chores import chores
from generations.contract import Conflict, NotFound, NotPossible, Wanted, WantedInput
from generations.lifecycle import QUEUED_MAX_S, Status
from providers.catalogue import load_catalogue
from runtime import Runtime
from tests.demo_process import Demo
from tests.generations.imported_rows import LONG_AGO, insert_file, insert_imported, rows
from tests.house import folder_of, local, open_house, settled

FOX = Wanted(kind="image", prompt="a red fox", model="demo-image-quick", aspect_ratio="1:1")
#: As if it were our own at the demo provider, with a job there and its time over.
LIKE_OURS = {"provider": "demo", "model": "demo-image-quick", "deadline_at": LONG_AGO}
OPEN = ("queued", "submitting", "in_progress", "storing")
DONE_S = 20.0


@pytest.fixture
async def house(database_url: str, calm_demo: Demo, tmp_path: Path) -> AsyncIterator[Runtime]:
    async with open_house(
        database_url, calm_demo.url, tmp_path, MAX_IN_FLIGHT_PER_USER="1"
    ) as runtime:
        yield runtime


def one_of_each(house: Runtime, database_url: str) -> list[UUID]:
    """In every status: as an import writes it, and as like ours as can be."""
    ids = []
    (route,) = load_catalogue().find("demo-image-quick")[0].routes
    for status in Status:
        ids.append(insert_imported(database_url, house.local_user_id, status))
        job = {"id": f"job-{new_id()}", "urls": {}}
        like = LIKE_OURS | {"endpoint": route.endpoint, "provider_job": job}
        ids.append(insert_imported(database_url, house.local_user_id, status, **like))
        like = like | {"provider_job": None, "placed_at": LONG_AGO}
        ids.append(insert_imported(database_url, house.local_user_id, status, **like))
    return ids


async def do_chores(house: Runtime) -> None:
    """All that the sweep would do in a day, at once."""
    for chore in chores(Limits(per_user=1)):
        async with house.engine.begin() as connection:
            await chore.do(connection)
    async with house.engine.begin() as connection:
        await lines.pass_on(connection, Limits(per_user=1), QUEUED_MAX_S)
        await lines.tell_places(connection, Limits(per_user=1))


def calls(database_url: str, ids: list[UUID]) -> int:
    """How many calls of the engine wait for these, or are being carried out."""
    query = "select count(*) from jobs.procrastinate_jobs where queueing_lock = any(%s)"
    with psycopg.connect(database_url) as connection:
        found = connection.execute(query, [[f"g:{one}" for one in ids]]).fetchone()
    assert found is not None
    return int(found[0])


async def until_called(house: Runtime, database_url: str, ids: list[UUID]) -> None:
    """Return when the engine has nothing more to do for these."""
    async with asyncio.timeout(DONE_S):
        while calls(database_url, ids):
            await house.watch.sleep(uuid4(), 1 << 60, 0.05)


async def test_the_sweep_leaves_them_alone_and_finds_our_own_beside_them(
    house: Runtime, database_url: str
) -> None:
    ids = one_of_each(house, database_url)
    before = rows(database_url, ids)
    house.jobs.stop()  # What is called for now waits where it can be counted.
    ours = insert_imported(database_url, house.local_user_id, "in_progress", legacy_id=None)
    await do_chores(house)
    await do_chores(house)
    assert calls(database_url, [ours]) == 1
    assert calls(database_url, ids) == 0
    assert rows(database_url, ids) == before


async def test_a_driver_that_is_called_for_one_does_nothing(
    house: Runtime, database_url: str, demo: Demo
) -> None:
    await settled(house, (await house.admission.submit(local(house), FOX))["id"])
    ids = one_of_each(house, database_url)
    before = rows(database_url, ids)
    async with house.engine.begin() as connection:
        await jobs.defer_drives(connection, ids)
    assert calls(database_url, ids) > 0
    await until_called(house, database_url, ids)
    assert rows(database_url, ids) == before
    for one in ids:
        ledger = await demo.ledger(str(one))
        assert not any(ledger[what] for what in ("submits", "submit_requests", "polls", "cancels"))


async def test_a_webhook_finds_no_such_generation(house: Runtime, database_url: str) -> None:
    ids = one_of_each(house, database_url)
    before = rows(database_url, ids)
    for one in ids:
        async with house.engine.begin() as connection:
            assert not await webhook_notes.note(connection, one, 1, "done", "job-1")
            assert await generations.claim(connection, one) is None
    assert (rows(database_url, ids), calls(database_url, ids)) == (before, 0)


async def test_they_take_nobodys_place_and_nobodys_money(house: Runtime, database_url: str) -> None:
    ids = one_of_each(house, database_url)
    usage = await house.admission.usage(local(house))
    assert usage.in_flight == usage.today_usd == 0
    async with house.engine.connect() as connection:
        assert await readings.count_in_flight(connection) == {}
        found = await figures.read(connection)
    assert (list(found.open_ones), found.undecided) == ([], 0)
    started = await house.admission.submit(local(house), FOX)
    done = await settled(house, started["id"])
    assert done["status"] == "completed", done
    assert len(rows(database_url, ids)) == len(ids)


async def test_a_users_only_place_is_free_beside_them(house: Runtime, database_url: str) -> None:
    house.jobs.stop()
    one_of_each(house, database_url)
    started = await house.admission.submit(local(house), FOX)
    async with house.engine.begin() as connection:
        row = await generations.load(connection, UUID(started["id"]))
        assert row is not None
        assert await lines.take_place(connection, row, Limits(per_user=1))


@pytest.mark.parametrize("query", ["usage", "busy", "figures", "forgotten"])
async def test_the_open_ones_are_found_by_the_index_that_holds_only_ours(
    house: Runtime, database_url: str, query: str
) -> None:
    asked = {
        "usage": "select count(*) from kinora.generations where user_id = gen_random_uuid()"
        " and status in ('submitting', 'in_progress', 'storing') and legacy_id is null",
        "busy": str(lines._ROOM).split("), at_work")[0].split("as (", 1)[1],
        "figures": str(figures._FIGURES).split("union all")[0],
        "forgotten": str(jobs._FORGOTTEN).split("union")[0].split("from (", 1)[1],
    }
    with psycopg.connect(database_url) as connection:
        connection.execute("set enable_seqscan = off")
        connection.execute("set enable_indexscan = on")
        plan = connection.execute(f"explain {asked[query]}").fetchall()
    text = "\n".join(line for (line,) in plan)
    assert "generations_open" in text or "generations_under_way" in text, text


@pytest.mark.parametrize("status", list(Status))
async def test_one_is_deleted_from_any_status_with_its_files(
    house: Runtime, database_url: str, status: Status
) -> None:
    one = insert_imported(database_url, house.local_user_id, status)
    key = f"generations/{one}/0.png"
    await house.files.put_bytes(key, b"picture")
    held = {"storage_key": key, "size_bytes": 7, "sha256": "ab" * 32}
    here = insert_file(database_url, house.local_user_id, one, **held)
    elsewhere = insert_file(database_url, house.local_user_id, one, position=1)
    await house.admission.delete(local(house), str(one))
    with pytest.raises(NotFound):
        await house.admission.get(local(house), str(one))
    await until_called(house, database_url, [one])
    assert not (folder_of(house) / key).exists()
    query = "select count(*) from kinora.assets where id = any(%s)"
    with psycopg.connect(database_url) as connection:
        assert connection.execute(query, [[here, elsewhere]]).fetchone() == (0,)


async def test_they_go_with_their_thread(house: Runtime, database_url: str) -> None:
    thread_id = uuid4()
    async with house.engine.begin() as connection:
        assert await ensure(connection, house.local_user_id, thread_id)
    ids = [
        insert_imported(
            database_url, house.local_user_id, status, thread_id=thread_id, number=number
        )
        for number, status in enumerate(OPEN, 1)
    ]
    files = [insert_file(database_url, house.local_user_id, one) for one in ids]
    async with house.engine.begin() as connection:
        await house.admission.delete_of_thread(connection, thread_id)
    await until_called(house, database_url, ids)
    assert await house.admission.get_many(local(house), ids) == []
    query = "select count(*) from kinora.assets where id = any(%s)"
    with psycopg.connect(database_url) as connection:
        assert connection.execute(query, [files]).fetchone() == (0,)


@pytest.mark.parametrize("status", OPEN)
async def test_a_cancel_needs_nobodys_word(house: Runtime, database_url: str, status: str) -> None:
    one = insert_imported(database_url, house.local_user_id, status)
    cancelled = await house.admission.cancel(local(house), str(one))
    assert (cancelled["status"], cancelled["charged"]) == ("cancelled", "no")
    assert cancelled["finished_at"] is not None
    again = await house.admission.cancel(local(house), str(one))
    assert again["v"] == cancelled["v"]


async def test_what_is_over_cannot_be_cancelled(house: Runtime, database_url: str) -> None:
    for status in ("completed", "failed"):
        one = insert_imported(database_url, house.local_user_id, status)
        with pytest.raises(Conflict, match=f"It is {status} already"):
            await house.admission.cancel(local(house), str(one))


async def test_none_is_tried_again_and_what_is_possible_is_said(
    house: Runtime, database_url: str
) -> None:
    for status in Status:
        one = insert_imported(database_url, house.local_user_id, status, **LIKE_OURS)
        before = rows(database_url, [one])
        with pytest.raises(Conflict, match="ask for it anew"):
            await house.admission.retry(local(house), str(one))
        assert rows(database_url, [one]) == before
    cancelled = insert_imported(database_url, house.local_user_id, "in_progress")
    await house.admission.cancel(local(house), str(cancelled))
    with pytest.raises(Conflict, match=r"from an old system \(superduper\)"):
        await house.admission.retry(local(house), str(cancelled))


async def test_they_are_found_by_kind_by_status_and_by_words(
    house: Runtime, database_url: str
) -> None:
    user_id = house.local_user_id
    sound = insert_imported(database_url, user_id, "completed", kind="audio", prompt="sea gulls")
    insert_imported(database_url, user_id, "completed", prompt="gulls on a pier")
    silent = insert_imported(database_url, user_id, "in_progress", kind="video", prompt="")
    found = await house.admission.find(local(house), kind="audio", query="gull")
    assert [one["id"] for one in found["data"]] == [str(sound)]
    found = await house.admission.find(local(house), status="in_progress")
    assert [one["id"] for one in found["data"]] == [str(silent)]
    assert found["data"][0]["prompt"] == ""
    assert len((await house.admission.find(local(house)))["data"]) == 3


async def test_what_cannot_be_an_input_is_said_as_it_is(house: Runtime, database_url: str) -> None:
    user_id = house.local_user_id
    sound = insert_imported(database_url, user_id, "completed", kind="audio")
    insert_file(database_url, user_id, sound, media_type="audio/mpeg")
    for one, why in (
        (sound, "is a sound"),
        (insert_imported(database_url, user_id, "completed"), "has no file"),
        (insert_imported(database_url, user_id, "in_progress"), "in_progress"),
    ):
        image = (WantedInput(role="image", picture=str(one)),)
        wanted = replace(FOX, model="demo-image", inputs=image)
        with pytest.raises((NotPossible, NotFound), match=why):
            await house.admission.submit(local(house), wanted)

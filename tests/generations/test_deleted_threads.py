"""A conversation that is deleted takes everything along: the jobs at the provider, the files, and
the turn that is still being answered in it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import structlog
from PIL import Image as Picture
from sqlalchemy import Table, func, insert, select

from agent.chat_model import open_chat_model
from agent.events import ToolCallFinished
from chat.texts import ENGLISH
from chat.turn import Asked, Turn
from db import threads_of
from db.assets import Asset
from db.connect import open_engine
from db.ids import new_id
from db.tables import assets, elements, generations
from db.threads import Threads
from generations.contract import NotFound, Wanted, WantedInput
from runtime import Runtime
from tests.agent.scripted_server import calls, says, scripted_server
from tests.db.chat import no_generations
from tests.demo_process import Demo
from tests.house import folder_of, local, open_house, reaches, settled

FOX = Wanted(kind="image", prompt="a red fox", model="demo-image-quick")
DRAW = ("generate_image", json.dumps({"prompt": "a mill", "model": "demo-image-quick"}))
GONE_S = 15.0


@pytest.fixture
async def house(database_url: str, calm_demo: Demo, tmp_path: Path) -> AsyncIterator[Runtime]:
    async with open_house(database_url, calm_demo.url, tmp_path) as runtime:
        yield runtime


async def begin(house: Runtime) -> UUID:
    """A thread of the local user's."""
    thread_id = uuid4()
    async with house.engine.begin() as connection:
        assert await threads_of.ensure(connection, house.local_user_id, thread_id)
    return thread_id


async def delete(house: Runtime, thread_id: UUID) -> None:
    """As another process would: with a layer of its own."""
    await Threads(house.engine, house.admission.delete_of_thread).delete_thread(str(thread_id))


async def show(house: Runtime, thread_id: UUID) -> Asset:
    """A picture of the person's, shown in the thread and small versions of it made."""
    drawn = BytesIO()
    Picture.new("RGB", (64, 48), "red").save(drawn, "PNG")
    asset = await house.uploads.take(house.local_user_id, drawn.getvalue(), name="me.png")
    await house.files.put_bytes(f"{asset.key.rsplit('.', 1)[0]}-w512.webp", b"small")
    row = {"id": new_id(), "thread_id": thread_id, "type": "image", "asset_id": asset.id}
    async with house.engine.begin() as connection:
        await connection.execute(insert(elements).values(row))
    return asset


def files_of(house: Runtime, *folders: str) -> list[str]:
    return [str(p) for f in folders for p in (folder_of(house) / f).rglob("*") if p.is_file()]


async def until_all_is_gone(house: Runtime) -> None:
    """Return when no file of ours is left, and no row that speaks of one."""
    async with asyncio.timeout(GONE_S):
        while files_of(house, "uploads", "generations") or await count(house, assets):
            await house.watch.sleep(uuid4(), 1 << 60, 0.05)


async def count(house: Runtime, table: Table) -> int:
    async with house.engine.connect() as connection:
        query = select(func.count()).select_from(table)
        return int((await connection.execute(query)).scalar_one())


async def test_a_deleted_thread_is_cancelled_at_the_provider_and_leaves_no_file(
    house: Runtime, calm_demo: Demo
) -> None:
    thread_id = await begin(house)
    asset = await show(house, thread_id)
    caller = local(house, thread_id=thread_id)
    done = await house.admission.submit(caller, FOX)
    await settled(house, done["id"])
    await calm_demo.hold(True)
    running = await house.admission.submit(caller, FOX)
    await reaches(house, running["id"], "in_progress")
    assert len(files_of(house, "uploads", "generations")) == 4
    await delete(house, thread_id)
    await calm_demo.until(running["id"], "cancels:1")
    await calm_demo.hold(False)
    await until_all_is_gone(house)
    assert not (folder_of(house) / f"uploads/{asset.id}").exists()
    assert (await calm_demo.ledger(running["id"]))["submits"] == 1


async def test_files_go_though_nobody_is_at_work_when_their_thread_is_deleted(
    database_url: str, calm_demo: Demo, tmp_path: Path
) -> None:
    async with open_house(database_url, calm_demo.url, tmp_path) as house:
        thread_id = await begin(house)
        await show(house, thread_id)
        engine = open_engine(database_url)
    await Threads(engine, no_generations).delete_thread(str(thread_id))
    await engine.dispose()
    assert len(files_of(house, "uploads")) == 2
    async with open_house(database_url, calm_demo.url, tmp_path) as house:
        await until_all_is_gone(house)


async def test_an_upload_goes_with_the_generation_that_used_it_last(house: Runtime) -> None:
    thread_id = await begin(house)
    asset = await show(house, thread_id)
    image = (WantedInput(role="image", picture=str(asset.id)),)
    edit = Wanted(kind="image", prompt="make it blue", model="demo-image", inputs=image)
    made = await house.admission.submit(local(house), edit)
    await delete(house, thread_id)
    await settled(house, made["id"])
    assert len(files_of(house, "uploads")) == 2
    await house.admission.delete(local(house), made["id"])
    with pytest.raises(NotFound):
        await house.admission.submit(local(house), edit)
    await until_all_is_gone(house)


async def test_nothing_is_bought_in_a_deleted_thread(house: Runtime) -> None:
    thread_id = await begin(house)
    await delete(house, thread_id)
    with pytest.raises(NotFound):
        await house.admission.submit(local(house, thread_id=thread_id), FOX)
    assert await count(house, generations) == 0


class Page:
    """Where the turn's answer is shown; `on_call` happens when the first call is."""

    def __init__(self, on_call: Callable[[], Awaitable[None]]) -> None:
        self.on_call, self.heard = on_call, list[str]()

    async def say(self, text: str) -> None:
        self.heard.append(text)

    async def say_apart(self, text: str) -> None:
        self.heard.append(text)

    async def note_call(self, call: ToolCallFinished) -> None:
        self.heard.append("call failed" if call.failed else "call")
        await self.on_call()

    async def keep_picture(self, element_id: str, url: str) -> None:
        self.heard.append(url)

    async def finish(self) -> None:
        self.heard.append("finished")

    async def warn(self, text: str) -> None:
        self.heard.append(text)


async def test_a_turn_stops_quietly_when_its_thread_is_deleted_under_it(
    database_url: str, calm_demo: Demo, tmp_path: Path
) -> None:
    async with scripted_server(calls(DRAW), calls(DRAW), says("Both are on their way.")) as chat:
        more = {"OPENAI_BASE_URL": chat.base_url, "CHAT_MODEL": "scripted"}
        async with open_house(database_url, calm_demo.url, tmp_path, **more) as house:
            thread_id = await begin(house)
            page = Page(lambda: delete(house, thread_id))
            model = open_chat_model(house.loaded, house.demo_url)
            asked = Asked(
                step_id=uuid4(),
                thread_id=thread_id,
                user_id=house.local_user_id,
                at=datetime.now(UTC),
                text="Draw two mills",
            )
            with structlog.testing.capture_logs() as logs:
                async with asyncio.timeout(30):
                    await Turn(house, model, ENGLISH, page).run(asked)
                    page.heard.append("again")
                    await Turn(house, model, ENGLISH, page).run(asked)
            await model.close()
            assert await count(house, generations) == 1
    assert page.heard == ["call", "finished", "again", "finished"]
    assert {log["log_level"] for log in logs} <= {"info", "debug"}

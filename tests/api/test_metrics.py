"""Figures for the operator: what they say, who may read them, and that they outlive the
database.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from accounts import keys
from db import figures
from db import keys as key_rows
from db.connect import POOL_SIZE, open_engine
from generations.contract import Wanted
from generations.meters import LAG_EVERY_S, Meters
from tests.api.conftest import PUBLIC_URL, PasswordServer
from tests.demo_process import Demo
from tests.house import free_port, local, open_house

WITHIN_S = 20.0
FOX = {"prompt": "a red fox", "model": "demo-image-quick"}
OPEN = {"kind": "image", "model": "demo-image-quick", "provider": "demo"}


async def scrape(client: httpx.AsyncClient, **headers: str) -> tuple[int, str]:
    """What a collector without a login is answered."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = await client.get("/metrics", headers=named)
    if answer.status_code == 200:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code, answer.text


async def key_with(server: PasswordServer, scope: str) -> str:
    made, engine = keys.make(), open_engine(server.database_url)
    async with engine.begin() as connection:
        await key_rows.create(
            connection,
            server.ada.user_id,
            name=scope,
            prefix=made.prefix,
            secret_sha256=made.digest(),
            scopes=[scope],
        )
    await engine.dispose()
    return f"Bearer {made.text()}"


async def test_a_program_on_this_machine_reads_them_under_any_name(
    password_server: PasswordServer, calm_demo: Demo
) -> None:
    nobody = password_server.served.client
    await calm_demo.hold(True)
    started = await password_server.ada.by_key.post("/api/tools/generate_image", json=FOX)
    await calm_demo.until(started.json()["id"], "polls:1")
    held = 'kinora_generations{kind="image",model="demo-image-quick",provider="demo"'
    async with asyncio.timeout(WITHIN_S):
        while True:
            status, text = await scrape(nobody, Host="collector.example:9090")
            assert status == 200
            lines = text.splitlines()
            if 'status="in_progress"' in "".join(one for one in lines if one.startswith(held)):
                break
            await asyncio.sleep(0.1)
    for line in ("kinora_database_up 1.0", "kinora_engine_alive 1.0", "kinora_workers 1.0"):
        assert line in lines
    for name in ("kinora_database_pool_connections", "kinora_open_streams", "process_open_fds"):
        assert any(line.startswith(name) for line in lines), name
    assert not any(line.startswith("python_") for line in lines)


@pytest.mark.parametrize(
    "trace",
    [
        {"X_Forwarded_For": "203.0.113.9"},
        {"X_Forwarded_For": "127.0.0.1"},
        {"X_Forwarded_For": "::1"},
        {"X_Forwarded_For": ""},
        {"X_Forwarded_Proto": "http"},
        {"Forwarded": "for=127.0.0.1"},
        {"X_Real_IP": "127.0.0.1"},
        {"Via": "1.1 proxy"},
        {"Host": PUBLIC_URL.removeprefix("https://")},
    ],
    ids=lambda trace: next(iter(trace)),
)
async def test_whoever_comes_through_a_proxy_on_this_machine_needs_the_key(
    password_server: PasswordServer, trace: dict[str, str]
) -> None:
    nobody = password_server.served.client
    status, said = await scrape(nobody, **trace)
    assert (status, "kinora_" in said) == (401, False)
    made = await key_with(password_server, "admin")
    status, said = await scrape(nobody, Authorization=made, **trace)
    assert (status, "kinora_database_up" in said) == (200, True)


async def test_no_other_key_and_no_login_opens_them_from_elsewhere(
    password_server: PasswordServer,
) -> None:
    elsewhere = {"X_Forwarded_For": "203.0.113.9"}
    assert (await scrape(password_server.ada.by_key, **elsewhere))[0] == 403
    assert (await scrape(password_server.ada.client, **elsewhere))[0] == 401
    nobody = password_server.served.client
    for shown in ("Bearer kn_00000000_wrong", "Bearer", "Basic kn_x", "Bearer other"):
        assert (await scrape(nobody, Authorization=shown, **elsewhere))[0] == 401, shown


async def test_the_database_is_counted_across_all_processes(
    database_url: str, calm_demo: Demo, tmp_path: Path
) -> None:
    wanted = Wanted(kind="image", prompt="a red fox", model="demo-image-quick")
    async with open_house(database_url, calm_demo.url, tmp_path, WORKER="off") as house:
        for _ in range(4):
            await house.admission.submit(local(house), wanted)
        with psycopg.connect(database_url, autocommit=True) as connection:
            for statement in (
                "update kinora.generations set waits = true, queued_at = now() - interval '60 s'"
                " where id = (select min(id::text)::uuid from kinora.generations)",
                "update kinora.generations set status = 'unknown'"
                " where id = (select max(id::text)::uuid from kinora.generations)",
                "insert into kinora.provider_pauses (provider, until, code, message) values"
                " ('demo', now() + interval '90 s', 'rate_limited', 'Slow down.'),"
                " ('gone', now() - interval '1 s', 'rate_limited', 'Slow down.')",
            ):
                connection.execute(statement)
        async with house.engine.connect() as reading:
            seen = await figures.read(reading)
        (open_ones,) = seen.open_ones
        assert (open_ones.status, open_ones.count, open_ones.waiting) == ("queued", 3, 1)
        assert open_ones.oldest_s is not None
        assert 60 <= open_ones.oldest_s < 90
        assert (seen.undecided, seen.workers) == (1, 0)
        assert [(pause.provider, pause.code) for pause in seen.pauses] == [("demo", "rate_limited")]
        await house.meters.look(house.engine)
        told = house.meters.registry.get_sample_value
        assert told("kinora_generations", {**OPEN, "status": "queued"}) == 3
        assert told("kinora_waiting", {"provider": "demo"}) == 1
        assert told("kinora_undecided") == 1
        assert told("kinora_queued_oldest_seconds") == pytest.approx(60, abs=30)
        paused = {"provider": "demo", "code": "rate_limited"}
        assert told("kinora_provider_pause_seconds", paused) == pytest.approx(90, abs=30)
        assert told("kinora_database_pool_connections", {"of": "size"}) == POOL_SIZE


async def test_without_its_database_a_process_tells_what_it_knows_itself() -> None:
    meters = Meters()
    meters.polled("demo")
    away = open_engine(f"postgresql://kinora@127.0.0.1:{free_port()}/kinora")
    await meters.look(away)
    await away.dispose()
    told = meters.registry.get_sample_value
    assert told("kinora_database_up") == 0
    assert told("kinora_queued_oldest_seconds") is None
    assert told("kinora_polls_total", {"provider": "demo"}) == 1


async def test_collectors_that_come_together_cost_one_query(
    database_url: str, calm_demo: Demo, tmp_path: Path
) -> None:
    async with open_house(database_url, calm_demo.url, tmp_path, WORKER="off") as house:
        wanted = Wanted(kind="image", prompt="a red fox", model="demo-image-quick")
        await asyncio.gather(*(house.meters.look(house.engine) for _ in range(5)))
        await house.admission.submit(local(house), wanted)
        await house.meters.look(house.engine)
        queued = {**OPEN, "status": "queued"}
        assert house.meters.registry.get_sample_value("kinora_generations", queued) is None


def test_meters_count_what_they_are_told_and_share_nothing() -> None:
    meters, others = Meters(), Meters()
    for status, taken_s in (("completed", 4.0), ("completed", 70.0), ("failed", None)):
        meters.settled("video", "demo-video", "demo", status, taken_s)
    meters.reconnected()
    told = meters.registry.get_sample_value
    of: dict[str, Any] = {"kind": "video", "model": "demo-video", "provider": "demo"}
    assert told("kinora_generations_settled_total", {**of, "status": "completed"}) == 2
    assert told("kinora_generations_settled_total", {**of, "status": "failed"}) == 1
    assert told("kinora_submit_to_done_seconds_bucket", {**of, "le": "5.0"}) == 1
    assert told("kinora_submit_to_done_seconds_bucket", {**of, "le": "120.0"}) == 2
    assert told("kinora_submit_to_done_seconds_sum", of) == 74
    assert told("kinora_hub_reconnects_total") == 1
    assert meters.totals()["settled"] == 3
    assert others.totals()["settled"] == others.totals()["reconnects"] == 0


async def test_a_loop_that_was_held_up_is_seen() -> None:
    meters = Meters()
    measuring = asyncio.create_task(meters.measure_lag())
    told = meters.registry.get_sample_value
    await asyncio.sleep(0)
    time.sleep(LAG_EVERY_S + 0.3)  # noqa: ASYNC251 - this is what is to be seen
    async with asyncio.timeout(WITHIN_S):
        while not told("kinora_event_loop_lag_seconds_count"):  # noqa: ASYNC110 - its own clock
            await asyncio.sleep(0.02)
    measuring.cancel()
    assert (told("kinora_event_loop_lag_last_seconds") or 0) >= 0.25
    assert (told("kinora_event_loop_lag_seconds_sum") or 0) >= 0.25

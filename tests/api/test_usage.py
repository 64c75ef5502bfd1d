"""What a person has spent today, as they may ask for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import httpx

from tests.demo_process import Demo
from tests.generations.money import book, models_file
from tests.house import Served, serve

DEAR = {"prompt": "a fox", "model": "dear"}


async def test_without_a_budget_the_sum_is_told_all_the_same(server: Served) -> None:
    usage = (await server.client.get("/api/usage")).json()
    assert usage["budget_usd"] is None
    assert usage["today_usd"] >= 0
    assert usage["in_flight"] >= 0


async def until_in_flight(client: httpx.AsyncClient, generation_id: str) -> None:
    reading = {"status": "queued"}
    while reading["status"] != "in_progress":
        answer = await client.get(f"/api/generations/{generation_id}", params={"wait": 1})
        reading = answer.json()


async def test_the_day_is_told_with_its_budget_and_what_runs(
    database_url: str, calm_demo: Demo, tmp_path: Path
) -> None:
    await calm_demo.hold(True)
    settings = {
        "DATABASE_URL": database_url,
        "DEMO_BASE_URL": calm_demo.url,
        "MODELS_FILE": models_file(tmp_path),
        "BUDGET_USD_PER_USER_PER_DAY": "12.50",
        "MAX_IN_FLIGHT_PER_USER": "2",
    }
    async with serve(tmp_path / "served", **settings) as served:
        client = served.client
        nothing = (await client.get("/api/usage")).json()
        assert (nothing["today_usd"], nothing["in_flight"]) == (0, 0)
        for n in range(3):
            started = (await client.post("/api/tools/generate_image", json=DEAR)).json()
            if n < 2:
                await until_in_flight(client, started["id"])
        usage = (await client.get("/api/usage")).json()
        resets_at = datetime.fromisoformat(usage.pop("resets_at"))
        assert usage == {"today_usd": 0.9, "budget_usd": 12.5, "in_flight": 2}
        assert timedelta() < resets_at - datetime.now(UTC) <= timedelta(days=1)
        assert (resets_at.hour, resets_at.minute, resets_at.utcoffset()) == (0, 0, timedelta())
        book(database_url, cost_actual_usd=Decimal("0.000001"))
        assert (await client.get("/api/usage")).json()["today_usd"] == 0.000003

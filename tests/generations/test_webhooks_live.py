"""Webhooks from end to end: a real server, and a provider that sends its news as on good days and
bad ones. The looks are a minute apart, so what is done sooner was done by the news.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.demo_process import Demo
from tests.generations.test_lost_submit import MODEL
from tests.house import Served, free_port, serve

#: Far less than the minute between two looks.
BY_NEWS_S = 20
RARE = MODEL.format(way="webhook").replace("poll_s = 0.1", "poll_s = 60")
OFTEN = MODEL.format(way="webhook").replace("by-webhook", "by-looking")


@pytest.fixture(scope="module")
async def served(
    fresh_database: Callable[[str], str], demo: Demo, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Served]:
    folder = tmp_path_factory.mktemp("hears")
    models = folder / "models.toml"
    models.write_text(RARE.replace("poll_max_s = 0.2", "poll_max_s = 60") + OFTEN, "utf-8")
    port = str(free_port())
    settings = {
        "PORT": port,
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "DATABASE_URL": fresh_database("hears"),
        "DEMO_BASE_URL": demo.url,
        "MODELS_FILE": str(models),
        "RUNPOD_API_KEY": "rpa_x",
        "RUNPOD_BASE_URL": f"{demo.url}/v2",
    }
    async with serve(folder / "data", **settings) as running:
        yield running


async def draw(served: Served, prompt: str, model: str = "by-webhook") -> str:
    answer = await served.client.post(
        "/api/tools/generate_image", json={"prompt": prompt, "model": model}
    )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


async def done(served: Served, generation_id: str) -> dict[str, Any]:
    url = f"/api/generations/{generation_id}"
    answer = await served.client.get(url, params={"wait": BY_NEWS_S})
    reading: dict[str, Any] = answer.json()
    return reading


@pytest.mark.parametrize("news", ["", "twice", "reordered"])
async def test_news_finish_a_generation_that_nobody_looks_at(
    served: Served, calm_demo: Demo, news: str
) -> None:
    mark = f" [[fault: webhook={news}]]" if news else ""
    generation_id = await draw(served, f"a fox{mark}")
    finished = await done(served, generation_id)
    assert (finished["status"], len(finished["assets"])) == ("completed", 1)
    await calm_demo.until(generation_id, f"webhooks:{2 if news else 1}")
    ledger = await calm_demo.ledger(generation_id)
    assert (ledger["submits"], ledger["downloads"]) == (1, 1)
    assert ledger["polls"] <= 3
    assert ledger["webhook_answers"] in (200, 202)
    again = await done(served, generation_id)
    assert {**again, "v": 0} == {**finished, "v": 0}


async def test_news_that_come_before_the_answer_are_not_lost(
    served: Served, calm_demo: Demo
) -> None:
    generation_id = await draw(served, "a fox [[fault: webhook=early]]")
    finished = await done(served, generation_id)
    assert finished["status"] == "completed"
    assert (await calm_demo.ledger(generation_id))["submits"] == 1


async def test_a_lost_answer_is_mended_by_the_news(served: Served, calm_demo: Demo) -> None:
    generation_id = await draw(served, "a fox [[fault: submit=drop_after]]")
    finished = await done(served, generation_id)
    assert (finished["status"], finished["attempt"]) == ("completed", 1)
    ledger = await calm_demo.ledger(generation_id)
    assert (ledger["submits"], ledger["submit_requests"]) == (1, 1)


@pytest.mark.parametrize("news", ["lost", "forged", "late:3"])
async def test_without_genuine_news_looking_is_enough(
    served: Served, calm_demo: Demo, news: str
) -> None:
    generation_id = await draw(served, f"a fox [[fault: webhook={news}]]", "by-looking")
    finished = await done(served, generation_id)
    assert finished["status"] == "completed"
    if news == "forged":
        await calm_demo.until(generation_id, "webhooks:1")
        assert (await calm_demo.ledger(generation_id))["webhook_answers"] == 401
    if news.startswith("late"):
        await calm_demo.until(generation_id, "webhooks:1")
        assert (await done(served, generation_id)) == finished

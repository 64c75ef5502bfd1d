"""What the durability tests stand on: a laboratory on a database that is watched."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from tests.demo_process import Demo
from tests.durability.book import Book
from tests.durability.lab import Lab
from tests.durability.routes import Route
from tests.journeys.conftest import browser as browser

NewLab = Callable[..., AbstractAsyncContextManager[Lab]]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long forms out, unless they are asked for."""
    if "long" in config.getoption("markexpr"):
        return
    skip = pytest.mark.skip(reason="a long form: `make test-long` runs it")
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(skip)


@pytest.fixture
def new_lab(calm_demo: Demo, tmp_path: Path) -> NewLab:
    """Opens a laboratory on a migrated database: `new_lab(url, route, **settings)`."""

    @contextlib.asynccontextmanager
    async def open_lab(url: str, route: Route, **settings: str) -> AsyncIterator[Lab]:
        async with Book(url) as book:
            lab = Lab(book=book, demo=calm_demo, folder=tmp_path, route=route, settings=settings)
            await lab.open()
            try:
                yield lab
            finally:
                await lab.close()

    return open_lab

"""Models with prices that are easy to add up, and what the day's books say."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import psycopg

_ROW = """
[[models]]
id = "{id}"
label = "Demo at a price"
kind = "image"
demo = true
[[models.routes]]
provider = "demo"
endpoint = "demo-image-quick"
poll_s = 0.1
poll_max_s = 0.2
fields = {{ prompt = "prompt" }}
"""
_PRICE = 'price = {{ unit = "image", usd = {usd}, as_of = "2026-11-22", source = "a test" }}\n'
PRICES: Mapping[str, str | None] = {"dear": "0.30", "free": "0.0", "priceless": None}


def models_file(folder: Path) -> str:
    """A file of models: `dear` costs 0.30, `free` nothing, of `priceless` nobody knows."""
    rows = [
        _ROW.format(id=name) + (_PRICE.format(usd=usd) if usd else "")
        for name, usd in PRICES.items()
    ]
    path = folder / "prices.toml"
    path.write_text("".join(rows), encoding="utf-8")
    return str(path)


def attempts(database_url: str) -> int:
    """How many attempts stand in the books."""
    with psycopg.connect(database_url) as connection:
        found = connection.execute("select count(*) from kinora.attempts").fetchone()
    assert found is not None
    return int(found[0])


def book(database_url: str, **columns: str | Decimal | None) -> None:
    """Write something else into every attempt."""
    names = ", ".join(f"{name} = %s" for name in columns)
    with psycopg.connect(database_url) as connection:
        connection.execute(f"update kinora.attempts set {names}".encode(), [*columns.values()])

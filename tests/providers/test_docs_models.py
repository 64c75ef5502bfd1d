"""docs/models.md says what is so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from providers.abilities import check
from providers.catalogue import Catalogue, load_catalogue
from providers.dialect import WORDS
from providers.findings import Wanted
from providers.model_rows import Input, ModelRow, RouteRow, SizesRow
from providers.runpod import payload

PAGE = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def test_the_ten_lines_are_ten_and_add_an_endpoint(tmp_path: Path) -> None:
    found = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    snippet = found[1]
    assert len(snippet.splitlines()) <= 10
    path = tmp_path / "my-models.toml"
    path.write_text(snippet)
    model, _ = load_catalogue(path).find("my-flux")
    request = check(model, Wanted(kind="image", prompt="a fox", aspect_ratio="16:9"))
    assert model.routes[0].endpoint == "abc123xyz"
    assert payload(model.routes[0], request)["input"] == {
        "prompt": "a fox",
        "width": 1344,
        "height": 768,
    }


def test_every_word_of_the_file_is_explained() -> None:
    rows = (ModelRow, RouteRow, SizesRow)
    words = {name for row in rows for name in row.model_fields} - {"routes", "choices"}
    words |= set(WORDS) | {word.rstrip("!") for word in get_args(Input)}
    assert [word for word in sorted(words) if f"`{word}`" not in PAGE] == []


def test_the_table_of_built_in_models_is_the_catalogues(catalogue: Catalogue) -> None:
    for model in catalogue.models:
        row = next(line for line in PAGE.splitlines() if f"`{model.id}`" in line and "|" in line)
        assert model.kind in row
        assert ", ".join(word.rstrip("!") for word in model.inputs) in row
        for route in model.routes:
            assert model.demo or f"`{route.endpoint}`" in row
            assert route.price is not None
            for usd in (route.price.usd, *route.price.usd_at.values()):
                assert str(usd) in row, f"{model.id}: {usd} is not in its row"

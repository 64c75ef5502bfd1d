"""docs/models.md says what is so."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import get_args

import pytest
from PIL import Image

from providers.abilities import check
from providers.catalogue import Catalogue, load_catalogue
from providers.contract import Succeeded
from providers.dialect import WORDS
from providers.fal import Fal
from providers.findings import Wanted
from providers.model_rows import (
    Input,
    ModelRow,
    ProviderName,
    ProviderRow,
    RouteRow,
    SizesRow,
)
from providers.runpod import payload
from providers.transport import open_client
from providers.workflow_templates import Template, TemplateError, read_templates
from tests.demo_process import Demo

PAGE = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
KEY = "0199a0b1-c2d3-7e4f-8a5b-6c7d8e9f0a1b-1"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def test_the_ten_lines_are_ten_and_add_an_endpoint(tmp_path: Path) -> None:
    path = tmp_path / "my-models.toml"
    path.write_text(SNIPPETS[0])
    model, _ = load_catalogue(path).find("my-flux")
    request = check(model, Wanted(kind="image", prompt="a fox", aspect_ratio="16:9"))
    assert model.routes[0].endpoint == "abc123xyz"
    assert payload(model.routes[0], request)["input"] == {
        "prompt": "a fox",
        "width": 1344,
        "height": 768,
    }


async def test_a_new_model_at_fal_needs_ten_lines_and_no_code(
    tmp_path: Path, calm_demo: Demo
) -> None:
    path = tmp_path / "my-models.toml"
    path.write_text(SNIPPETS[1].replace("fal-ai/flux/dev", "fal-ai/flux-quick/dev"))
    model, _ = load_catalogue(path).find("flux-1-dev")
    request = check(model, Wanted(kind="image", prompt="a fox", aspect_ratio="16:9"))
    route, generation = model.routes[0], KEY.removesuffix("-1")
    hook = f"http://127.0.0.1:1/webhooks/fal/{generation}/1/token"
    async with open_client() as client:
        there = Fal("fal", f"{calm_demo.url}/fal", "id:demo", client)
        job = await there.submit(route, request, key=KEY, webhook_url=hook)
        await calm_demo.until(generation, "finished")
        state = await there.poll(route, job)
        assert isinstance(state, Succeeded)
        answer = await client.get(state.outputs[0].url)
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert picture.size == (1344, 768)


def test_the_ten_lines_of_either_company_are_no_more_than_ten() -> None:
    assert [len(snippet.splitlines()) for snippet in SNIPPETS] == [10, 10]


def test_the_outline_of_a_workflow_template_is_one(tmp_path: Path) -> None:
    found = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    outline = json.loads(found[1])
    assert set(outline) == set(Template.model_fields)
    (tmp_path / "mine.json").write_text(found[1])
    with pytest.raises(TemplateError, match=r"the workflow has no 6\.text"):
        read_templates(tmp_path)
    outline |= {"slots": {"seed": outline["slots"]["seed"]}, "outputs": []}
    (tmp_path / "mine.json").write_text(json.dumps(outline))
    assert read_templates(tmp_path)["mine"].slots == {"seed": ["3.seed"]}


def test_every_company_is_named_with_its_endpoints() -> None:
    named = set(re.findall(r"^\| `(\w+)` \|.*\|.*\|.*\|$", PAGE, re.MULTILINE))
    assert set(get_args(ProviderName)) <= named


def test_every_word_of_the_file_is_explained() -> None:
    rows = (ModelRow, RouteRow, SizesRow, ProviderRow)
    words = {name for row in rows for name in row.model_fields} - {"routes", "choices"}
    words |= set(WORDS) | {word.rstrip("!") for word in get_args(Input)}
    assert [word for word in sorted(words) if f"`{word}`" not in PAGE] == []


def test_the_table_of_built_in_models_is_the_catalogues(catalogue: Catalogue) -> None:
    built_in = PAGE.split("## What is built in")[1]
    for model in catalogue.models:
        cells = (line.split("|") for line in built_in.splitlines() if line.startswith("| "))
        row = next("|".join(line) for line in cells if f"`{model.id}`" in line[1])
        assert model.kind in row
        assert ", ".join(word.rstrip("!") for word in model.inputs) in row
        for route in model.routes:
            assert model.demo or f"`{route.endpoint}`" in row
            if route.price is None or route.price.usd == 0:
                assert ("free" if route.price else "unknown") in row
                continue
            for usd in (route.price.usd, *route.price.usd_at.values()):
                assert str(usd) in row, f"{model.id}: {usd} is not in its row"

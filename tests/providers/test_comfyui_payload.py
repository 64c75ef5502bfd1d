"""Which graph a ComfyUI is sent, and what a template must be."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from providers.comfyui import configured, payload, prompt_id_of
from providers.contract import InputFile, Rejected, Request
from providers.dialect import Dialect, Spelling
from providers.spelling import data_uri
from providers.transport import open_client
from providers.workflow_templates import BUILT_IN, Template, TemplateError, read_templates
from settings import SettingsError, load
from tests.providers.comfyui_routes import ANIMATE, EDIT, FILM, IMAGE, SLOW

FOX = Request(kind="image", prompt="a red fox", width_px=640, height_px=384, n=2, seed=7)
KEY = "0199a0b1-c2d3-7e4f-8a5b-6c7d8e9f0a1b-1"
PICTURE = InputFile(role="image", media_type="image/png", data=b"one")


@pytest.fixture(scope="module")
def templates() -> dict[str, Template]:
    return read_templates(BUILT_IN)


def graph_of(body: dict[str, Any]) -> Any:
    return body["prompt"]


def test_words_go_into_their_slots_and_nothing_else_changes(
    templates: dict[str, Template],
) -> None:
    body = payload(templates["text-to-image"], SLOW, FOX, KEY)
    graph = graph_of(body)
    assert graph["6"]["inputs"]["text"] == "a red fox"
    assert graph["5"]["inputs"] == {"width": 640, "height": 384, "batch_size": 2}
    assert graph["3"]["inputs"]["seed"] == 7
    assert graph["3"]["inputs"]["positive"] == ["6", 0]
    plain = json.loads((BUILT_IN / "text-to-image.json").read_text())["workflow"]
    assert graph["4"] == plain["4"]
    assert body.keys() == {"prompt", "prompt_id", "client_id"}
    json.dumps(body, allow_nan=False)


def test_defaults_of_a_route_choose_the_model(templates: dict[str, Template]) -> None:
    graph = graph_of(payload(templates["text-to-image"], IMAGE, FOX, KEY))
    assert graph["4"]["inputs"]["ckpt_name"] == "quick.safetensors"


def test_a_template_is_not_marked_by_its_use(templates: dict[str, Template]) -> None:
    before = templates["text-to-image"].model_dump_json()
    payload(templates["text-to-image"], IMAGE, FOX, KEY)
    assert templates["text-to-image"].model_dump_json() == before


def test_pictures_stand_by_the_names_they_were_uploaded_under(
    templates: dict[str, Template],
) -> None:
    names = {data_uri(PICTURE): "kinora/one.png"}
    request = replace(FOX, inputs=(PICTURE,))
    graph = graph_of(payload(templates["image-to-image"], EDIT, request, KEY, names))
    assert graph["10"]["inputs"]["image"] == "kinora/one.png"
    start = replace(PICTURE, role="start")
    request = Request(kind="video", prompt="it runs", duration_s=5, inputs=(start,))
    graph = graph_of(payload(templates["wan-image-to-video"], ANIMATE, request, KEY, names))
    assert graph["14"]["inputs"]["image"] == "kinora/one.png"
    assert graph["11"]["inputs"]["start_image"] == ["14", 0]


def test_seconds_become_frames(templates: dict[str, Template]) -> None:
    request = Request(kind="video", prompt="it runs", duration_s=5.0)
    graph = graph_of(payload(templates["wan-text-to-video"], FILM, request, KEY))
    assert graph["11"]["inputs"]["length"] == 121


def test_an_id_is_made_of_the_key_and_is_always_the_same() -> None:
    assert prompt_id_of(KEY) == prompt_id_of(KEY) == "79151ab5-8efb-58f0-b3f9-a2521d359e86"
    assert prompt_id_of(KEY) != prompt_id_of(f"{KEY}0")


def test_without_a_seed_each_key_has_its_own_and_keeps_it(templates: dict[str, Template]) -> None:
    unseeded, template = replace(FOX, seed=None), templates["text-to-image"]
    seeds = [
        graph_of(payload(template, IMAGE, unseeded, key))["3"]["inputs"]["seed"]
        for key in ("a-1", "a-1", "a-2")
    ]
    assert seeds[0] == seeds[1] != seeds[2]
    assert all(0 <= seed < 2**53 for seed in seeds), "a JSON number anywhere"


def test_a_field_without_a_slot_is_refused_instead_of_lost(templates: dict[str, Template]) -> None:
    fields = {**IMAGE.dialect.fields, "style": Spelling(name="mood")}
    route = replace(IMAGE, dialect=Dialect(fields=fields))
    with pytest.raises(Rejected, match="text-to-image has no slot mood"):
        payload(templates["text-to-image"], route, replace(FOX, style="noir"), KEY)


GOOD: dict[str, Any] = {
    "slots": {"prompt": ["6.text"]},
    "outputs": ["9"],
    "workflow": {
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ""}, "_meta": {"title": "Words"}},
        "9": {"class_type": "SaveImage", "inputs": {"images": ["6", 0]}},
    },
}
BAD: list[tuple[str, Any, str]] = [
    ("no JSON", None, "mine.json"),
    ("a list", [], "mine.json"),
    ("a word of its own", {**GOOD, "extra": 1}, "extra"),
    ("a slot that leads nowhere", {**GOOD, "slots": {"prompt": ["7.text"]}}, "has no 7.text"),
    ("a slot without an input", {**GOOD, "slots": {"prompt": ["6.words"]}}, "has no 6.words"),
    ("a slot of one word", {**GOOD, "slots": {"prompt": ["6"]}}, "slots.prompt"),
    ("an empty slot", {**GOOD, "slots": {"prompt": []}}, "slots.prompt"),
    ("an output that is no node", {**GOOD, "outputs": ["10"]}, "no node 10"),
    ("a saved screen instead of a graph", {**GOOD, "workflow": {"6": {"id": 1}}}, "class_type"),
]


def test_a_folder_of_ones_own_adds_templates_and_replaces_built_in_ones(tmp_path: Path) -> None:
    for name in ("mine", "text-to-image"):
        (tmp_path / f"{name}.json").write_text(json.dumps(GOOD))
    found = read_templates(BUILT_IN, tmp_path)
    assert {"mine", "text-to-image", "image-to-image"} <= set(found)
    assert found["mine"] == found["text-to-image"]
    assert graph_of({"prompt": found["mine"].filled({"prompt": "x"})})["6"]["_meta"]["title"]


@pytest.mark.parametrize(("content", "said"), [row[1:] for row in BAD], ids=[r[0] for r in BAD])
def test_a_template_that_cannot_be_meant_is_named(tmp_path: Path, content: Any, said: str) -> None:
    text = "{" if content is None else json.dumps(content)
    (tmp_path / "mine.json").write_text(text)
    with pytest.raises(TemplateError) as raised:
        read_templates(tmp_path)
    assert "mine.json" in str(raised.value)
    assert said in str(raised.value)


async def test_templates_of_ones_own_stand_beside_the_built_in_ones(tmp_path: Path) -> None:
    there = {"COMFYUI_BASE_URL": "http://127.0.0.1:8188", "COMFYUI_WORKFLOWS": str(tmp_path)}
    settings = load(there, tmp_path / "no.env").settings
    (tmp_path / "mine.json").write_text((BUILT_IN / "text-to-image.json").read_text())
    async with open_client() as client:
        found = configured(settings, client)
        assert found is not None
        with pytest.raises(Rejected, match="image-to-image, mine, text-to-image, wan-"):
            await found.provider.submit(replace(IMAGE, endpoint="other"), FOX, key="k")
        (tmp_path / "odd.json").write_text("{}")
        with pytest.raises(SettingsError, match=r"^COMFYUI_WORKFLOWS: odd\.json: slots "):
            configured(settings, client)
        gone = settings.model_copy(update={"comfyui_workflows": tmp_path / "gone"})
        with pytest.raises(SettingsError, match=r"^COMFYUI_WORKFLOWS: .*gone is no folder$"):
            configured(gone, client)

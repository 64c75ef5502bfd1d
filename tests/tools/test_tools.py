"""What each tool asks of the heart, and what it answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from generations.contract import Conflict, GenerationError, NotFound, NotPossible, WantedInput
from tests.tools.recording import ASSET, CALLER, RecordingAdmission
from tools import registry
from tools.tool import ToolError

INTERFACE_TOOLS = {
    "generate_image": "prompt model? aspect_ratio? size? n? seed? negative_prompt? style? "
    "references?",
    "edit_image": "prompt image mask? references? model? seed? n?",
    "generate_video": "prompt model? duration_s? aspect_ratio? resolution? start_image? end_image? "
    "references? seed? negative_prompt? audio?",
    "get_generation": "generation",
    "list_generations": "query? kind? status? limit?",
    "cancel_generation": "generation",
    "retry_generation": "generation",
    "list_models": "kind? input? max_price_usd? duration_s?",
}


@pytest.fixture
def admission() -> RecordingAdmission:
    return RecordingAdmission()


def test_the_list_of_tools_and_arguments_is_the_promised_one() -> None:
    """INTERFACE, Tools: names, arguments, and which of them may be left out."""
    shown = {}
    for schema in registry.schemas():
        assert schema["type"] == "function"
        function = schema["function"]
        assert set(function) == {"name", "description", "parameters"}
        parameters = function["parameters"]
        required = set(parameters.get("required", []))
        shown[function["name"]] = {
            name if name in required else f"{name}?" for name in parameters["properties"]
        }
    assert shown == {name: set(words.split()) for name, words in INTERFACE_TOOLS.items()}


def test_schemas_hold_only_what_every_server_understands() -> None:
    """Servers that compile schemas into grammars choke on anyOf, $defs, patterns, bounds."""

    def keys(value: object) -> set[str]:
        if isinstance(value, dict):
            found = {k for k in value if k != "properties"} | keys(value.get("properties"))
            inner = value.get("properties", value)
            return found.union(*(keys(v) for v in inner.values()))
        return set().union(*map(keys, value)) if isinstance(value, list) else set()

    for schema in registry.schemas():
        parameters = schema["function"]["parameters"]
        assert parameters["type"] == "object"
        assert parameters["additionalProperties"] is False
        allowed = {"type", "properties", "required", "additionalProperties", "description"}
        names = set(parameters["properties"])
        assert keys(parameters) - names <= allowed | {"enum", "items", "minimum"}
        assert all(p["description"] and p["type"] for p in parameters["properties"].values())
        assert "required" not in parameters or parameters["required"]


async def test_an_image_is_wanted_as_it_was_asked_for(admission: RecordingAdmission) -> None:
    arguments = {
        "prompt": "  a red fox in the snow\n",
        "model": "demo-image",
        "aspect_ratio": "16:9",
        "size": "1024 X 576",
        "n": 2,
        "seed": 7,
        "negative_prompt": "text",
        "style": "ink",
        "references": ["#3.2", ASSET],
    }
    result = await registry.call("generate_image", arguments, CALLER, admission.door)
    (wanted,) = admission.wanted()
    assert (wanted.kind, wanted.prompt, wanted.model) == (
        "image",
        "a red fox in the snow",
        "demo-image",
    )
    assert (wanted.aspect_ratio, wanted.size, wanted.n, wanted.seed) == ("16:9", "1024x576", 2, 7)
    assert (wanted.negative_prompt, wanted.style) == ("text", "ink")
    assert wanted.inputs == (
        WantedInput(role="reference", picture="#3.2"),
        WantedInput(role="reference", picture=ASSET),
    )
    assert result.started
    assert result.json["handle"] == "#1"


async def test_an_edit_names_its_pictures_by_role(admission: RecordingAdmission) -> None:
    arguments = {"prompt": "blue", "image": "#1", "mask": ASSET, "references": ["#2"]}
    result = await registry.call("edit_image", arguments, CALLER, admission.door)
    (wanted,) = admission.wanted()
    assert wanted.kind == "image"
    assert [(i.role, i.picture) for i in wanted.inputs] == [
        ("image", "#1"),
        ("mask", ASSET),
        ("reference", "#2"),
    ]
    assert result.started


async def test_a_film_begins_and_ends_with_named_pictures(admission: RecordingAdmission) -> None:
    arguments = {
        "prompt": "it runs",
        "duration_s": "4",
        "aspect_ratio": "9:16",
        "resolution": "720p",
        "start_image": "#1",
        "end_image": "#2",
        "references": ["#4"],
        "audio": False,
    }
    result = await registry.call("generate_video", arguments, CALLER, admission.door)
    (wanted,) = admission.wanted()
    assert (wanted.kind, wanted.duration_s, wanted.resolution) == ("video", 4.0, "720p")
    assert wanted.audio is False
    assert [i.role for i in wanted.inputs] == ["start", "end", "reference"]
    assert result.started


@pytest.mark.parametrize(
    ("name", "arguments", "asked", "started"),
    [
        ("get_generation", {"generation": "#3"}, ("get", "#3"), False),
        ("cancel_generation", {"generation": "#3"}, ("cancel", "#3"), False),
        ("retry_generation", {"generation": ASSET}, ("retry", ASSET), True),
        (
            "list_generations",
            {"query": "fox", "kind": "video"},
            ("find", {"query": "fox", "kind": "video", "status": None, "limit": 20}),
            False,
        ),
        (
            "list_models",
            {"input": "start_image", "max_price_usd": 0},
            (
                "models",
                {"kind": None, "input": "start_image", "max_price_usd": 0.0, "duration_s": None},
            ),
            False,
        ),
    ],
)
async def test_other_tools_ask_the_heart(
    admission: RecordingAdmission,
    name: str,
    arguments: dict[str, Any],
    asked: tuple[str, Any],
    started: bool,
) -> None:
    result = await registry.call(name, arguments, CALLER, admission.door)
    assert [(verb, what) for verb, _, what in admission.asked] == [asked]
    assert result.started is started
    json.dumps(result.json)


async def test_models_are_listed_under_data(admission: RecordingAdmission) -> None:
    result = await registry.call("list_models", "", CALLER, admission.door)
    assert [model["id"] for model in result.json["data"]] == ["demo-image"]


async def test_blank_optional_arguments_count_as_not_sent(admission: RecordingAdmission) -> None:
    """Language models fill in every field they are shown."""
    arguments = {"prompt": "a fox", "model": "", "seed": None, "n": None, "references": None}
    await registry.call("generate_image", arguments, CALLER, admission.door)
    (wanted,) = admission.wanted()
    assert (wanted.model, wanted.seed, wanted.n, wanted.inputs) == (None, None, 1, ())


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (NotFound("There is no #9."), "not_found"),
        (
            NotPossible("At most 10 s.", [{"loc": "duration_s", "msg": "4 to 10"}]),
            "invalid_request",
        ),
        (Conflict("It is completed already."), "conflict"),
    ],
)
async def test_a_refusal_of_the_heart_keeps_its_words(
    admission: RecordingAdmission, refusal: GenerationError, code: str
) -> None:
    admission.refusal = refusal
    with pytest.raises(ToolError) as caught:
        await registry.call("retry_generation", {"generation": "#9"}, CALLER, admission.door)
    assert caught.value.json() == {
        "error": {"code": code, "message": refusal.message, "errors": list(refusal.errors)}
    }
    assert caught.value.__cause__ is refusal


async def test_a_toolbox_numbers_the_calls_of_its_caller(admission: RecordingAdmission) -> None:
    toolbox = registry.Toolbox(CALLER, admission.door)
    for index in range(2):
        await toolbox.call(index, "generate_image", '{"prompt": "a fox"}')
    callers = [caller for _, caller, _ in admission.asked]
    assert [(c.step_id, c.call_index) for c in callers if c] == [
        (CALLER.step_id, 0),
        (CALLER.step_id, 1),
    ]
    assert toolbox.schemas() == registry.schemas(in_chat=True)


def test_only_where_a_card_follows_a_model_hears_of_cards() -> None:
    """Elsewhere it would wait for something that never comes; everything else is the same."""
    for told, elsewhere in zip(registry.schemas(in_chat=True), registry.schemas(), strict=True):
        chat, plain = told["function"], elsewhere["function"]
        assert {**chat, "description": ""} == {**plain, "description": ""}
        assert "card" not in plain["description"]
        starts = registry.find(chat["name"]).starts
        assert ("get_generation" in plain["description"]) is starts
        assert not starts or "card" in chat["description"]

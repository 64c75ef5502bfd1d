"""The catalogue as OpenAI's clients read it: what can be had here, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter

from api.caller import InRuntime, ReadCaller
from api.problems import Problem
from api.v1.described import refusals
from api.v1.shapes import ModelList, ModelObject
from runtime import Runtime
from tools.reading import shown

router = APIRouter()

UNPRICED = "2026-01-01"


@router.get(
    "/v1/models",
    operation_id="v1_list_models",
    summary="The models that can be had",
    response_model=ModelList,
    responses=refusals(),
)
async def list_models(runtime: InRuntime, caller: ReadCaller) -> ModelList:
    """The models that can be had here, the defaults of their kinds first."""
    return ModelList(data=[_object(reading) for reading in _offered(runtime)])


@router.get(
    "/v1/models/{model_id}",
    operation_id="v1_get_model",
    summary="One model",
    response_model=ModelObject,
    responses=refusals(404),
)
async def get_model(model_id: str, runtime: InRuntime, caller: ReadCaller) -> ModelObject:
    """One model by its id; the label does as well."""
    name = model_id.strip().partition("@")[0].strip().casefold()
    for reading in _offered(runtime):
        if name in (reading["id"], reading["label"].casefold()):
            return _object(reading)
    raise not_found(runtime, model_id)


def check_known(runtime: Runtime, name: str | None, kind: str) -> None:
    """Raises: Problem: no model of the catalogue has this name."""
    if name is None:
        return
    wanted = name.strip().partition("@")[0].strip().casefold()
    if not any(
        wanted in (reading["id"], reading["label"].casefold())
        for reading in runtime.admission.models()
    ):
        raise not_found(runtime, name, kind)


def not_found(runtime: Runtime, name: str, kind: str | None = None) -> Problem:
    """The refusal of a model that is not here, with the names of those that are."""
    ids = [reading["id"] for reading in _offered(runtime) if kind in (None, reading["kind"])]
    message = f"The model {shown(name)} does not exist here. Available: {', '.join(ids)}."
    return Problem(404, "model_not_found", message, [{"loc": "model", "msg": message}])


def _offered(runtime: Runtime) -> list[dict[str, Any]]:
    return [reading for reading in runtime.admission.models() if reading["available"]]


def _object(reading: dict[str, Any]) -> ModelObject:
    price = reading["price"]
    # OpenAI's clients insist on a moment; of a model we know when its price was looked at.
    day = datetime.fromisoformat(str(price["as_of"] if price else UNPRICED))
    return ModelObject(
        id=reading["id"],
        created=int(day.replace(tzinfo=UTC).timestamp()),
        owned_by=reading["provider"],
        kinora={name: value for name, value in reading.items() if name != "id"},
    )

"""What is written down of a request that is accepted: the columns of its row."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from db.assets import Asset
from generations.contract import Caller
from providers.contract import Request, Route
from providers.model import Model, estimate_usd

#: The words of a request that are kept as params, when they were said or chosen.
PARAMS = (
    "negative_prompt style aspect_ratio resolution width_px height_px duration_s n seed audio"
).split()


def pixels_of(asset: Asset | None) -> tuple[int, int] | None:
    """Width and height of a picture, where both are known."""
    if asset is None or asset.width_px is None or asset.height_px is None:
        return None
    return asset.width_px, asset.height_px


def values_of(
    caller: Caller,
    model: Model,
    route: Route,
    request: Request,
    pictures: list[tuple[Any, Asset]],
) -> dict[str, Any]:
    """The columns of a request that was found possible, but for its id."""
    said: Mapping[str, Any] = {name: getattr(request, name) for name in PARAMS}
    parents = [asset.generation_id for _, asset in pictures if asset.generation_id]
    return {
        "user_id": caller.user_id,
        "thread_id": caller.thread_id,
        "step_id": caller.step_id,
        "call_index": caller.call_index,
        "parent_id": parents[0] if parents else None,
        "kind": model.kind,
        "prompt": request.prompt,
        "model": model.id,
        "provider": route.provider,
        "endpoint": route.endpoint,
        "params": {name: value for name, value in said.items() if value is not None},
        "cost_estimated_usd": exact_usd(estimate_usd(model, route, request)),
    }


def exact_usd(usd: float | None) -> Decimal | None:
    """The amount as it was written, to the millionth: money is added up without rounding."""
    return None if usd is None else Decimal(f"{usd:.6f}")

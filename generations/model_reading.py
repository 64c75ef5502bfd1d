"""A model as `/api/models` and the tool `list_models` show it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from providers.model import Model


def model_reading(model: Model, available: Collection[str]) -> dict[str, Any]:
    """The JSON of a model; its provider and price are those of the route that would be taken."""
    route = next((route for route in model.routes if route.provider in available), model.routes[0])
    price = route.price
    return {
        "id": model.id,
        "label": model.label,
        "kind": model.kind,
        "demo": model.demo,
        "provider": route.provider,
        "routes": [
            {"provider": name, "available": name in available} for name in model.providers()
        ],
        "inputs": list(model.inputs),
        "aspect_ratios": list(model.aspect_ratios),
        "durations_s": list(model.durations_s),
        "resolutions": list(model.resolutions),
        "max_n": model.max_n,
        "price": price and {"unit": price.unit, "usd": price.usd, "as_of": price.as_of},
        "available": any(name in available for name in model.providers()),
    }

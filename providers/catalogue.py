"""The catalogue: every model that can be asked for, as data.

Built-in rows stand in models.toml; those of MODELS_FILE replace the ones with the same id, and the
new ones stand before all others, so that the first of a kind becomes the default of its kind.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from pathlib import Path

from providers.contract import Kind, Role
from providers.model import Bounds, Model
from providers.models_file import bounds_of, read_models

BUILT_IN = Path(__file__).with_name("models.toml")


class UnknownModel(Exception):
    """Nobody knows this model; the message names the nearest ones and all there are."""


class Catalogue:
    """All models, in the order in which they are offered."""

    def __init__(
        self, models: Collection[Model], bounds: Mapping[str, Bounds] | None = None
    ) -> None:
        self.models = tuple(models)
        #: What each provider takes, where that is known.
        self.bounds = dict(bounds or {})
        self._by_name = {model.label.casefold(): model for model in self.models}
        self._by_name |= {model.id: model for model in self.models}

    def find(self, name: str) -> tuple[Model, str | None]:
        """Return the model of an id or label, and the provider that `id@provider` pins, else None.

        Raises:
            UnknownModel: in words a language model can repair its call by.
        """
        wanted, _, provider = name.strip().partition("@")
        model = self._by_name.get(wanted.strip().casefold())
        if model is None:
            raise UnknownModel(self._who_is(wanted))
        if provider and provider not in model.providers():
            there = ", ".join(model.providers())
            raise UnknownModel(
                f"{model.id} cannot be had from `{provider[:40]}`, only from {there}"
            )
        return model, provider or None

    def default(
        self, kind: Kind, available_providers: Collection[str], inputs: Collection[Role] = ()
    ) -> Model | None:
        """Return the first available model that can work from these inputs; demo ones come last."""
        able = [
            model
            for model in self.models
            if model.kind == kind and model.route_for(inputs, available_providers)
        ]
        return min(able, key=lambda model: model.demo, default=None)

    def _who_is(self, wanted: str) -> str:
        ids = [model.id for model in self.models]
        near = difflib.get_close_matches(wanted.casefold()[:64], ids, n=3)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        return f"there is no model `{wanted[:64]}`; {hint}The models are {', '.join(ids)}"


def load_catalogue(models_file: Path | None = None) -> Catalogue:
    """Return the built-in models with those of MODELS_FILE.

    Raises:
        ModelsFileError: one line that names the file, the line, the model and what is wrong.
    """
    built_in, shared = read_models(BUILT_IN, {})
    if models_file is None:
        return Catalogue(built_in, bounds_of(shared))
    own, together = read_models(models_file, shared)
    by_id = {model.id: model for model in own}
    known = {model.id for model in built_in}
    return Catalogue(
        [model for model in own if model.id not in known]
        + [by_id.get(model.id, model) for model in built_in],
        bounds_of(together),
    )

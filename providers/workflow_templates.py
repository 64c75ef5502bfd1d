"""Workflow templates of ComfyUI: a graph in its API format, and the slots our words go into.

A template is a JSON file; its name is the endpoint of a route, its slots are what the route's
`fields` name. Each slot is a list of `node.input`, and `outputs` are the nodes whose files count
(none named: all of them). A graph is what ComfyUI's menu saves by "Export (API)".
Source: docs.comfy.org/development/comfyui-server/comms_routes and api-examples, 2026-11-22.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from providers.dialect import Json

BUILT_IN = Path(__file__).with_name("workflows")
Slot = Annotated[str, Field(pattern=r"^[^.]+\.[^.]+$")]


class TemplateError(Exception):
    """A template cannot be used; the message says which one, and why."""


class Node(BaseModel):
    """One node of a graph; more than this (its title) is passed on as it is."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    class_type: str
    inputs: dict[str, JsonValue]


class Template(BaseModel):
    """A graph with slots."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    slots: dict[str, Annotated[list[Slot], Field(min_length=1)]]
    outputs: list[str] = []
    workflow: dict[str, Node]

    @model_validator(mode="after")
    def _names_its_own_nodes(self) -> Template:
        for name, places in self.slots.items():
            for place in places:
                node, _, field = place.partition(".")
                if node not in self.workflow or field not in self.workflow[node].inputs:
                    raise ValueError(f"slot {name}: the workflow has no {place}")
        for node in self.outputs:
            if node not in self.workflow:
                raise ValueError(f"outputs: the workflow has no node {node}")
        return self

    def filled(self, values: Mapping[str, Json]) -> dict[str, Json]:
        """Return the graph with values in their slots. Raises: KeyError: there is no such slot."""
        graph = {name: copy.deepcopy(node.model_dump()) for name, node in self.workflow.items()}
        for name, value in values.items():
            for place in self.slots[name]:
                node, _, field = place.partition(".")
                graph[node]["inputs"][field] = value
        return dict(graph)


def read_templates(*folders: Path) -> dict[str, Template]:
    """Return the templates of these folders by name; later folders replace what earlier ones have.

    Raises: TemplateError.
    """
    found: dict[str, Template] = {}
    for folder in folders:
        if not folder.is_dir():
            raise TemplateError(f"{folder} is no folder")
        for path in sorted(folder.glob("*.json")):
            try:
                found[path.stem] = Template.model_validate_json(path.read_bytes())
            except OSError as error:
                raise TemplateError(f"{path} cannot be read: {error.strerror}") from None
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(map(str, first["loc"]))
                raise TemplateError(f"{path.name}: {where} {first['msg']}".strip()) from None
    return found

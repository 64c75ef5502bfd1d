"""The tools a request offers; nothing else is ever called."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call; `arguments` is JSON text, as the wire carries it."""

    name: str
    arguments: str


class Toolbox:
    """Names and parameters of the offered tools."""

    def __init__(self, tools: list[dict[str, Any]]) -> None:
        self._parameters: dict[str, dict[str, Any]] = {}
        for tool in tools:
            function = tool.get("function") or {}
            parameters = function.get("parameters") or {}
            self._parameters[str(function.get("name"))] = parameters.get("properties") or {}

    def has(self, name: str) -> bool:
        """Whether a tool is offered."""
        return name in self._parameters

    def takes(self, name: str, parameter: str) -> bool:
        """Whether an offered tool has a parameter."""
        return parameter in self._parameters.get(name, {})

    def models(self) -> tuple[str, ...]:
        """Return the model ids the schemas name."""
        found: list[str] = []
        for parameters in self._parameters.values():
            schema = parameters.get("model") or {}
            for part in [schema, *(schema.get("anyOf") or [])]:
                found += [str(name) for name in part.get("enum") or [] if name]
        return tuple(dict.fromkeys(found))

    def call(self, name: str, **arguments: Any) -> Call:
        """Return a call with those arguments that are given and that the tool knows."""
        known = {
            parameter: whole(value)
            for parameter, value in arguments.items()
            if value is not None and self.takes(name, parameter)
        }
        return Call(name, json.dumps(known, ensure_ascii=False))


def whole(value: object) -> object:
    """Return 4 for 4.0: servers and people prefer it."""
    return int(value) if isinstance(value, float) and value.is_integer() else value

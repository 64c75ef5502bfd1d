"""The one list of tools, and the one way to call them.

`schemas()` is what a language model (or `GET /api/tools`) is shown; `call()` runs one by name with
whatever the caller sent as arguments; a `Toolbox` is both for one turn of the agent, with the
caller fixed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from generations.admission import Admission
from generations.contract import Caller, GenerationError, Repeat
from tools import (
    cancel_generation,
    edit_image,
    generate_image,
    generate_video,
    get_generation,
    list_generations,
    list_models,
    retry_generation,
)
from tools.reading import read_arguments, shown
from tools.schema import plain_schema
from tools.tool import Tool, ToolError, ToolResult

TOOLS: tuple[Tool, ...] = (
    generate_image.TOOL,
    edit_image.TOOL,
    generate_video.TOOL,
    get_generation.TOOL,
    list_generations.TOOL,
    cancel_generation.TOOL,
    retry_generation.TOOL,
    list_models.TOOL,
)


def schemas(*, in_chat: bool = False) -> list[dict[str, Any]]:
    """The tools as OpenAI-style calls take them, without `strict`, which some servers refuse."""
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.told(in_chat=in_chat),
                "parameters": plain_schema(tool.arguments),
            },
        }
        for tool in TOOLS
    ]


async def call(
    name: str,
    arguments: str | bytes | Mapping[str, Any],
    caller: Caller,
    admission: Admission,
    *,
    key: str | None = None,
) -> ToolResult:
    """Run one tool. Pass JSON as the text it came in where there is one: only the text shows
    doubled names. `key`: a repeat of the request under it starts nothing new.

    Raises: ToolError.
    """
    tool = find(name)
    checked = read_arguments(tool, arguments)
    if key is not None and tool.starts:
        sent = checked.model_dump(mode="json", exclude_defaults=True)
        caller = replace(caller, repeat=repeat_of(key, name, sent))
    try:
        result = await tool.run(checked, caller, admission)
    except GenerationError as error:
        raise ToolError(error.code, error.message, error.errors) from error
    return ToolResult(json=result, started=tool.starts)


def repeat_of(key: str, name: str, arguments: Mapping[str, Any]) -> Repeat:
    """What a request is known by when it comes again: neither the order nor the spelling of its
    JSON matters, nor whether a default was written out.
    """
    request = json.dumps([name, arguments], sort_keys=True, separators=(",", ":"))
    return Repeat(key=key, request_sha256=hashlib.sha256(request.encode()).digest())


def scope_of(name: str) -> str:
    """What the caller of this tool must be allowed; who may look may also hear that it is none."""
    return next((tool.scope for tool in TOOLS if tool.name == name), "read")


def find(name: str) -> Tool:
    """The tool of that name. Raises: ToolError, which lists the tools there are."""
    for tool in TOOLS:
        if tool.name == name:
            return tool
    known = ", ".join(tool.name for tool in TOOLS)
    raise ToolError("unknown_tool", f"There is no tool named {shown(name)}. The tools: {known}.")


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The tools as one turn of the agent holds them: the caller is fixed, calls are numbered."""

    caller: Caller
    admission: Admission

    def schemas(self) -> list[dict[str, Any]]:
        """What the model is shown."""
        return schemas(in_chat=True)

    async def call(self, index: int, name: str, arguments: str) -> ToolResult:
        """Run one call; the same step and index find what was started before. Raises: ToolError."""
        return await call(name, arguments, replace(self.caller, call_index=index), self.admission)

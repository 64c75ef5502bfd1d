"""What a tool answered as content that a language model reads, sees and passes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mcp.types import CallToolResult, ContentBlock, ResourceLink, TextContent
from pydantic import AnyUrl

from api.mcp_door.pictures import pictures_of
from api.mcp_door.visit import Visit
from tools.tool import Tool

NAME_CHARS_MAX = 60


async def result_of(
    visit: Visit, tool: Tool, answer: dict[str, Any], *, waited: bool = False
) -> CallToolResult:
    """The JSON, as text and structured; of a generation also its pictures and links. Of a call that
    waited, a generation that came to nothing is an error.
    """
    if tool.answers == "generations":
        page = {**answer, "data": [visit.shown(reading) for reading in answer["data"]]}
        return _result([as_text(page)], page)
    if tool.answers != "generation":
        return _result([as_text(answer)], answer)
    reading = visit.shown(answer)
    content: list[ContentBlock] = [as_text(reading), *await pictures_of(visit, answer)]
    if visit.knows_links:
        content += links_of(reading)
    return _result(content, reading, is_error=waited and reading["error"] is not None)


def error_result(error: Mapping[str, Any]) -> CallToolResult:
    """A refusal that a model can act on."""
    return CallToolResult(content=[as_text(error)], isError=True)


def as_text(value: Mapping[str, Any]) -> TextContent:
    """JSON for readers that know no structured content."""
    return TextContent(type="text", text=json.dumps(value, ensure_ascii=False))


def links_of(reading: dict[str, Any]) -> list[ContentBlock]:
    """A link to each picture or film, by an address that any program can open; to the generation
    itself, readable at this door, as long as there is none.
    """
    if not reading["assets"]:
        return [
            ResourceLink(
                type="resource_link",
                name=name_of(reading),
                uri=AnyUrl(reading["resource_uri"]),
                mimeType="application/json",
                description=f"How this {reading['kind']} stands: {reading['status']}.",
            )
        ]
    return [
        ResourceLink(
            type="resource_link",
            name=f"{name_of(reading)} ({number})" if number > 1 else name_of(reading),
            uri=AnyUrl(asset["url"]),
            mimeType=asset["media_type"],
            size=asset["size_bytes"],
            description="Opens without a key for an hour; afterwards ask get_generation for a new "
            "address.",
        )
        for number, asset in enumerate(reading["assets"], 1)
    ]


def name_of(reading: dict[str, Any]) -> str:
    """A generation's prompt, short enough to be a name."""
    prompt: str = " ".join(reading["prompt"].split())
    return prompt if len(prompt) <= NAME_CHARS_MAX else f"{prompt[:NAME_CHARS_MAX]}…"


def _result(
    content: list[ContentBlock], structured: dict[str, Any], *, is_error: bool = False
) -> CallToolResult:
    return CallToolResult(content=content, structuredContent=structured, isError=is_error)

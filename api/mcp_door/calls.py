"""One call of a tool, from its arguments to content."""

from __future__ import annotations

from typing import Any

import structlog
from mcp.types import CallToolResult
from sqlalchemy.exc import DataError

from api.caller import check_scope
from api.mcp_door.progress import Progress
from api.mcp_door.results import error_result, result_of
from api.mcp_door.visit import Visit
from api.problems import Problem
from api.waiting import wait_for
from db.connect import DATABASE_ERRORS
from generations.contract import GenerationError
from tools import registry
from tools.tool import ToolError

log = structlog.get_logger(__name__)

#: Below the minute after which common clients give a call up.
WAIT_S = 50.0
REFUSALS = (ToolError, GenerationError, Problem, *DATABASE_ERRORS)


async def call_tool(
    visit: Visit, name: str, arguments: dict[str, Any], progress: Progress | None
) -> CallToolResult:
    """Run a tool. One that starts a generation waits for it as long as somebody hears of its
    progress, and `WAIT_S` at most. Whatever is refused is told as the call's own result, since only
    that is what the model gets to read.
    """
    try:
        check_scope(visit.visitor, registry.scope_of(name))
        tool = registry.find(name)
        answered = await registry.call(name, arguments, visit.caller, visit.runtime.admission)
        if not answered.started or progress is None:
            return await result_of(visit, tool, answered.json)
        reading = await _settled(visit, answered.json, progress)
        return await result_of(visit, tool, reading, waited=True)
    except REFUSALS as error:
        return error_result(as_tool_error(error).json())


async def _settled(visit: Visit, reading: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Its newest reading, settled if that comes in time. Raises: NotFound, Problem."""
    await progress.tell([reading])
    try:
        [newest] = await wait_for(visit.runtime, visit.visitor, [reading], WAIT_S, progress.tell)
    except DATABASE_ERRORS as error:
        # It was accepted: told that nothing came of it, a model would start it, and pay, again.
        log.warning("wait broken off", door="mcp", error=type(error).__name__)
        return reading
    return newest


def as_tool_error(error: BaseException) -> ToolError:
    """Any refusal in the words that a model gets of every tool."""
    if isinstance(error, ToolError):
        return error
    if isinstance(error, GenerationError):
        return ToolError(error.code, error.message, error.errors)
    if isinstance(error, Problem):
        return ToolError(error.code, error.detail, error.errors)
    if isinstance(error, DataError):
        return ToolError("invalid_request", "The database cannot hold such a value.")
    log.warning("request failed", door="mcp", error=type(error).__name__)
    return ToolError("unavailable", "The database cannot be reached just now. Try again soon.")

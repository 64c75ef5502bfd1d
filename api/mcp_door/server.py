"""The protocol's server for one request: what it can be asked, each in a few lines."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import structlog
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import McpError
from mcp.types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolRequest,
    ErrorData,
    ListResourcesRequest,
    ListResourceTemplatesRequest,
    ListResourceTemplatesResult,
    ListToolsRequest,
    ListToolsResult,
    ReadResourceRequest,
    ReadResourceResult,
    ServerResult,
    Tool,
    ToolAnnotations,
)

from api.caller import check_scope
from api.mcp_door import resources
from api.mcp_door.calls import REFUSALS, WAIT_S, as_tool_error, call_tool
from api.mcp_door.progress import Progress
from api.mcp_door.visit import Visit
from settings import VERSION
from tools import registry
from tools.answers import SCHEMAS
from tools.schema import plain_schema

log = structlog.get_logger(__name__)

#: What a request may ask; beside these the SDK answers the two that open and test a connection.
METHODS = frozenset(
    {
        *("initialize", "ping", "tools/list", "tools/call"),
        *("resources/list", "resources/templates/list", "resources/read"),
    }
)
INSTRUCTIONS = f"""\
Kinora paints pictures and makes films with the models of many providers.
A call that starts one answers at once; when it carries a progress token, it waits up to
{WAIT_S:.0f} seconds. While it is not finished, go on with something else and ask get_generation
later. No card and no page shows it here: tell the person, and give them the address once it is
completed.
Pictures are named by the id of their generation, or by the asset's own. Every start may cost money:
never start the same thing again because it is slow. Addresses open for an hour; get_generation
gives new ones."""

MISTAKE = "Kinora made a mistake here; its log tells more."

Answered = TypeVar("Answered")
Answering = Callable[[Any], Awaitable[ServerResult]]


def server_for(visit: Visit) -> Server[Any, Any]:
    """A server that knows whom it answers."""
    server: Server[Any, Any] = Server("kinora", version=VERSION, instructions=INSTRUCTIONS)

    async def list_tools(_: ListToolsRequest) -> ServerResult:
        return ServerResult(ListToolsResult(tools=await _told(_tools(visit))))

    async def call(request: CallToolRequest) -> ServerResult:
        asked, context = request.params, server.request_context
        token = asked.meta.progressToken if asked.meta else None
        progress = None if token is None else Progress(context.session, token, context.request_id)
        return ServerResult(await call_tool(visit, asked.name, asked.arguments or {}, progress))

    async def list_resources(request: ListResourcesRequest) -> ServerResult:
        cursor = request.params.cursor if request.params else None
        return ServerResult(await _told(resources.list_resources(visit, cursor)))

    async def list_templates(_: ListResourceTemplatesRequest) -> ServerResult:
        return ServerResult(ListResourceTemplatesResult(resourceTemplates=resources.TEMPLATES))

    async def read_resource(request: ReadResourceRequest) -> ServerResult:
        read = await _told(resources.read_resource(visit, request.params.uri))
        return ServerResult(ReadResourceResult(contents=[read]))

    # Not by the SDK's decorators: they check arguments in words that no model can act on, and tell
    # the text of every exception to the caller.
    server.request_handlers |= {
        ListToolsRequest: _answering(list_tools),
        CallToolRequest: _answering(call),
        ListResourcesRequest: _answering(list_resources),
        ListResourceTemplatesRequest: _answering(list_templates),
        ReadResourceRequest: _answering(read_resource),
    }
    return server


def _answering(work: Answering) -> Answering:
    """The same, with an answer to whatever happens in it: by then the stream may have begun, and a
    client whose stream merely ends goes on waiting.
    """

    async def answer(request: Any) -> ServerResult:
        try:
            return await work(request)
        except McpError:
            raise
        except Exception:  # noqa: BLE001 - the door's boundary, as said above
            log.exception("request failed", door="mcp", method=request.method)
            told = ErrorData(code=INTERNAL_ERROR, message=MISTAKE, data={"code": "internal"})
            raise McpError(told) from None

    return answer


async def _tools(visit: Visit) -> list[Tool]:
    """The one list, as this protocol shows tools."""
    check_scope(visit.visitor, "read")
    return [
        Tool(
            name=tool.name,
            title=tool.title,
            description=tool.told(in_chat=False),
            inputSchema=plain_schema(tool.arguments),
            outputSchema=SCHEMAS[tool.answers],
            annotations=ToolAnnotations(
                title=tool.title,
                readOnlyHint=tool.scope == "read",
                destructiveHint=tool.ends,
                idempotentHint=not tool.starts,
                # Whatever is more than a look goes out to a provider.
                openWorldHint=tool.scope != "read",
            ),
        )
        for tool in registry.TOOLS
    ]


async def _told(work: Awaitable[Answered]) -> Answered:
    """What the work gives; its refusals as errors of the protocol. Raises: McpError."""
    try:
        return await work
    except REFUSALS as error:
        told = as_tool_error(error)
        number = INVALID_PARAMS if told.code == "invalid_request" else resources.REFUSED
        data = {"code": told.code, "errors": list(told.errors)}
        raise McpError(ErrorData(code=number, message=told.message, data=data)) from None

"""The address itself: `POST /api/mcp`, one message a request, answered as JSON, or as a stream when
the call wants to hear of its progress. There are no sessions, hence nothing to GET or DELETE.
"""

from __future__ import annotations

from typing import Any

import anyio
from fastapi import APIRouter, Request
from mcp.server.lowlevel import Server
from mcp.server.streamable_http import StreamableHTTPServerTransport
from mcp.shared.version import SUPPORTED_PROTOCOL_VERSIONS
from mcp.types import DEFAULT_NEGOTIATED_VERSION, CallToolRequest, ClientRequest
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from accounts.visitor import Visitor
from api.caller import InRuntime, SomeVisitor
from api.links import links_of
from api.mcp_door.described import BODY, RESPONSES
from api.mcp_door.messages import Malformed, read_message
from api.mcp_door.server import METHODS, server_for
from api.mcp_door.visit import Visit
from api.problems import Problem
from api.refusals import refusal

router = APIRouter()

JSON, STREAM, ANYTHING = "application/json", "text/event-stream", "*/*"
OTHER_METHODS = ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"]


@router.post("/api/mcp/", include_in_schema=False)
@router.post("/api/mcp", openapi_extra={"requestBody": BODY}, responses=RESPONSES)
async def answer_message(request: Request, runtime: InRuntime, visitor: SomeVisitor) -> Response:
    """The tools over the Model Context Protocol: streamable HTTP, one JSON-RPC message a request,
    no sessions.
    """
    known = _somebody(visitor)
    wants_json, wants_stream = _accepted(request.headers.get("accept", ANYTHING))
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
        raise Problem(415, "unsupported_media_type", f"The body must be {JSON}.")
    body = await request.body()
    try:
        asked = read_message(body, METHODS)
    except Malformed as malformed:
        return malformed.answer()
    if asked is None:
        return Response(status_code=202)
    visit = Visit(
        runtime=runtime,
        visitor=known,
        links=links_of(request),
        version=_version(request, asked),
    )
    return Answer(
        server=server_for(visit),
        body=body,
        as_json=not wants_stream or (wants_json and not _hears_of_progress(asked)),
    )


@router.api_route("/api/mcp/", methods=OTHER_METHODS, include_in_schema=False)
@router.api_route("/api/mcp", methods=OTHER_METHODS, include_in_schema=False)
async def refuse_method(request: Request, visitor: SomeVisitor) -> Response:
    """405: without sessions there is no stream to open and nothing to end."""
    _somebody(visitor)
    what = "Only POST is answered here: this door keeps no sessions."
    path = request.url.path
    return refusal(path, 405, "method_not_allowed", what, headers={"Allow": "POST"})


class Answer(Response):
    """The SDK's server and transport, for one request and within it: when the client goes, so does
    the wait, while what was started goes on.

    The SDK's own look at Host and Origin stays off, since `api.guard` has had its look; and what it
    asks of `Accept` is put in order, since which of the two forms it is was decided here.
    """

    def __init__(self, server: Server[Any, Any], body: bytes, *, as_json: bool) -> None:
        super().__init__()
        self._server, self._asked, self._as_json = server, body, as_json

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the message."""
        transport = StreamableHTTPServerTransport(None, is_json_response_enabled=self._as_json)
        async with transport.connect() as (incoming, outgoing), anyio.create_task_group() as tasks:
            tasks.start_soon(self._serve, incoming, outgoing)
            try:
                await transport.handle_request(
                    _accepting_both(scope), _once_more(self._asked, receive), send
                )
            finally:
                tasks.cancel_scope.cancel()
                with anyio.CancelScope(shield=True):
                    await transport.terminate()

    async def _serve(self, incoming: Any, outgoing: Any) -> None:
        options = self._server.create_initialization_options()
        await self._server.run(incoming, outgoing, options, stateless=True)


def _somebody(visitor: Visitor | None) -> Visitor:
    """The visitor; what they may do is asked tool by tool. Raises: Problem."""
    if visitor is None:
        raise Problem(401, "unauthorized", "Show an API key: Authorization: Bearer kn_...")
    return visitor


def _accepted(accept: str) -> tuple[bool, bool]:
    """Whether JSON and whether a stream will do; a client that takes anything gets JSON.

    Raises: Problem: neither.
    """
    kinds = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    wants_json, wants_stream = bool(kinds & {JSON, "application/*", ANYTHING, ""}), STREAM in kinds
    if not (wants_json or wants_stream):
        raise Problem(406, "not_acceptable", f"The answer is {JSON} or {STREAM}.")
    return wants_json, wants_stream


def _version(request: Request, asked: ClientRequest) -> str:
    """The revision that the client speaks. Raises: Problem: none of those we speak."""
    version = request.headers.get("mcp-protocol-version", DEFAULT_NEGOTIATED_VERSION)
    if version not in SUPPORTED_PROTOCOL_VERSIONS and asked.root.method != "initialize":
        known = ", ".join(SUPPORTED_PROTOCOL_VERSIONS)
        raise Problem(400, "unsupported_version", f"This door speaks the revisions {known}.")
    return version


def _hears_of_progress(asked: ClientRequest) -> bool:
    call = asked.root
    if not isinstance(call, CallToolRequest) or call.params.meta is None:
        return False
    return call.params.meta.progressToken is not None


def _accepting_both(scope: Scope) -> Scope:
    others = [(name, value) for name, value in scope["headers"] if name != b"accept"]
    return {**scope, "headers": [*others, (b"accept", f"{JSON}, {STREAM}".encode())]}


def _once_more(body: bytes, receive: Receive) -> Receive:
    """The body again, which was read already; then whatever comes."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_once_more() -> Message:
        return left.pop() if left else await receive()

    return receive_once_more

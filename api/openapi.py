"""The description of all doors as OpenAPI 3.1, and a page to read it.

Parameters and bodies are taken from the routes themselves, so they cannot differ from what is
checked; words, answers and examples stand in `api.described`. It is made when it is asked for the
first time.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import Response
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.routing import BaseRoute

from api import etags
from api.caller import InRuntime
from api.described import parts, process_shapes, shapes, words
from api.described.generations import GENERATIONS, of_tool
from api.described.parts import PERSON, Json, Operation
from api.described.process import BY_HAND, PROCESS
from api.described.things import THINGS
from api.refusals import MCP_DOOR, OPENAI_DOOR, is_under
from settings import ROOT, VERSION
from tools import registry

#: It describes itself by hand: it says nothing of anybody.
router = APIRouter(include_in_schema=False)

TOOL_PATH = "/api/tools/{name}"
OPERATIONS: dict[str, Operation] = {**GENERATIONS, **THINGS, **PROCESS, **BY_HAND}
#: Doors that describe themselves.
GROUPS = {OPENAI_DOOR: "OpenAI's shapes", MCP_DOOR: "MCP"}
_SHAPE = re.compile(r'"#/components/schemas/([^"]+)"')
PAGE = ROOT / "public" / "reference" / "index.html"
#: The page loads its own script and sheet and asks for the description, and nothing else.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@router.get("/api/openapi.json")
async def openapi(request: Request, runtime: InRuntime) -> Response:
    """OpenAPI 3.1 of everything that others may rely on."""
    state = request.app.state
    if not hasattr(state, "described"):
        made = document(
            request.app.routes,
            requests_per_minute=runtime.loaded.settings.requests_per_minute,
            is_local=runtime.entrance.local is not None,
        )
        state.described = json.dumps(made, ensure_ascii=False, separators=(",", ":")).encode()
    return etags.tagged(request, Response(state.described, media_type="application/json"))


@router.get("/api/reference")
async def reference(request: Request) -> Response:
    """The same as a page."""
    html = await asyncio.to_thread(PAGE.read_bytes)
    headers = {"Content-Security-Policy": POLICY}
    page = Response(html, media_type="text/html; charset=utf-8", headers=headers)
    return etags.tagged(request, page)


def document(routes: Sequence[BaseRoute], *, requests_per_minute: int, is_local: bool) -> Json:
    """The description of these routes."""
    made = get_openapi(
        title="Kinora",
        version=VERSION,
        summary="Pictures and films by tool calls, as durable orders.",
        description=words.about(requests_per_minute),
        routes=routes,
        tags=[{"name": name, "description": about} for name, about in words.TAGS],
        servers=[{"url": "/", "description": "This installation."}],
    )
    found = _operations(made.pop("paths"))
    made["paths"] = {}
    for place, own in found:
        said = said_at(place)
        method, _, path = place.partition(" ")
        operation = _described(own, said) if said else _sorted_in(place, own)
        operation["security"] = _security(place, said, is_local=is_local)
        made["paths"].setdefault(path, {})[method.lower()] = operation
    made["components"] = _components(made.get("components", {}))
    _forget_unused(made)
    made["externalDocs"] = {"url": "/api/reference", "description": "This description as a page."}
    plain: Json = _plain(made)
    return plain


def _operations(paths: Json) -> Iterator[tuple[str, Json]]:
    """Where each operation is, and what its route knows of itself: a path for each tool, and those
    that are not told by a route.
    """
    for path, methods in paths.items():
        for method, own in methods.items():
            if path != TOOL_PATH:
                yield f"{method.upper()} {path}", own
                continue
            for tool in registry.TOOLS:
                yield f"POST {path.format(name=tool.name)}", {}
    for place in BY_HAND:
        yield place, {}


def said_at(place: str) -> Operation | None:
    """What is said of the operation at `METHOD /path`."""
    for tool in registry.TOOLS:
        if place == f"POST {TOOL_PATH.format(name=tool.name)}":
            return of_tool(tool)
    return OPERATIONS.get(place)


def _described(own: Json, said: Operation) -> Json:
    """What the route knows, and what is said of it."""
    given = [_parameter(parameter, said) for parameter in own.get("parameters", [])]
    made: Json = {
        "operationId": said.id,
        "tags": [said.tag],
        "summary": said.summary,
        "description": said.about,
        "parameters": [*given, *said.parameters],
        "responses": dict(sorted(said.answers.items())),
    }
    if body := _body(own.get("requestBody"), said.body):
        made["requestBody"] = body
    return made


def _parameter(parameter: Json, said: Operation) -> Json:
    """A parameter in our words; in a query null cannot be said."""
    schema = parameter["schema"]
    options = [option for option in schema.pop("anyOf", ()) if option != {"type": "null"}]
    if options:
        schema |= options[0]
    made = {**parameter, **words.PARAMETERS.get(parameter["name"], {}), "schema": schema}
    if parameter["name"] in said.tried_with:
        made["example"] = said.tried_with[parameter["name"]]
    return made


def _body(own: Json | None, said: Json | None) -> Json | None:
    if own is None or said is None:
        return said or own
    [content] = own["content"].values()
    return {**own, "content": {"application/json": {**content, **said}}}


def _sorted_in(place: str, own: Json) -> Json:
    """An operation whose route says everything of itself, in its group; what stands in front of all
    doors refuses in the shape of this one.
    """
    tags = [tag for door, tag in GROUPS.items() if is_under(door, place.split(" ")[1])]
    answers = dict(own["responses"])
    if "401" in answers:
        for status in parts.SENT:
            about = parts.REFUSED[status][1]
            answers.setdefault(str(status), {**answers["401"], "description": about})
    return {**own, "tags": tags, "responses": dict(sorted(answers.items()))}


def _security(place: str, said: Operation | None, *, is_local: bool) -> list[Json]:
    """By a key with this scope, or by a login; nothing is needed where there is one user only."""
    reads = place.startswith(("GET", "HEAD")) or MCP_DOOR in place
    scope = said.scope if said else "read" if reads else "generate"
    if scope is None:
        return []
    ways: list[Json] = [] if scope == PERSON else [{"key": [scope]}]
    if scope in ("read", "generate", PERSON):
        ways.append({"login": []})
    return [*ways, {}] if is_local or scope == "admin" else ways


def _components(own: Json) -> Json:
    """The shapes of what is answered, beside those of what is sent."""
    models = [
        found
        for module in (shapes, process_shapes)
        for found in vars(module).values()
        if isinstance(found, type) and issubclass(found, BaseModel) and found is not BaseModel
    ]
    arguments = [tool.arguments for tool in registry.TOOLS]
    _, answered = models_json_schema(
        [(model, "serialization") for model in models], ref_template=parts.SCHEMAS + "{model}"
    )
    _, sent = models_json_schema(
        [(model, "validation") for model in arguments], ref_template=parts.SCHEMAS + "{model}"
    )
    schemas = {**own.get("schemas", {}), **sent["$defs"], **answered["$defs"]}
    return {
        "schemas": schemas,
        "responses": parts.shared_refusals(),
        "headers": parts.HEADERS,
        "securitySchemes": parts.SECURITY,
    }


def _forget_unused(made: Json) -> None:
    """Shapes that only the framework's own idea of a refusal needs go."""
    all_shapes = made["components"]["schemas"]
    text = json.dumps({**made, "components": {**made["components"], "schemas": {}}})
    kept: set[str] = set()
    while new := set(_SHAPE.findall(text)) & set(all_shapes) - kept:
        kept |= new
        text = json.dumps([all_shapes[name] for name in new])
    made["components"]["schemas"] = {name: all_shapes[name] for name in sorted(kept)}


def _plain(node: Any) -> Any:
    """Without the titles that repeat a field's name."""
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    is_schema = "type" in node or "anyOf" in node or "$ref" in node or "enum" in node
    return {
        key: value if key in ("example", "examples") else _plain(value)
        for key, value in node.items()
        if not (key == "title" and is_schema and isinstance(value, str))
    }

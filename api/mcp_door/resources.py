"""Generations and their files as resources: `kinora://generations/{id}`, `kinora://assets/{id}`."""

from __future__ import annotations

import base64
import json

from mcp.shared.exceptions import McpError
from mcp.types import (
    BlobResourceContents,
    ErrorData,
    ListResourcesResult,
    Resource,
    ResourceTemplate,
    TextResourceContents,
)
from pydantic import AnyUrl

from api.caller import check_scope
from api.mcp_door.results import name_of
from api.mcp_door.visit import ASSETS, GENERATIONS, Visit
from db import assets
from db.ids import parse_id
from db.remote_files import NotHere
from db.storage import read_whole
from generations.contract import NotFound

PAGE = 50
BYTES_MAX = 20 * 1024 * 1024
#: The protocol's own number for it, and the first of those that JSON-RPC leaves to servers.
NOT_FOUND, REFUSED = -32002, -32000
TEMPLATES = [
    ResourceTemplate(
        name="generation",
        title="Generation",
        uriTemplate=f"{GENERATIONS}{{id}}",
        mimeType="application/json",
        description="One picture or film in the making, or made: status, parameters, files.",
    ),
    ResourceTemplate(
        name="asset",
        title="Picture or film",
        uriTemplate=f"{ASSETS}{{id}}",
        description=f"The bytes of one file, up to {BYTES_MAX >> 20} MiB.",
    ),
]


async def list_resources(visit: Visit, cursor: str | None) -> ListResourcesResult:
    """The caller's generations, newest first. Raises: GenerationError, Problem."""
    check_scope(visit.visitor, "read")
    page = await visit.runtime.admission.find(visit.caller, limit=PAGE, cursor=cursor)
    resources = [
        Resource(
            name=reading["id"],
            title=name_of(reading),
            uri=AnyUrl(f"{GENERATIONS}{reading['id']}"),
            mimeType="application/json",
            description=f"{reading['kind']} by {reading['model']}, {reading['status']}",
        )
        for reading in page["data"]
    ]
    return ListResourcesResult(resources=resources, nextCursor=page["next_cursor"])


async def read_resource(visit: Visit, uri: AnyUrl) -> TextResourceContents | BlobResourceContents:
    """What a resource holds. Raises: McpError, GenerationError, Problem."""
    check_scope(visit.visitor, "read")
    text = str(uri)
    if text.startswith(GENERATIONS):
        return await _generation(visit, uri, text.removeprefix(GENERATIONS))
    if text.startswith(ASSETS):
        return await _asset(visit, uri, text.removeprefix(ASSETS))
    raise _not_found(uri)


async def _generation(visit: Visit, uri: AnyUrl, name: str) -> TextResourceContents:
    if parse_id(name) is None:
        raise _not_found(uri)
    try:
        reading = await visit.runtime.admission.get(visit.caller, name)
    except NotFound:
        raise _not_found(uri) from None
    text = json.dumps(visit.shown(reading), ensure_ascii=False)
    return TextResourceContents(uri=uri, mimeType="application/json", text=text)


async def _asset(visit: Visit, uri: AnyUrl, name: str) -> BlobResourceContents:
    asset_id = parse_id(name)
    if asset_id is None:
        raise _not_found(uri)
    async with visit.runtime.engine.connect() as connection:
        asset = await assets.find(connection, visit.visitor.user_id, asset_id)
    if asset is None:
        raise _not_found(uri)
    files = visit.runtime.files
    try:
        asset = await visit.runtime.remote_files.here(asset)
        if await files.size_bytes(asset.key) > BYTES_MAX:
            at = visit.links.to_asset(str(asset.id))
            what = f"This file is larger than {BYTES_MAX >> 20} MiB; open it at {at}"
            raise McpError(ErrorData(code=REFUSED, message=what, data={"code": "too_large"}))
        data = await read_whole(files, asset.key)
    except FileNotFoundError:
        raise _not_found(uri) from None
    except NotHere as error:
        if error.is_gone:
            raise _not_found(uri, error.message) from None
        later = {"code": "unavailable", "retry_after_s": error.retry_after_s}
        raise McpError(ErrorData(code=REFUSED, message=error.message, data=later)) from None
    blob = base64.b64encode(data).decode()
    return BlobResourceContents(uri=uri, mimeType=asset.media_type, blob=blob)


def _not_found(uri: AnyUrl, message: str = "There is no such resource.") -> McpError:
    data = {"code": "not_found", "uri": str(uri)}
    return McpError(ErrorData(code=NOT_FOUND, message=message, data=data))

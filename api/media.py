"""Pictures, films and sounds: the bytes for their owner, or for whoever holds a signed address; and
the door for new pictures.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from dataclasses import asdict
from pathlib import PurePosixPath
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException

from accounts.visitor import Visitor
from api import stored
from api.caller import InRuntime, SomeVisitor, check_scope, visitor_with
from api.etags import is_known
from api.links import sign
from api.problems import Problem
from api.ranges import forget_unreadable
from api.staying import staying
from db import assets, media
from db.assets import Asset
from db.ids import parse_id
from db.readings import asset_reading
from db.remote_files import NotHere
from runtime import Runtime

router = APIRouter()

THUMBNAIL_WIDTHS_PX = (128, 256, 512, 1024)
UPLOAD_BYTES_MAX = 20 * 1024 * 1024
#: A stored file never changes under its address; only its owner's own browser may keep it.
CACHE = "private, max-age=31536000, immutable"
#: Somebody who saves a file begins at once.
ELSEWHERE_LASTS_S = 60
_WANTED = "Send multipart form data with one `file`."
#: A visitor who may make something.
Maker = Annotated[Visitor, Depends(visitor_with("generate"))]


@router.get("/media/{asset_id}")
@router.head("/media/{asset_id}")
async def get_media(
    asset_id: str,
    request: Request,
    runtime: InRuntime,
    visitor: SomeVisitor,
    w: Annotated[int | None, Query(ge=1, le=4096)] = None,
    download: bool = False,
    exp: int | None = None,
    sig: Annotated[str | None, Query(max_length=128)] = None,
) -> Response:
    """The bytes of an asset, or with `w` a thumbnail about so wide; ranges and revalidation
    included.
    """
    asset = await _here(runtime, await _find(runtime, visitor, asset_id, exp, sig))
    width_px = w and next((px for px in THUMBNAIL_WIDTHS_PX if px >= w), THUMBNAIL_WIDTHS_PX[-1])
    key, media_type, tag = asset.key, asset.media_type, asset.sha256
    if width_px:
        if media_type.startswith("audio/"):
            raise Problem(404, "not_found", "This is a sound: there is no picture of it.")
        key, media_type, tag = _thumbnail_key(asset, width_px), "image/webp", f"{tag}-{width_px}"
    etag = f'"{tag}"'
    headers = _headers(asset, key, etag, download=download)
    if is_known(request, etag):
        return Response(status_code=304, headers=headers)
    forget_unreadable(request)
    if download and (elsewhere := await _elsewhere(runtime, key, media_type, headers)):
        return elsewhere
    try:
        try:
            return await stored.answer(runtime.files, key, request, media_type, headers)
        except FileNotFoundError:
            if not width_px:
                raise
            await _make_thumbnail(runtime, asset, key, width_px)
            return await stored.answer(runtime.files, key, request, media_type, headers)
    except FileNotFoundError as error:
        detail = "The file of this picture or film is gone."
        raise Problem(404, "not_found", detail) from error
    except media.WrongType as error:
        raise Problem(404, "not_found", str(error)) from error


async def _find(
    runtime: Runtime, visitor: Visitor | None, asset_id: str, exp: int | None, sig: str | None
) -> Asset:
    """The asset, if the address is signed and still good, or the visitor owns it."""
    wanted = parse_id(asset_id)
    opens = wanted is not None and _signed(runtime, wanted, exp, sig)
    owner_id = None if opens else check_scope(visitor, "read").user_id
    found: Asset | None = None
    if wanted is not None:
        async with runtime.engine.connect() as connection:
            if owner_id is None:
                found = await assets.find_signed(connection, wanted)
            else:
                found = await assets.find(connection, owner_id, wanted)
    if found is None:
        raise Problem(404, "not_found", "There is no such picture or film.")
    return found


async def _here(runtime: Runtime, asset: Asset) -> Asset:
    """The asset with its bytes, brought from an old system where they are there still."""
    try:
        return await runtime.remote_files.here(asset)
    except NotHere as error:
        if error.is_gone:
            raise Problem(404, "not_found", error.message) from error
        raise Problem(
            503, "unavailable", error.message, retry_after_s=error.retry_after_s or 1.0
        ) from error


def _signed(runtime: Runtime, asset_id: UUID, exp: int | None, sig: str | None) -> bool:
    if exp is None or sig is None:
        return False
    right = sign(runtime.key("media"), asset_id, exp)
    return exp > time.time() and hmac.compare_digest(right.encode(), sig.encode())


async def _elsewhere(
    runtime: Runtime, key: str, media_type: str, headers: dict[str, str]
) -> Response | None:
    """The way to a bucket that everybody reaches: what a person saves need not pass through here.
    What the page shows does, since it may load nothing from elsewhere.
    """
    address = await runtime.files.url(
        key,
        lasts_s=ELSEWHERE_LASTS_S,
        media_type=media_type,
        disposition=headers["Content-Disposition"],
    )
    if address is None:
        return None
    return RedirectResponse(address, status_code=302, headers={"Cache-Control": "no-store"})


def _thumbnail_key(asset: Asset, width_px: int) -> str:
    if asset.thumbnail_key is not None and f"-w{width_px}." in asset.thumbnail_key:
        return asset.thumbnail_key
    return f"{asset.key.rsplit('.', 1)[0]}-w{width_px}.webp"


async def _make_thumbnail(runtime: Runtime, asset: Asset, key: str, width_px: int) -> None:
    """A width that is asked for the first time. Raises: FileNotFoundError."""
    async with runtime.files.local(asset.key) as path:
        small = await asyncio.to_thread(media.thumbnail_of_file, path, width_px)
    await runtime.files.put_bytes(key, small)


def _headers(asset: Asset, key: str, etag: str, *, download: bool) -> dict[str, str]:
    way = "attachment" if download else "inline"
    stem = quote(asset.name.rsplit(".", 1)[0], safe="") if asset.name else f"kinora-{asset.id}"
    return {
        "ETag": etag,
        "Cache-Control": CACHE,
        "Content-Disposition": f"{way}; filename*=UTF-8''{stem}{PurePosixPath(key).suffix}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-site",
        "X-Content-Type-Options": "nosniff",
    }


@router.post("/api/uploads", status_code=201)
async def upload(request: Request, runtime: InRuntime, visitor: Maker) -> JSONResponse:
    """Take a picture in: decoded, turned upright, encoded anew without a word about where it was
    taken.
    """
    with staying(runtime, visitor) as stay:
        given = await _file_of(request)
        data = await given.read(UPLOAD_BYTES_MAX + 1)
        stay.check()
    if len(data) > UPLOAD_BYTES_MAX:
        raise Problem(413, "too_large", f"Pictures may have {UPLOAD_BYTES_MAX >> 20} MiB.")
    try:
        asset = await runtime.uploads.take(visitor.user_id, data, name=given.filename)
    except media.WrongType as error:
        wrong = [{"loc": "file", "msg": str(error)}]
        raise Problem(422, "wrong_type", str(error), wrong) from error
    return JSONResponse(asset_reading(asdict(asset)), status_code=201)


async def _file_of(request: Request) -> UploadFile:
    """The form's one file. Raises: Problem."""
    try:
        form = await request.form(max_files=1, max_fields=4)
    except MultiPartException as error:
        raise Problem(422, "invalid_request", _WANTED) from error
    except HTTPException as error:
        # The framework's own word for the same.
        if error.status_code != 400:
            raise
        raise Problem(422, "invalid_request", _WANTED) from error
    given = form.get("file")
    if not isinstance(given, UploadFile):
        raise Problem(422, "invalid_request", _WANTED)
    return given

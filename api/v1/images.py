"""Pictures, new and changed, in OpenAI's shapes. A request waits until they are there.

They come as signed addresses that are good for an hour, with `response_format` `b64_json` in the
answer itself, as they always do from models named `gpt-image-...`. When some of several fail, the
answer holds the others, and says in `kinora.errors` what failed; when all fail, the first failure
is the answer: 400 when the provider refused (`content_policy_violation`, `invalid_request`), 409
`cancelled`, 503 when the provider cannot do it now, 504 when time ran out or nobody knows, 502 for
all else.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from accounts.visitor import Visitor
from api.caller import InRuntime, visitor_with
from api.links import links_of
from api.problems import Problem
from api.v1.body import Body, checked, read_body
from api.v1.described import answers, bodies
from api.v1.joining import BOUGHT, purchase_of
from api.v1.model_list import check_known
from api.v1.pictures import Taken, taking
from api.v1.shapes import (
    AskedPictures,
    EditRequest,
    Failure,
    ImageData,
    ImageNotes,
    ImageRequest,
    ImagesAnswer,
)
from api.v1.starting import Reading, Started, arguments_of, start
from api.v1.waiting import failure, refuse, wait_until_settled
from api.v1.wanted import ignored_of, said, size_of, style_of
from db import assets
from db.remote_files import NotHere
from db.storage import read_whole
from runtime import Runtime
from tools import edit_image, generate_image
from tools.arguments import REFERENCES_MAX
from tools.edit_image import EditImage
from tools.generate_image import GenerateImage

router = APIRouter()
Maker = Annotated[Visitor, Depends(visitor_with("generate"))]

#: These models always answer with the pictures themselves, as their clients expect.
IN_THE_ANSWER = "gpt-image-"
#: What this door calls the arguments of an edit.
NAMES = {"references": "image"}
ANSWERS = answers(ImagesAnswer, "The pictures.", 400, 402, 404, 409, 413, 500, 502, 504)


@router.post(
    "/v1/images/generations",
    operation_id="v1_make_images",
    summary="Make pictures, and wait for them",
    response_model=None,
    responses=ANSWERS,
    openapi_extra=bodies(
        ImageRequest, {}, {"prompt": "a red fox in the snow", "size": "1024x1024", "n": 1}
    ),
)
async def make_images(request: Request, runtime: InRuntime, visitor: Maker) -> JSONResponse:
    """New pictures from words."""
    body = await read_body(request, runtime, visitor)
    asked = checked(ImageRequest, body.fields)
    check_known(runtime, asked.model, "image")
    words = ("prompt", "model", "n", "seed", "references", "aspect_ratio", "negative_prompt")
    arguments = said(asked, *words) | {"size": size_of(asked), "style": style_of(asked.style)}
    read = arguments_of(generate_image.TOOL, GenerateImage, arguments, {})
    purchase = await purchase_of(request, runtime, visitor, body.digest)
    started = await start(runtime, visitor, purchase, generate_image.wanted(read), {})
    return await _answer(request, runtime, visitor, asked, started)


@router.post(
    "/v1/images/edits",
    operation_id="v1_edit_images",
    summary="Change a picture, and wait for it",
    response_model=None,
    responses=ANSWERS,
    openapi_extra=bodies(
        EditRequest,
        {"image": True, "mask": False},
        {"prompt": "make it blue", "image": "0199c0de-0000-7000-8000-000000000000"},
    ),
)
async def edit_images(request: Request, runtime: InRuntime, visitor: Maker) -> JSONResponse:
    """A changed picture, from one that is sent, or from one that is here."""
    body = await read_body(request, runtime, visitor, "image", "images", "mask")
    asked = checked(EditRequest, body.fields)
    check_known(runtime, asked.model, "image")
    # Before pictures are taken in, which takes its time: a repeat may come meanwhile.
    purchase = await purchase_of(request, runtime, visitor, body.digest)
    async with taking(runtime, visitor) as taken:
        arguments = said(asked, "prompt", "model", "n", "seed") | await _pictures(
            taken, body, asked
        )
        read = arguments_of(edit_image.TOOL, EditImage, arguments, NAMES)
        wanted = replace(edit_image.wanted(read), size=size_of(asked))
        started = await start(runtime, visitor, purchase, wanted, NAMES)
    return await _answer(request, runtime, visitor, asked, started)


async def _pictures(taken: Taken, body: Body, asked: EditRequest) -> dict[str, Any]:
    """The names of the pictures that were given: files first, then those in fields."""
    files = [*body.files.get("image", ()), *body.files.get("images", ())]
    listed = asked.image if isinstance(asked.image, list) else [asked.image]
    named = [one for one in (*listed, *(asked.images or ())) if one is not None]
    if not files and not named:
        wrong = [{"loc": "image", "msg": "is required"}]
        raise Problem(422, "invalid_request", "image: is required", wrong)
    if len(files) + len(named) + len(asked.references) > REFERENCES_MAX + 1:
        wrong = [{"loc": "image", "msg": f"at most {REFERENCES_MAX + 1} pictures"}]
        raise Problem(422, "invalid_request", f"At most {REFERENCES_MAX + 1} pictures.", wrong)
    ids = [await taken.take("image", data) for data in files]
    ids += [await taken.name("image", one) for one in named]
    pictures = {"image": ids[0], "references": [*ids[1:], *asked.references]}
    masks = body.files.get("mask", [])
    if len(masks) + (asked.mask is not None) > 1:
        wrong = [{"loc": "mask", "msg": "stands there twice"}]
        raise Problem(422, "invalid_request", "mask stands there twice.", wrong)
    if masks:
        pictures["mask"] = await taken.take("mask", masks[0], mask=True)
    elif asked.mask is not None:
        pictures["mask"] = await taken.name("mask", asked.mask, mask=True)
    return pictures


async def _answer(
    request: Request, runtime: Runtime, visitor: Visitor, asked: AskedPictures, started: Started
) -> JSONResponse:
    """What came of it, once everything that was started is settled."""
    readings = await wait_until_settled(request, runtime, visitor, started.readings)
    if isinstance(readings, JSONResponse):
        return readings
    made = [reading for reading in readings if reading["status"] == "completed"]
    if not made:
        return refuse(readings[0])
    shown = [asset for reading in made for asset in reading["assets"]]
    if _format(asked, made[0]["model"]) == "url":
        links = links_of(request)
        data = [ImageData(url=links.to_asset(asset["id"])) for asset in shown]
    else:
        data = await _bytes_of(runtime, visitor, shown)
    answer = ImagesAnswer(
        created=int(datetime.fromisoformat(made[0]["created_at"]).timestamp()),
        data=data,
        size=_same(f"{asset['width_px']}x{asset['height_px']}" for asset in shown),
        output_format=_same(asset["media_type"].rpartition("/")[2] for asset in shown),
        kinora=ImageNotes(
            generations=[reading["id"] for reading in readings],
            ignored=ignored_of(asked),
            notes=[note for reading in made for note in reading["notes"]],
            errors=_failures(readings, started),
        ),
    )
    told = answer.model_dump() | {"data": [one.model_dump(exclude_none=True) for one in data]}
    return JSONResponse(told, headers=BOUGHT)


def _format(asked: AskedPictures, model: str) -> Literal["url", "b64_json"]:
    if asked.response_format is not None:
        return asked.response_format
    return "b64_json" if model.startswith(IN_THE_ANSWER) else "url"


async def _bytes_of(
    runtime: Runtime, visitor: Visitor, shown: list[dict[str, Any]]
) -> list[ImageData]:
    """The pictures in base64; one that was deleted just now is left out."""
    ids = [UUID(asset["id"]) for asset in shown]
    async with runtime.engine.connect() as connection:
        rows = await assets.find_many(connection, visitor.user_id, ids)
    data = []
    for asset_id in ids:
        if row := rows.get(asset_id):
            with contextlib.suppress(FileNotFoundError, NotHere):
                row = await runtime.remote_files.here(row)
                whole = await read_whole(runtime.files, row.key)
                encoded = await asyncio.to_thread(base64.b64encode, whole)
                data.append(ImageData(b64_json=encoded.decode()))
    return data


def _failures(readings: list[Reading], started: Started) -> list[Failure]:
    failures = []
    for reading in readings:
        if reading["status"] != "completed":
            code, message = failure(reading)
            failures.append(Failure(generation=reading["id"], code=code, message=message))
    if started.refused is not None:
        refused = started.refused
        failures.append(Failure(generation=None, code=refused.code, message=refused.message))
    return failures


def _same(values: Iterable[str]) -> str | None:
    """The value that all have, if they do."""
    found = set(values)
    return found.pop() if len(found) == 1 else None

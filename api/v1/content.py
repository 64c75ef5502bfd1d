"""The bytes of a film, and its picture."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.types import Message, Receive, Scope, Send

from api.caller import InRuntime, Reader
from api.media import get_media
from api.problems import Problem
from api.refusals import openai_error
from api.v1.described import Described, refusals
from api.v1.films import STATUSES, find_film
from api.v1.joining import BOUGHT
from api.v1.starting import Reading
from api.v1.waiting import failure
from generations.contract import Caller
from tools.answers import OLD_SYSTEMS

router = APIRouter()

THUMBNAIL_WIDTH_PX = 512
NEVER = "There is no film: it was imported from an old system without one, and none will follow."
CONTENT_RANGE = b"content-range"
RANGE_REFUSED = 416
_BYTES = {"schema": {"type": "string", "format": "binary"}}
FILM = {"content": dict.fromkeys(("video/mp4", "video/webm", "image/webp"), _BYTES)}
CONTENT: Described = {
    200: {"description": "The film, or its picture.", **FILM},
    206: {"description": "The range that was asked for.", **FILM},
    304: {"description": "The client has it already."},
    **refusals(404, 409, RANGE_REFUSED),
}


@router.get(
    "/v1/videos/{video_id}/content",
    operation_id="v1_get_video_content",
    summary="A film's bytes",
    response_model=None,
    responses=CONTENT,
)
async def get_content(
    video_id: str,
    request: Request,
    runtime: InRuntime,
    visitor: Reader,
    variant: Literal["video", "thumbnail", "spritesheet"] = "video",
) -> Response:
    """The bytes of a finished film, ranges included, or a picture of it."""
    film = await find_film(runtime, Caller(user_id=visitor.user_id), video_id)
    if variant == "spritesheet":
        message = "There are no spritesheets here; variant is video or thumbnail."
        raise Problem(422, "invalid_request", message, [{"loc": "variant", "msg": message}])
    if film["status"] != "completed" or not film["assets"]:
        return _not_there(film)
    width = THUMBNAIL_WIDTH_PX if variant == "thumbnail" else None
    return Bytes(await get_media(film["assets"][0]["id"], request, runtime, visitor, w=width))


class Bytes(Response):
    """A file's answer, with its refusals in OpenAI's shape."""

    def __init__(self, of_file: Response) -> None:
        self._of_file = of_file
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file, or say why this part of it cannot be had."""
        refused = False

        async def send_in_shape(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and message["status"] == RANGE_REFUSED:
                refused = True
                kept = {n.decode(): v.decode() for n, v in message["headers"] if n == CONTENT_RANGE}
                detail = "The Range header names no part of this file."
                answer = openai_error(message["status"], "invalid_range", detail, headers=kept)
                await answer(scope, receive, send)
            elif not refused:
                await send(message)

        await self._of_file(scope, receive, send_in_shape)


def _not_there(film: Reading) -> JSONResponse:
    """Nothing to fetch. A client that tries again in a second would not find it either."""
    if film["provider"] in OLD_SYSTEMS and film["status"] != "failed":
        return openai_error(409, "failed", NEVER, headers=BOUGHT)
    if STATUSES[film["status"]] == "failed":
        _, message = failure(film)
        detail = f"There is no film: {message}"
        return openai_error(409, "failed", detail, headers=BOUGHT)
    detail = f"The film is {film['status']}; ask again when its status is completed."
    return openai_error(409, "not_ready", detail, headers=BOUGHT)

"""Films in OpenAI's shapes: begun with one request, asked about with others, then fetched.

A film's id is that of its generation. Of our statuses `submitting` and `storing` are
`in_progress`; `cancelled` (error `cancelled`) and `unknown` (`submit_unknown`: nobody knows whether
the provider made it) are `failed`. The content of a film that is not there (yet) is 409
(`not_ready`, or `failed`). A size becomes pixels, or a shape and a resolution, as the model has it.
Remixes, edits and characters are not made here: 404.
"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse

from accounts.visitor import Visitor
from api.caller import InRuntime, MakeCaller, ReadCaller, visitor_with
from api.problems import Problem
from api.v1.body import Body, checked, read_body
from api.v1.described import answers, bodies, refusals
from api.v1.films import film_of, find_film
from api.v1.joining import BOUGHT, purchase_of
from api.v1.model_list import check_known
from api.v1.pictures import Taken, taking
from api.v1.shapes import (
    Video,
    VideoDeleted,
    VideoList,
    VideoRequest,
)
from api.v1.starting import arguments_of, model_of, start
from api.v1.wanted import ignored_of, said, size_of, sized
from db.film_pages import film_ids
from db.ids import parse_id
from tools import generate_video
from tools.generate_video import GenerateVideo

router = APIRouter()
Maker = Annotated[Visitor, Depends(visitor_with("generate"))]

#: What this door calls the arguments of the tool.
NAMES = {"duration_s": "seconds", "start_image": "input_reference"}
OF_SIZE = {"aspect_ratio": "size", "resolution": "size"}


@router.post(
    "/v1/videos",
    operation_id="v1_make_video",
    summary="Begin a film",
    response_model=None,
    responses=answers(Video, "The film, begun.", 402, 404, 409, 413, 500),
    openapi_extra=bodies(
        VideoRequest,
        {"input_reference": False},
        {"prompt": "a fox runs through the snow", "seconds": "4", "size": "1280x720"},
    ),
)
async def make_video(request: Request, runtime: InRuntime, visitor: Maker) -> JSONResponse:
    """Begin a film; it is asked about under its id."""
    body = await read_body(request, runtime, visitor, "input_reference")
    asked = checked(VideoRequest, body.fields)
    check_known(runtime, asked.model, "video")
    if size_of(asked) and asked.resolution:
        message = "size and resolution say the same; send one of the two"
        raise Problem(422, "invalid_request", message, [{"loc": "size", "msg": message}])
    purchase = await purchase_of(request, runtime, visitor, body.digest)
    async with taking(runtime, visitor) as taken:
        words = ("prompt", "model", "seed", "references", "aspect_ratio", "resolution")
        arguments = said(asked, *words, "negative_prompt", "audio")
        if asked.seconds is not None:
            arguments["duration_s"] = asked.seconds
        arguments |= await _pictures(taken, body, asked)
        read = arguments_of(generate_video.TOOL, GenerateVideo, arguments, NAMES)
        wanted = generate_video.wanted(read)
        names = NAMES
        if size := size_of(asked):
            wanted = sized(wanted, size, model_of(runtime, wanted, NAMES))
            names = NAMES | OF_SIZE
        started = await start(runtime, visitor, purchase, wanted, names)
    film = film_of(started.readings[0], ignored_of(asked))
    return JSONResponse(film.model_dump(), headers=BOUGHT)


async def _pictures(taken: Taken, body: Body, asked: VideoRequest) -> dict[str, str]:
    """The names of the pictures that were given."""
    files = body.files.get("input_reference", [])
    if len(files) + (asked.input_reference is not None) > 1:
        wrong = [{"loc": "input_reference", "msg": "stands there twice"}]
        raise Problem(422, "invalid_request", "One input_reference is understood.", wrong)
    pictures = {}
    if files:
        pictures["start_image"] = await taken.take("input_reference", files[0])
    elif asked.input_reference is not None:
        pictures["start_image"] = await taken.name("input_reference", asked.input_reference)
    if asked.end_image is not None:
        pictures["end_image"] = await taken.name("end_image", asked.end_image)
    return pictures


@router.get(
    "/v1/videos",
    operation_id="v1_list_videos",
    summary="The caller's films",
    response_model=VideoList,
    responses=refusals(404),
)
async def list_videos(
    runtime: InRuntime,
    caller: ReadCaller,
    after: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    order: Literal["asc", "desc"] = "desc",
) -> VideoList:
    """A page of the caller's films, by the time they were begun; `after` the last of the page
    before.
    """
    last = parse_id(after) if after else None
    found = None
    if not after or last is not None:
        async with runtime.engine.connect() as connection:
            found = await film_ids(
                connection,
                caller.user_id,
                after=last,
                limit=limit + 1,
                ascending=order == "asc",
            )
    if found is None:
        message = "There is no such film to go on after."
        raise Problem(404, "not_found", message, [{"loc": "after", "msg": message}])
    by_id = {
        reading["id"]: reading
        for reading in await runtime.admission.get_many(caller, found[:limit])
    }
    films = [film_of(by_id[str(one)]) for one in found[:limit] if str(one) in by_id]
    return VideoList(
        data=films,
        first_id=films[0].id if films else None,
        last_id=films[-1].id if films else None,
        has_more=len(found) > limit,
    )


@router.get(
    "/v1/videos/{video_id}",
    operation_id="v1_get_video",
    summary="One film",
    response_model=Video,
    responses=refusals(404),
)
async def get_video(video_id: str, runtime: InRuntime, caller: ReadCaller) -> Video:
    """How a film stands."""
    return film_of(await find_film(runtime, caller, video_id))


@router.delete(
    "/v1/videos/{video_id}",
    operation_id="v1_delete_video",
    summary="Delete a film",
    response_model=VideoDeleted,
    responses=refusals(404, 409),
)
async def delete_video(video_id: str, runtime: InRuntime, caller: MakeCaller) -> VideoDeleted:
    """Delete a film, finished or not; it is 404 from then on."""
    film = await find_film(runtime, caller, video_id)
    await runtime.admission.delete(caller, film["id"])
    return VideoDeleted(id=film["id"])

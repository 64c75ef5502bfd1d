"""Generations, their streams, and the tools that start them."""

from __future__ import annotations

from typing import Any

from api.described import examples
from api.described.parts import ASKED, COUNTED, SENT, Json, Operation, answer, header, refused
from tools.answers import Answer
from tools.tool import Tool


def _events(names: tuple[str, ...], about_id: str) -> Json:
    """One event of a stream; comments apart, a stream is nothing but such."""
    data = {
        "type": "string",
        "description": "The generation as JSON; of `deleted`, its `id`.",
        "contentMediaType": "application/json",
        "contentSchema": {"$ref": "#/components/schemas/Generation"},
    }
    properties = {
        "event": {"type": "string", "enum": list(names)},
        "id": {"type": "string", "description": about_id},
        "data": data,
    }
    return {
        "type": "object",
        "description": "One event of the stream.",
        "properties": properties,
        "required": ["event", "data"],
    }


ONE, ALL = ("generation",), ("generation", "deleted")
KEY_ABOUT = (
    "1 to 255 printable ASCII characters of your choice. The same request under the same key "
    "within 24 hours starts nothing new and is answered with the generation of the first; another "
    "request under it is refused."
)
REPEATABLE = header("Idempotency-Key", KEY_ABOUT, "film-of-2026-11-23")
KNOWN = header("If-None-Match", "Tags of answers you have.", '"3eed4bcc0ee8dc2aee4080f3"')
_ID = {"generation_id": examples.ID}
_STREAM_HEADERS = (401, 403, 404, 422, 503)


def _generation(about: str, example: Json = examples.COMPLETED) -> Json:
    return answer(about, "Generation", example=example, headers=COUNTED)


GENERATIONS: dict[str, Operation] = {
    "GET /api/generations": Operation(
        id="list_generations",
        tag="Generations",
        summary="List generations",
        about="The caller's generations, newest first, 20 at a time; `limit` says how many, at "
        "most 100. Go on with `next_cursor`. With `ids`, at most 100, exactly those of them that "
        "are yours: a set of cards is brought up to date by one request.",
        answers={
            "200": answer("A page.", "GenerationPage", example=examples.PAGE, headers=COUNTED),
            **refused(*ASKED, 422),
        },
        tried_with={"kind": "image", "limit": 5},
    ),
    "GET /api/generations/{generation_id}": Operation(
        id="get_generation",
        tag="Generations",
        summary="Read or await a generation",
        about="The generation as it stands. `wait` holds the answer for so many seconds, at most "
        "60, or until it is settled, whichever comes first: the simplest way to a result. Who "
        "sends the last `ETag` as `If-None-Match` gets 304 while nothing has changed.",
        answers={
            "200": answer(
                "The generation.",
                "Generation",
                example=examples.COMPLETED,
                headers=("ETag", *COUNTED),
            ),
            "304": answer("You have it.", headers=("ETag", *COUNTED)),
            **refused(*ASKED, 404, 422),
        },
        parameters=(KNOWN,),
        tried_with={**_ID, "wait": 60},
    ),
    "GET /api/generations/{generation_id}/events": Operation(
        id="follow_generation",
        tag="Events",
        summary="Follow a generation",
        about="Server-sent events: `event: generation` with the whole JSON, at once and at each "
        "change; the stream ends when it is settled. An event's id is its `v`: with "
        "`Last-Event-ID` you hear only what is newer, and 204 when nothing will come any more, "
        "which ends a browser's `EventSource`. A comment comes every 15 seconds. Open streams do "
        "not count as requests.",
        answers={
            "200": answer(
                "A stream.",
                _events(ONE, "Its `v`."),
                media_type="text/event-stream",
                example=examples.EVENT_OF_ONE,
            ),
            "204": answer("It is settled, and you know how."),
            **refused(*_STREAM_HEADERS),
        },
        tried_with=_ID,
    ),
    "GET /api/events": Operation(
        id="follow_all",
        tag="Events",
        summary="Follow everything",
        about="Server-sent events of every change of the caller's generations, or of one "
        "conversation's: `event: generation` with the whole JSON, `event: deleted` with its `id`. "
        "An event's id is a moment: with `Last-Event-ID` you are told first what changed since, as "
        "it is now, of the last 24 hours at most. A little may come twice; `v` says what is not "
        "newer. What was deleted meanwhile is not told again: ask for it by `ids`. A comment comes "
        "first, and every 15 seconds.",
        answers={
            "200": answer(
                "A stream that does not end by itself.",
                _events(ALL, "The moment of the change."),
                media_type="text/event-stream",
                example=examples.EVENT_OF_ALL,
            ),
            **refused(401, 403, 422, 503),
        },
    ),
    "POST /api/generations/{generation_id}/cancel": Operation(
        id="cancel_generation",
        tag="Generations",
        summary="Cancel",
        about="Ask for a cancel. It answers at once; the status moves when the provider has "
        "answered. Had it finished already, the generation completes: paid work is kept. "
        "Cancelling a cancelled one changes nothing.",
        scope="generate",
        answers={
            "200": _generation("The wish is on record, in `cancel_requested_at`."),
            **refused(*ASKED, 404, _409="It is completed or failed already."),
        },
        tried_with=_ID,
    ),
    "POST /api/generations/{generation_id}/retry": Operation(
        id="retry_generation",
        tag="Generations",
        summary="Retry",
        about="Start the next attempt of a failed, cancelled or unknown generation, under the same "
        "id. It may cost as much again.",
        scope="generate",
        answers={
            "202": _generation("It is queued again.", examples.STARTED),
            **refused(*SENT, 402, 404, _409="It is neither failed, cancelled nor unknown."),
        },
        parameters=(REPEATABLE,),
        tried_with=_ID,
    ),
    "DELETE /api/generations/{generation_id}": Operation(
        id="delete_generation",
        tag="Generations",
        summary="Delete",
        about="Delete it and its files, from any status. It is 404 from then on; an open one is "
        "cancelled at its provider.",
        scope="generate",
        answers={"204": answer("It is gone.", headers=COUNTED), **refused(*ASKED, 404)},
        tried_with=_ID,
    ),
    "GET /api/tools": Operation(
        id="list_tools",
        tag="Tools",
        summary="List the tools",
        about="All tools in the shape of OpenAI's function calling: paste them into any call to a "
        "language model, and send what it answers to `POST /api/tools/{name}`.",
        answers={
            "200": answer("The tools.", "ToolList", headers=COUNTED),
            **refused(*ASKED),
        },
    ),
}
#: What a tool that starts nothing answers with.
_ANSWERS: dict[Answer, tuple[str, Json]] = {
    "generation": ("Generation", examples.COMPLETED),
    "generations": ("GenerationPage", examples.PAGE),
    "models": ("Catalogue", {"data": [examples.MODEL]}),
}


def of_tool(tool: Tool) -> Operation:
    """The operation that calls this tool."""
    schema, example = _ANSWERS[tool.answers]
    answers = {"200": answer("Its answer.", schema, example=example, headers=COUNTED)}
    if tool.starts:
        headers = ("Location", *COUNTED)
        about = "It has been started."
        started = answer(about, "Generation", example=examples.STARTED, headers=headers)
        answers = {"202": started, **refused(402)}
    if tool.starts or tool.scope == "generate":
        answers |= refused(_409="The generation's status does not allow that.")
    return Operation(
        id=f"call_{tool.name}",
        tag="Tools",
        summary=tool.title,
        about=tool.told(in_chat=False),
        scope=tool.scope,
        answers={**answers, **refused(*SENT, 404)},
        parameters=(REPEATABLE,) if tool.starts else (),
        body=_body(tool),
    )


def _body(tool: Tool) -> Json:
    shape = tool.arguments.__name__
    content: dict[str, Any] = {"schema": {"$ref": f"#/components/schemas/{shape}"}}
    if example := examples.ARGUMENTS.get(tool.name):
        content["example"] = example
    required = any(field.is_required() for field in tool.arguments.model_fields.values())
    return {"required": required, "content": {"application/json": content}}

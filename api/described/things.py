"""Models, pictures and films, spending, keys and the widget."""

from __future__ import annotations

from api.described import examples
from api.described.generations import KNOWN
from api.described.parts import (
    ASKED,
    COUNTED,
    PERSON,
    SENT,
    Json,
    Operation,
    answer,
    header,
    refused,
)

BYTES: Json = {"type": "string", "contentMediaType": "application/octet-stream"}
RANGE = header("Range", "`bytes=first-last`, for a part of the file.", "bytes=0-9")
_MEDIA = (
    "A stored file never changes under its address. It opens for its owner, and for whoever holds "
    "a signed address (`exp`, `sig`), as `/v1` and MCP give them for an hour. `w` asks for a WebP "
    "thumbnail about so wide (128, 256, 512 or 1024 px), of a film too; `download=1` for a file to "
    "be saved; a sound has no thumbnail. A file of an imported generation that still lies at the "
    "old system is fetched when it is first asked for: 503 with Retry-After as long as it has not "
    "come, 404 when it is lost. These requests do not count."
)
_MEDIA_REFUSED = refused(401, 403, 404, 422, 503)
_NOT_THERE = answer(
    "The file has no such bytes.",
    {"type": "string"},
    media_type="text/plain",
    headers=("Content-Range",),
)


def _file(about: str, status: str) -> dict[str, Json]:
    found = answer(about, BYTES, media_type="*/*", headers=("ETag",))
    if status == "206":
        found["headers"] |= {"Content-Range": {"$ref": "#/components/headers/Content-Range"}}
    return {status: found}


def _of_media(whole: str, part: str) -> dict[str, Json]:
    elsewhere = "With `download`, where the files lie in a bucket that everybody reaches."
    return {
        **_file(whole, "200"),
        **_file(part, "206"),
        "302": answer(elsewhere, headers=("Location",)),
        "304": answer("You have it.", headers=("ETag",)),
        "416": _NOT_THERE,
        **_MEDIA_REFUSED,
    }


THINGS: dict[str, Operation] = {
    "GET /api/models": Operation(
        id="list_models",
        tag="Models",
        summary="List the models",
        about="The catalogue: what can be made here, by which model, at what price; those that are "
        "available first. Without `model`, a tool takes the first available one of the kind that "
        "is no demo model.",
        answers={
            "200": answer(
                "All models.", "Catalogue", example={"data": [examples.MODEL]}, headers=COUNTED
            ),
            **refused(*ASKED),
        },
    ),
    "GET /media/{asset_id}": Operation(
        id="get_media",
        tag="Pictures and films",
        summary="Get a file",
        about=_MEDIA,
        answers=_of_media("The bytes.", "Some of the bytes."),
        parameters=(KNOWN, RANGE),
        tried_with={"asset_id": examples.ASSET_ID},
    ),
    "HEAD /media/{asset_id}": Operation(
        id="head_media",
        tag="Pictures and films",
        summary="Ask about a file",
        about=_MEDIA,
        answers=_of_media("The headers alone.", "The headers alone."),
        parameters=(KNOWN, RANGE),
        tried_with={"asset_id": examples.ASSET_ID},
    ),
    "POST /api/uploads": Operation(
        id="upload",
        tag="Pictures and films",
        summary="Upload a picture",
        about="Take a PNG, JPEG, WebP or GIF picture of at most 20 MiB in, as multipart form data "
        "with one `file`. It is decoded, turned upright and encoded anew: nothing of where it was "
        "taken stays in it. Its `id` names it in the tools.",
        scope="generate",
        answers={
            "201": answer("The stored picture.", "Asset", example=examples.UPLOAD, headers=COUNTED),
            **refused(*SENT),
        },
        body={
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "properties": {"file": BYTES},
                        "required": ["file"],
                    }
                }
            },
        },
    ),
    "GET /api/usage": Operation(
        id="get_usage",
        tag="Account",
        summary="What was spent today",
        about="What the caller has spent since midnight UTC, of how much, and how many generations "
        "are in flight.",
        answers={
            "200": answer("The day so far.", "Usage", example=examples.USAGE, headers=COUNTED),
            **refused(*ASKED),
        },
    ),
    "GET /api/keys": Operation(
        id="list_keys",
        tag="Account",
        summary="List API keys",
        scope=PERSON,
        about="The caller's keys without their secrets, and the scopes they may give. For a login "
        "only: a key makes no keys.",
        answers={
            "200": answer(
                "The keys.",
                "KeyList",
                example={"data": [examples.KEY], "scopes": ["generate", "read"]},
                headers=COUNTED,
            ),
            **refused(*ASKED),
        },
    ),
    "POST /api/keys": Operation(
        id="create_key",
        tag="Account",
        summary="Make an API key",
        scope=PERSON,
        about="Make a key, of at most 50. `key` in the answer is shown this once. For a login "
        "only.",
        answers={
            "201": answer("The key.", "NewKey", example=examples.NEW_KEY, headers=COUNTED),
            **refused(400, *SENT, _409="You have as many keys as there may be."),
        },
    ),
    "DELETE /api/keys/{prefix}": Operation(
        id="revoke_key",
        tag="Account",
        summary="Revoke an API key",
        scope=PERSON,
        about="End a key; what it has open is closed. For a login only.",
        answers={"204": answer("It is ended.", headers=COUNTED), **refused(*ASKED, 404)},
        tried_with={"prefix": examples.KEY["prefix"]},
    ),
    "POST /api/widget/tokens": Operation(
        id="make_widget_token",
        tag="Widget",
        summary="Make a widget token",
        about="A token for one user of your page, to be asked for by your backend and handed to "
        "the widget there. It opens the chat and nothing else.",
        scope="widget",
        answers={
            "201": answer("The token.", "WidgetToken", headers=COUNTED),
            **refused(400, *SENT, _409="This installation has no accounts."),
        },
        body={"example": {"user": {"id": "42", "name": "Anna"}, "origin": "https://example.org"}},
    ),
    "PUT /api/widget/context": Operation(
        id="keep_widget_context",
        tag="Widget",
        summary="Say what a page shows",
        about="What a page says that its user has the widget in, at most 8 KiB of JSON: the agent "
        "is told with each of their messages. For the widget's own login only.",
        answers={"204": answer("It is kept.", headers=COUNTED), **refused(400, *SENT)},
        body={"example": {"context": {"article": "Red foxes"}}},
    ),
    "GET /widget": Operation(
        id="widget_page",
        tag="Widget",
        summary="The page for a frame",
        about="The page with the widget that pages of other sites put into a frame; it may stand "
        "in those of `ALLOWED_ORIGINS`, `origin` narrows that down to one.",
        scope=None,
        answers={
            "200": answer("The page.", {"type": "string"}, media_type="text/html"),
            **refused(403, 422, 429, 503, _409="This installation has no accounts."),
        },
    ),
}

"""Examples as one server in local mode really answered them, with the demo painter."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

Json = dict[str, Any]

ID, ASSET_ID = "01a2068a-0f90-7c18-af7e-e9f18dfe8936", "01a2068a-1c60-7dc8-954e-7d829c6d325e"
LOCATION = f"/api/generations/{ID}"
PROMPT = "A red fox in the snow, soft morning light"
UPLOAD: Json = {
    "id": "01a2068a-1cc2-73ed-af74-6240580dca35",
    "url": "/media/01a2068a-1cc2-73ed-af74-6240580dca35",
    "thumbnail_url": "/media/01a2068a-1cc2-73ed-af74-6240580dca35?w=512",
    "media_type": "image/png",
    "width_px": 640,
    "height_px": 400,
    "duration_s": None,
    "size_bytes": 4189,
}
STARTED: Json = {
    "id": ID,
    "handle": None,
    "kind": "image",
    "status": "queued",
    "progress": None,
    "queue_position": None,
    "prompt": PROMPT,
    "model": "demo-image",
    "provider": "demo",
    "params": {"n": 1, "seed": 7, "width_px": 1280, "height_px": 720, "aspect_ratio": "16:9"},
    "parent_id": None,
    "thread_id": None,
    "inputs": [],
    "assets": [],
    "error": None,
    "notes": [],
    "charged": "no",
    "cost_usd": {"estimated": 0.003, "actual": None},
    "attempt": 1,
    "cancel_requested_at": None,
    "created_at": "2026-11-23T03:54:00.988Z",
    "submitted_at": None,
    "finished_at": None,
    "updated_at": "2026-11-23T03:54:00.988Z",
    "v": 1,
}
COMPLETED: Json = {
    **STARTED,
    "status": "completed",
    "progress": 1.0,
    "assets": [
        {
            "id": ASSET_ID,
            "url": f"/media/{ASSET_ID}",
            "thumbnail_url": f"/media/{ASSET_ID}?w=512",
            "media_type": "image/png",
            "width_px": 1280,
            "height_px": 720,
            "duration_s": None,
            "size_bytes": 410190,
        }
    ],
    "charged": "yes",
    "cost_usd": {"estimated": 0.003, "actual": 0.003},
    "submitted_at": "2026-11-23T03:54:01.068Z",
    "finished_at": "2026-11-23T03:54:04.263Z",
    "updated_at": "2026-11-23T03:54:04.263Z",
    "v": 7,
}
PAGE: Json = {"data": [COMPLETED], "next_cursor": None}
MODEL: Json = {
    "id": "demo-image",
    "label": "Demo picture",
    "kind": "image",
    "demo": True,
    "provider": "demo",
    "routes": [{"provider": "demo", "available": True}],
    "inputs": ["text!", "image", "mask", "reference"],
    "aspect_ratios": ["1:1", "16:9", "9:16", "4:3", "3:4"],
    "durations_s": [],
    "resolutions": [],
    "max_n": 4,
    "price": {"unit": "image", "usd": 0.003, "as_of": "2026-11-22"},
    "available": True,
}
USAGE: Json = {
    "today_usd": 0.003,
    "budget_usd": None,
    "in_flight": 0,
    "resets_at": "2026-11-24T00:00:00Z",
}
KEY: Json = {
    "prefix": "iJ98ywcs",
    "name": "A script of mine",
    "scopes": ["generate", "read"],
    "created_at": "2026-11-23T03:54:04.308Z",
    "last_used_at": None,
}
#: The rest of a key stands nowhere.
NEW_KEY: Json = {**KEY, "key": "kn_iJ98ywcs_qLnzmb6I..."}
READY: Json = {
    "status": "ok",
    "checks": {"database": True, "listening": True, "engine": True, "accepting": True},
}
IN_USE: Json = {
    "ready": True,
    "chat_model": {"label": "Demo chat model", "demo": True, "source": "built in"},
    "painters": [{"label": "Demo painter", "demo": True, "source": "built in"}],
    "version": "0.1.0",
}
METRICS = (
    "# HELP kinora_polls_total Questions about a job that went out.\n"
    "# TYPE kinora_polls_total counter\n"
    'kinora_polls_total{provider="demo"} 4.0\n'
)
_EVENT: Json = {"event": "generation", "data": json.dumps(COMPLETED)}
EVENT_OF_ONE: Json = {**_EVENT, "id": str(COMPLETED["v"])}
EVENT_OF_ALL: Json = {**_EVENT, "id": COMPLETED["updated_at"]}

_NO_ARGUMENT = (
    "is no argument of generate_image, which takes: prompt, model, aspect_ratio, size, n, seed, "
    "negative_prompt, style, references"
)


def _problem(status: int, code: str, detail: str) -> Json:
    kind = f"urn:kinora:problem:{code.replace('_', '-')}"
    title = HTTPStatus(status).phrase
    return {"type": kind, "title": title, "status": status, "detail": detail, "code": code}


_REFUSED = (
    (400, "bad_request", "There was an error parsing the body"),
    (401, "unauthorized", "Log in, or show an API key: Authorization: Bearer kn_"),
    (
        402,
        "over_budget",
        "This would cost $0.003; $0.001 is left of your budget of $1.00 for today. It resets at "
        "00:00 UTC.",
    ),
    (403, "forbidden", "This needs the scope generate; this key has read."),
    (404, "not_found", "There is no generation 'nope' here."),
    (409, "conflict", "It is completed; only failed, cancelled or unknown ones retry."),
    (413, "too_large", "The request is too large; 1 MiB is the most here."),
    (422, "invalid_request", f"generate_image was not run. colour: {_NO_ARGUMENT}"),
    (429, "rate_limited", "At most 1200 requests a minute; try again in a moment."),
    (
        503,
        "unavailable",
        "The database cannot be reached just now; nothing was changed. Try again in a moment.",
    ),
)
PROBLEMS: dict[str, Json] = {code: _problem(status, code, said) for status, code, said in _REFUSED}
PROBLEMS["invalid_request"]["errors"] = [{"loc": "colour", "msg": _NO_ARGUMENT}]
#: What a tool may be called with.
ARGUMENTS: dict[str, Json] = {
    "generate_image": {
        "prompt": PROMPT,
        "model": "demo-image-quick",
        "aspect_ratio": "16:9",
        "seed": 7,
    },
    "edit_image": {"prompt": "Make it night", "image": ASSET_ID, "model": "demo-image-quick"},
    "generate_video": {
        "prompt": "The fox looks up and walks away",
        "model": "demo-video-quick",
        "start_image": ASSET_ID,
        "duration_s": 4,
    },
    "get_generation": {"generation": ID},
    "list_generations": {"query": "fox", "limit": 5},
    "cancel_generation": {"generation": ID},
    "retry_generation": {"generation": ID},
    "list_models": {"kind": "image", "input": "mask"},
}

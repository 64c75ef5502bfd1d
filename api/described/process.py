"""The process itself, providers' news, and these descriptions."""

from __future__ import annotations

from api.described import examples
from api.described.parts import COUNTED, Json, Operation, answer, refused

TEXT: Json = {"type": "string"}


def _path(name: str, about: str, example: object, schema: Json = TEXT) -> Json:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": about,
        "schema": schema,
        "example": example,
    }


PROCESS: dict[str, Operation] = {
    "GET /healthz": Operation(
        id="live",
        tag="Process",
        summary="Does it live?",
        about="200 as long as the process lives.",
        scope=None,
        answers={
            "200": answer("It lives.", "Alive", example={"status": "ok"}),
            **refused(403),
        },
    ),
    "GET /readyz": Operation(
        id="ready",
        tag="Process",
        summary="Can it do its work?",
        about="200 when database, migrations and, with `WORKER=on`, the engine are up; 503 "
        "otherwise, and while it stops.",
        scope=None,
        answers={
            "200": answer("It can.", "Ready", example=examples.READY),
            "503": answer("It cannot.", "Ready"),
            **refused(403),
        },
    ),
    "GET /metrics": Operation(
        id="metrics",
        tag="Process",
        summary="Figures for Prometheus",
        about="Figures of the process, and of the installation while the database answers. Open to "
        "programs on the same machine; others show a key of scope `admin`.",
        scope="admin",
        answers={
            "200": answer("The figures.", TEXT, media_type="text/plain", example=examples.METRICS),
            **refused(401, 403, 503),
        },
    ),
    "GET /api/status": Operation(
        id="in_use",
        tag="Process",
        summary="What is in use",
        about="Which chat model and which painters are in use, where each was configured, and "
        "`ready`, what `/readyz` says. While the database is away it says no more than that.",
        answers={
            "200": answer(
                "What is in use.",
                {
                    "anyOf": [
                        {"$ref": "#/components/schemas/InUse"},
                        {"$ref": "#/components/schemas/NotReady"},
                    ]
                },
                example=examples.IN_USE,
                headers=COUNTED,
            ),
            **refused(401, 403, 429),
        },
    ),
}
#: What no route of the router tells by itself.
BY_HAND: dict[str, Operation] = {
    "GET /api/openapi.json": Operation(
        id="openapi",
        tag="Process",
        summary="This description",
        about="OpenAPI 3.1 of everything that others may rely on.",
        scope=None,
        answers={
            "200": answer("The description.", {"type": "object"}, headers=("ETag", *COUNTED)),
            "304": answer("You have it.", headers=("ETag", *COUNTED)),
            **refused(401, 403, 429, 503),
        },
    ),
    "GET /api/reference": Operation(
        id="reference",
        tag="Process",
        summary="This description, to be read",
        about="A page of it.",
        scope=None,
        answers={
            "200": answer("The page.", TEXT, media_type="text/html", headers=("ETag", *COUNTED)),
            "304": answer("You have it.", headers=("ETag", *COUNTED)),
            **refused(401, 403, 429, 503),
        },
    ),
    "POST /webhooks/{provider}/{generation_id}/{attempt}/{token}": Operation(
        id="hear",
        tag="Providers",
        summary="News of a provider",
        about="The address that a provider was given for its news. The token in it proves who "
        "sends; what is said is looked up at the provider before anything moves.",
        scope=None,
        answers={
            "200": answer("Heard."),
            "202": answer("Heard, of a generation that is not here."),
            **refused(
                403,
                413,
                _401="This is no address that was given out.",
                _503="It cannot be noted just now; send it again.",
            ),
        },
        parameters=(
            _path("provider", "Who sends.", "demo"),
            _path("generation_id", "Of what.", examples.ID),
            _path("attempt", "Of which attempt.", "1"),
            _path("token", "What proves it.", "x"),
        ),
        body={"required": False, "content": {"application/json": {"schema": {}}}},
    ),
}

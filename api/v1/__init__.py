"""OpenAI's shapes over every model of the catalogue: pictures, edits and films, for clients that
were written for OpenAI.

What holds for all of them:
- A model is any of the catalogue; none means the default of the kind; a name that is not there,
  OpenAI's own included, is 404 `model_not_found`, with the names that are.
- Arguments that OpenAI knows and our models have no use for are accepted, and named in the answer's
  `kinora.ignored`; any other argument is refused (422), and so is what a model cannot do exactly.
- An argument that is null, or an empty text, counts as not sent; so does `size` `auto`.
- Statuses are those of `/api`; the error object is OpenAI's.
- An answer says `x-should-retry: false` once something was started for it; how a repeat joins what
  the first request has started is told in `joining`.
"""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.routing import Route

from api.refusals import openai_error
from api.v1 import content, images, model_list, videos


def _routes() -> APIRouter:
    router = APIRouter()
    methods: dict[str, set[str]] = {}
    for door in (model_list, images, videos, content):
        router.include_router(door.router)
        for route in door.router.routes:
            if isinstance(route, APIRoute):
                methods.setdefault(route.path, set()).update(route.methods or ())
    for path, known in methods.items():
        _refuse_others(router, path, known)
    return router


def _refuse_others(router: APIRouter, path: str, known: set[str]) -> None:
    """Say so where an address is right and the method is not, whatever it is."""
    allowed = ", ".join(sorted(known))
    detail = f"Nothing is done here by this method; the methods are {allowed}."
    refusal = openai_error(405, "method_not_allowed", detail, headers={"Allow": allowed})
    router.routes.append(Route(path, refusal, include_in_schema=False))


router = _routes()

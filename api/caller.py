"""Who asks. In local mode whoever got past the guard is the one local user; nothing in a request
can say otherwise.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from generations.contract import Caller
from runtime import Runtime


def runtime_of(request: Request) -> Runtime:
    """The runtime that the server's lifespan opened."""
    runtime = request.app.state.runtime
    if not isinstance(runtime, Runtime):
        raise TypeError("the server has no runtime yet")
    return runtime


def caller_of(request: Request) -> Caller:
    """The caller of this request."""
    return Caller(user_id=runtime_of(request).local_user_id)


InRuntime = Annotated[Runtime, Depends(runtime_of)]
ByCaller = Annotated[Caller, Depends(caller_of)]

"""Who asks, and may they: each door names the scope it needs, and gets the caller or refuses.

What the framework calls here is `async`, though it waits for nothing: a plain function would be
sent to a thread, which costs more than all that it does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request

from accounts.visitor import Visitor
from api.problems import Problem
from generations.contract import Caller
from runtime import Runtime


def runtime_of(request: Request) -> Runtime:
    """The runtime that the server opened."""
    runtime = request.app.state.runtime
    if not isinstance(runtime, Runtime):
        raise TypeError("the server has no runtime yet")
    return runtime


def visitor_of(request: Request) -> Visitor | None:
    """Whoever `api.access` has let in; None for nobody."""
    visitor = getattr(request.state, "visitor", None)
    return visitor if isinstance(visitor, Visitor) else None


def visitor_with(scope: str) -> Callable[[Request], Awaitable[Visitor]]:
    """A dependency: the visitor, who must have this scope."""

    async def check(request: Request) -> Visitor:
        return check_scope(visitor_of(request), scope)

    return check


def check_scope(visitor: Visitor | None, scope: str) -> Visitor:
    """The visitor, if there is one and they have this scope.

    Raises: Problem: 401 for nobody, 403 for somebody who may not.
    """
    if visitor is None:
        raise Problem(401, "unauthorized", "Log in, or show an API key: Authorization: Bearer kn_")
    if scope not in visitor.scopes:
        have = ", ".join(sorted(visitor.scopes)) or "none"
        raise Problem(403, "forbidden", f"This needs the scope {scope}; this key has {have}.")
    return visitor


async def _runtime(request: Request) -> Runtime:
    return runtime_of(request)


async def _visitor(request: Request) -> Visitor | None:
    return visitor_of(request)


async def _reader(visitor: Annotated[Visitor, Depends(visitor_with("read"))]) -> Caller:
    return Caller(user_id=visitor.user_id)


async def _maker(visitor: Annotated[Visitor, Depends(visitor_with("generate"))]) -> Caller:
    return Caller(user_id=visitor.user_id)


InRuntime = Annotated[Runtime, Depends(_runtime)]
#: Whoever came in, or nobody.
SomeVisitor = Annotated[Visitor | None, Depends(_visitor)]
#: A visitor who may look; as a visitor (for what stays open) and as a caller of the heart.
Reader = Annotated[Visitor, Depends(visitor_with("read"))]
ReadCaller = Annotated[Caller, Depends(_reader)]
#: A caller who may start, change and delete.
MakeCaller = Annotated[Caller, Depends(_maker)]

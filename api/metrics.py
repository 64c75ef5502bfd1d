"""Figures for Prometheus, for whoever is on this machine or shows an API key of scope `admin`.

A proxy on this machine comes from loopback, too, on behalf of whoever is behind it. So a request
that shows any trace of a proxy, or came by the public address, needs the key.
"""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

from fastapi import APIRouter, Request, Response
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from accounts import keys
from accounts.entrance import Refused
from accounts.visitor import Visitor
from api.caller import InRuntime, check_scope
from api.front import header_values
from api.problems import Problem
from runtime import Runtime

router = APIRouter()

#: What proxies add; with the prefix, whatever they forward.
FORWARDED = (b"forwarded", b"via", b"x-real-ip")
FORWARDED_PREFIX = b"x-forwarded-"


@router.get("/metrics")
async def metrics(request: Request, runtime: InRuntime) -> Response:
    """The process's figures, and the installation's while the database answers."""
    if not is_at_this_machine(request):
        check_scope(await _holder(request, runtime), "admin")
    await runtime.meters.look(runtime.engine)
    runtime.meters.engine_alive.set(runtime.jobs.alive.is_set())
    headers = {"Content-Type": CONTENT_TYPE_PLAIN_0_0_4, "Cache-Control": "no-store"}
    return Response(generate_latest(runtime.meters.registry), headers=headers)


def is_at_this_machine(request: Request) -> bool:
    """Whether nobody stands between us and a program on this machine."""
    if getattr(request.state, "from_outside", True) or request.client is None:
        return False
    names = [name for name, _ in request.scope["headers"]]
    if any(name in FORWARDED or name.startswith(FORWARDED_PREFIX) for name in names):
        return False
    try:
        address = ip_address(request.client.host)
    except ValueError:
        return False
    inner = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (inner or address).is_loopback


async def _holder(request: Request, runtime: Runtime) -> Visitor | None:
    """Raises: Problem: a key was shown that is none of ours; the database's errors."""
    for value in header_values(request.scope, b"authorization"):
        scheme, _, shown = value.strip().partition(" ")
        if scheme.lower() == "bearer" and shown.strip().startswith(keys.MARK):
            try:
                return await runtime.entrance.by_key(shown.strip())
            except Refused as refused:
                raise Problem(401, "unauthorized", str(refused)) from refused
    return None

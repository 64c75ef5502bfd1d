"""Another way to the same model: a provider that is paused, empty or not to be reached yields to
the next route, as long as nothing was accepted there and the other costs no more than half as much
again. Whoever named the provider (`id@provider`) waits for that one.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

import structlog

from db import attempts_of, generations, pauses
from db.generations import Row
from generations.hands import Hands
from generations.lifecycle import Again, Status, Verdict
from generations.record import exact_usd
from providers.contract import Kind, Request, Role, Route
from providers.model import Model, estimate_usd, takes

log = structlog.get_logger(__name__)

#: The other route may cost this much of what the first one would have.
COST_MOST = 1.5


async def yield_to_another(hands: Hands, row: Row, why: str) -> Verdict | None:
    """Have a queued row made at another provider of its model; None: there is none, or the person
    wants this one. `why` is a sentence for the card.
    """
    found = hands.route_of(row)
    if found is None or row.pinned or Status(row.status) is not Status.QUEUED:
        return None
    model, first, _ = found
    async with hands.connection() as connection:
        roles = [role for role, _ in await generations.input_assets(connection, row.id)]
        now = datetime.now(UTC)
        paused = {one.provider for one in await pauses.read(connection) if one.until > now}
    other = _next(hands, row, model, first, [cast(Role, role) for role in roles], paused)
    if other is None:
        return None
    async with hands.transaction() as connection:
        moved = await hands.move_in(
            connection,
            row,
            Status.QUEUED,
            provider=other.provider,
            endpoint=other.endpoint,
            cost_estimated_usd=exact_usd(estimate_usd(model, other, _request(row))),
            detour=f"{why} It is made at {other.provider} instead.",
            notes=[],
            placed_at=None,
            waits=False,
        )
        if moved is not None:
            await attempts_of.reroute(connection, moved)
    log.info("another route", old=row.provider, new=other.provider, model=row.model)
    return Again()


async def yield_if_paused(hands: Hands, row: Row) -> Verdict | None:
    """The same for a row whose provider is left alone just now; None: it is not, or there is no
    other.
    """
    if row.pinned or row.placed_at is not None or not _has_another(hands, row.model, row.provider):
        return None
    async with hands.connection() as connection:
        found = {one.provider: one for one in await pauses.read(connection)}
    pause = found.get(row.provider)
    if pause is None or pause.until <= datetime.now(UTC):
        return None
    return await yield_to_another(hands, row, pause_reason(pause))


def with_another(hands: Hands, provider: str) -> list[str]:
    """The models that can be had here at this provider and at another one, too."""
    ids = [model.id for model in hands.catalogue.models if provider in model.providers()]
    return [model_id for model_id in ids if _has_another(hands, model_id, provider)]


def _has_another(hands: Hands, model_id: str, provider: str) -> bool:
    model = next((model for model in hands.catalogue.models if model.id == model_id), None)
    return model is not None and bool(set(model.providers()) & set(hands.providers) - {provider})


def pause_reason(pause: pauses.Pause) -> str:
    """Why a provider is left alone, in a sentence for the card."""
    if pause.code == "out_of_credit":
        return (
            f"The account at {pause.provider} is out of credit; whoever runs Kinora can top it up."
        )
    return f"The painter {pause.provider} takes no more just now."


def _next(
    hands: Hands, row: Row, model: Model, first: Route, roles: list[Role], paused: set[str]
) -> Route | None:
    """The first other route that can be had now, takes these inputs and is not much dearer."""
    asked = _request(row)
    usual_usd = estimate_usd(model, first, asked)
    for route in model.routes:
        usd = estimate_usd(model, route, asked)
        is_dear = usd is None or usual_usd is None or usd > usual_usd * COST_MOST
        if (
            route.provider != row.provider
            and route.provider in hands.providers
            and route.provider not in paused
            and takes(route.inputs, roles)
            and not is_dear
        ):
            return route
    return None


def _request(row: Row) -> Request:
    """What decides on the price."""
    return Request(kind=cast(Kind, row.kind), prompt=row.prompt, **row.params)

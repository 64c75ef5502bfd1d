"""Admission: where the doors come in. What is accepted here is committed, row and call of the
engine together.

Everything a request can be refused for is found before anything is written or sent: the model, its
abilities, the pictures, who owns them. An accepted generation is answered at once with its reading;
nobody waits here.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import assets, generations, jobs, readings, threads_of
from db.assets import Asset
from db.generations import Row
from db.ids import new_id
from generations.contract import Caller, Conflict, NotFound, NotPossible, Wanted
from generations.lifecycle import CANCELLED_AT_ONCE, OPEN, RETRYABLE, SETTLED, Status
from generations.model_reading import model_reading
from generations.naming import find_generation, find_picture
from providers import findings
from providers.abilities import SEED_MAX, check
from providers.catalogue import Catalogue, UnknownModel
from providers.contract import Request, Route
from providers.model import Model, estimate_usd

log = structlog.get_logger(__name__)

#: The words of a request that are kept as params, when they were said or chosen.
PARAMS = (
    "negative_prompt style aspect_ratio resolution width_px height_px duration_s n seed audio"
).split()


class Admission:
    """The heart's door: every tool and every route comes in here, always with the caller first."""

    def __init__(
        self, engine: AsyncEngine, catalogue: Catalogue, available: frozenset[str]
    ) -> None:
        self._engine = engine
        self._catalogue = catalogue
        self._available = available

    async def submit(self, caller: Caller, wanted: Wanted) -> dict[str, Any]:
        """Accept a generation and return its reading; the same call of the same step returns the
        same one.

        Raises: NotPossible, NotFound.
        """
        async with self._engine.connect() as connection:
            if existing := await self._existing(connection, caller):
                return await self._read(connection, caller, existing)
            pictures = [
                (given.role, await find_picture(connection, caller, given.picture))
                for given in wanted.inputs
            ]
        model, pinned = self._choose_model(wanted, [role for role, _ in pictures])
        request = self._check(model, wanted, pictures)
        route = self._choose_route(model, pinned, [role for role, _ in pictures])
        values = _values(caller, model, route, request, pictures) | {"pinned": pinned is not None}
        async with self._engine.begin() as connection:
            thread_id = caller.thread_id
            if thread_id and not await threads_of.ensure(connection, caller.user_id, thread_id):
                raise NotFound("There is no such conversation.")
            if existing := await self._existing(connection, caller):
                return await self._read(connection, caller, existing)
            if not await assets.hold(connection, [asset.id for _, asset in pictures]):
                raise NotFound("One of these pictures has just been deleted.")
            roles = [(role, asset.id) for role, asset in pictures]
            row = await generations.insert_generation(connection, values, roles)
            await jobs.defer_drive(connection, row.id)
            reading = await self._read(connection, caller, row.id)
        log.info(
            "generation accepted",
            generation_id=str(row.id),
            kind=row.kind,
            model=row.model,
            provider=row.provider,
        )
        return reading

    async def get(self, caller: Caller, generation: str) -> dict[str, Any]:
        """The reading of one generation, by id or handle."""
        async with self._engine.connect() as connection:
            found = await find_generation(connection, caller, generation)
            return await self._read(connection, caller, found)

    async def get_many(self, caller: Caller, ids: list[UUID]) -> list[dict[str, Any]]:
        """The readings of those of these generations that are the caller's."""
        async with self._engine.connect() as connection:
            return await readings.read(connection, caller.user_id, ids)

    async def find(
        self,
        caller: Caller,
        *,
        query: str | None = None,
        kind: str | None = None,
        status: str | None = None,
        model: str | None = None,
        limit: int = 20,
        cursor: str | None = None,
    ) -> dict[str, Any]:
        """One page of the caller's generations, newest first."""
        wanted = readings.Filter(query=query, kind=kind, status=status, model=model)
        async with self._engine.connect() as connection:
            try:
                data, following = await readings.page(
                    connection, caller.user_id, wanted, limit=limit, cursor=cursor
                )
            except ValueError as error:
                wrong = [{"loc": "cursor", "msg": str(error)}]
                raise NotPossible(str(error), wrong) from error
        return {"data": data, "next_cursor": following}

    async def cancel(self, caller: Caller, generation: str) -> dict[str, Any]:
        """Ask for a cancel: at once where no provider is at work, else the driver passes it on.

        Raises: NotFound; Conflict when it is completed or failed.
        """
        async with self._engine.begin() as connection:
            row = await self._locked(connection, caller, generation)
            status = Status(row.status)
            if status in SETTLED and status not in (Status.CANCELLED, Status.UNKNOWN):
                raise Conflict(f"It is {status.value} already; there is nothing to cancel.")
            if status in CANCELLED_AT_ONCE:
                await generations.cancel_now(connection, row)
            elif status in OPEN:
                await generations.request_cancel(connection, row)
            return await self._read(connection, caller, row.id)

    async def retry(self, caller: Caller, generation: str) -> dict[str, Any]:
        """Start the next attempt of a failed, cancelled or unknown generation.

        Raises: NotFound; Conflict in any other status.
        """
        async with self._engine.begin() as connection:
            row = await self._locked(connection, caller, generation)
            if Status(row.status) not in RETRYABLE:
                raise Conflict(f"It is {row.status}; only failed, cancelled or unknown ones retry.")
            await generations.retry(connection, row)
            await jobs.defer_drive(connection, row.id)
            return await self._read(connection, caller, row.id)

    async def delete(self, caller: Caller, generation: str) -> None:
        """Make a generation disappear; its driver cancels the provider's job and removes the
        files.
        """
        async with self._engine.begin() as connection:
            row = await self._locked(connection, caller, generation)
            await self._delete(connection, [row])

    async def delete_of_thread(self, connection: AsyncConnection, thread_id: UUID) -> None:
        """Delete every generation of a thread, in the transaction that deletes the thread."""
        await self._delete(connection, await generations.of_thread(connection, thread_id))

    async def _delete(self, connection: AsyncConnection, rows: list[Row]) -> None:
        for row in rows:
            await generations.mark_deleted(connection, row)
            await jobs.defer_drive(connection, row.id)
        await assets.let_go_of_inputs(connection, [row.id for row in rows])

    def models(
        self,
        *,
        kind: str | None = None,
        input: str | None = None,  # noqa: A002 - the tool's word
        max_price_usd: float | None = None,
        duration_s: float | None = None,
    ) -> list[dict[str, Any]]:
        """The catalogue as `/api/models` shows it, the available ones first."""
        shown = [
            model_reading(model, self._available)
            for model in self._catalogue.models
            if kind in (None, model.kind)
            and (input is None or input in {word.rstrip("!") for word in model.inputs})
            and (duration_s is None or duration_s in model.durations_s)
        ]
        if max_price_usd is not None:
            shown = [m for m in shown if m["price"] and m["price"]["usd"] <= max_price_usd]
        return sorted(shown, key=lambda m: not m["available"])

    async def _locked(self, connection: AsyncConnection, caller: Caller, generation: str) -> Row:
        found = await find_generation(connection, caller, generation)
        row = await generations.lock_for(connection, caller.user_id, found)
        if row is None:
            raise NotFound(f"There is no generation {generation}.")
        return row

    async def _existing(self, connection: AsyncConnection, caller: Caller) -> UUID | None:
        if caller.step_id is None or caller.call_index is None:
            return None
        return await generations.find_call(
            connection, caller.user_id, caller.step_id, caller.call_index
        )

    async def _read(
        self, connection: AsyncConnection, caller: Caller, generation_id: UUID
    ) -> dict[str, Any]:
        found = await readings.read(connection, caller.user_id, [generation_id])
        if not found:
            raise NotFound("There is no such generation.")
        return found[0]

    def _choose_model(self, wanted: Wanted, roles: list[Any]) -> tuple[Model, str | None]:
        if wanted.model is not None:
            try:
                return self._catalogue.find(wanted.model)
            except UnknownModel as error:
                wrong = [{"loc": "model", "msg": str(error)}]
                raise NotPossible(str(error), wrong) from error
        model = self._catalogue.default(wanted.kind, self._available, roles)
        if model is None:
            raise NotPossible(f"No model here makes a {wanted.kind} from these inputs.")
        return model, None

    def _choose_route(self, model: Model, pinned: str | None, roles: list[Any]) -> Route:
        among = self._available & {pinned} if pinned else self._available
        route = model.route_for(roles, among)
        if route is None:
            ready = [m.id for m in self._catalogue.models if self._is_ready(m)]
            message = (
                f"{model.id} is not available here: no key for "
                f"{pinned or ' or '.join(model.providers())}. Available: {', '.join(ready)}."
            )
            raise NotPossible(message, [{"loc": "model", "msg": message}])
        return route

    def _is_ready(self, model: Model) -> bool:
        return bool(self._available & set(model.providers()))

    def _check(self, model: Model, wanted: Wanted, pictures: list[tuple[Any, Asset]]) -> Request:
        seed = wanted.seed
        if seed is None and model.seed:
            seed = secrets.randbelow(SEED_MAX)
        source = next((asset for role, asset in pictures if role in ("image", "start")), None)
        try:
            return check(
                model,
                findings.Wanted(
                    kind=wanted.kind,
                    prompt=wanted.prompt,
                    negative_prompt=wanted.negative_prompt,
                    style=wanted.style,
                    aspect_ratio=wanted.aspect_ratio,
                    size=wanted.size,
                    resolution=wanted.resolution,
                    duration_s=wanted.duration_s,
                    n=wanted.n,
                    seed=seed,
                    audio=wanted.audio,
                    inputs=tuple(role for role, _ in pictures),
                    source_px=_pixels(source),
                ),
            )
        except findings.CannotDo as error:
            raise NotPossible(str(error), error.errors) from error


def _pixels(asset: Asset | None) -> tuple[int, int] | None:
    if asset is None or asset.width_px is None or asset.height_px is None:
        return None
    return asset.width_px, asset.height_px


def _values(
    caller: Caller,
    model: Model,
    route: Route,
    request: Request,
    pictures: list[tuple[Any, Asset]],
) -> dict[str, Any]:
    said: Mapping[str, Any] = {name: getattr(request, name) for name in PARAMS}
    parents = [asset.generation_id for _, asset in pictures if asset.generation_id]
    return {
        "id": new_id(),
        "user_id": caller.user_id,
        "thread_id": caller.thread_id,
        "step_id": caller.step_id,
        "call_index": caller.call_index,
        "parent_id": parents[0] if parents else None,
        "kind": model.kind,
        "prompt": request.prompt,
        "model": model.id,
        "provider": route.provider,
        "endpoint": route.endpoint,
        "params": {name: value for name, value in said.items() if value is not None},
        "cost_estimated_usd": estimate_usd(model, route, request),
    }

"""Admission: where the doors come in. What is accepted here is committed, row and call of the
engine together.

Everything a request can be refused for is found before anything stands or is sent: the model, its
abilities, the pictures, who owns them, the money. An accepted generation is answered at once with
its reading; nobody waits here.
"""

from __future__ import annotations

import secrets
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from crash_points import crash_point
from db import assets, generations, jobs, readings, spending, threads_of
from db.admitted import UserGone
from db.assets import Asset
from db.generations import Row
from db.ids import new_id
from generations import repeats
from generations.budgets import Budgets
from generations.contract import Caller, Conflict, NotFound, NotPossible, ShutOut, Wanted
from generations.lifecycle import CANCELLED_AT_ONCE, OPEN, RETRYABLE, SETTLED, Status
from generations.model_reading import model_reading
from generations.naming import find_generation, find_picture
from generations.record import pixels_of, values_of
from providers import findings
from providers.abilities import SEED_MAX, check
from providers.catalogue import Catalogue, UnknownModel
from providers.contract import Request, Route
from providers.model import Model

log = structlog.get_logger(__name__)

SHUT_OUT = "This account is disabled."
NOT_OURS = (
    "It was imported from an old system ({provider}) and cannot be tried again there. "
    "Its prompt is kept: ask for it anew, with a model that is here."
)
#: What a request is made from: role and picture.
Pictures = list[tuple[Any, Asset]]


class Admission:
    """The heart's door: every tool and every route comes in here, always with the caller first."""

    def __init__(
        self,
        engine: AsyncEngine,
        catalogue: Catalogue,
        available: frozenset[str],
        budgets: Budgets | None = None,
    ) -> None:
        self._engine = engine
        self._catalogue = catalogue
        self._available = available
        self._budgets = budgets or Budgets()

    async def submit(self, caller: Caller, wanted: Wanted) -> dict[str, Any]:
        """Accept a generation and return its reading; the same call of the same step, and the same
        request under the same key, return the same one.

        Raises: NotPossible, NotFound, OverBudget, KeyReused, ShutOut.
        """
        generation_id = new_id()
        async with self._engine.begin() as connection:
            if started := await self._started(connection, caller, generation_id):
                return await self._read(connection, caller, started)
            pictures = [
                (given.role, await find_picture(connection, caller, given.picture))
                for given in wanted.inputs
            ]
            values = self._plan(caller, wanted, pictures) | {"id": generation_id}
            reading = await self._accept(connection, values, pictures)
            crash_point("accept.before-commit")
        crash_point("accept.committed")
        log.info(
            "generation accepted",
            generation_id=reading["id"],
            kind=reading["kind"],
            model=reading["model"],
            provider=reading["provider"],
        )
        return reading

    async def _started(
        self, connection: AsyncConnection, caller: Caller, generation_id: UUID
    ) -> UUID | None:
        """What the same request, or the same call of the same step, has started before; None: its
        key and its thread are held for this one.
        """
        if first := await repeats.claim(connection, caller, generation_id):
            return first
        thread_id = caller.thread_id
        if thread_id and not await threads_of.ensure(connection, caller.user_id, thread_id):
            raise NotFound("There is no such conversation.")
        if caller.step_id is None or caller.call_index is None:
            return None
        return await generations.find_call(
            connection, caller.user_id, caller.step_id, caller.call_index
        )

    def _plan(self, caller: Caller, wanted: Wanted, pictures: Pictures) -> dict[str, Any]:
        """The columns of what will be made, if it can be."""
        roles = [role for role, _ in pictures]
        model, pinned = self._choose_model(wanted, roles)
        request = self._check(model, wanted, pictures)
        route = self._choose_route(model, pinned, roles)
        return values_of(caller, model, route, request, pictures) | {"pinned": pinned is not None}

    async def _accept(
        self, connection: AsyncConnection, values: dict[str, Any], pictures: Pictures
    ) -> dict[str, Any]:
        """Put it in line, if there is money for it; its reading."""
        roles = [(role, asset.id) for role, asset in pictures]
        if not await assets.hold(connection, [asset_id for _, asset_id in roles]):
            raise NotFound("One of these pictures has just been deleted.")
        cost_usd = values["cost_estimated_usd"]
        await self._budgets.admit(connection, values["user_id"], values["model"], cost_usd)
        try:
            row = await generations.insert_generation(connection, values, roles, drive=True)
        except UserGone:
            raise ShutOut(SHUT_OUT) from None
        return readings.of_new(row, roles)

    async def usage(self, caller: Caller) -> spending.Usage:
        """What the caller has spent today, and what runs."""
        async with self._engine.connect() as connection:
            return await spending.usage(connection, caller.user_id)

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
        """Ask for a cancel: at once where no provider of ours is at work, else the driver passes it
        on.

        Raises: NotFound; Conflict when it is completed or failed.
        """
        async with self._engine.begin() as connection:
            row = await self._locked(connection, caller, generation)
            status = Status(row.status)
            if status in SETTLED and status not in (Status.CANCELLED, Status.UNKNOWN):
                raise Conflict(f"It is {status.value} already; there is nothing to cancel.")
            if status in CANCELLED_AT_ONCE or _hangs(row):
                await generations.cancel_now(connection, row)
            elif status in OPEN:
                await generations.request_cancel(connection, row)
            return await self._read(connection, caller, row.id)

    async def retry(self, caller: Caller, generation: str) -> dict[str, Any]:
        """Start the next attempt of a failed, cancelled or unknown generation.

        Raises: NotFound, OverBudget, KeyReused, ShutOut; Conflict in any other status, or when it
            was imported.
        """
        async with self._engine.begin() as connection:
            found = await find_generation(connection, caller, generation)
            if first := await repeats.claim(connection, caller, found):
                return await self._read(connection, caller, first)
            row = await self._locked(connection, caller, generation)
            if row.legacy_id is not None:
                raise Conflict(NOT_OURS.format(provider=row.provider))
            if Status(row.status) not in RETRYABLE:
                raise Conflict(f"It is {row.status}; only failed, cancelled or unknown ones retry.")
            cost_usd = row.cost_estimated_usd
            await self._budgets.admit(connection, caller.user_id, row.model, cost_usd)
            if await generations.retry(connection, row) is None:
                raise ShutOut(SHUT_OUT)
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
            settled = await generations.cancel_now(connection, row) if _hangs(row) else row
            await generations.mark_deleted(connection, settled or row)
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

    def model_for(self, wanted: Wanted) -> Model:
        """The model that would be taken. Raises: NotPossible."""
        return self._choose_model(wanted, [given.role for given in wanted.inputs])[0]

    async def _locked(self, connection: AsyncConnection, caller: Caller, generation: str) -> Row:
        found = await find_generation(connection, caller, generation)
        row = await generations.lock_for(connection, caller.user_id, found)
        if row is None:
            raise NotFound(f"There is no generation {generation}.")
        return row

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
            ready = [m.id for m in self._catalogue.models if self._available & set(m.providers())]
            message = (
                f"{model.id} is not available here: no key for "
                f"{pinned or ' or '.join(model.providers())}. Available: {', '.join(ready)}."
            )
            raise NotPossible(message, [{"loc": "model", "msg": message}])
        return route

    def _check(self, model: Model, wanted: Wanted, pictures: Pictures) -> Request:
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
                    source_px=pixels_of(source),
                ),
            )
        except findings.CannotDo as error:
            raise NotPossible(str(error), error.errors) from error


def _hangs(row: Row) -> bool:
    """Whether it was imported as being under way: nobody drives it, so nobody is there to hear of a
    cancel, or to settle it before its files go.
    """
    return row.legacy_id is not None and Status(row.status) in OPEN

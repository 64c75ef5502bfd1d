"""A person's own API keys, behind the chat's login. A key makes no keys."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from accounts import keys
from accounts.visitor import Visitor
from api.caller import InRuntime, SomeVisitor, check_scope
from api.problems import Problem
from db import keys as key_rows

router = APIRouter(prefix="/api/keys")

NAME_CHARS_MAX = 100
KEYS_MAX = 50


class WantedKey(BaseModel):
    """A key to be made."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field("", max_length=NAME_CHARS_MAX, pattern=r"^[^\x00]*$")
    scopes: list[str] = Field(list(keys.DEFAULT_SCOPES), max_length=len(keys.SCOPES))


def _person(visitor: SomeVisitor) -> Visitor:
    known = check_scope(visitor, "read")
    if known.by_key or known.place is not None:
        raise Problem(403, "forbidden", "Keys are made and revoked by a person who is logged in.")
    return known


Person = Annotated[Visitor, Depends(_person)]


@router.get("")
async def list_keys(runtime: InRuntime, person: Person) -> dict[str, Any]:
    """The person's keys, without their secrets, and the scopes that they may give."""
    async with runtime.engine.connect() as connection:
        found = await key_rows.of_user(connection, person.user_id)
    return {"data": found, "scopes": _may_give(person)}


@router.post("", status_code=201)
async def create_key(wanted: WantedKey, runtime: InRuntime, person: Person) -> JSONResponse:
    """Make a key; `key` in the answer is shown this once."""
    may = _may_give(person)
    try:
        scopes = keys.check_scopes(wanted.scopes)
    except keys.UnknownScope as error:
        raise Problem(422, "invalid_request", f"scopes: {error}") from error
    if refused := [scope for scope in scopes if scope not in may]:
        raise Problem(403, "forbidden", f"You may give {', '.join(may)}, not {refused[0]}.")
    made = keys.make()
    async with runtime.engine.begin() as connection:
        if len(await key_rows.of_user(connection, person.user_id)) >= KEYS_MAX:
            raise Problem(409, "conflict", f"{KEYS_MAX} keys are the most; revoke one first.")
        reading = await key_rows.create(
            connection,
            person.user_id,
            name=wanted.name.strip(),
            prefix=made.prefix,
            secret_sha256=made.digest(),
            scopes=scopes,
        )
    headers = {"Cache-Control": "no-store"}
    return JSONResponse({**reading, "key": made.text()}, status_code=201, headers=headers)


@router.delete("/{prefix}", status_code=204)
async def revoke_key(prefix: str, runtime: InRuntime, person: Person) -> Response:
    """End a key; what it has open is closed."""
    async with runtime.engine.begin() as connection:
        if not await key_rows.revoke(connection, prefix, person.user_id):
            raise Problem(404, "not_found", "You have no such key.")
    return Response(status_code=204)


def _may_give(person: Visitor) -> list[str]:
    admin = "admin" in person.scopes
    return [scope for scope in keys.SCOPES if admin or scope in keys.DEFAULT_SCOPES]

"""The statement that moves a generation on: the row, what its attempt keeps, and the news, in one.

Each kind of move has a statement of its own, made once, so that it is compiled once: a generation
moves five times, and building what is said each time would cost more than asking the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import CTE, Select, bindparam, func, select, update

from db.attempts_of import Kept
from db.generation_row import COLUMNS, Row, told
from db.tables import attempts, generations

#: What a move keeps of its attempt besides the row; None leaves what an earlier step has kept.
KEPT = ("error_code", "message", "request_id", "alike", "duration_s")

LOAD = select(*COLUMNS).where(generations.c.id == bindparam("known_id"))
CLAIM = (
    update(generations)
    .where(generations.c.id == bindparam("known_id"), generations.c.legacy_id.is_(None))
    .values(claim=generations.c.claim + 1)
    .returning(*COLUMNS)
)


def said(row: Row, status: str, values: Mapping[str, Any], kept: Kept | None) -> dict[str, Any]:
    """The parameters of `moving`; `kept` goes with a new status."""
    own = {_parameter(name): value for name, value in values.items()}
    own |= {
        "known_id": row.id,
        "known_status": row.status,
        "known_attempt": row.attempt,
        "known_claim": row.claim,
        "new_status": status,
    }
    if kept is not None:
        own |= {f"kept_{name}": getattr(kept, name) for name in KEPT}
        own["kept_error_code"] = values.get("error_code") or kept.error_code
        own["kept_message"] = values.get("error_message") or kept.message
    return own


def _parameter(name: str) -> str:
    return f"said_{name}"


@cache
def moving(names: tuple[str, ...], is_new: bool, is_settled: bool) -> Select[Any]:
    """The statement that moves a row by these columns, with what its attempt keeps: made once for
    each kind of move, so that it is compiled once.
    """
    g = generations.c
    new = {name: bindparam(_parameter(name), type_=g[name].type) for name in names}
    changed = (
        update(generations)
        .where(
            g.id == bindparam("known_id"),
            g.status == bindparam("known_status"),
            g.attempt == bindparam("known_attempt"),
            g.claim == bindparam("known_claim"),
        )
        .values(
            status=bindparam("new_status", type_=g.status.type),
            version=g.version + 1,
            updated_at=func.now(),
            **({"finished_at": func.now()} if is_settled else {}),
            **new,
        )
        .returning(*COLUMNS)
        .cte("changed")
    )
    query = select(changed, told(changed))
    return query.add_cte(_noting(changed, is_settled)) if is_new else query


def _noting(changed: CTE, is_settled: bool) -> CTE:
    a = attempts.c
    kept = {name: bindparam(f"kept_{name}", type_=a[name].type) for name in KEPT}
    return (
        update(attempts)
        .where(a.generation_id == changed.c.id, a.attempt == changed.c.attempt)
        .values(
            submitted_at=changed.c.submitted_at,
            finished_at=func.now() if is_settled else None,
            outcome=changed.c.status if is_settled else None,
            provider_job_id=changed.c.provider_job["id"].astext,
            charged=changed.c.charged,
            cost_actual_usd=changed.c.cost_actual_usd,
            **{name: func.coalesce(value, a[name]) for name, value in kept.items()},
        )
        .cte("noted")
    )

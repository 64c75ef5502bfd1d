"""What the caller has spent today, of how much, and what runs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fastapi import APIRouter

from api.caller import InRuntime, ReadCaller

router = APIRouter()


@router.get("/api/usage")
async def usage(runtime: InRuntime, caller: ReadCaller) -> dict[str, Any]:
    """The UTC day so far; `budget_usd` is the caller's own, null when there is none."""
    today = await runtime.admission.usage(caller)
    budget_usd = runtime.loaded.settings.budget_usd_per_user_per_day
    return {
        "today_usd": _number(today.today_usd),
        "budget_usd": None if budget_usd is None else _number(budget_usd),
        "in_flight": today.in_flight,
        "resets_at": today.resets_at.isoformat().replace("+00:00", "Z"),
    }


def _number(usd: Decimal) -> float:
    return float(round(usd, 6))

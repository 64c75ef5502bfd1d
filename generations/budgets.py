"""The brake on money: what may be spent in a UTC day, by one user and by everybody together."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from db import spending
from generations.contract import OverBudget


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """US dollars a day; None: no bound."""

    per_user_usd: Decimal | None = None
    per_day_usd: Decimal | None = None

    async def admit(
        self, connection: AsyncConnection, user_id: UUID, model: str, cost_usd: Decimal | None
    ) -> None:
        """Let an attempt of this cost begin, in the transaction that puts it on record.

        Raises: OverBudget.
        """
        asked = {"own": self.per_user_usd is not None, "everybody": self.per_day_usd is not None}
        if not any(asked.values()):
            return
        if cost_usd is None:
            raise OverBudget(
                f"{model} has no known price, and there is a budget here that it could exceed "
                "unseen. Choose a model with a price, or have its price written into MODELS_FILE."
            )
        if not cost_usd:
            return
        await spending.hold(connection, user_id, **asked)
        spent = await spending.read(connection, user_id, **asked)
        if _exceeds(self.per_user_usd, spent.by_user_usd, cost_usd):
            raise _over_own(self.per_user_usd, spent.by_user_usd, cost_usd)
        if _exceeds(self.per_day_usd, spent.by_all_usd, cost_usd):
            # What is left of it would tell what others have spent.
            raise OverBudget(
                f"This would cost {dollars(cost_usd)}, more than is left of what this whole "
                "installation may spend today. It resets at 00:00 UTC.",
                [{"loc": "cost_usd", "msg": f"{cost_usd:f}"}],
            )


def _exceeds(budget_usd: Decimal | None, spent_usd: Decimal | None, cost_usd: Decimal) -> bool:
    if budget_usd is None or spent_usd is None:
        return False
    return spent_usd + cost_usd > budget_usd


def _over_own(
    budget_usd: Decimal | None, spent_usd: Decimal | None, cost_usd: Decimal
) -> OverBudget:
    budget_usd, spent_usd = budget_usd or Decimal(), spent_usd or Decimal()
    left_usd = max(Decimal(), budget_usd - spent_usd)
    return OverBudget(
        f"This would cost {dollars(cost_usd)}; {dollars(left_usd)} is left of your budget of "
        f"{dollars(budget_usd)} for today. It resets at 00:00 UTC.",
        [
            {"loc": "cost_usd", "msg": f"{cost_usd:f}"},
            {"loc": "left_usd", "msg": f"{left_usd:f}"},
            {"loc": "budget_usd", "msg": f"{budget_usd:f}"},
        ],
    )


def dollars(usd: Decimal) -> str:
    """An amount as a person writes it, exact to the millionth."""
    whole, _, part = f"{usd:.6f}".rstrip("0").partition(".")
    return f"${whole}.{part.ljust(2, '0')}"

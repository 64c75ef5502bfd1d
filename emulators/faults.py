"""The faults in force: what real providers and networks do on their bad days, on demand.

A rule is used up by the requests it fits, oldest rule first. Rules live in memory only: a
restarted provider is a healthy one.
"""

import itertools
from dataclasses import replace
from typing import Any

from emulators.fault_orders import Fault, FaultName, Step


class Faults:
    """The rules in force, those for one generation kept apart so that nobody else pays for them."""

    def __init__(self) -> None:
        self._for_all: list[Fault] = []
        self._for_one: dict[str, list[Fault]] = {}
        self._ordered: dict[str, set[tuple[Fault, ...]]] = {}
        self._ids = itertools.count(1)

    def add(self, fault: Fault) -> Fault:
        """Put a rule in force and return it with its number."""
        rule = replace(fault, id=next(self._ids))
        self._rules(rule.generation).append(rule)
        return rule

    def _rules(self, generation: str | None) -> list[Fault]:
        if generation is None:
            return self._for_all
        return self._for_one.setdefault(generation, [])

    def order_once(self, generation: str, faults: tuple[Fault, ...]) -> None:
        """Put a request's own rules in force; sent again, the same order nothing new."""
        if not faults or faults in self._ordered.get(generation, ()):
            return
        self._ordered.setdefault(generation, set()).add(faults)
        for fault in faults:
            self.add(replace(fault, generation=generation))

    def forget_orders(self, generation: str) -> None:
        """Let the same requests order their rules anew from now on."""
        self._ordered.pop(generation, None)

    def take(
        self,
        step: Step,
        endpoint: str,
        generation: str | None = None,
        among: frozenset[FaultName] | None = None,
    ) -> Fault | None:
        """Use up one request of the oldest rule that fits, or return None."""
        own = self._for_one.get(generation, []) if generation is not None else []
        fitting = [
            rule
            for rule in (*own, *self._for_all)
            if rule.fits(step, endpoint, generation) and (among is None or rule.fault in among)
        ]
        if not fitting:
            return None
        rule = min(fitting, key=lambda fault: fault.id)
        self._use(rule)
        return rule

    def _use(self, rule: Fault) -> None:
        rules = self._rules(rule.generation)
        at = rules.index(rule)
        if rule.left == 1:
            del rules[at]
        elif rule.left > 1:
            rules[at] = replace(rule, left=rule.left - 1)
        if not rules and rule.generation is not None:
            del self._for_one[rule.generation]

    def read(self) -> list[dict[str, Any]]:
        """Return the rules that still wait for requests, oldest first."""
        rules = [*self._for_all, *itertools.chain.from_iterable(self._for_one.values())]
        return [rule.as_json() for rule in sorted(rules, key=lambda rule: rule.id)]

    def clear(self) -> None:
        """Forget all rules."""
        self._for_all.clear()
        self._for_one.clear()

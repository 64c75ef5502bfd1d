"""How far an import is, on the terminal: a bar a table, with its rate and the time that remains."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

#: A log wants few lines.
EVERY_S, EVERY_S_IN_A_LOG = 0.2, 10.0
#: Of the steps the longest, so that the bars stand below each other.
NAME_CHARS = 24


class Progress:
    """Shows one step after the other."""

    def __init__(self) -> None:
        self._every_s = EVERY_S if sys.stderr.isatty() else EVERY_S_IN_A_LOG

    @contextmanager
    def step(self, name: str, total: int | None, unit: str = "row") -> Iterator[tqdm]:
        """A bar for as long as the block lasts; `update(n)` moves it."""
        with tqdm(
            total=total,
            desc=f"{name:<{NAME_CHARS}}",
            unit=unit,
            unit_scale=unit == "B",
            mininterval=self._every_s,
            dynamic_ncols=True,
            file=sys.stderr,
            disable=total == 0,
        ) as bar:
            yield bar

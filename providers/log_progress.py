"""How much is done, read from a job's log: several companies tell it nowhere else."""

from __future__ import annotations

import re

BAR = re.compile(r"(\d{1,3})%\|")  # as the progress bars of the models' own programs begin
READ_CHARS_MAX = 4000


def progress_in(log: object) -> float | None:
    """Return the share that the last progress bar in a log shows, 0 to 1; None without one."""
    if not isinstance(log, str):
        return None
    found = BAR.findall(log[-READ_CHARS_MAX:])
    return min(int(found[-1]) / 100, 1.0) if found else None

"""What a process weighs and has worked, by the kernel's own books; Linux only."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

RESET_PEAK = "5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """The memory of one process, in MiB."""

    #: All its pages that are in memory.
    rss_mib: float
    #: The same, where a page that n processes share counts 1/n.
    pss_mib: float
    #: Those nobody else has.
    own_mib: float


def weigh(pid: int) -> Weight:
    """The process as it is now."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()[1:]
    kib = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    return Weight(
        rss_mib=kib["Rss"] / 1024,
        pss_mib=kib["Pss"] / 1024,
        own_mib=(kib["Private_Clean"] + kib["Private_Dirty"]) / 1024,
    )


def cpu_s(pid: int) -> float:
    """The CPU seconds the process has used so far, its ended children's not counted."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Growth:
    """How much larger than now the process was at its largest, until somebody asks."""

    def __init__(self, pid: int) -> None:
        self._process = Path(f"/proc/{pid}")
        # The kernel then counts the peak from here on; only the owner of the process may do that.
        (self._process / "clear_refs").write_text(RESET_PEAK, "ascii")
        self._before_mib = self._status_mib("VmRSS")

    def peak_mib(self) -> float:
        """The largest growth so far, in MiB."""
        return self._status_mib("VmHWM") - self._before_mib

    def left_mib(self) -> float:
        """The growth that is still there, in MiB."""
        return self._status_mib("VmRSS") - self._before_mib

    def _status_mib(self, name: str) -> float:
        lines = (self._process / "status").read_text("ascii", errors="replace").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024

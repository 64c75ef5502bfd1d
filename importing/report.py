"""What became of every row that was read: counts that add up, and each row that was not simply
taken, by its id.

The single rows go to a file at once: a bad dump has as many of them as rows, and memory is bounded.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

from db.thread_rows import storable

#: New here; added to what another row had brought; there already.
Taken = Literal["taken", "merged", "unchanged"]
ID_CHARS_MAX = 200
DETAIL_CHARS_MAX = 500


@dataclass(slots=True)
class Table:
    """The counts of one table, or dump."""

    read: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    #: Why rows were left for a later run.
    left_out: Counter[str] = field(default_factory=Counter)
    #: Why rows become nothing here.
    not_taken: Counter[str] = field(default_factory=Counter)
    #: Of the rows taken: what they are and how they stand, `image completed`.
    statuses: Counter[str] = field(default_factory=Counter)
    #: What was odd about rows, taken or not.
    remarks: Counter[str] = field(default_factory=Counter)

    def adds_up(self) -> bool:
        """Whether every row that was read has exactly one fate."""
        fates = (self.outcomes, self.left_out, self.not_taken)
        return self.read == sum(count.total() for count in fates)

    def reading(self) -> dict[str, Any]:
        """As JSON."""
        counts = {word: self.outcomes[word] for word in ("taken", "merged", "unchanged")}
        return {
            "read": self.read,
            **counts,
            "left_out": dict(self.left_out),
            "not_taken": dict(self.not_taken),
            "statuses": dict(sorted(self.statuses.items())),
            "remarks": dict(sorted(self.remarks.items())),
        }


class Report:
    """What has been done so far."""

    def __init__(self, *, dry_run: bool) -> None:
        self.dry_run = dry_run
        #: False: it was stopped, or failed, before its end.
        self.is_whole = False
        self.started_at = datetime.now(UTC)
        self.tables: dict[str, Table] = {}
        #: What was made here: users, threads, messages, generations, files, cards, votes.
        self.made: Counter[str] = Counter()
        #: Of `--copy-files`: copied, bytes, gone, not_now.
        self.files: Counter[str] = Counter()
        #: Sentences about a whole source: a table that is not there.
        self.notes: list[str] = []
        self._rows: TextIO = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115

    def table(self, name: str) -> Table:
        """The counts of `superduper.files`, `chatbot.Chat` and so on."""
        found = self.tables.get(name)
        if found is None:
            found = self.tables[name] = Table()
        return found

    def mark(self) -> Callable[[], None]:
        """Returns what takes back everything said from now on: the transaction did not hold."""
        tables = {name: deepcopy(table) for name, table in self.tables.items()}
        made, end = self.made.copy(), self._rows.tell()

        def take_back() -> None:
            self.tables, self.made = tables, made
            self._rows.seek(end)
            self._rows.truncate()

        return take_back

    def take(self, name: str, row_id: str, outcome: Taken, *, remarks: tuple[str, ...]) -> None:
        """A row that is here now."""
        self.table(name).outcomes[outcome] += 1
        for remark in remarks:
            self.remark(name, row_id, remark, outcome)

    def leave_out(self, name: str, row_id: str, reason: str, detail: str) -> None:
        """A row that a later run may take."""
        self.table(name).left_out[reason] += 1
        self._note(name, row_id, "left_out", reason, detail)

    def refuse(self, name: str, row_id: str, reason: str, detail: str) -> None:
        """A row that becomes nothing here."""
        self.table(name).not_taken[reason] += 1
        self._note(name, row_id, "not_taken", reason, detail)

    def file_gone(self, row_id: str, reason: str, url: str) -> None:
        """A file that will never come."""
        self._note("files", row_id, "gone", reason, url)

    def remark(self, name: str, row_id: str, remark: str, outcome: str = "read") -> None:
        """Something odd about a row: a word, perhaps with a colon and what it is about."""
        word, _, detail = remark.partition(": ")
        self.table(name).remarks[word] += 1
        self._note(name, row_id, outcome, word, detail)

    def _note(self, table: str, row_id: str, outcome: str, reason: str, detail: str) -> None:
        row = {
            "table": table,
            "id": _short(row_id, ID_CHARS_MAX),
            "outcome": outcome,
            "reason": reason,
            "detail": _short(detail, DETAIL_CHARS_MAX),
        }
        self._rows.write(json.dumps(row, ensure_ascii=False) + "\n")

    def seconds(self) -> float:
        """Since it began."""
        return (datetime.now(UTC) - self.started_at).total_seconds()

    @property
    def rows_read(self) -> int:
        """Rows of all tables."""
        return sum(table.read for table in self.tables.values())

    def adds_up(self) -> bool:
        """Whether every row has exactly one fate, in every table."""
        return all(table.adds_up() for table in self.tables.values())

    def json_lines(self) -> Iterator[str]:
        """The whole report as one JSON document, in pieces: single rows may be very many."""
        seconds = self.seconds()
        head: dict[str, Any] = {
            "dry_run": self.dry_run,
            "is_whole": self.is_whole,
            "started_at": self.started_at.isoformat(timespec="seconds"),
            "seconds": round(seconds, 1),
            "rows_read": self.rows_read,
            "rows_per_second": round(self.rows_read / seconds) if seconds else None,
            "adds_up": self.adds_up(),
            "tables": {name: table.reading() for name, table in self.tables.items()},
            "made": dict(self.made),
            "files": dict(self.files),
            "notes": self.notes,
        }
        text = json.dumps(head, ensure_ascii=False, indent=2)
        yield text.removesuffix("\n}") + ',\n  "rows": ['
        self._rows.seek(0)
        for number, line in enumerate(self._rows):
            yield f"{',' if number else ''}\n    {line.rstrip()}"
        yield "\n  ]\n}\n"

    def close(self) -> None:
        """Let go of the file with the single rows."""
        self._rows.close()


def _short(text: str, chars_max: int) -> str:
    """One line that a terminal and a reader of JSON survive."""
    line = "".join(
        char if char.isprintable() else "\ufffd" for char in storable(text[: chars_max + 1])
    )
    return line if len(line) <= chars_max else f"{line[: chars_max - 1]}\u2026"

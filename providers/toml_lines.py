"""Where a key stands in a TOML file: tomllib tells the values, but not their lines.

A small scanner for well-formed files: it is asked only after tomllib has read the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

Path = tuple[str | int, ...]

HEADER = re.compile(r"\s*(\[\[?)([^\[\]]+)\]\]?\s*(?:#.*)?$")
KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")
TOKEN = re.compile(r'\"\"\"|\'\'\'|"(?:\\.|[^"\\])*"|\'[^\']*\'|#.*|[\[\]{}]')


def lines_of(text: str) -> dict[Path, int]:
    """Return the line of every table and key, list items by number: ("models", 2, "label")."""
    lines: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    for number, line in statements(text):
        header = HEADER.match(line)
        key = KEY.match(line)
        if header:
            table = resolve(counts, parts(header[2]), is_item=header[1] == "[[")
            lines.setdefault(table, number)
        elif key:
            path = table
            for part in parts(key[1]):
                path = (*path, part)
                lines.setdefault(path, number)
    return lines


def line_of(lines: Mapping[Path, int], path: Path) -> int:
    """Return the line of a path, or of the nearest table around it."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def parts(dotted: str) -> list[str]:
    """Return the names of a dotted key without their quotes."""
    return [part.strip("\"'") for part in PART.findall(dotted)]


def resolve(counts: dict[Path, int], names: list[str], *, is_item: bool) -> Path:
    """Return a header's path, with the number of the list item that it opens or stands in."""
    path: Path = ()
    for at, name in enumerate(names):
        path = (*path, name)
        if is_item and at == len(names) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def statements(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines on which a header or key may begin: those not inside a list or long text."""
    depth, fence = 0, ""
    for number, line in enumerate(text.splitlines(), start=1):
        if depth == 0 and not fence:
            yield number, line
            if HEADER.match(line):
                continue
        depth, fence = scan(line, depth, fence)


def scan(line: str, depth: int, fence: str) -> tuple[int, str]:
    """Return how many brackets, and which long text, are still open at the end of a line."""
    at = 0
    while at < len(line):
        if fence:
            end = line.find(fence, at)
            if end < 0:
                return depth, fence
            at, fence = end + 3, ""
            continue
        found = TOKEN.search(line, at)
        if not found:
            break
        at = found.end()
        if found[0] in ('"""', "'''"):
            fence = found[0]
        elif found[0] in "[{":
            depth += 1
        elif found[0] in "]}":
            depth -= 1
    return depth, fence

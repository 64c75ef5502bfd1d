"""The house keeps its shape: which room may know which, and the rules that would rot unwatched.

Every check is a function over a folder that returns what is wrong there, each line naming the file
and the stray thing. It runs over this project, where nothing may be found, and over a small planted
tree, where it must find the plant.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

#: The map of the house: room -> the rooms it may import. Chainlit loads `chainlit_app` by path:
#: imported, it would be a second app with second handlers.
MAY_IMPORT = {
    "manage": {"operations", "accounts", "db", "settings", "shared_process"},
    "server": {"api", "agent", "runtime", "data_folder", "accounts", "command", "logs", "settings"},
    "worker": {"runtime", "command", "logs", "settings"},
    # Under Chainlit's own command this door has to put our routes in front of the others itself.
    "chainlit_app": {
        *("chat", "api", "agent", "runtime", "data_folder", "accounts", "db", "logs", "settings"),
    },
    "operations": {
        *("importing", "data_folder", "accounts", "generations", "providers", "db", "settings"),
        *("storage_settings", "shared_process", "logs"),
    },
    "importing": {"accounts", "db", "crash_points"},
    "chat": {"agent", "tools", "runtime", "generations", "accounts", "db", "crash_points"},
    "api": {"tools", "runtime", "generations", "accounts", "providers", "db", "settings"},
    "agent": {"tools", "settings"},
    "tools": {"generations", "providers"},
    "runtime": {
        *("own_servers", "data_folder", "generations", "accounts", "providers", "db", "settings"),
    },
    "data_folder": {"db", "settings"},
    "own_servers": {"demo", "db", "settings", "shared_process"},
    "command": {"providers", "db", "settings", "shared_process"},
    "demo": {"settings", "shared_process"},
    "generations": {"providers", "db", "crash_points"},
    "accounts": {"db"},
    "providers": {"settings", "crash_points"},
    "db": {"shared_process", "crash_points"},
    "crash_points": set[str](),
    "logs": set[str](),
    "settings": {"provider_settings", "storage_settings", "setting_forms"},
    "provider_settings": {"setting_forms"},
    "storage_settings": {"setting_forms"},
    "setting_forms": set[str](),
    "shared_process": set[str](),
    "emulators": set[str](),
}
#: Folders with Python that are no rooms: they may import any room, and no room may import them.
OUTSIDE = {"tests", "bench"}
#: `crash_points` is below the settings, and not for people.
READS_ENVIRONMENT = {"settings.py", "crash_points.py"}
CHAINLIT_STANDS_IN = {
    *("server.py", "chainlit_app.py", "chat/chainlit_door.py", "db/threads.py"),
}
REFUSED_NAMES = {
    *("services", "utils", "common", "core", "base", "managers", "models", "schemas"),
    *("service", "util", "helpers", "helper", "manager", "handlers", "misc"),
}
FILE_LINES_MAX, FUNCTION_LINES_MAX = 500, 70

PROVIDER_NAME = re.compile(
    r"(?<![a-z])(runpod|fal|replicate|bfl|gemini|comfyui|a1111)(?![a-z])", re.IGNORECASE
)
SQL = re.compile(
    r"select\s.*(\sfrom\s|\()|insert\s+into\s|update\s+\S+\s+set\s|delete\s+from\s|listen\s+\w+$"
    r"|with\s+(recursive\s+)?\w+\s+as\s*\(|(create|alter|drop)\s+(table|schema|index|type)\s",
    re.DOTALL | re.IGNORECASE,
)
SQL_WORDS = {"text", "select", "insert", "update", "delete", "func", "literal_column"}


def python_files(root: Path, *tops: str) -> Iterator[tuple[str, ast.Module]]:
    """Path relative to the root, and syntax tree, of every file in these rooms or folders."""
    for top in tops:
        for path in sorted([*root.glob(f"{top}.py"), *root.glob(f"{top}/**/*.py")]):
            yield path.relative_to(root).as_posix(), ast.parse(path.read_text("utf-8"))


def room_files(root: Path) -> Iterator[tuple[str, ast.Module]]:
    yield from python_files(root, *MAY_IMPORT)


def imports_in(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of each absolute import; `from a import b` gives `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def functions_in(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def texts_in(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and text, blanks folded, of each string; what an f-string fills in reads as `x`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [str(p.value) if isinstance(p, ast.Constant) else "x" for p in node.values]
            yield node.lineno, " ".join("".join(parts).split())
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, " ".join(node.value.split())


def is_sql(text: str) -> bool:
    """The first word tells: a sentence begins with "Select" or "With", a query with neither."""
    first = text.split(" ")[0]
    return bool(SQL.match(text)) and (first.islower() or first.isupper())


def unmapped_rooms(root: Path) -> list[str]:
    """Python at the root that stands on no map."""
    tops = {path.stem for path in root.glob("*.py")} | {
        path.parent.name for path in root.glob("[!.]*/*.py")
    }
    return [f"{top} is not on the map" for top in sorted(tops - set(MAY_IMPORT) - OUTSIDE)]


def stray_imports(root: Path) -> list[str]:
    """Imports against the map. Relative ones, which could hide one, are the linter's to refuse."""
    strays = []
    for path, tree in room_files(root):
        room = path.split("/")[0].removesuffix(".py")
        others = {*MAY_IMPORT, *OUTSIDE} - MAY_IMPORT[room] - {room}
        strays += [
            f"{path}:{line} imports {name.split('.')[0]}"
            for line, name in imports_in(tree)
            if name.split(".")[0] in others
        ]
    return strays


def late_imports(root: Path) -> list[str]:
    """Imports inside functions: Chainlit takes our folder off the path again, so they fail."""
    late = {
        f"{path}:{node.lineno} imports inside {function.name}"
        for path, tree in room_files(root)
        for function in functions_in(tree)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    return sorted(late)


def chainlit_imports(root: Path) -> list[str]:
    return [
        f"{path}:{line} imports {name}"
        for path, tree in room_files(root)
        for line, name in imports_in(tree)
        if name.split(".")[0] == "chainlit" and path not in CHAINLIT_STANDS_IN
    ]


def environment_reads(root: Path) -> list[str]:
    names = {"environ", "environb", "getenv", "putenv"}
    reads = []
    for path, tree in room_files(root):
        found = [
            (node.lineno, node.attr)
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and (node.value.id, node.attr in names) == ("os", True)
        ]
        found += [
            (line, name[3:])
            for line, name in imports_in(tree)
            if name.startswith("os.") and name[3:] in names
        ]
        if path not in READS_ENVIRONMENT:
            reads += [f"{path}:{line} uses os.{name}" for line, name in found]
    return reads


def provider_names(root: Path) -> list[str]:
    """Companies named outside the providers' room, in code, comment or text."""
    rooms = set(MAY_IMPORT) - {"providers", "settings", "provider_settings", "emulators"}
    return [
        f"{path}:{number} names {found[0]}"
        for path, _ in python_files(root, *sorted(rooms))
        for number, line in enumerate((root / path).read_text("utf-8").splitlines(), 1)
        if (found := PROVIDER_NAME.search(line))
    ]


def stray_sql(root: Path) -> list[str]:
    """Queries, and what builds them, outside memory."""
    strays = []
    for path, tree in python_files(root, *sorted(set(MAY_IMPORT) - {"db", "emulators"})):
        strays += [
            f"{path}:{line} holds SQL: {text[:40]}" for line, text in texts_in(tree) if is_sql(text)
        ]
        strays += [
            f"{path}:{line} imports {name}"
            for line, name in imports_in(tree)
            if name.startswith("sqlalchemy.")
            and name.split(".")[-1] in SQL_WORDS
            or name == "sqlalchemy"
        ]
    return strays


def refused_names(root: Path) -> list[str]:
    """Files and folders named after a kind of code, or with an underscore in front."""
    return [
        f"{path} has a refused name"
        for path, _ in room_files(root)
        if any(
            part.removesuffix(".py") in REFUSED_NAMES
            or (part.startswith("_") and part not in ("__init__.py", "__main__.py"))
            for part in path.split("/")
        )
    ]


def oversized(root: Path) -> list[str]:
    too_big = []
    for path, tree in python_files(root, *MAY_IMPORT, *sorted(OUTSIDE)):
        lines = len((root / path).read_text("utf-8").splitlines())
        if lines > FILE_LINES_MAX:
            too_big.append(f"{path} has {lines} lines")
        for function in functions_in(tree):
            length = (function.end_lineno or function.lineno) - function.lineno + 1
            if length > FUNCTION_LINES_MAX:
                too_big.append(f"{path}:{function.lineno} {function.name} has {length} lines")
    return too_big


CHECKS = [
    unmapped_rooms,
    stray_imports,
    late_imports,
    chainlit_imports,
    environment_reads,
    provider_names,
    stray_sql,
    refused_names,
    oversized,
]
#: Check, file to plant, its text, what the check has to say about it.
PLANTS = [
    (unmapped_rooms, "billing.py", "", "billing is not on the map"),
    (unmapped_rooms, "billing/__init__.py", "", "billing is not on the map"),
    (stray_imports, "db/rows.py", "import tools", "db/rows.py:1 imports tools"),
    (stray_imports, "agent.py", "from providers.runpod import x", "agent.py:1 imports providers"),
    (stray_imports, "server.py", "import chainlit_app", "server.py:1 imports chainlit_app"),
    (stray_imports, "db/rows.py", "import tests.tree", "db/rows.py:1 imports tests"),
    (late_imports, "api/a.py", "def f():\n    import json", "api/a.py:2 imports inside f"),
    (chainlit_imports, "agent.py", "import chainlit as cl", "agent.py:1 imports chainlit"),
    (chainlit_imports, "api/a.py", "from chainlit.user import User", "api/a.py:1 imports chainlit"),
    (environment_reads, "db/a.py", "import os\nos.environ['A']", "db/a.py:2 uses os.environ"),
    (environment_reads, "db/a.py", "import os\nos.getenv('A')", "db/a.py:2 uses os.getenv"),
    (environment_reads, "db/a.py", "from os import environ", "db/a.py:1 uses os.environ"),
    (provider_names, "agent.py", "key = runpod_api_key", "agent.py:1 names runpod"),
    (provider_names, "tools/a.py", "# as Gemini does", "tools/a.py:1 names Gemini"),
    (stray_sql, "agent.py", "q = 'select id from rows'", "agent.py:1 holds SQL: select id"),
    (stray_sql, "agent.py", "q = f'''\n UPDATE {t} SET a = 1'''", "agent.py:1 holds SQL: UPDATE"),
    (stray_sql, "api/a.py", "from sqlalchemy import text", "api/a.py:1 imports sqlalchemy.text"),
    (refused_names, "api/utils.py", "", "api/utils.py has a refused name"),
    (refused_names, "db/models/row.py", "", "db/models/row.py has a refused name"),
    (refused_names, "db/_rows.py", "", "db/_rows.py has a refused name"),
    (oversized, "emulators/a.py", "#\n" * 501, "emulators/a.py has 501 lines"),
    (oversized, "tests/a.py", "def f():\n" + "    1\n" * 70, "tests/a.py:1 f has 71 lines"),
]
CLEAN_TREE = {
    "settings.py": "import os\nos.environ['RUNPOD_API_KEY']",
    "agent.py": '"""With many words, select one (from two)."""\nimport tools\n',
    "providers/runpod.py": "import settings",
    "db/threads.py": "import chainlit\nfrom sqlalchemy import text\nfrom db import rows\n",
    "db/rows.py": "q = 'select id from rows'",
    "tests/test_a.py": "import agent",
}
Check = Callable[[Path], list[str]]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small house in which nothing is wrong."""
    for name, text in CLEAN_TREE.items():
        plant(tmp_path, name, text)
    return tmp_path


def plant(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def test_the_map_has_no_circle() -> None:
    TopologicalSorter(MAY_IMPORT).prepare()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_nothing_is_out_of_place(check: Check) -> None:
    assert check(ROOT) == []


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_clean_house_is_found_clean(check: Check, tree: Path) -> None:
    assert check(tree) == []


@pytest.mark.parametrize(("check", "name", "text", "complaint"), PLANTS)
def test_a_planted_fault_is_named(
    check: Check, name: str, text: str, complaint: str, tree: Path
) -> None:
    plant(tree, name, text)
    found = check(tree)
    assert len(found) == 1
    assert found[0].startswith(complaint)

"""Habits of the house: what is tracked names no machine, locks hold, documents keep up."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from settings import Settings, load

ROOT = Path(__file__).resolve().parent.parent
LOCKS = [
    *("requirements.lock", "requirements-dev.lock"),
    *("requirements-build.lock", "requirements-clients.lock"),
]

INDEX_ADDRESS = re.compile(
    r"pypi\.org|pythonhosted\.org|registry\.npmjs\.org|--(extra-)?index-url|--find[-]links"
    r"|(https?|file)://[^\s\"'`]+/simple\b"
)
IN_A_LOCK = re.compile(r"://|file:|--(?!hash=)| @ |(^|\s)[./~]")
LINK = re.compile(r"\]\((?!https?://|mailto:|#)([^)#\s]+)")


@pytest.fixture(scope="session")
def tracked() -> dict[str, str]:
    """Name and text of every file that git tracks or would track."""
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"]
    listing = [*command, "--cached", "--others", "--exclude-standard"]
    try:
        answer = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout, or no git: nothing says which files are tracked")
    texts = {}
    for name in filter(None, answer.stdout.decode("utf-8").split("\0")):
        path = ROOT / name
        if path.is_file() and b"\0" not in (raw := path.read_bytes()):
            texts[name] = raw.decode("utf-8")
    return texts


def index_addresses(texts: dict[str, str]) -> list[str]:
    """Addresses of package indexes, and options that would hold one."""
    return [
        f"{name}: {found[0]}"
        for name, text in texts.items()
        if (found := INDEX_ADDRESS.search(text))
    ]


def local_paths(texts: dict[str, str], *folders: Path) -> list[str]:
    """Mentions of folders of this machine; a folder right under the root says too little."""
    needles = [str(folder) for folder in folders if len(folder.parts) > 2]
    return [
        f"{name}: {needle}" for name, text in texts.items() for needle in needles if needle in text
    ]


def pins(lock: str) -> set[str]:
    """`name==version ; marker` of each requirement, without its hashes."""
    lines = (ROOT / lock).read_text("utf-8").splitlines()
    return {line.rstrip("\\ ") for line in lines if line and not line[0].isspace()}


def test_no_tracked_file_names_a_package_index(tracked: dict[str, str]) -> None:
    assert index_addresses(tracked) == []


def test_a_planted_index_address_is_found() -> None:
    host = "files.python" + "hosted.org"
    texts = {"a.md": f"https://{host}/x", "b.toml": "url = 'http://mirror.corp/py" + "pi/simple'"}
    assert index_addresses(texts) == [
        f"a.md: {host[6:]}",
        "b.toml: http://mirror.corp/py" + "pi/simple",
    ]


def test_no_tracked_file_names_a_folder_of_this_machine(tracked: dict[str, str]) -> None:
    assert local_paths(tracked, ROOT, Path.home() / "x") == []


def test_a_planted_local_path_is_found(tmp_path: Path) -> None:
    assert local_paths({"a.py": f"open('{tmp_path}/b')"}, tmp_path) == [f"a.py: {tmp_path}"]


def test_uv_lock_is_not_tracked(tracked: dict[str, str]) -> None:
    assert [name for name in tracked if Path(name).name == "uv.lock"] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_versions_and_hashes_and_no_address(lock: str) -> None:
    lines = (ROOT / lock).read_text("utf-8").splitlines()
    assert [line for line in lines if IN_A_LOCK.search(line.removeprefix("    "))] == []
    assert all("==" in pin for pin in pins(lock))
    assert sum("==" in line for line in lines) <= sum("--hash=sha256:" in line for line in lines)


def test_the_runtime_lock_is_a_part_of_the_development_lock() -> None:
    assert pins("requirements.lock") - pins("requirements-dev.lock") == set()


def test_every_setting_has_its_place_in_the_documents() -> None:
    document = (ROOT / "docs/settings.md").read_text("utf-8")
    names = [field.upper() for field in Settings.model_fields]
    assert [name for name in names if f"`{name}`" not in document] == []


def test_the_example_settings_name_each_setting_and_are_valid(tmp_path: Path) -> None:
    example = (ROOT / ".env.example").read_text("utf-8")
    named = re.findall(r"^# ?([A-Z][A-Z0-9_]*)=", example, re.MULTILINE)
    assert sorted(named) == sorted(field.upper() for field in Settings.model_fields)
    filled = tmp_path / ".env"
    filled.write_text(re.sub(r"^# ?(?=[A-Z][A-Z0-9_]*=)", "", example, flags=re.MULTILINE), "utf-8")
    loaded = load({}, filled)
    # Its secret stands empty: an example of one would be somebody's.
    empty = {name for name in named if loaded.origin(name.lower()) != ".env"}
    assert empty == {"CHAINLIT_AUTH_SECRET"}


def test_the_readme_shows_the_two_commands_first() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert re.findall(r"^(?:\$ )?(make [a-z]+)", readme, re.MULTILINE)[:2] == [
        "make run",
        "make test",
    ]


def test_every_link_between_documents_leads_somewhere(tracked: dict[str, str]) -> None:
    dead = [
        f"{name}: {link}"
        for name, text in tracked.items()
        if name.endswith(".md")
        for link in LINK.findall(text)
        if not (ROOT / name).parent.joinpath(link).exists()
    ]
    assert dead == []

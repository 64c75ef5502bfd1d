"""What a machine is set up by, and what it says where it cannot be set up."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def installer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("installer", ROOT / ".ci/install.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_uv_takes_the_mirror_that_pip_is_set_up_for(installer: ModuleType) -> None:
    environment, flags = installer.uv_setup({}, {"index-url": "https://mirror.example/py/"})
    assert environment["UV_DEFAULT_INDEX"] == "https://mirror.example/py/"
    assert flags == []


def test_settings_of_uv_itself_are_left_alone(installer: ModuleType) -> None:
    own = {"UV_INDEX": "https://own.example/py/"}
    environment, _ = installer.uv_setup(own, {"index-url": "https://mirror.example/py/"})
    assert environment == {**own, "UV_PYTHON_DOWNLOADS": "never"}


def test_further_indexes_are_equals_as_they_are_to_pip(installer: ModuleType) -> None:
    environment, _ = installer.uv_setup({}, {"extra-index-url": "https://a.example\nfile:///b"})
    assert environment["UV_INDEX"] == "https://a.example file:///b"
    assert environment["UV_INDEX_STRATEGY"] == "unsafe-best-match"


def test_a_wheel_folder_without_an_index_stays_without_one(installer: ModuleType) -> None:
    environment, flags = installer.uv_setup({}, {"find-links": "/wheels", "no-index": "1"})
    assert environment["UV_FIND_LINKS"] == "/wheels"
    assert flags == ["--no-index"]


def test_the_certificates_of_pip_serve_uv_unless_it_has_some(installer: ModuleType) -> None:
    environment, _ = installer.uv_setup({}, {"cert": "/ca.pem"})
    assert environment["SSL_CERT_FILE"] == "/ca.pem"
    environment, _ = installer.uv_setup({"SSL_CERT_FILE": "/own.pem"}, {"cert": "/ca.pem"})
    assert environment["SSL_CERT_FILE"] == "/own.pem"


def test_the_environment_beats_the_files_of_pip(installer: ModuleType) -> None:
    listing = ":env:.cert='/c'\nglobal.cert='/a'\ninstall.cert='/b'\nglobal.index-url='https://x'"
    assert installer.parse_pip_settings(listing) == {"cert": "/c", "index-url": "https://x"}


@pytest.mark.skipif(shutil.which("make") is None, reason="no make on this machine")
def test_a_wrong_python_is_refused_in_one_line_with_the_remedy(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("make", "sh"):
        (tools / name).symlink_to(Path(shutil.which(name) or "").resolve())
    old = tools / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo Python 3.9.2 && exit 0\nexit 1\n', "utf-8")
    old.chmod(0o755)
    for name in ("Makefile", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    answer = subprocess.run(
        ["make", "run"],
        cwd=tmp_path,
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    first, *rest = answer.stderr.splitlines()
    assert first.startswith("Kinora needs Python 3.11, 3.12 or 3.13; python3 is Python 3.9.2.")
    assert "apt install python3 python3-venv" in first
    assert [line for line in rest if not line.startswith("make")] == []
    assert answer.returncode != 0

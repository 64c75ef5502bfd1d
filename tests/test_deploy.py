"""What an installation is put up by says what the program understands, and names what is there."""

from __future__ import annotations

import ast
import configparser
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from settings import FOREIGN_PREFIXES, Settings
from tests.test_architecture import MAY_IMPORT

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
UNITS = ("kinora-web@.service", "kinora-worker@.service")
PROGRAMS = {"web", "worker", "manage", "demo"}
#: Names of programs beside Kinora that read the same environment.
NOT_OURS = {"FORWARDED_ALLOW_IPS", "PYTHONUNBUFFERED"}
#: What people give compose, and only its own containers use.
OF_COMPOSE = {"POSTGRES_PASSWORD", "S3_SECRET"}
SETTINGS = {field.upper() for field in Settings.model_fields}


def strangers(names: set[str]) -> set[str]:
    """The names that the program would not know."""
    unknown = names - SETTINGS - NOT_OURS
    return {name for name in unknown if not name.startswith(FOREIGN_PREFIXES)}


def names_in(path: Path) -> set[str]:
    """Every NAME= of a file of settings, those in comments too."""
    return set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", path.read_text("utf-8"), re.MULTILINE))


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=True, interpolation=None)
    # systemd's names have capitals that count.
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(DEPLOY / name, "utf-8")
    return parser


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def ours(compose: dict[str, Any]) -> dict[str, Any]:
    """The containers that servers and workers run in."""
    services = compose["services"].items()
    return {name: one for name, one in services if name.startswith(("web", "worker"))}


@pytest.mark.parametrize("name", ["install.sh", "kinora"])
def test_the_scripts_are_understood_by_their_shells(name: str) -> None:
    path = DEPLOY / name
    shell = "bash" if "bash" in path.read_text("utf-8").splitlines()[0] else "sh"
    assert subprocess.run([shell, "-n", path], check=False, timeout=20).returncode == 0
    assert path.stat().st_mode & 0o111


def test_the_settings_of_a_machine_are_settings() -> None:
    assert strangers(names_in(DEPLOY / "kinora.env")) == set()
    assert "CHAINLIT_AUTH_SECRET" in names_in(DEPLOY / "kinora.env")


def test_what_compose_asks_people_for_is_used_and_is_there(compose: dict[str, Any]) -> None:
    text = (ROOT / "compose.yaml").read_text("utf-8")
    used = set(re.findall(r"\$\{([A-Z0-9_]+)", text))
    assert used == names_in(DEPLOY / "compose.env.example")
    assert strangers(used - OF_COMPOSE) == set()


def test_the_environments_of_the_containers_are_settings(ours: dict[str, Any]) -> None:
    assert len(ours) == 4
    for name, service in ours.items():
        assert strangers(set(service["environment"])) == set(), name


def test_all_processes_of_an_installation_share_what_they_must(ours: dict[str, Any]) -> None:
    for setting in (
        *("CHAINLIT_AUTH_SECRET", "DATABASE_URL", "STORAGE_URL", "DEMO_BASE_URL", "PUBLIC_URL"),
        *("AWS_ENDPOINT_URL", "OPENAI_API_KEY", "RUNPOD_API_KEY"),
    ):
        values = {service["environment"][setting] for service in ours.values()}
        assert len(values) == 1, setting


def test_servers_leave_the_work_to_workers_and_everybody_has_time_to_stop(
    ours: dict[str, Any],
) -> None:
    for name, service in ours.items():
        is_server = name.startswith("web")
        assert service["stop_grace_period"] == "160s"
        assert service["environment"].get("WORKER") == ("off" if is_server else None)
        assert ("front" in service["networks"]) == is_server


def test_compose_names_what_it_defines(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for needed, how in service.get("depends_on", {}).items():
            other = compose["services"][needed]
            if how["condition"] == "service_healthy":
                assert "healthcheck" in other or other["image"] == "kinora:local", name
                assert not other.get("healthcheck", {}).get("disable"), name
        assert set(service.get("networks", [])) <= set(compose["networks"])
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in compose["volumes"] or (ROOT / source).exists(), volume
        if service["image"] == "kinora:local":
            assert service["command"][0] == "kinora"
            assert service["command"][1] in PROGRAMS


@pytest.mark.parametrize("name", UNITS)
def test_the_units_start_what_is_there_and_give_it_time(name: str) -> None:
    service = unit(name)["Service"]
    program, what, *_ = service["ExecStart"].split()
    assert (ROOT / program.removeprefix("/opt/kinora/current/")).is_file()
    assert what in PROGRAMS
    assert service["TimeoutStopSec"] == "160"
    assert service["KillMode"] == "mixed"
    assert service["EnvironmentFile"] == "/etc/kinora/kinora.env"


def test_server_and_worker_are_confined_alike() -> None:
    web, worker = (dict(unit(name)["Service"]) for name in UNITS)
    for apart in ("ExecStart", "CacheDirectory", "CacheDirectoryMode"):
        web.pop(apart, None)
        worker.pop(apart, None)
    assert web == worker


def test_the_programs_of_the_starter_are_there() -> None:
    text = (DEPLOY / "kinora").read_text("utf-8")
    assert set(re.findall(r"^    ([a-z]+)\)", text, re.MULTILINE)) == PROGRAMS
    for file in re.findall(r"\$here/([a-z_]+\.py)", text):
        assert (ROOT / file).is_file()
    assert (ROOT / "emulators/__main__.py").is_file()


def test_the_image_is_made_by_the_installer_and_holds_no_secret() -> None:
    text = (ROOT / "Dockerfile").read_text("utf-8")
    assert "/source/deploy/install.sh --code-only" in text
    for sources in re.findall(r"^(?:COPY|ADD) (.+) \S+$", text, re.MULTILINE):
        assert all((ROOT / one).exists() for one in sources.split())
    assert "USER 10001:10001" in text
    assert not {name for name in SETTINGS if re.search(rf"\b{name}=", text)} - {"DATA_DIR"}
    commands = [json.loads(found) for found in re.findall(r"CMD (\[.+\])", text)]
    ast.parse(commands[0][2])
    assert commands[1] == ["kinora", "web"]
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split()
    assert {".git", ".env", ".env.*", ".data", "deploy/compose.env"} <= set(ignored)


def test_the_balancers_look_at_readiness_and_keep_a_visitor_at_one_server() -> None:
    caddy = (DEPLOY / "Caddyfile").read_text("utf-8")
    haproxy = (DEPLOY / "haproxy.cfg").read_text("utf-8")
    assert "lb_policy cookie" in caddy
    assert "health_uri /readyz" in caddy
    assert "cookie kinora_server insert" in haproxy
    assert "httpchk GET /readyz" in haproxy


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash on this machine")
def test_a_release_has_every_room_and_nothing_of_a_persons_own(tmp_path: Path) -> None:
    source, out = tmp_path / "source", tmp_path / "files"
    copied = shutil.ignore_patterns(".git", ".venv*", ".uv", ".data", "__pycache__", ".*_cache")
    shutil.copytree(ROOT, source, ignore=copied, symlinks=True)
    for secret in (".env", "deploy/compose.env", ".data/secret"):
        (source / secret).parent.mkdir(exist_ok=True)
        (source / secret).write_text("x", "utf-8")
    script = (source / "deploy/install.sh").read_text("utf-8")
    listing = re.search(r"^listing\(\) \{.*?^\}$", script, re.MULTILINE | re.DOTALL)
    assert listing
    says = f'source={source}; has() {{ false; }}\n{listing[0]}\nlisting | tr "\\0" "\\n" >{out}\n'
    subprocess.run(["bash", "-euc", says], check=True, timeout=60)
    files = set(out.read_text("utf-8").splitlines())
    rooms = {file.split("/")[0].removesuffix(".py") for file in files}
    assert set(MAY_IMPORT) <= rooms
    assert {".chainlit/config.toml", ".ci/install.py", "requirements.lock"} <= files
    assert not {file for file in files if file.startswith((".env", ".data", ".git/", "tests/"))} - {
        ".env.example"
    }
    assert "deploy/compose.env" not in files

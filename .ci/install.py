"""Make an environment hold what its lock file says: by uv where it can be had, else by plain pip.

The Makefile calls this on a machine with nothing installed yet, so it needs Python 3.11-3.13 and
the standard library only. Everything fetched is checked against a hash: the packages, uv itself,
and (by uv) what builds the few packages that come as source.

uv reads none of pip's settings. Whoever has pip set up for a mirror or a wheel folder gets the
same for uv, unless uv is set up too (any UV_ variable about indexes).

    install.py runtime | dev             requirements.lock or requirements-dev.lock into .venv/
    install.py clients                   requirements-clients.lock into .venv-clients/
    install.py lock [uv's options]       requirements*.in into requirements*.lock
"""

from __future__ import annotations

import ast
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = {
    "runtime": "requirements.lock",
    "dev": "requirements-dev.lock",
    "clients": "requirements-clients.lock",
}
BUILD_LOCK = "requirements-build.lock"
#: Where a lock is installed, and the stamps that make goes by: dev contains runtime.
VENVS = {"runtime": ".venv", "dev": ".venv", "clients": ".venv-clients"}
STAMPS = {"runtime": ["runtime"], "dev": ["runtime", "dev"], "clients": ["clients"]}
OWN_UV = ".uv/bin/uv"
OWN_UV_PYTHON = ".uv/bin/python"
PATIENCE_S = 15
#: Any of these says that the person has told uv where packages come from.
UV_SOURCES = (
    "UV_DEFAULT_INDEX",
    "UV_INDEX",
    "UV_INDEX_URL",
    "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS",
    "UV_NO_INDEX",
    "UV_OFFLINE",
    "UV_CONFIG_FILE",
)
NO_VENV = (
    "This Python cannot make virtual environments ({missing} is missing). Debian, Ubuntu: apt "
    "install python3-venv; elsewhere: a complete Python, named by make PYTHON=/path/to/python3"
)


def main(arguments: list[str]) -> int:
    """Returns the exit code: 0 when the environment stands and its stamp is written."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    what, *options = arguments
    os.chdir(ROOT)
    if missing := missing_for_venv():
        return fail(NO_VENV.format(missing=missing))
    uv = find_uv()
    if what == "lock":
        return lock(uv, options)
    return install(uv, what)


def install(uv: str | None, what: str) -> int:
    """Bring its environment to the lock of `what` (runtime, dev, clients); write its stamps."""
    lock_file, venv, began = LOCKS[what], VENVS[what], time.monotonic()
    say(f"Installing {lock_file} into {venv}/; once, and on a slow line it takes minutes.")
    if not (uv and install_by_uv(uv, lock_file, venv)):
        say("Going on with pip, which takes about a minute more.")
        if not install_by_pip(lock_file, venv):
            return fail("The packages could not be installed; the lines above say why.")
    for stamp in STAMPS[what]:
        Path(venv, f".{stamp}").touch()
    say(f"Installed in {time.monotonic() - began:.0f} s.")
    return 0


def install_by_uv(uv: str, lock_file: str, venv: str) -> bool:
    """True when `venv` now holds exactly the lock's packages, no more and no less."""
    environment, flags = uv_setup(os.environ, pip_settings())
    python = f"{venv}/bin/python"
    make = [uv, "venv", "--quiet", "--clear", "--python", sys.executable, venv]
    if not works(python) and not run(make, environment):
        return False
    hashes = ["--require-hashes", "--require-build-hashes", "--build-constraints", BUILD_LOCK]
    sync = [uv, "pip", "sync", "--quiet", "--python", python, *flags, *hashes, lock_file]
    return run(sync, environment)


def install_by_pip(lock_file: str, venv: str) -> bool:
    """The same with pip alone, which never removes a package that the lock has dropped."""
    python = f"{venv}/bin/python"
    clear = [] if works(python) else ["--clear"]
    install = ["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
    return run([sys.executable, "-m", "venv", *clear, venv]) and run(
        [python, "-m", "pip", *install, "-r", lock_file]
    )


def find_uv() -> str | None:
    """uv from the PATH, else our own in `.uv/`, fetched with its hash; None without either."""
    if on_path := shutil.which("uv"):
        return on_path
    if works(OWN_UV):
        return OWN_UV
    say("Fetching uv into .uv/.")
    install = ["install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    fetched = run([sys.executable, "-m", "venv", "--clear", ".uv"]) and run(
        [OWN_UV_PYTHON, "-m", "pip", *install, "-r", BUILD_LOCK]
    )
    if fetched and works(OWN_UV):
        return OWN_UV
    say("uv cannot be had here.")
    return None


def lock(uv: str | None, options: list[str]) -> int:
    """Compile the locks: no addresses, for Python 3.11-3.13, runtime a subset of dev."""
    if uv is None:
        return fail("Locking needs uv.")
    environment, flags = uv_setup(os.environ, pip_settings())
    fixed = ["--no-config", "--universal", "--python-version", "3.11", "--generate-hashes"]
    bare = ["--no-annotate", "--no-header", "--quiet", *flags, *options]
    compile_ = [uv, "pip", "compile", *fixed, *bare]
    dev = LOCKS["dev"]
    done = (
        run([*compile_, "requirements-dev.in", "-o", dev], environment)
        and run([*compile_, "requirements.in", "-c", dev, "-o", LOCKS["runtime"]], environment)
        and run([*compile_, "requirements-clients.in", "-o", LOCKS["clients"]], environment)
        and run([*compile_, "requirements-build.in", "-o", BUILD_LOCK], environment)
    )
    return 0 if done else fail("The locks could not be compiled; the lines above say why.")


def uv_setup(
    environ: Mapping[str, str], pip: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Environment and flags for uv that mean what pip's settings mean to pip.

    pip treats all its indexes alike, uv stops at the first that knows a name: `unsafe-best-match`
    is pip's way, and safe here, where only files with a known hash are taken.
    """
    environment = {**environ, "UV_PYTHON_DOWNLOADS": "never"}
    if cert := pip.get("cert"):
        environment.setdefault("SSL_CERT_FILE", cert)
    if any(name in environ for name in UV_SOURCES):
        return environment, []
    names = {
        "index-url": "UV_DEFAULT_INDEX",
        "extra-index-url": "UV_INDEX",
        "find-links": "UV_FIND_LINKS",
        "trusted-host": "UV_INSECURE_HOST",
    }
    for pip_name, uv_name in names.items():
        if value := " ".join(pip.get(pip_name, "").split()):
            environment[uv_name] = value
    if "UV_INDEX" in environment:
        environment.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    no_index = pip.get("no-index", "").lower() in ("1", "true", "yes", "on")
    return environment, ["--no-index"] if no_index else []


def pip_settings() -> dict[str, str]:
    """What `pip install` would go by: its files and PIP_ variables, or these where pip is not."""
    for python in (sys.executable, OWN_UV_PYTHON):
        command = [python, "-m", "pip", "config", "list"]
        try:
            answer = subprocess.run(command, capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            continue
        return parse_pip_settings(answer.stdout)
    return {
        name[4:].lower().replace("_", "-"): value
        for name, value in os.environ.items()
        if name.startswith("PIP_")
    }


def parse_pip_settings(listing: str) -> dict[str, str]:
    """Lines like `global.cert='/ca.pem'`; `install.` beats `global.`, `:env:.` beats both."""
    settings: dict[str, str] = {}
    rows = [line.partition("=") for line in listing.splitlines() if "=" in line]
    for section in ("global.", "install.", ":env:."):
        for key, _, value in rows:
            if key.startswith(section):
                settings[key.removeprefix(section)] = str(ast.literal_eval(value))
    return settings


def missing_for_venv() -> str | None:
    """The module `python -m venv` lacks here (Debian ships it apart); uv on the PATH needs none."""
    if shutil.which("uv"):
        return None
    needed = ("venv", "ensurepip")
    return next((name for name in needed if importlib.util.find_spec(name) is None), None)


def works(program: str) -> bool:
    """A program can be there and be broken: a link to a Python that is gone, half a download."""
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, check=False)
    except OSError:
        return False
    return answer.returncode == 0


def run(command: list[str], environment: Mapping[str, str] | None = None) -> bool:
    """True on exit code 0. Says now and then that it goes on; stopped, it stops the child too."""
    began = time.monotonic()
    with subprocess.Popen(command, env=environment) as child:
        try:
            while True:
                try:
                    return child.wait(PATIENCE_S) == 0
                except subprocess.TimeoutExpired:
                    say(f"  still at it, {time.monotonic() - began:.0f} s")
        finally:
            child.terminate()


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def fail(line: str) -> int:
    say(line)
    return 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)

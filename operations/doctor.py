"""The doctor: says what is wrong with an installation, and what to do.

It opens what is needed to look and starts nothing that works: no engine, no painter, no page. With
an embedded database it starts that one, or joins it, for as long as it looks.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import httpx
import psycopg

from data_folder import place_of, prepare_data_dir
from db import jobs, migrate, readings
from db.connect import DATABASE_ERRORS, open_engine
from db.embedded import EmbeddedPostgres
from db.storages import Place, open_storage
from providers.catalogue import load_catalogue
from providers.configured import switched_on
from providers.models_file import ModelsFileError
from settings import Loaded, SettingsError, load
from shared_process import ServerUnavailable

FREE_BYTES_MIN = 1 << 30
ASK_S = 10.0
TRIAL = b"kinora"


class Finding(NamedTuple):
    """One line of the doctor; `remedy` is None when all is well."""

    about: str
    said: str
    remedy: str | None = None


def doctor() -> int:
    """Look at everything and print what was found; 0 when nothing is wrong."""
    try:
        loaded = load()
        data_dir = prepare_data_dir(loaded)
    except SettingsError as error:
        return report([Finding("settings", str(error), "mend it in .env or the environment")])
    except OSError as error:
        return report([Finding("data folder", str(error), "choose another DATA_DIR")])
    findings = [
        Finding("settings", f"{len(loaded.ignored)} ignored" if loaded.ignored else "understood"),
        *look_at_data_folder(data_dir),
        look_at_storage(loaded, data_dir),
        *look_at_catalogue(loaded),
        *look_at_keys(loaded),
        *look_at_database(loaded, data_dir),
    ]
    return report(findings)


def report(findings: list[Finding]) -> int:
    """Print the findings, a line each, and return the exit code."""
    for finding in findings:
        mark = "ok   " if finding.remedy is None else "WRONG"
        print(f"{mark} {finding.about}: {finding.said}")
        if finding.remedy is not None:
            print(f"      -> {finding.remedy}")
    wrong = sum(finding.remedy is not None for finding in findings)
    print("all is well" if not wrong else f"{wrong} wrong")
    return 1 if wrong else 0


def look_at_storage(loaded: Loaded, data_dir: Path) -> Finding:
    """Can a file be put where pictures and films lie, be read there, and be taken away?"""
    where = loaded.settings.storage_url or "the data folder"
    try:
        asyncio.run(try_storage(place_of(loaded, data_dir)))
    except OSError as error:
        remedy = "check STORAGE_URL, and for a bucket the AWS_ settings"
        return Finding("storage", f"{where}: {error}", remedy)
    return Finding("storage", where)


async def try_storage(place: Place) -> None:
    """Put, read, delete. Raises: OSError."""
    key = f"doctor/{secrets.token_hex(8)}.txt"
    async with open_storage(place) as storage:
        await storage.put_bytes(key, TRIAL)
        try:
            found = b"".join([chunk async for chunk in storage.read(key)])
        finally:
            await storage.delete(key)
    if found != TRIAL:
        raise OSError("what was read is not what was put there")


def look_at_data_folder(data_dir: Path) -> list[Finding]:
    """Can files be written, and is there room?"""
    try:
        with tempfile.TemporaryFile(dir=data_dir) as trial:
            trial.write(b"kinora")
        free = shutil.disk_usage(data_dir).free
    except OSError as error:
        return [Finding("data folder", f"{data_dir}: {error.strerror}", "choose another DATA_DIR")]
    said = f"{data_dir}, {free / 1e9:.1f} GB free"
    remedy = "free some room: films need it" if free < FREE_BYTES_MIN else None
    return [Finding("data folder", said, remedy)]


def look_at_catalogue(loaded: Loaded) -> list[Finding]:
    """Can every row of the catalogue be understood?"""
    try:
        catalogue = load_catalogue(loaded.settings.models_file)
    except ModelsFileError as error:
        return [Finding("catalogue", str(error), "mend MODELS_FILE (docs/models.md)")]
    return [Finding("catalogue", f"{len(catalogue.models)} models")]


def look_at_keys(loaded: Loaded) -> list[Finding]:
    """Do the servers that our keys are for know them? Nothing is generated, nothing is paid."""
    settings = loaded.settings
    findings = []
    if settings.openai_api_key or settings.openai_base_url:
        base = settings.openai_base_url or "https://api.openai.com/v1"
        key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else "none"
        bearer = {"Authorization": f"Bearer {key}"}
        at = f"{base}/models"
        findings.append(ask("chat model", at, bearer, "OPENAI_API_KEY, OPENAI_BASE_URL"))
    else:
        findings.append(Finding("chat model", "demo"))
    # The client is never used: only what would be asked is wanted here.
    for one in switched_on(settings, httpx.AsyncClient()):
        if one.question is not None and one.setting is not None:
            asked = one.question
            findings.append(ask(one.label, asked.url, asked.headers, one.setting.upper()))
    return findings


def ask(about: str, url: str, headers: Mapping[str, str], setting: str) -> Finding:
    """Ask one server a harmless question with our key, which stands in the headers."""
    if not all(value.isascii() and value.isprintable() for value in headers.values()):
        return Finding(about, "the key holds characters that no key has", f"check {setting}")
    try:
        answer = httpx.get(url, headers=dict(headers), timeout=ASK_S)
    except httpx.HTTPError as error:
        return Finding(about, f"not reached ({type(error).__name__})", f"check {setting}")
    # One company says 400 to a key it does not know.
    if answer.status_code in (400, 401, 403):
        return Finding(about, "the key is not accepted", f"check {setting}")
    return Finding(about, f"answers ({answer.status_code})")


def look_at_database(loaded: Loaded, data_dir: Path) -> list[Finding]:
    """Is it there, of this version, and do its workers take care of what is in it?"""
    configured = loaded.settings.database_url
    postgres = None if configured else EmbeddedPostgres(data_dir)
    remedy = "check DATABASE_URL" if configured else "see the data folder's postgres/server.log"
    try:
        url = configured.get_secret_value() if configured else postgres.enter() if postgres else ""
        missing = migrate.pending(url)
        if missing:
            return [Finding("migrations", "; ".join(missing), "start Kinora once: it applies them")]
        work = asyncio.run(look_at_work(url, is_off=loaded.settings.worker == "off"))
        return [Finding("database", "migrated"), *work]
    except (*DATABASE_ERRORS, psycopg.Error, ServerUnavailable) as error:
        return [
            Finding(
                "database",
                next(iter(str(error).strip().splitlines()), type(error).__name__),
                remedy,
            )
        ]
    finally:
        if postgres is not None:
            postgres.leave()


async def look_at_work(url: str, *, is_off: bool) -> list[Finding]:
    """Workers, the sweep, and what is under way. `is_off`: starting the server brings no worker."""
    engine = open_engine(url)
    try:
        async with engine.connect() as connection:
            alive = await jobs.workers_alive(connection)
            stalled = await jobs.stalled(connection)
            open_ = await readings.count_in_flight(connection)
    finally:
        await engine.dispose()
    under_way = sum(count for status, count in open_.items() if status != "unknown")
    idle = stuck = None
    if not alive and is_off:
        idle = "start one, here or on another machine: make worker (WORKER=off)"
    elif not alive and under_way:
        idle = "start Kinora: nobody drives them"
    if stalled and alive:
        stuck = f"restart {'the workers' if is_off else 'Kinora'}: the sweep does not run"
    undecided = open_.get("unknown", 0)
    said = ", ".join(f"{count} {status}" for status, count in sorted(open_.items())) or "none"
    return [
        Finding("workers", f"{alive} alive", idle),
        Finding("sweep", f"{stalled} calls stalled", stuck),
        Finding("generations under way", said),
        *([Finding("undecided", f"{undecided} wait for Try again or Drop")] if undecided else []),
    ]

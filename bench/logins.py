"""What a login costs, and what two hundred wrong ones at once do to a server and to everybody else.

Two storms come upon a real server in password mode: all on one account, as somebody does who
guesses, and then each on another, which costs more. Meanwhile its health is asked every ten
milliseconds: how much later than usual it answers is how long its event loop was held up, or had no
core to run on. During the first storm somebody else logs in from the same address.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx

from accounts.passwords import Passwords
from bench.memory import cpu_s
from bench.place import AS_A_PERSON
from bench.report import Figure
from tests.house import Served
from tests.people import PASSWORD, add_account, serve_people

STORM = 200
CALM_S = 3.0
PATIENCE_S = 120.0
VICTIM, OTHER = "victim@example.org", "other@example.org"


@dataclass(slots=True, kw_only=True)
class Storm:
    """What was seen while something went on."""

    took_s: float = 0.0
    cpu_s: float = 0.0
    answers: Counter[int] = field(default_factory=Counter)
    probes_ms: list[float] = field(default_factory=list)
    other_s: float = 0.0


async def logins(folder: Path, url: str, demo_url: str, rounds: int) -> list[Figure]:
    """The hash alone, then the storms."""
    figures = await hash_figures(rounds)
    for email in (VICTIM, OTHER):
        await add_account(url, email)
    settings = {"DATABASE_URL": url, "DEMO_BASE_URL": demo_url, **AS_A_PERSON}
    async with serve_people(folder, **settings) as served:
        calm = await watched(served, lambda _: asyncio.sleep(CALM_S))
        one = await watched(served, partial(try_all, served.url, [VICTIM] * STORM))
        strangers = [f"nobody{number}@example.org" for number in range(STORM)]
        many = await watched(served, partial(try_all, served.url, strangers))
    figures += calm_figures(calm)
    return figures + storm_figures("one account", one) + storm_figures("as many accounts", many)


async def hash_figures(rounds: int) -> list[Figure]:
    """Checking a password, as it is done at each login, one at a time."""
    passwords = Passwords()
    stored = await passwords.hash(PASSWORD)
    wall_ms, cpu_ms = [], []
    for _ in range(rounds):
        began, cpu = time.perf_counter(), time.process_time()
        if not await passwords.fits(PASSWORD, stored):
            raise RuntimeError("the right password was refused")
        wall_ms.append((time.perf_counter() - began) * 1000)
        cpu_ms.append((time.process_time() - cpu) * 1000)
    # The PHC string names what it was made with: `$argon2id$v=19$m=65536,t=3,p=4$...`.
    kib = int(stored.split("$")[3].split(",")[0].removeprefix("m="))
    return [
        Figure(name="a password checked", unit="ms", rounds=wall_ms),
        Figure(name="a password checked: CPU", unit="ms", rounds=cpu_ms),
        Figure(name="a password checked: memory", unit="MiB", rounds=[kib / 1024]),
    ]


async def watched(served: Served, doing: Callable[[Storm], Awaitable[None]]) -> Storm:
    """Do something, and have another process ask after the server's health meanwhile."""
    storm, pipe = Storm(), asyncio.subprocess.PIPE
    probe = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.health_probe", served.url), stdin=pipe, stdout=pipe
    )
    if probe.stdin is None or probe.stdout is None:
        raise RuntimeError("the probe has no pipes")
    await probe.stdout.readline()
    began, cpu = time.perf_counter(), cpu_s(served.process.pid)
    await doing(storm)
    storm.took_s = time.perf_counter() - began
    storm.cpu_s = cpu_s(served.process.pid) - cpu
    probe.stdin.close()
    storm.probes_ms += json.loads(await probe.stdout.read())
    await probe.wait()
    return storm


async def try_all(url: str, emails: list[str], storm: Storm) -> None:
    """Send every wrong password at once, and somebody else's right one behind the first storm."""
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(
        base_url=url, trust_env=False, timeout=PATIENCE_S, limits=limits
    ) as client:

        async def attempt(email: str, password: str) -> int:
            said = {"username": email, "password": password}
            return (await client.post("/login", data=said)).status_code

        async def other() -> None:
            began = time.perf_counter()
            if await attempt(OTHER, PASSWORD) != 200:
                raise RuntimeError("somebody else could not log in")
            storm.other_s = time.perf_counter() - began

        tries = [attempt(email, "wrong, all of them") for email in emails]
        if emails[0] == VICTIM:
            answers, _ = await asyncio.gather(asyncio.gather(*tries), other())
        else:
            answers = await asyncio.gather(*tries)
        storm.answers.update(answers)


def calm_figures(calm: Storm) -> list[Figure]:
    """What the probes see when nothing goes on."""
    return [
        Figure(name="health, calm: median", unit="ms", rounds=[statistics.median(calm.probes_ms)]),
        Figure(name="health, calm: longest", unit="ms", rounds=[max(calm.probes_ms)]),
    ]


def storm_figures(name: str, storm: Storm) -> list[Figure]:
    """What one storm did."""
    name = f"{STORM} wrong logins, {name}"
    figures = [
        Figure(name=f"{name}: answered {status}", unit="", rounds=[count])
        for status, count in sorted(storm.answers.items())
    ]
    figures += [
        Figure(name=f"{name}: took", unit="s", rounds=[storm.took_s]),
        Figure(name=f"{name}: CPU", unit="s", rounds=[storm.cpu_s]),
        Figure(
            name=f"{name}: health, median", unit="ms", rounds=[statistics.median(storm.probes_ms)]
        ),
        Figure(name=f"{name}: health, longest", unit="ms", rounds=[max(storm.probes_ms)]),
    ]
    if storm.other_s:
        figures.append(Figure(name=f"{name}: another's login", unit="s", rounds=[storm.other_s]))
    return figures

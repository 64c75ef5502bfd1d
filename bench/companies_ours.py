"""Our side of `bench.companies`: the adapters as an installation opens them, and the runtime.

... python -m bench.companies_ours polls COUNT
DATABASE_URL=... python -m bench.companies_ours mixed COUNT
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import uvloop

from bench.companies_place import BY_MODEL, COMPANIES, OURS, PLAIN, Company
from bench.generations_place import say
from generations.contract import Caller, Wanted
from logs import configure_logging
from providers.catalogue import load_catalogue
from providers.configured import switched_on
from providers.contract import Job, Provider, Request, Route, Running, Waiting
from providers.transport import open_client
from runtime import Runtime, open_runtime
from settings import Loaded, load

ROUNDS = 4
AT_ONCE = 8
#: So many are drawn at the same time; whatever comes after them waits.
PICTURES_AT_WORK, FILMS_AT_WORK = 4, 2
READY_S, PATIENCE_S, LOOK_S = 30.0, 600.0, 0.1
#: A film takes the painters as long as many pictures.
FILM_EVERY = 20
#: A look at a running one lasts as long as we listen to its websocket, so there are fewer.
LISTENING_SHARE = 10
WARM_UP = 8
Poll = Callable[[], Awaitable[object]]


class Looks:
    """Jobs that wait, and some of ComfyUI's that run, for as long as the painters are held."""

    def __init__(self, loaded: Loaded, client: httpx.AsyncClient) -> None:
        self._client = client
        self._opened = switched_on(loaded.settings, client)
        self._providers = {one.provider.name: one.provider for one in self._opened}
        self._catalogue = load_catalogue(loaded.settings.models_file)

    async def aclose(self) -> None:
        """Close what they have opened for themselves."""
        for one in self._opened:
            if one.aclose is not None:
                await one.aclose()

    async def begin(self, company: Company) -> tuple[Provider, Route, Job]:
        """Submit a job."""
        route = self._catalogue.find(company.model)[0].routes[0]
        shape: dict[str, Any] = (
            {"aspect_ratio": "16:9", "duration_s": 1}
            if company.kind == "video"
            else {"width_px": 64, "height_px": 64}
        )
        request = Request(kind=company.kind, prompt="a red fox", **shape)
        provider = self._providers[company.provider]
        job = await provider.submit(route, request, key=f"{uuid4()}-1")
        assert isinstance(job, Job)
        return provider, route, job

    async def bare(self, poll: Poll, plain: httpx.AsyncClient) -> dict[str, Poll]:
        """The same requests as a look sends, and their JSON read: by plain httpx, and by the client
        that the adapters have.
        """
        sent: list[httpx.Request] = []

        async def note(request: httpx.Request) -> None:
            sent.append(request)

        self._client.event_hooks = {"request": [note]}
        await poll()
        self._client.event_hooks = {}

        async def ask(client: httpx.AsyncClient) -> object:
            answers = [await client.get(one.url, headers=one.headers) for one in sent]
            return [json.loads(answer.content) for answer in answers]

        return {PLAIN: partial(ask, plain), OURS: partial(ask, self._client)}


async def cpu_ms(poll: Poll, count: int) -> float:
    """The CPU of this process for each of so many."""
    began = time.process_time()
    share, more = divmod(count, AT_ONCE)

    async def some(number: int) -> None:
        for _ in range(share + (number < more)):
            await poll()

    await asyncio.gather(*(some(number) for number in range(AT_ONCE)))
    return (time.process_time() - began) / count * 1000


async def until_running(provider: Provider, route: Route, job: Job) -> None:
    """Return when the job is at work. Raises: TimeoutError."""
    async with asyncio.timeout(READY_S):
        while not isinstance(await provider.poll(route, job), Running):  # noqa: ASYNC110 - a look
            await asyncio.sleep(LOOK_S)


async def polls(loaded: Loaded, count: int) -> dict[str, list[float]]:
    """Each company's look at a job that waits, beside bare requests for the same bytes."""
    emulator = str(loaded.settings.demo_base_url)
    async with AsyncExitStack() as stack:
        plain = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=30))
        (await plain.post(f"{emulator}/_control", json={"hold": True})).raise_for_status()
        looks = Looks(loaded, await stack.enter_async_context(open_client()))
        stack.push_async_callback(looks.aclose)
        at_work = [await looks.begin(BY_MODEL["comfyui"]) for _ in range(PICTURES_AT_WORK)]
        for film in [await looks.begin(BY_MODEL["gemini-film"]) for _ in range(FILMS_AT_WORK)]:
            await until_running(*film)
        for prompt in at_work:
            await until_running(*prompt)
        took: dict[str, list[float]] = {}
        for company in (one for one in COMPANIES if one.has_jobs):
            provider, route, job = await looks.begin(company)

            async def poll(
                provider: Provider = provider, route: Route = route, job: Job = job
            ) -> None:
                assert isinstance(await provider.poll(route, job), Waiting | Running)

            ways = {"": poll, **await looks.bare(poll, plain)}
            for at, (way, one) in itertools.product(range(ROUNDS + 1), ways.items()):
                measured = await cpu_ms(one, count // ROUNDS if at else AT_ONCE)
                if at:  # the first opens the connections
                    took.setdefault(f"{company.model}{way}", []).append(measured)
        took["comfyui, listening"] = [
            await listening(at_work, count // LISTENING_SHARE // ROUNDS) for _ in range(ROUNDS)
        ]
        return took


async def listening(at_work: Sequence[tuple[Provider, Route, Job]], count: int) -> float:
    """The CPU of a look at a running prompt, its websocket included."""
    began, each = time.process_time(), max(1, count // len(at_work))

    async def some(provider: Provider, route: Route, job: Job) -> None:
        for _ in range(each):
            await provider.poll(route, job)

    await asyncio.gather(*(some(*one) for one in at_work))
    return (time.process_time() - began) / (each * len(at_work)) * 1000


def company_of(number: int) -> Company:
    """Whose turn it is: all in turn, and now and then a film."""
    if number % FILM_EVERY == FILM_EVERY - 1:
        return BY_MODEL["gemini-film"]
    pictures = [company for company in COMPANIES if company.kind == "image"]
    return pictures[number % len(pictures)]


async def accept(runtime: Runtime, numbers: Sequence[int], prompt: str) -> None:
    """Have these accepted."""
    doors = asyncio.Semaphore(AT_ONCE)
    caller = Caller(user_id=runtime.local_user_id)

    async def one(company: Company) -> None:
        async with doors:
            await runtime.admission.submit(
                caller, Wanted(kind=company.kind, prompt=prompt, model=company.model)
            )

    await asyncio.gather(*(one(company_of(number)) for number in numbers))


async def ended(eye: asyncpg.Connection, prompt: str, count: int) -> dict[str, int]:
    """How many ended in which way, once that many have. Raises: TimeoutError."""
    query = "select status, count(*) from kinora.generations where prompt = $1 group by status"
    ends = ("completed", "failed", "cancelled", "unknown")
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found = {status: number for status, number in await eye.fetch(query, prompt)}
            if sum(found.get(end, 0) for end in ends) >= count:
                return found
            await asyncio.sleep(LOOK_S)


async def mixed(loaded: Loaded, count: int) -> dict[str, float]:
    """So many generations of all companies at once, in this one process."""
    assert loaded.settings.database_url is not None
    eye = await asyncpg.connect(loaded.settings.database_url.get_secret_value())
    emulator = str(loaded.settings.demo_base_url)
    async with (
        open_runtime(loaded) as runtime,
        httpx.AsyncClient(trust_env=False, timeout=30) as plain,
    ):

        async def submits() -> int:
            return int((await plain.get(f"{emulator}/_ledger")).json()["totals"]["submits"])

        await accept(runtime, range(WARM_UP), "warm")
        await ended(eye, "warm", WARM_UP)
        before, began, cpu = await submits(), time.monotonic(), time.process_time()
        await accept(runtime, range(count), "mixed")
        accepted_s = time.monotonic() - began
        found = await ended(eye, "mixed", count)
        makespan_s, cpu_s = time.monotonic() - began, time.process_time() - cpu
        sent = await submits() - before
    await eye.close()
    return {
        "makespan_s": makespan_s,
        "accepted_s": accepted_s,
        "cpu_ms": cpu_s / count * 1000,
        "completed": found.get("completed", 0),
        "submits": sent,
    }


async def main(what: str, count: int) -> None:
    """Measure, and print it as JSON."""
    loaded = load()
    configure_logging("json")
    say(await (polls if what == "polls" else mixed)(loaded, count))


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2])))

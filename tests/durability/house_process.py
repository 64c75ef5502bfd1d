"""A house in a process of its own that may be killed: it takes orders as lines, and works.

    python -m tests.durability.house_process '<json>'

The first line it says is `{"ready": true}`; an order `{"key": ..., "model": ..., "prompt": ...,
"seed": ...}` is answered by `{"key": ..., "id": ...}` once it is accepted, else by an `error`.
`constants` lets a test shorten waits in this process alone: `{"generations.engine.FROZEN_S": 3}`.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import importlib
import json
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from procrastinate.worker import Worker

from db.connect import DATABASE_ERRORS
from generations import collecting
from generations.contract import Repeat, Wanted
from providers import transport
from providers.sink import FETCH_LIMITS
from runtime import Runtime
from tests.house import local, open_house


def found(place: str, value: Any) -> tuple[Any, str, Any]:
    """Whose attribute of which name becomes what; three names of ours are no plain constants."""
    match place:
        case "heartbeat_s":
            often = functools.partialmethod(Worker.__init__, update_heartbeat_interval=value)
            return Worker, "__init__", often
        case "patience_s":
            image = replace(FETCH_LIMITS["image"], patience_s=value)
            return collecting, "FETCH_LIMITS", {**FETCH_LIMITS, "image": image}
        case "read_s":
            return transport, "Limits", functools.partial(transport.Limits, read_s=value)
    module, _, name = place.rpartition(".")
    owner = importlib.import_module(module)
    if not hasattr(owner, name):
        raise AttributeError(place)
    return owner, name, value


def set_constants(constants: dict[str, Any]) -> None:
    """Change constants of modules, of the engine's worker, and of downloads."""
    for place, wanted in constants.items():
        owner, name, value = found(place, wanted)
        setattr(owner, name, value)


def say(**words: Any) -> None:
    """One line to whoever started us."""
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


async def take(house: Runtime, order: dict[str, Any]) -> None:
    """Accept one order; its key makes it one however often it is said."""
    key = order["key"]
    wanted = Wanted(kind="image", prompt=order["prompt"], model=order["model"], seed=order["seed"])
    repeat = Repeat(key=key, request_sha256=hashlib.sha256(key.encode()).digest())
    try:
        reading = await house.admission.submit(local(house, repeat=repeat), wanted)
    except DATABASE_ERRORS as error:
        say(key=key, error=type(error).__name__)
    else:
        say(key=key, id=reading["id"])


async def read_orders() -> asyncio.StreamReader:
    """Our standard input."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def main(how: dict[str, Any]) -> None:
    """Live until standard input ends, or SIGTERM asks for the end."""
    set_constants(how["constants"])
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    async with open_house(
        how["database_url"], how["demo_url"], Path(how["folder"]), **how["settings"]
    ) as house:
        say(ready=True)
        orders = await read_orders()
        reading = asyncio.create_task(take_all(house, orders))
        asked = asyncio.create_task(told.wait())
        await asyncio.wait({reading, asked}, return_when=asyncio.FIRST_COMPLETED)
        reading.cancel()
        asked.cancel()


async def take_all(house: Runtime, orders: asyncio.StreamReader) -> None:
    """Every order that comes, side by side."""
    async with asyncio.TaskGroup() as group:
        while line := await orders.readline():
            group.create_task(take(house, json.loads(line)))


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))

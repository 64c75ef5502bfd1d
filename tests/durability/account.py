"""The account of a run: what was accepted, what became of it, and what the provider says of it."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from PIL import Image

from generations.lifecycle import MOVES
from tests.demo_process import Demo
from tests.durability.book import Book
from tests.durability.routes import ENDPOINT

COST_USD = Decimal("0.0003")
AT_ONCE = 20
#: The provider of the routes that carry a key.
KEYED_AT = "demo"
LEGAL = frozenset((str(old), str(new)) for old, news in MOVES.items() for new in news)


@dataclass(kw_only=True)
class Account:
    """What is wrong stands in lists, which are empty when all is well."""

    accepted: int
    statuses: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    #: Acknowledged, and not in the database, or not settled.
    lost: list[str] = field(default_factory=list)
    #: In the database, though nobody was told: a request accepted twice.
    surplus: list[str] = field(default_factory=list)
    #: Accepted by the provider more than once.
    doubled: list[str] = field(default_factory=list)
    #: Completed, but not with one whole picture and its row; or not completed, with one.
    broken: list[str] = field(default_factory=list)
    #: Paid for, but the cost was not written exactly once.
    cost_wrong: list[str] = field(default_factory=list)
    #: Moves that the chart does not have.
    moves_wrong: list[str] = field(default_factory=list)
    #: Files in their places that no row knows.
    strays: list[str] = field(default_factory=list)
    #: Files that a killed process was writing; they are no results, and go with a later start.
    unfinished: int = 0
    submit_requests: int = 0
    #: Accepted by the provider, of each generation.
    submits: Counter[str] = field(default_factory=Counter)

    @property
    def unknown(self) -> int:
        return self.statuses["unknown"]

    def figures(self) -> dict[str, Any]:
        """For the table."""
        return {
            "accepted": self.accepted,
            "lost": len(self.lost),
            "duplicate submits": len(self.doubled),
            "unknown": self.unknown,
            "completed": self.statuses["completed"],
            "unfinished files": self.unfinished,
        }

    def wrong(self) -> dict[str, list[str]]:
        """Every promise that is broken, with those concerned."""
        lists = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: found for name, found in lists.items() if isinstance(found, list) and found}


async def account(
    book: Book,
    demo: Demo,
    files: Path,
    acknowledged: Mapping[str, str],
    jobs_before: frozenset[str],
) -> Account:
    """Read the database, the files and the provider's ledger, and hold them against each other."""
    query = """
        select id::text, status, error_code, provider, (params ->> 'seed')::bigint
        from kinora.generations
    """
    rows = {row[0]: row[1:] for row in await book.fetch(query)}
    ids = set(acknowledged.values())
    told = Account(accepted=len(acknowledged))
    told.surplus = sorted(set(rows) - ids)
    if len(ids) < len(acknowledged):
        told.surplus.append("two orders under one id")
    told.statuses = Counter(row[0] for row in rows.values())
    told.codes = Counter(row[1] for row in rows.values() if row[1])
    settled = {one for one, row in rows.items() if row[0] in ("completed", "failed", "unknown")}
    told.lost = sorted(ids - settled)
    ledger = (await demo.client.get("/_ledger")).json()
    seeds = {row[3]: one for one, row in rows.items() if row[2] != KEYED_AT}
    submits = submits_by_key(ledger["generations"], told, set(rows) - set(seeds.values()))
    submits |= await submits_by_seed(demo, ledger["unkeyed"], told, seeds, jobs_before)
    told.submits = submits
    told.doubled += [one for one, count in submits.items() if count > 1]
    done = {one for one, row in rows.items() if row[0] == "completed"}
    told.broken += [f"{one} was never sent" for one in done if submits[one] == 0]
    await check_files(book, files, told, done)
    await check_moves(book, told, done)
    return told


def submits_by_key(
    pages: Mapping[str, dict[str, Any]], told: Account, ids: set[str]
) -> Counter[str]:
    """How often the provider accepted each, by its key."""
    told.submit_requests += sum(pages[one]["submit_requests"] for one in ids if one in pages)
    told.doubled += [one for one in ids if one in pages and len(pages[one]["jobs"]) > 1]
    return Counter({one: pages[one]["submits"] for one in ids if one in pages})


async def submits_by_seed(
    demo: Demo,
    pages: Sequence[dict[str, Any]],
    told: Account,
    seeds: Mapping[int, str],
    jobs_before: frozenset[str],
) -> Counter[str]:
    """How often the provider accepted each, by the seed in what it made of every job."""
    new = [page for page in pages if not {job["id"] for job in page["jobs"]} & jobs_before]
    jobs = [job["id"] for page in new for job in page["jobs"]]
    told.submit_requests += sum(page["submit_requests"] for page in new)
    gate = asyncio.Semaphore(AT_ONCE)

    async def seed_of(job: str) -> int:
        async with gate:
            await demo.until(job, "finished")
            answer = await demo.client.get(
                f"/v2/{ENDPOINT}/status/{job}", headers={"Authorization": "Bearer any"}
            )
        return int(answer.json()["output"]["images"][0]["seed"])

    found = await asyncio.gather(*map(seed_of, jobs))
    told.doubled += [f"a job of seed {seed} is nobody's" for seed in found if seed not in seeds]
    return Counter(seeds[seed] for seed in found if seed in seeds)


async def check_files(book: Book, files: Path, told: Account, done: set[str]) -> None:
    """Every completed one has exactly one picture, whole; nobody else has any."""
    query = """
        select generation_id::text, storage_key, thumbnail_key, size_bytes, sha256, width_px
        from kinora.assets where generation_id is not null
    """
    found = await book.fetch(query)
    counts = Counter(row[0] for row in found)
    told.broken += [f"{one} has {counts[one]} files" for one in done if counts[one] != 1]
    told.broken += [f"{one} has files, not completed" for one in counts if one not in done]
    known = set[Path]()
    for one, key, small_key, size_bytes, sha256, width_px in found:
        known |= {files / key, files / small_key}
        paths = files / key, files / small_key
        whole = await asyncio.to_thread(is_whole, *paths, size_bytes, sha256, width_px)
        if not whole:
            told.broken.append(f"{one}: {key} is not whole")
    there, unfinished = await asyncio.to_thread(files_in, files)
    told.strays = sorted(str(path) for path in there - known)
    told.unfinished = len(unfinished)


def files_in(files: Path) -> tuple[set[Path], list[Path]]:
    """Those in their places, and those on their way there."""
    there = {path for path in files.glob("generations/**/*") if path.is_file()}
    return there, list(files.glob(".scratch/*"))


def is_whole(path: Path, small: Path, size_bytes: int, sha256: str, width_px: int) -> bool:
    """Whether the bytes are those that were noted, and a picture, and there is a small one."""
    try:
        with Image.open(small) as picture:
            picture.load()
        data = path.read_bytes()
        with Image.open(path) as picture:
            picture.load()
            width = picture.width
    except OSError:
        return False
    return (len(data), hashlib.sha256(data).hexdigest(), width) == (size_bytes, sha256, width_px)


async def check_moves(book: Book, told: Account, done: set[str]) -> None:
    """Only arrows of the chart; completed once, and its cost written once, in row and attempt."""
    seen = await book.fetch("select id::text, what, old, new from public.seen")
    moves = [(one, old, new) for one, what, old, new in seen if what == "status"]
    told.moves_wrong = sorted(
        {f"{old} -> {new}" for _, old, new in moves if (old, new) not in LEGAL}
    )
    ends = Counter(one for one, _, new in moves if new == "completed")
    told.broken += [f"{one} was completed {ends[one]} times" for one in done if ends[one] != 1]
    writes = Counter(one for one, what, _, _ in seen if what == "cost")
    query = """
        select g.id::text, g.cost_actual_usd, array_agg(a.cost_actual_usd)
        from kinora.generations g join kinora.attempts a on a.generation_id = g.id group by g.id
    """
    for one, cost_usd, costs_usd in await book.fetch(query):
        if one in done and (writes[one], cost_usd, costs_usd) != (1, COST_USD, [COST_USD]):
            told.cost_wrong.append(f"{one}: {writes[one]} writes, {cost_usd}, {costs_usd}")

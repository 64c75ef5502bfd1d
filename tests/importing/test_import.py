"""Both old systems arrive: every row has a fate, everything stands under its owner and in its
place, and a second run finds nothing to do.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from db.connect import open_engine
from db.ids import new_id
from operations import people
from tests.demo_process import Demo
from tests.importing.moving import Moving, hashes_of, old_systems
from tests.old_systems.superduper import Files
from tests.people import add_account

OWNED_BY_OTHERS = """
    select count(*) from kinora.elements e join kinora.threads t on t.id = e.thread_id
    left join kinora.generations g on g.id = e.generation_id
    left join kinora.assets a on a.id = e.asset_id
    where t.user_id <> coalesce(g.user_id, a.user_id)
"""


@pytest.fixture
def moving(postgres: Callable[[str], str], database_url: str, tmp_path: Path) -> Iterator[Moving]:
    with old_systems(
        postgres, database_url, tmp_path / "data", Files(count=150), chats=24, messages=10
    ) as ready:
        yield ready


@pytest.fixture(scope="module")
async def brought(
    postgres: Callable[[str], str],
    fresh_database: Callable[[str], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[Moving, dict[str, Any]]]:
    """A house into which everything was moved, and the report, for those who only look."""
    folder = tmp_path_factory.mktemp("brought") / "data"
    with old_systems(
        postgres, fresh_database("brought"), folder, Files(count=150), chats=24, messages=10
    ) as moving:
        yield moving, await moving.bring()


def fates(report: dict[str, Any], table: str) -> dict[str, int]:
    """How many rows of a table had which fate."""
    said = report["tables"][table]
    counts = {word: said[word] for word in ("taken", "merged", "unchanged")}
    return {word: n for word, n in {**counts, **said["left_out"], **said["not_taken"]}.items() if n}


async def test_every_row_has_the_fate_it_should(
    brought: tuple[Moving, dict[str, Any]],
) -> None:
    moving, report = brought
    outcomes = moving.files.outcomes
    assert fates(report, "superduper.files") == {
        "taken": outcomes["completed"] + outcomes["failed"],
        **{word: outcomes[word] for word in ("younger", "text", "other")},
    }
    talk = moving.talk
    for table in ("User", "UserProject", "GeneratedMedia", "Document", "Chat", "Message_v2"):
        said = report["tables"][f"chatbot.{table}"]
        assert said["read"] == talk.tables[table], table
        assert said["taken"] + said["merged"] == talk.tables[table], (table, said)
    assert report["tables"]["chatbot.Message"]["read"] == talk.tables["Message"]
    assert fates(report, "chatbot.Message")["carried_over"] == talk.carried_over
    assert fates(report, "chatbot.Vote_v2") == {"taken": talk.tables["Vote_v2"]}
    # The report's own figures are those of the database.
    for word, table in (("generations", "generations"), ("threads", "threads")):
        assert report["made"][word] == moving.one(f"select count(*) from kinora.{table}")
    assert report["made"]["messages"] == moving.one("select count(*) from kinora.steps")
    assert report["made"]["votes"] == moving.one("select count(*) from kinora.feedbacks")
    reported = [row for row in report["rows"] if row["outcome"] in ("left_out", "not_taken")]
    counted = [
        n
        for table in report["tables"].values()
        for fate in (table["left_out"], table["not_taken"])
        for word, n in fate.items()
        if word != "carried_over"
    ]
    assert len(reported) == sum(counted)


async def test_a_file_keeps_what_is_known_of_it(
    brought: tuple[Moving, dict[str, Any]],
) -> None:
    moving, _ = brought
    for file in moving.files.files:
        found = moving.rows(
            "select status, kind, prompt, provider, u.identifier, r.url from kinora.generations g"
            " join kinora.users u on u.id = g.user_id"
            " left join kinora.assets a on a.generation_id = g.id"
            " left join kinora.remote_files r on r.asset_id = a.id where legacy_id = %s",
            f"superduper:{file.id}",
        )
        if file.outcome not in ("completed", "failed"):
            assert found == []
            continue
        ((status, kind, prompt, provider, identifier, url),) = found
        assert (status, provider) == (file.outcome, "superduper"), file
        # What the chat says of it may be more.
        assert prompt == file.prompt or len(prompt) >= len(file.prompt), file
        assert kind == {"image": "image", "video": "video"}.get(file.type, "audio")
        assert url == (file.url if file.outcome == "completed" else None), file
        # Whoever has it in the chat is the owner; else its account of the media backend.
        if identifier.startswith("superduper:") and file.owner:
            assert identifier in (f"superduper:{file.owner.split(':')[2]}", "superduper:unknown")


async def test_chats_keep_their_order_votes_and_media(
    brought: tuple[Moving, dict[str, Any]],
) -> None:
    moving, _ = brought
    assert moving.one(OWNED_BY_OTHERS) == 0
    for chat in moving.talk.chats:
        ((name, identifier),) = moving.rows(
            "select t.name, u.identifier from kinora.threads t"
            " join kinora.users u on u.id = t.user_id where t.id = %s",
            chat.id,
        )
        assert name == " ".join(chat.title.split())
        assert identifier == (f"password:{chat.email}" if chat.email else f"guest:{chat.user_id}")
        steps = moving.rows(
            "select id::text from kinora.steps where thread_id = %s order by created_at, seq",
            chat.id,
        )
        # Beside them stand results of tools that showed something.
        assert [step for (step,) in steps if step in chat.message_ids] == [*chat.message_ids]
        votes = dict(
            moving.rows(
                "select step_id::text, value from kinora.feedbacks f join kinora.steps s"
                " on s.id = f.step_id where s.thread_id = %s",
                chat.id,
            )
        )
        assert votes == {**dict.fromkeys(chat.upvoted, 1), **dict.fromkeys(chat.downvoted, 0)}
        cards = moving.one(
            "select count(*) from kinora.elements where thread_id = %s"
            " and generation_id is not null",
            chat.id,
        )
        assert cards >= len(chat.file_ids)


async def test_handles_of_a_thread_have_no_gaps_and_no_doubles(
    brought: tuple[Moving, dict[str, Any]],
) -> None:
    moving, _ = brought
    for count, numbers in moving.rows(
        "select t.generation_count, array_agg(g.number order by g.number) from kinora.threads t"
        " join kinora.generations g on g.thread_id = t.id group by t.id"
    ):
        assert numbers == [*range(1, count + 1)]


async def test_a_second_run_changes_nothing(
    brought: tuple[Moving, dict[str, Any]],
) -> None:
    moving, first = brought
    before, old = moving.hashes(), hashes_of(moving.chatbot, "public")
    again = await moving.bring()
    assert moving.hashes() == before
    assert hashes_of(moving.chatbot, "public") == old
    assert not any(again["made"].values())
    for name, table in again["tables"].items():
        assert table["read"] == first["tables"][name]["read"]
        assert table["taken"] == table["merged"] == 0, name


async def test_a_dry_run_counts_the_same_and_leaves_nothing(moving: Moving) -> None:
    before = moving.hashes()
    dry = await moving.bring("--dry-run")
    assert moving.hashes() == before
    wet = await moving.bring()
    assert (dry["dry_run"], wet["dry_run"]) == (True, False)
    assert dry["tables"] == wet["tables"]
    assert dry["made"] == wet["made"]


async def test_the_backend_first_and_then_the_chat_comes_to_the_same(moving: Moving) -> None:
    await one_by_one(moving, "--superduper", "--chatbot")
    apart = shape(moving)
    wipe(moving)
    await moving.bring()
    assert shape(moving) == apart


async def test_the_chat_first_loses_and_doubles_nothing(moving: Moving) -> None:
    await one_by_one(moving, "--chatbot", "--superduper")
    files = moving.rows(
        "select legacy_id from kinora.generations where starts_with(legacy_id, 'superduper:')"
    )
    wipe(moving)
    await moving.bring()
    again = moving.rows(
        "select legacy_id from kinora.generations where starts_with(legacy_id, 'superduper:')"
    )
    assert sorted(files) == sorted(again)
    assert moving.one(OWNED_BY_OTHERS) == 0


async def one_by_one(moving: Moving, *order: str) -> None:
    """Import the two sources, each alone."""
    told = {"--superduper": moving.superduper, "--chatbot": moving.chatbot}
    for option in order:
        code, _, said = await moving.run(option, told[option])
        assert code == 0, said


def wipe(moving: Moving) -> None:
    """Empty the new house."""
    with psycopg.connect(moving.database_url) as connection:
        connection.execute("truncate kinora.users, kinora.imported cascade")


def shape(moving: Moving) -> list[Any]:
    """Every generation by what it is, without ids and moments of ours."""
    return moving.rows(
        "select kind, status, prompt, model, g.provider, u.identifier, r.url, params::text"
        " from kinora.generations g join kinora.users u on u.id = g.user_id"
        " left join kinora.assets a on a.generation_id = g.id"
        " left join kinora.remote_files r on r.asset_id = a.id order by 1, 2, 3, 4, 5, 6, 7, 8"
    )


async def test_nothing_is_asked_of_any_provider(moving: Moving, calm_demo: Demo) -> None:
    before = (await calm_demo.client.get("/_ledger")).json()
    await moving.bring("--keep-in-progress", DEMO_BASE_URL=calm_demo.url)
    assert (await calm_demo.client.get("/_ledger")).json() == before


async def test_what_an_operator_gave_away_stays_given(moving: Moving) -> None:
    await one_by_one(moving, "--superduper")
    project = moving.one(
        "select identifier from kinora.users u where starts_with(identifier, 'superduper:project:')"
        " and exists (select from kinora.generations g where g.user_id = u.id) order by 1 limit 1"
    )
    files = moving.rows(
        "select g.id from kinora.generations g join kinora.users u on u.id = g.user_id"
        " where identifier = %s",
        project,
    )
    anna = await add_account(moving.database_url, "anna@example.org")
    own = await an_own_generation(moving, anna)
    await adopt(moving, project, "anna@example.org")
    await moving.bring()
    theirs = {
        row for (row,) in moving.rows("select id from kinora.generations where user_id = %s", anna)
    }
    assert own in theirs
    assert {row for (row,) in files} <= theirs


async def an_own_generation(moving: Moving, user_id: UUID) -> UUID:
    """Something of a person's that was never imported."""
    generation_id = new_id()
    moving.rows(
        "insert into kinora.generations"
        " (id, user_id, kind, status, prompt, model, provider, endpoint)"
        " values (%s, %s, 'image', 'failed', 'mine', 'demo-image', 'demo', 'x') returning 1",
        *(generation_id, user_id),
    )
    return generation_id


async def adopt(moving: Moving, owner: str, email: str) -> None:
    """Give an owner's things to a person."""
    engine = open_engine(moving.database_url)
    await people.adopt(engine, owner, email)
    await engine.dispose()

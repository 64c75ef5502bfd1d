"""What one person owns, of every kind, and the proof that it did not change."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

import psycopg
from chainlit.types import Feedback
from chainlit.user import PersistedUser
from psycopg import sql

from db.connect import open_engine
from db.tables import metadata
from db.threads import Threads
from tests.db.chat import card, message, no_generations, session_of
from tests.db.samples import encoded, picture
from tests.people import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Belongings:
    """One thing of each kind, by the ids that somebody else has got hold of."""

    thread_id: UUID
    step_id: str
    element_id: str
    feedback_id: str
    generation_id: str
    video_id: str
    asset_id: str
    upload_id: str
    prefix: str
    cursor: str

    def names(self) -> list[str]:
        """Everything by which one of them can be recognised in an answer."""
        ids = (self.step_id, self.element_id, self.generation_id, self.asset_id, self.upload_id)
        return [str(self.thread_id), *ids, self.video_id, self.prefix]


async def give_everything(person: Person, database_url: str) -> Belongings:
    """Have the person own one thing of each kind."""
    started = [
        (
            await person.client.post(
                f"/api/tools/generate_{kind}",
                json={"prompt": "hers alone", "model": f"demo-{kind}-quick"},
            )
        ).json()["id"]
        for kind in ("image", "image", "video")
    ]
    done = [
        (await person.client.get(f"/api/generations/{one}", params={"wait": 30})).json()
        for one in started
    ]
    page = (await person.client.get("/api/generations", params={"limit": 1})).json()
    sent = await person.client.post(
        "/api/uploads", files={"file": ("hers.png", encoded(picture(), "PNG"))}
    )
    thread_id, step_id, element_id, feedback_id = await _talk(person, database_url, started[0])
    return Belongings(
        thread_id=thread_id,
        step_id=step_id,
        element_id=element_id,
        feedback_id=feedback_id,
        generation_id=started[0],
        video_id=started[2],
        asset_id=done[0]["assets"][0]["id"],
        upload_id=sent.json()["id"],
        prefix=person.key.split("_")[1],
        cursor=page["next_cursor"],
    )


async def _talk(
    person: Person, database_url: str, generation_id: str
) -> tuple[UUID, str, str, str]:
    engine = open_engine(database_url)
    layer = Threads(engine, no_generations)
    user = PersistedUser(
        id=str(person.user_id), createdAt="", identifier=f"password:{person.email}"
    )
    thread_id = uuid4()
    with session_of(user, thread_id):
        said = message(thread_id, "Hers")
        await layer.create_step(said)
        drawn = card(thread_id, said["id"], UUID(generation_id))
        await layer.create_element(drawn)
        rated = await layer.upsert_feedback(Feedback(forId=said["id"], value=1))
    await engine.dispose()
    return thread_id, said["id"], drawn.id, rated


def rows(database_url: str, *, but_of: UUID) -> dict[str, set[str]]:
    """Every row of every table of ours as text, except what belongs to one user."""
    found = {}
    with psycopg.connect(database_url) as connection:
        for table in metadata.sorted_tables:
            owner = "id" if table.name == "users" else "user_id"
            query = sql.SQL("select to_jsonb(t)::text from {} t").format(
                sql.Identifier("kinora", table.name)
            )
            if owner in table.c:
                query += sql.SQL(" where {} <> {}").format(
                    sql.Identifier(owner), sql.Literal(but_of)
                )
            elif "thread_id" in table.c:
                query += sql.SQL(
                    " where thread_id not in (select id from kinora.threads where user_id = {})"
                ).format(sql.Literal(but_of))
            found[table.name] = {row[0] for row in connection.execute(query)}
    return found

"""Full-text search in English and Russian, over titles, messages and prompts.

What a person typed becomes a query of Postgres in `kinora.wanted`, which no text makes fail: all
words must stand in one message, or in the title; each by its stem, the last also as the beginning
of a word, since it is still being typed. Where nothing is left to look for (only "!!!" or "the"),
the text itself is looked for in titles and prompts.

How many rows a word has is not known beforehand, and the planner guesses badly. So the indexes are
asked first, for a limited number: a complete answer is sorted; where there are more, they are so
many that walking through the threads, newest first, soon fills a page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    Subquery,
    Text,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    true,
    union_all,
)

from db.tables import generations, steps, threads

#: So many messages are found by their words before threads are looked through one by one.
MATCHES_MAX = 1000


def asked(text: str | None) -> str | None:
    """What is looked for; None: nothing is, and everything is shown."""
    return (text or "").strip() or None


def _words() -> BindParameter[str]:
    return bindparam("words", type_=Text)


def _speaks_of(title: ColumnElement[Any]) -> ColumnElement[bool]:
    return func.strpos(func.lower(title), func.lower(_words())) > 0


def matching_threads(among: Select[Any], newest: Callable[[Select[Any]], Select[Any]]) -> Subquery:
    """Those of the threads in `among` that match the parameter `words`, cut by `newest`."""
    wanted = select(func.kinora.wanted(_words()).label("query")).cte("wanted")
    query = select(wanted.c.query).scalar_subquery()
    nodes = select(func.numnode(wanted.c.query)).scalar_subquery()
    said = select(steps.c.thread_id.label("id")).where(steps.c.search.op("@@")(query))
    named = select(threads.c.id).where(threads.c.search.op("@@")(query))
    found = union_all(said.limit(MATCHES_MAX), named.limit(MATCHES_MAX)).cte("found")
    count = select(func.count(literal_column("*"))).select_from(found).scalar_subquery()
    ids = func.array(select(found.c.id).scalar_subquery())
    few = among.where(nodes > 0, count < MATCHES_MAX, threads.c.id == func.any(ids))
    # As a function the comparison is invisible to the indexes, which would be asked anew for each
    # thread.
    says = (
        select(true().label("yes"))
        .where(steps.c.thread_id == threads.c.id, func.ts_match_vq(steps.c.search, query))
        .limit(1)
        .lateral("says")
    )
    many = among.outerjoin(says, true()).where(
        count >= MATCHES_MAX, or_(says.c.yes, func.ts_match_vq(threads.c.search, query))
    )
    as_text = among.where(nodes == 0, _speaks_of(threads.c.name))
    return union_all(newest(few), newest(many), newest(as_text)).subquery("matching")


def matching_generations(words: str) -> ColumnElement[bool]:
    """Generations whose prompt matches these words."""
    g = generations.alias("matched").c
    query = select(func.kinora.wanted(words)).scalar_subquery()
    by_words = select(g.id).where(g.search.op("@@")(query))
    as_text = select(g.id).where(
        and_(func.numnode(query) == 0, func.strpos(func.lower(g.prompt), func.lower(words)) > 0)
    )
    return generations.c.id.in_(union_all(by_words, as_text))

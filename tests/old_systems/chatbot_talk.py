"""What was said in the old chat: messages of both SDK versions, the deprecated ones, and votes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.old_systems.account import SAMPLES, Account, SampleChat
from tests.old_systems.chatbot_parts import ANSWERS, QUESTIONS, Turn, deprecated_content
from tests.old_systems.chatbot_tables import Chatbot, copy_rows

CHAT_COLUMNS = ("id", "createdAt", "title", "userId", "visibility")
MESSAGE_COLUMNS = ("id", "chatId", "role", "parts", "attachments", "createdAt")
DEPRECATED_COLUMNS = ("id", "chatId", "role", "content", "createdAt")
VOTE_COLUMNS = ("chatId", "messageId", "isUpvoted")


@dataclass(frozen=True, slots=True)
class Talk:
    """One chat: every tenth has deprecated messages only, and every tenth has both."""

    chatbot: Chatbot
    n: int

    @property
    def id(self) -> str:
        return self.chatbot.chance.id("chat", self.n)

    @property
    def is_deprecated(self) -> bool:
        return self.n % 10 == 7

    @property
    def is_in_both(self) -> bool:
        return self.n % 10 == 8

    def message_id(self, i: int, table: str = "Message_v2") -> str:
        return self.chatbot.chance.id(table, self.n * self.chatbot.messages + i)

    def moment(self, i: int) -> datetime:
        return self.chatbot.stamp(self.n) + timedelta(seconds=20 * i)

    def turns(self) -> Iterator[Turn]:
        """What is said, person and assistant by turns."""
        for i in range(self.chatbot.messages):
            at = self.n * self.chatbot.messages + i
            makers = ANSWERS if i % 2 else QUESTIONS
            yield makers[(self.n + i // 2) % len(makers)](self.chatbot, at)

    def votes(self) -> Iterator[tuple[int, bool]]:
        """Place and direction of each: on every fifth answer."""
        for i in range(1, self.chatbot.messages, 10):
            yield i, (self.n + i // 10) % 3 != 0


def write_talk(chatbot: Chatbot, url: str, account: Account) -> None:
    """Fill the tables of chats, messages and votes."""
    talks = [Talk(chatbot, n) for n in range(chatbot.chats)]
    fill = {
        "Chat": (CHAT_COLUMNS, map(_chat, talks)),
        "Message_v2": (MESSAGE_COLUMNS, (row for one in talks for row in _messages(one))),
        "Message": (DEPRECATED_COLUMNS, (row for one in talks for row in _deprecated(one))),
        "Vote_v2": (VOTE_COLUMNS, (row for one in talks for row in _votes(one))),
        "Vote": (VOTE_COLUMNS, (row for one in talks for row in _deprecated_votes(one))),
    }
    for table, (columns, rows) in fill.items():
        account.tables[table] = copy_rows(url, table, columns, rows)
    account.carried_over = sum(1 for one in talks if one.is_in_both for _ in _deprecated(one))
    account.chats.extend(_sample(one) for one in talks[:SAMPLES])


def _chat(talk: Talk) -> tuple[Any, ...]:
    user_id, _ = talk.chatbot.user(talk.n)
    visibility = "public" if talk.n % 9 == 0 else "private"
    return talk.id, talk.chatbot.stamp(talk.n), _title(talk), user_id, visibility


def _title(talk: Talk) -> str:
    return f"Chat {talk.n}: {talk.chatbot.chance.prompt('chat', talk.n)}"


def _messages(talk: Talk) -> Iterator[tuple[Any, ...]]:
    if talk.is_deprecated:
        return
    for i, turn in enumerate(talk.turns()):
        parts = json.dumps(turn.parts, ensure_ascii=i % 3 == 0)
        attachments = json.dumps(turn.attachments)
        role = "assistant" if i % 2 else "user"
        yield talk.message_id(i), talk.id, role, parts, attachments, talk.moment(i)


def _deprecated(talk: Talk) -> Iterator[tuple[Any, ...]]:
    """A tool's call and result were saved at the moment of the answer that came of them."""
    if not (talk.is_deprecated or talk.is_in_both):
        return
    for i in range(talk.chatbot.messages):
        moment = talk.moment(i)
        at = talk.n * talk.chatbot.messages + i
        rows = deprecated_content(talk.chatbot, at, is_answer=i % 2 == 1)
        for left, (role, content) in zip(range(len(rows) - 1, -1, -1), rows, strict=True):
            # The words come last; they have the plain id, by which votes name them.
            table = f"Message {left}" if left else "Message"
            yield talk.message_id(i, table), talk.id, role, json.dumps(content), moment


def _votes(talk: Talk) -> Iterator[tuple[Any, ...]]:
    if not talk.is_deprecated:
        yield from ((talk.id, talk.message_id(i), is_up) for i, is_up in talk.votes())


def _deprecated_votes(talk: Talk) -> Iterator[tuple[Any, ...]]:
    if talk.is_deprecated or talk.is_in_both:
        yield from ((talk.id, talk.message_id(i, "Message"), is_up) for i, is_up in talk.votes())


def _sample(talk: Talk) -> SampleChat:
    table = "Message" if talk.is_deprecated else "Message_v2"
    user_id, email = talk.chatbot.user(talk.n)
    votes = list(talk.votes())
    turns = [] if talk.is_deprecated else list(talk.turns())
    named = [file_id for turn in turns for file_id in turn.file_ids]
    return SampleChat(
        id=talk.id,
        title=_title(talk),
        email=email,
        user_id=user_id,
        message_ids=tuple(talk.message_id(i, table) for i in range(talk.chatbot.messages)),
        file_ids=tuple(dict.fromkeys(named)),
        upvoted=tuple(talk.message_id(i, table) for i, is_up in votes if is_up),
        downvoted=tuple(talk.message_id(i, table) for i, is_up in votes if not is_up),
    )

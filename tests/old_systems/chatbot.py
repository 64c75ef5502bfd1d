"""The old chat's database, filled: people, what they made, and what they said.

Everything streams through COPY, so a large one needs no more memory than a small one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.old_systems.account import Account
from tests.old_systems.chatbot_media import write_documents, write_media
from tests.old_systems.chatbot_tables import Chatbot, copy_rows, create_tables
from tests.old_systems.chatbot_talk import write_talk


def write_chatbot(chatbot: Chatbot, url: str) -> Account:
    """Make the tables and fill them."""
    create_tables(url)
    account = Account()
    user = ("id", "email", "password", "balance")
    account.tables["User"] = copy_rows(url, "User", user, _users(chatbot))
    account.tables["UserProject"] = copy_rows(
        url, "UserProject", ("userId", "projectId"), _projects(chatbot)
    )
    write_media(chatbot, url, account)
    write_documents(chatbot, url, account)
    write_talk(chatbot, url, account)
    return account


def _users(chatbot: Chatbot) -> Iterator[tuple[Any, ...]]:
    hashed = "$2b$10$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234"
    for n in range(chatbot.people + chatbot.guests):
        user_id, email = chatbot.user(n)
        # Newer versions give guests a password that nobody knows.
        password = hashed if email or n % 2 else None
        yield user_id, email or f"guest-{1_700_000_000_000 + n}", password, n * 10


def _projects(chatbot: Chatbot) -> Iterator[tuple[str, str]]:
    """The last project is nobody's."""
    for n in range(chatbot.files.projects - 1):
        yield chatbot.user(n)[0], chatbot.files.project(n)

"""Hearing what providers tell of their own accord: where they are to send it, and what it may do.

Nothing here acts on a generation. News are noted, and whoever drives the generation looks for
itself: so a lost one costs seconds, a doubled one nothing, and a forged one at most a look.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from db import webhook_notes
from providers.contract import Learner, Malformed, News, Provider

log = structlog.get_logger(__name__)

#: So many are read and noted at once, each with up to 1 MiB and a connection of the pool; others
#: wait, and so long at most.
AT_ONCE = 8
WAIT_S = 10.0
#: What is noted of news that say nothing to us: they wake all the same.
UNREADABLE = News(event="unreadable", job_id=None)
_ATTEMPT = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """The addresses that providers get. Each names one attempt of one generation at one provider,
    and carries a token that only we can make, so whoever has it has it from us.
    """

    public_url: str | None
    key: bytes = field(repr=False)

    def url_for(self, provider: str, generation_id: UUID, attempt: int) -> str | None:
        """Where this provider sends its news of this attempt; None: nobody reaches us."""
        if self.public_url is None:
            return None
        token = self._token(provider, str(generation_id), str(attempt))
        return f"{self.public_url}/webhooks/{provider}/{generation_id}/{attempt}/{token}"

    def is_genuine(self, provider: str, generation_id: str, attempt: str, token: str) -> bool:
        """Whether this is an address of ours, letter by letter: each attempt has one."""
        if not (_ID.fullmatch(generation_id) and _ATTEMPT.fullmatch(attempt)):
            return False
        ours = self._token(provider, generation_id, attempt)
        return hmac.compare_digest(ours.encode(), token.encode(errors="replace"))

    def _token(self, provider: str, generation_id: str, attempt: str) -> str:
        of = f"{provider}/{generation_id}/{attempt}".encode(errors="replace")
        digest = hmac.new(self.key, of, hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class Hearing:
    """Takes news in, for all doors of this process."""

    def __init__(
        self, engine: AsyncEngine, hooks: Hooks, providers: Mapping[str, Provider]
    ) -> None:
        self.hooks = hooks
        self._engine = engine
        self._providers = providers
        self._places = asyncio.Semaphore(AT_ONCE)

    @contextlib.asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """One of few places, for reading news and noting them: a flood of them takes neither the
        memory nor the database away from people. Raises: TimeoutError: it took too long.
        """
        async with asyncio.timeout(WAIT_S), self._places:
            yield

    async def hear(
        self,
        provider: str,
        generation_id: UUID,
        attempt: int,
        headers: Mapping[str, str],
        raw: bytes | None,
    ) -> bool:
        """Note news that came to a genuine address, and wake the driver; False: the generation is
        not known (any more). `raw` None: there was more of it than we take.

        Raises: Forged; the database's errors.
        """
        where = {"generation": str(generation_id), "attempt": attempt, "provider": provider}
        news, trouble = UNREADABLE, "too large"
        if provider not in self._providers:
            trouble = "provider not configured"
        elif raw is not None:
            there = self._providers[provider]
            try:
                if isinstance(there, Learner):
                    await there.learn()
                news, trouble = there.hear(headers, raw), ""
            except Malformed as error:
                trouble = error.message
        if trouble:
            log.warning("webhook not understood", trouble=trouble, **where)
        async with self._engine.begin() as connection:
            known = await webhook_notes.note(
                connection, generation_id, attempt, news.event, news.job_id
            )
        log.info("webhook heard", known=known, news=news.event, **where)
        return known

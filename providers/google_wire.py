"""How Google's API refuses, and what that means: for a submit, which may cost money, and a look.

A bad key is often HTTP 400, no money 402 or 429, and how long to wait stands in the body. What
Google itself answers with 4xx or 5xx is not charged.
Source: https://ai.google.dev/gemini-api/docs/troubleshooting and .../docs/billing ("Am I charged
for failed requests?"), read 2026-09-29; google-genai 3.4.0 (errors.py), 2026-11-22.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping

import httpx

from providers import wire
from providers.contract import (
    AnswerLost,
    Busy,
    NeverSent,
    OutOfCredit,
    ProviderError,
    Rejected,
    Unauthorized,
)
from providers.failures import RETRY_AFTER_S_MAX, classify

CONNECT_S = 10.0
REFUSED = frozenset(range(400, 600))
#: Source: discuss.ai.google.dev/t/183654 and reports of the same words under 429, 2026-11-22.
NO_CREDIT = re.compile(
    r"(?:pre-?pa(?:id|yment) )?credits? (?:are|is|have been|has been)? ?(?:depleted|exhausted)"
    r"|enable billing",
    re.IGNORECASE,
)
BAD_KEY = re.compile(r"API_KEY_[A-Z_]+|API key (?:not valid|expired|not found)", re.IGNORECASE)
DELAY = re.compile(r"(\d{1,6}(?:\.\d{1,9})?)s")


async def send(
    client: httpx.AsyncClient, request: httpx.Request, secret: str, within_s: float
) -> wire.Answer:
    """Send a paid request once; return its answer, a refusal too.

    Raises: NeverSent, AnswerLost.
    """
    where = request.url.host
    try:
        async with asyncio.timeout(within_s):
            return await wire.ask(client, request, secret, is_paid=True)
    except httpx.ConnectError as error:
        raise NeverSent(f"no connection to {where}") from error
    except httpx.TransportError as error:
        raise AnswerLost(f"no answer from {where} ({type(error).__name__})") from error
    except TimeoutError:
        raise AnswerLost(f"no answer from {where} in {within_s:g} s") from None


async def look(
    client: httpx.AsyncClient,
    request: httpx.Request,
    secret: str,
    too_late: frozenset[int] = frozenset(),
) -> wire.Answer:
    """Ask what may be asked again. Raises: like `wire.look`."""
    answer = await wire.look(client, request, secret, too_late=REFUSED)
    if answer.status < 400 or answer.status in too_late:
        return answer
    if is_bad_key(answer):
        raise Unauthorized(answer.message, request_id=answer.request_id)
    if answer.status == 429:
        raise busy(answer)
    raise wire.refusal_of_look(answer)


def refusal_of_submit(answer: wire.Answer) -> ProviderError:
    """Return what a refused submit means."""
    status, said = answer.status, answer.message
    if status in (400, 429) and NO_CREDIT.search(said):
        return OutOfCredit(said, request_id=answer.request_id)
    if is_bad_key(answer):
        return Unauthorized(said, request_id=answer.request_id)
    if status == 429:
        return busy(answer)
    if status == 400 and classify(said) == "content_policy":
        return Rejected(said, code="content_policy", request_id=answer.request_id)
    return wire.refusal_of_submit(answer)


def is_own_failure(answer: wire.Answer) -> bool:
    """Whether Google itself says that it failed, and not somebody on the way to it."""
    return answer.status >= 500 and isinstance(error_of(answer).get("status"), str)


def is_bad_key(answer: wire.Answer) -> bool:
    """Whether a refusal is about the key; 400 says so only in its reason and its words."""
    if answer.status not in (400, 403):
        return False
    reasons = (str(detail.get("reason", "")) for detail in details_of(answer))
    return any(BAD_KEY.search(text) for text in (answer.message, *reasons))


def busy(answer: wire.Answer) -> Busy:
    """Return a refusal that asks for patience, for as long as the body or the header says."""
    delays = (DELAY.fullmatch(str(detail.get("retryDelay", ""))) for detail in details_of(answer))
    told_s = next((float(found[1]) for found in delays if found), answer.retry_after_s)
    asked_s = None if told_s is None else min(told_s, RETRY_AFTER_S_MAX)
    return Busy(answer.message, retry_after_s=asked_s, request_id=answer.request_id)


def error_of(answer: wire.Answer) -> Mapping[str, object]:
    """Return the error in an answer, empty when there is none."""
    body = answer.json[0] if isinstance(answer.json, list) and answer.json else answer.json
    error = body.get("error") if isinstance(body, Mapping) else None
    return error if isinstance(error, Mapping) else {}


def details_of(answer: wire.Answer) -> Iterator[Mapping[str, object]]:
    """Yield the details of the error in an answer."""
    details = error_of(answer).get("details")
    for detail in details if isinstance(details, list) else []:
        if isinstance(detail, Mapping):
            yield detail

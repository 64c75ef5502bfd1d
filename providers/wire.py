"""Asking a provider over HTTP: a submit, which may cost money, and a look, which may not.

The two differ in what a failure means. A submit that failed says who must act, and whether it may
have been accepted; a look that failed says nothing about the job. Nothing here asks twice.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import httpx

from crash_points import crash_point
from providers.contract import (
    AnswerLost,
    Busy,
    Gone,
    Malformed,
    NeverSent,
    OutOfCredit,
    ProviderError,
    Rejected,
    Unauthorized,
    Unreachable,
)
from providers.failures import classify, message_of, plain_text, retry_after_s

ANSWER_BYTES_MAX = 64 << 20  # results may come inside, as base64; RunPod allows them 20 MB
PORTION_BYTES = 256 << 10
SUBMIT_S = 90.0
LOOK_S = 30.0


class Answer:
    """What came back: a status, headers and JSON, None when the body is none."""

    def __init__(self, response: httpx.Response, body: bytes, secret: str) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self.request_id = response.headers.get("x-request-id")
        self.json: object = None
        self.is_json = True
        try:
            self.json = json.loads(body)
        except (ValueError, RecursionError):
            self.is_json = False
        text = message_of(self.json) if self.is_json else body[:200].decode("utf-8", "replace")
        self.message = plain_text(text, secret) or f"HTTP {self.status}"
        self.retry_after_s = retry_after_s(response.headers)


async def submit(
    client: httpx.AsyncClient,
    request: httpx.Request,
    secret: str,
    refusal: Callable[[Answer], ProviderError] | None = None,
) -> Answer:
    """Send a paid request once; return an answer with a success status. `refusal` says what another
    one means, where a company has words of its own for that.

    Raises: any ProviderError but Unreachable and Gone. After the request has left, everything that
    is no clear refusal is AnswerLost; 5xx too, but for 503 with Retry-After, which says "not now".
    """
    try:
        async with asyncio.timeout(SUBMIT_S):
            answer = await ask(client, request, secret, is_paid=True)
    except httpx.ConnectError as error:
        raise NeverSent(f"no connection to {request.url.host}") from error
    except httpx.TransportError as error:
        what = type(error).__name__
        raise AnswerLost(f"no answer from {request.url.host} ({what})") from error
    except TimeoutError:
        raise AnswerLost(f"no answer from {request.url.host} in {SUBMIT_S:g} s") from None
    if not 200 <= answer.status < 300:
        raise (refusal or refusal_of_submit)(answer)
    if not answer.is_json:
        raise AnswerLost(f"{request.url.host} answered something else than JSON")
    return answer


async def look(
    client: httpx.AsyncClient,
    request: httpx.Request,
    secret: str,
    too_late: frozenset[int] = frozenset(),
) -> Answer:
    """Ask what may be asked again; return an answer with a success status, or one of `too_late`.

    Raises: Unreachable, Busy, Gone, Unauthorized, Malformed. A page instead of JSON is Unreachable:
    it comes from somebody on the way, not from the provider.
    """
    try:
        async with asyncio.timeout(LOOK_S):
            answer = await ask(client, request, secret)
    except httpx.TransportError as error:
        what = type(error).__name__
        raise Unreachable(f"no answer from {request.url.host} ({what})") from error
    except TimeoutError:
        raise Unreachable(f"no answer from {request.url.host} in {LOOK_S:g} s") from None
    if answer.status in too_late:
        return answer
    if not 200 <= answer.status < 300:
        raise refusal_of_look(answer)
    if not answer.is_json:
        raise Unreachable(f"{request.url.host} answered something else than JSON")
    return answer


async def ask(
    client: httpx.AsyncClient, request: httpx.Request, secret: str, *, is_paid: bool = False
) -> Answer:
    """Send a request and read its whole answer, up to a limit. Raises: httpx.TransportError."""
    response = await client.send(request, stream=True, follow_redirects=False)
    if is_paid:
        crash_point("submit.answering")
    try:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > ANSWER_BYTES_MAX:
                raise httpx.RemoteProtocolError("the answer is too large", request=request)
        return Answer(response, bytes(body), secret)
    except httpx.DecodingError as error:
        raise httpx.RemoteProtocolError(str(error), request=request) from error
    finally:
        await response.aclose()


async def portions(body: bytes) -> AsyncIterator[bytes]:
    """Yield a body in parts, so that ten megabytes of pictures do not hold up everybody else."""
    for start in range(0, len(body), PORTION_BYTES):
        yield body[start : start + PORTION_BYTES]


def refusal_of_submit(answer: Answer) -> ProviderError:
    """Return what a status means for a submit."""
    status, said = answer.status, answer.message
    code = classify(said)
    if status == 402 or (status == 403 and code == "out_of_credit"):
        return OutOfCredit(said, request_id=answer.request_id)
    if status in (401, 403):
        return Unauthorized(said, request_id=answer.request_id)
    if status == 429 or (status == 503 and answer.retry_after_s is not None):
        return busy(answer)
    if status >= 500 or status == 408:
        return AnswerLost(f"HTTP {status}: {said}", request_id=answer.request_id)
    if status >= 400:
        if code == "content_policy":
            return Rejected(said, code="content_policy", request_id=answer.request_id)
        return Rejected(f"HTTP {status}: {said}", request_id=answer.request_id)
    return Malformed(f"HTTP {status} to a submit", request_id=answer.request_id)


def refusal_of_look(answer: Answer) -> ProviderError:
    """Return what a status means for a look."""
    status, said = answer.status, answer.message
    make: Callable[..., ProviderError]
    if status in (401, 403):
        make = Unauthorized
    elif status in (404, 410):
        make = Gone
    elif status == 429:
        return busy(answer)
    elif status in (402, 408) or status >= 500:
        make = Unreachable
    else:
        make = Malformed
    return make(
        f"HTTP {status}: {said}", retry_after_s=answer.retry_after_s, request_id=answer.request_id
    )


def busy(answer: Answer) -> Busy:
    """Return a refusal that asks for patience."""
    return Busy(answer.message, retry_after_s=answer.retry_after_s, request_id=answer.request_id)

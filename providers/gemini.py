"""Google's Gemini API: pictures by generateContent, films as interactions (gemini_video.py).

A picture's request answers when it is made, one picture each; nothing is kept there. The key goes
in a header, never into an address, and only to the place the provider is configured at.
Source: google-genai 3.4.0 (types.py: FinishReason, BlockedReason; _gaos/types/interactions),
https://ai.google.dev/gemini-api/docs/image-generation, 2026-11-22.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TypeGuard

import httpx
from pydantic import SecretStr

from providers import gemini_video, google_wire, wire
from providers.addresses import origin_of
from providers.contract import (
    AnswerLost,
    Busy,
    Failed,
    Gone,
    Job,
    JobState,
    Made,
    Malformed,
    News,
    Output,
    Rejected,
    Request,
    Role,
    Route,
    Succeeded,
    Unauthorized,
)
from providers.dialect import Json
from providers.failures import message_of, plain_text
from providers.outputs import type_of
from providers.place import Configured, Question
from providers.spelling import put, spell
from settings import Settings

BODY_BYTES_MAX = 20_000_000  # of a request with its pictures inside
ROOM_FOR_WORDS_BYTES = 400_000
#: Pictures take 10 to 60 s, large ones more; a stopping process waits 150 s for a submit.
ANSWER_WITHIN_S = 140.0
BEGIN_WITHIN_S = 90.0
JOB_ID = re.compile(r"(?=.*[A-Za-z0-9])[A-Za-z0-9._~-]{1,500}")
EVENT = re.compile(r"[a-z_.]{1,60}")
ROLES: tuple[Role, ...] = ("image", "reference")
TOO_LATE = frozenset({400, 404, 409, 410, 412})  # to a cancel: there is nothing left to stop
#: Reasons that are about what was asked for; every reason to block a prompt is.
FILTERED = frozenset(
    {
        *("SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "RECITATION", "MODEL_ARMOR"),
        *("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"),
    }
)


class Gemini:
    """A place that speaks the Gemini API's wire."""

    def __init__(
        self, name: str, base_url: str, api_key: SecretStr | str | None, client: httpx.AsyncClient
    ) -> None:
        self.name = name
        self.origin = origin_of(base_url)
        self.input_bytes_max = (BODY_BYTES_MAX - ROOM_FOR_WORDS_BYTES) * 3 // 4
        self._base_url = base_url.rstrip("/")
        self._client = client
        self._secret = api_key if isinstance(api_key, SecretStr) else SecretStr(api_key or "")

    async def submit(
        self, route: Route, request: Request, *, key: str, webhook_url: str | None = None
    ) -> Job | Made:
        """Send the one paid request. Raises: any ProviderError but Unreachable and Gone."""
        if request.kind == "image":
            return await self._make(route, request, key)
        body = gemini_video.payload(route, request, webhook_url)
        answer = await self._send("v1beta/interactions", body, BEGIN_WITHIN_S)
        if not 200 <= answer.status < 300:
            raise google_wire.refusal_of_submit(answer)
        job_id = answer.json.get("id") if isinstance(answer.json, Mapping) else None
        if not is_job_id(job_id):
            raise AnswerLost(f"{self.name} took the request, but named no interaction")
        return self.job(route, job_id)

    async def _make(self, route: Route, request: Request, key: str) -> Made:
        path = f"v1beta/models/{route.endpoint}:generateContent"
        answer = await self._send(path, payload(route, request), ANSWER_WITHIN_S)
        if google_wire.is_own_failure(answer):
            if answer.status == 503:
                raise Busy(answer.message, retry_after_s=answer.retry_after_s)
            return Made(job=Job(id=key), state=broken(answer.message))
        if not 200 <= answer.status < 300:
            raise google_wire.refusal_of_submit(answer)
        if not answer.is_json:
            raise AnswerLost(f"{self.origin.host} answered something else than JSON")
        named = answer.json.get("responseId") if isinstance(answer.json, Mapping) else None
        job = Job(id=named if is_job_id(named) else key)
        return Made(job=job, state=parse(answer.json, self._key()))

    async def poll(self, route: Route, job: Job) -> JobState:
        """Ask how a film stands. Raises: Unreachable, Busy, Gone, Unauthorized, Malformed."""
        if "status" not in job.urls:
            raise Gone(f"{self.name} keeps no pictures; they were in its one answer")
        call = self._request("GET", job.urls["status"])
        answer = await google_wire.look(self._client, call, self._key())
        named = answer.json.get("id") if isinstance(answer.json, Mapping) else None
        if named is not None and named != job.id:
            raise Malformed(f"{self.name} answered about another interaction than was asked for")
        return gemini_video.parse(answer.json, self._key())

    async def cancel(self, route: Route, job: Job) -> None:
        """Ask to stop a film; a picture cannot be stopped. Raises: like `poll`."""
        if "cancel" in job.urls:
            call = self._request("POST", job.urls["cancel"], b"{}")
            await google_wire.look(self._client, call, self._key(), too_late=TOO_LATE)

    async def find(self, route: Route, key: str) -> Job | None:
        """Return None: interactions are not listed."""
        return None

    def hear(self, headers: Mapping[str, str], raw: bytes) -> News:
        """Read an event about an interaction; its signature is not judged, so only the address
        proves the sender. Raises: Malformed.

        News asked for with a request are signed by Google's own keys, for an audience that nothing
        we could read names; the secret of HMAC signatures is for news ordered once for all.
        Source: https://ai.google.dev/gemini-api/docs/webhooks, 2026-07-30.
        """
        try:
            body = json.loads(raw)
        except (ValueError, RecursionError):
            raise Malformed("the news is no JSON") from None
        data = body.get("data") if isinstance(body, Mapping) else None
        job_id = data.get("id") if isinstance(data, Mapping) else None
        event = body.get("type") if isinstance(body, Mapping) else None
        if not is_job_id(job_id) or not isinstance(event, str) or not EVENT.fullmatch(event):
            raise Malformed("the news names no interaction and event")
        return News(event=f"{job_id}:{event}", job_id=job_id)

    def job(self, route: Route, job_id: str) -> Job:
        """Return the interaction of this id. Raises: Malformed."""
        if not is_job_id(job_id):
            raise Malformed(f"no interaction of {self.name} can have such an id")
        path = f"v1beta/interactions/{job_id}"
        return Job(id=job_id, urls={"status": path, "cancel": f"{path}/cancel"})

    def result_headers(self, url: str) -> Mapping[str, str]:
        """Return what a result at this address is fetched with: our key at our own origin, nothing
        anywhere else; to be asked anew for each address that a redirect leads to.
        """
        return {"x-goog-api-key": self._key()} if origin_of(url) == self.origin else {}

    def _key(self) -> str:
        return self._secret.get_secret_value()

    async def _send(self, path: str, body: dict[str, Json], within_s: float) -> wire.Answer:
        content = json.dumps(body, allow_nan=False).encode()
        if len(content) > BODY_BYTES_MAX:
            most = BODY_BYTES_MAX / 1e6
            raise Rejected(
                f"the request has {len(content) / 1e6:.1f} MB, and {self.name} takes up to "
                f"{most:.0f} MB; send smaller pictures"
            )
        call = self._request("POST", path, content, within_s)
        return await google_wire.send(self._client, call, self._key(), within_s)

    def _request(
        self, method: str, path: str, body: bytes | None = None, within_s: float = wire.LOOK_S
    ) -> httpx.Request:
        key = self._key()
        if not (key.isascii() and key.isprintable()):
            raise Unauthorized(f"the key of {self.name} holds characters that no key has")
        length = {"Content-Length": str(len(body))} if body else {}
        return self._client.build_request(
            method,
            f"{self._base_url}/{path}",
            headers={
                "Accept-Encoding": "identity",
                "x-goog-api-key": key,
                **({"Content-Type": "application/json"} if body else {}),
                **length,
            },
            content=wire.portions(body) if body else None,
            timeout=httpx.Timeout(within_s, connect=google_wire.CONNECT_S, pool=25.0),
        )


def is_job_id(job_id: object) -> TypeGuard[str]:
    """Whether this can name an interaction, and nothing else, in an address."""
    return isinstance(job_id, str) and JOB_ID.fullmatch(job_id) is not None


def payload(route: Route, request: Request) -> dict[str, Json]:
    """Return the body of generateContent: words and pictures are parts of one message."""
    body = spell(route.dialect, replace(request, inputs=()))
    parts: list[Json] = [{"text": body.pop("prompt", request.prompt)}]
    for file in (file for role in ROLES for file in request.inputs if file.role == role):
        data = base64.b64encode(file.data).decode("ascii")
        parts.append({"inlineData": {"mimeType": file.media_type, "data": data}})
    put(body, "generationConfig.responseModalities", ["TEXT", "IMAGE"])
    return {**body, "contents": [{"role": "user", "parts": parts}]}


def parse(body: object, secret: str = "") -> Succeeded | Failed:
    """Return what an answer with a success status brought; 200 is not yet success."""
    if not isinstance(body, Mapping):
        return broken("the provider answered without a picture", None)
    outputs = tuple(Output(url=url) for part in parts_of(body) if (url := picture(part)))
    if outputs:
        return Succeeded(outputs=outputs)
    words = [str(part["text"]) for part in parts_of(body) if isinstance(part.get("text"), str)]
    said = plain_text(" ".join(words) or message_of(body.get("error")), secret)
    reasons = list(reasons_of(body))
    if any(reason in FILTERED or is_prompt for reason, is_prompt in reasons):
        why = ", ".join(reason for reason, _ in reasons)
        return Failed(
            code="content_policy",
            message=said or f"the picture was filtered ({why})",
            retryable=False,
        )
    why = ", ".join(reason for reason, _ in reasons) or "no reason given"
    return broken(said or f"the provider answered without a picture ({why})", None)


def broken(message: str, charged: bool | None = False) -> Failed:
    """Return a picture that was not made; Google does not charge what it refuses or breaks."""
    return Failed(code="provider_error", message=message, charged=charged)


def parts_of(body: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """Yield the parts of all candidates but the thoughts, which may hold drafts."""
    for candidate in as_tables(body.get("candidates")):
        content = candidate.get("content")
        if isinstance(content, Mapping):
            yield from (
                part for part in as_tables(content.get("parts")) if part.get("thought") is not True
            )


def picture(part: Mapping[str, object]) -> str | None:
    """Return a part's picture as a data URI of the type its first bytes speak of."""
    given = part.get("inlineData") or part.get("inline_data")
    data = given.get("data") if isinstance(given, Mapping) else None
    if not isinstance(data, str):
        return None
    try:
        media_type = type_of(base64.b64decode(data[:32], validate=True))
    except ValueError:
        return None
    return f"data:{media_type};base64,{data}" if media_type else None


def reasons_of(body: Mapping[str, object]) -> Iterator[tuple[str, bool]]:
    """Yield why there is no picture, and whether the prompt itself was blocked."""
    feedback = body.get("promptFeedback")
    if isinstance(feedback, Mapping) and feedback.get("blockReason"):
        yield str(feedback["blockReason"])[:60], True
    for candidate in as_tables(body.get("candidates")):
        if candidate.get("finishReason"):
            yield str(candidate["finishReason"])[:60], False


def as_tables(value: object) -> list[Mapping[str, object]]:
    """Return the tables in a list, none in anything else."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def configured(settings: Settings, client: httpx.AsyncClient) -> Configured | None:
    """The Gemini API, where its key is set. The question lists a model, which is free; a bad key is
    answered with HTTP 400.

    Source: https://ai.google.dev/api/models, 2026-11-22.
    """
    key = settings.gemini_api_key
    if key is None:
        return None
    return Configured(
        provider=Gemini("gemini", settings.gemini_base_url, key, client),
        label="Gemini API",
        setting="gemini_api_key",
        question=Question(
            url=f"{settings.gemini_base_url}/v1beta/models?pageSize=1",
            headers={"x-goog-api-key": key.get_secret_value()},
        ),
    )

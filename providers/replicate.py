"""Replicate: predictions, made by POST, looked at by GET, signed news by Standard Webhooks.

A route's endpoint is `owner/name` (a model that Replicate runs itself), `owner/name:version` or a
bare version, or `deployments/owner/name`. What an answer says is read in predictions.py.
Source: replicate.com/docs/reference/http and its OpenAPI document, 2026-08-22; replicate 1.0.7 and
2.0.0b4 (`replicate/webhook.py`, `predictions.create`), 2026-11-22.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Iterator, Mapping

import httpx
from pydantic import SecretStr

from providers import wire
from providers.addresses import origin_of
from providers.contract import (
    AnswerLost,
    Busy,
    Gone,
    Job,
    JobState,
    Malformed,
    NeverSent,
    News,
    Request,
    Route,
    Unauthorized,
    Unreachable,
)
from providers.dialect import Json
from providers.place import Configured, Question
from providers.predictions import parse
from providers.signatures import Clock, KeyRing, Keys, check_standard, standard_key
from providers.spelling import data_uri, spell
from settings import Settings

INLINE_BYTES_MAX = 256_000  # data URIs up to 256 KB; larger pictures are uploaded before
INPUT_BYTES_MAX = 32_000_000
CANCEL_MARGIN_S = 60.0  # a prediction nobody follows any more ends this long after our own deadline
CANCEL_S_MAX = 86_400.0
PREDICTION_ID = re.compile(r"[A-Za-z0-9_-]{1,200}", re.ASCII)
STATUS = re.compile(r"[a-z_]{1,40}", re.ASCII)
RESETS_IN = re.compile(r"resets in ~?\s*(\d{1,4})\s*s\b")
TOO_LATE = frozenset({400, 404, 409, 410, 422})  # to a cancel: there is nothing left to stop
EVENTS: list[Json] = ["start", "completed"]  # the first one tells the id of a lost submit


class Replicate:
    """Replicate's API, or whoever speaks its wire. Its news are checked after `learn`."""

    def __init__(
        self,
        name: str,
        base_url: str,
        api_key: SecretStr | str,
        client: httpx.AsyncClient,
        clock: Clock = time.time,
    ) -> None:
        self.name = name
        self.origin = origin_of(base_url)
        self.input_bytes_max = INPUT_BYTES_MAX
        self._base_url = base_url.rstrip("/")
        self._client = client
        self._secret = api_key if isinstance(api_key, SecretStr) else SecretStr(api_key)
        self._clock = clock
        self._ring = KeyRing(self._fetch_keys, clock)

    async def submit(
        self, route: Route, request: Request, *, key: str, webhook_url: str | None = None
    ) -> Job:
        """Send the one paid request, after what is too large to go inside it.

        Raises: any ProviderError but Unreachable and Gone.
        """
        if webhook_url and self.origin.scheme == "https" and not webhook_url.startswith("https:"):
            webhook_url = None  # it refuses the whole request for an address without TLS
        sent = payload(route, request, webhook_url, await self._upload(request))
        body = json.dumps(sent, allow_nan=False).encode()
        headers = {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Cancel-After": f"{int(min(route.deadline_s + CANCEL_MARGIN_S, CANCEL_S_MAX))}s",
        }
        call = self._request("POST", path_of(route.endpoint), headers, body)
        with patience():
            answer = await wire.submit(self._client, call, self._key())
        job_id = answer.json.get("id") if isinstance(answer.json, Mapping) else None
        if not isinstance(job_id, str) or not PREDICTION_ID.fullmatch(job_id):
            raise AnswerLost(f"{self.name} took the request, but named no prediction")
        return self.job(route, job_id)

    async def poll(self, route: Route, job: Job) -> JobState:
        """Ask how the prediction stands. Raises: Unreachable, Busy, Gone, Unauthorized, Malformed.

        Gone: it was made, and its output was deleted before we looked.
        """
        call = self._request("GET", job.urls["status"])
        with patience():
            answer = await wire.look(self._client, call, self._key())
        named = answer.json.get("id") if isinstance(answer.json, Mapping) else None
        if named is not None and named != job.id:
            raise Malformed(f"{self.name} answered about another job than was asked for")
        return parse(route, answer.json, self._key())

    async def cancel(self, route: Route, job: Job) -> None:
        """Ask to stop; that a prediction is over, `poll` tells. Raises: like `poll`."""
        call = self._request("POST", job.urls["cancel"])
        with patience():
            await wire.look(self._client, call, self._key(), too_late=TOO_LATE)

    async def find(self, route: Route, key: str) -> Job | None:
        """Return None: the list of predictions shows neither our key nor the webhook's address.

        Source: replicate.com/docs/reference/http#predictions.list, 2026-08-22.
        """
        return None

    async def learn(self) -> None:
        """Have the secret ready that news are signed with."""
        await self._ring.learn()

    def hear(self, headers: Mapping[str, str], raw: bytes) -> News:
        """Read a prediction, after its signature. Raises: Forged, Malformed."""
        with self._ring.doubting() as keys:
            check_standard(headers, raw, keys, self._clock())
        try:
            body = json.loads(raw)
        except (ValueError, RecursionError):
            raise Malformed("the news is no JSON") from None
        told = body if isinstance(body, Mapping) else {}
        job_id, status = told.get("id"), told.get("status")
        if not (isinstance(job_id, str) and PREDICTION_ID.fullmatch(job_id)):
            raise Malformed("the news names no prediction")
        if not (isinstance(status, str) and STATUS.fullmatch(status)):
            raise Malformed("the news names no status")
        return News(event=f"{job_id}:{status}", job_id=job_id)

    def job(self, route: Route, job_id: str) -> Job:
        """Return the prediction of this id. Raises: Malformed."""
        if not PREDICTION_ID.fullmatch(job_id):
            raise Malformed(f"no prediction of {self.name} can have such an id")
        path = f"predictions/{job_id}"
        return Job(id=job_id, urls={"status": path, "cancel": f"{path}/cancel"})

    async def _upload(self, request: Request) -> dict[str, str]:
        """Store the pictures that are too large for a data URI at Replicate, which keeps them for a
        day; return their addresses by data URI. Nothing is paid for yet, so a failure is NeverSent.
        """
        stored = {}
        for file in request.inputs:
            if len(file.data) <= INLINE_BYTES_MAX:
                continue
            content = {"content": ("picture", file.data, file.media_type)}
            call = self._client.build_request(
                "POST", f"{self._base_url}/files", headers=self._headers(), files=content
            )
            try:
                with patience():
                    answer = await wire.look(self._client, call, self._key())
            except (Unreachable, Gone) as error:
                raise NeverSent(f"a picture could not be uploaded: {error.message}") from error
            urls = answer.json.get("urls") if isinstance(answer.json, Mapping) else None
            url = urls.get("get") if isinstance(urls, Mapping) else None
            if not isinstance(url, str):
                raise Malformed(f"{self.name} took a picture, but gave no address for it")
            stored[data_uri(file)] = url
        return stored

    async def _fetch_keys(self) -> Keys:
        call = self._request("GET", "webhooks/default/secret")
        answer = await wire.look(self._client, call, self._key())
        return (standard_key(answer.json.get("key") if isinstance(answer.json, Mapping) else None),)

    def _key(self) -> str:
        return self._secret.get_secret_value()

    def _headers(self) -> dict[str, str]:
        key = self._key()
        if not (key.isascii() and key.isprintable()):
            raise Unauthorized(f"the key of {self.name} holds characters that no key has")
        return {"Accept-Encoding": "identity", "Authorization": f"Bearer {key}"}

    def _request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> httpx.Request:
        return self._client.build_request(
            method,
            f"{self._base_url}/{path}",
            headers={**self._headers(), **(headers or {})},
            content=wire.portions(body) if body else None,
        )


@contextlib.contextmanager
def patience() -> Iterator[None]:
    """Read how long to wait from the words of a 429, which may have no header that says so.

    Source: replicate.com/docs/topics/predictions/rate-limits, 2026-11-22.
    """
    try:
        yield
    except Busy as busy:
        found = RESETS_IN.search(busy.message)
        if busy.retry_after_s is not None or found is None:
            raise
        raise Busy(
            busy.message, retry_after_s=float(found[1]), request_id=busy.request_id
        ) from busy


def path_of(endpoint: str) -> str:
    """Return where predictions of an endpoint are made."""
    if endpoint.startswith("deployments/"):
        return f"{endpoint}/predictions"
    return f"models/{endpoint}/predictions" if is_official(endpoint) else "predictions"


def is_official(endpoint: str) -> bool:
    """Whether an endpoint is a model by its name alone."""
    return "/" in endpoint and ":" not in endpoint


def payload(
    route: Route,
    request: Request,
    webhook_url: str | None = None,
    uploaded: Mapping[str, str] | None = None,
) -> dict[str, Json]:
    """Return the body of a submit; `uploaded` are addresses to send in place of data URIs."""
    spelled: Json = dict(spell(route.dialect, request))
    return {
        **({} if "/predictions" in path_of(route.endpoint) else {"version": route.endpoint}),
        "input": replaced(spelled, uploaded) if uploaded else spelled,
        **({"webhook": webhook_url, "webhook_events_filter": EVENTS} if webhook_url else {}),
    }


def replaced(value: Json, by: Mapping[str, str]) -> Json:
    """Return a value with some of the texts in it replaced."""
    if isinstance(value, str):
        return by.get(value, value)
    if isinstance(value, list):
        return [replaced(one, by) for one in value]
    if isinstance(value, dict):
        return {name: replaced(one, by) for name, one in value.items()}
    return value


def configured(settings: Settings, client: httpx.AsyncClient) -> Configured | None:
    """Replicate, where its token is set. The question is whose token it is.

    Source: replicate.com/docs/reference/http#account.get, 2026-08-22.
    """
    key = settings.replicate_api_token
    if key is None:
        return None
    return Configured(
        provider=Replicate("replicate", settings.replicate_base_url, key, client),
        label="Replicate",
        setting="replicate_api_token",
        question=Question(
            url=f"{settings.replicate_base_url}/account",
            headers={"Authorization": f"Bearer {key.get_secret_value()}"},
        ),
    )

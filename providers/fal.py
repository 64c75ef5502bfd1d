"""fal's queue: submit to a model, look at the request, fetch its result; signed news by Ed25519.

A request lives at `owner/app`, whatever the rest of its model's id, so the addresses that fal
returns are what is asked, wherever they lead to fal; they are kept relative to the address of the
queue. A result is a second question, and `poll` asks both. What they say is read in fal_results.py.
Source: fal.ai/docs/inference-api and docs.fal.ai/model-apis/model-endpoints (queue, webhooks),
2026-11-22; fal-client 1.0.3.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Mapping

import httpx
from pydantic import SecretStr

from providers import wire
from providers.addresses import origin_of
from providers.contract import (
    AnswerLost,
    Gone,
    Job,
    JobState,
    Malformed,
    News,
    ProviderError,
    Rejected,
    Request,
    Route,
    Running,
    Unauthorized,
    Unreachable,
)
from providers.dialect import Json
from providers.fal_results import STILL_RUNNING, code_of, failed, is_failure, made, standing
from providers.place import Configured, Question
from providers.signatures import Clock, KeyRing, Keys, check_ed25519, ed25519_keys, fresh
from providers.spelling import spell
from settings import Settings

HOSTS = frozenset({"queue.fal.run", "queue.falrun.com"})  # the queue, and its second address
KEYS_URL = "https://rest.fal.ai/.well-known/jwks.json"
PRICES_URL = "https://api.fal.ai/v1/models/pricing"
QUESTION = "?endpoint_id=fal-ai/flux/schnell"
LONGER_APPS = frozenset({"workflows", "comfy"})  # their names have a part more
INPUT_BYTES_MAX = 7_500_000  # no bound is documented; ten million bytes as data URIs
REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,200}", re.ASCII)
PATH = re.compile(r"[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+){2,12}", re.ASCII)
STATUS = re.compile(r"[A-Z_]{1,40}", re.ASCII)
TOO_LATE = frozenset({400, 404, 409, 410, 422})  # to a cancel: there is nothing left to stop
#: What the result's own status may be; the others speak of us, or of nobody.
OF_THE_MODEL = frozenset(range(400, 600)) - {401, 402, 403, 404, 408, 410, 429}
SIGNED = ("request-id", "user-id", "timestamp")


class Fal:
    """fal's queue, or whoever speaks its wire. Its news are checked after `learn`."""

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
        """Send the one paid request. Raises: any ProviderError but Unreachable and Gone."""
        body = json.dumps(payload(route, request), allow_nan=False).encode()
        headers = {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            # One that has not started when we have given it up never starts.
            "X-Fal-Request-Timeout": str(max(2, int(route.deadline_s))),
        }
        address = {"fal_webhook": webhook_url} if webhook_url else None
        call = self._request("POST", route.endpoint, address, headers, body)
        answer = await wire.submit(self._client, call, self._key(), refusal)
        told = answer.json if isinstance(answer.json, Mapping) else {}
        job_id = told.get("request_id")
        if not isinstance(job_id, str) or not REQUEST_ID.fullmatch(job_id):
            raise AnswerLost(f"{self.name} took the request, but named no job")
        built = self.job(route, job_id)
        returned = {
            name: self._path_of(told.get(f"{given}_url"), job_id)
            for name, given in (("status", "status"), ("result", "response"), ("cancel", "cancel"))
        }
        if None in returned.values():
            return built
        return Job(id=job_id, urls={name: path for name, path in returned.items() if path})

    async def poll(self, route: Route, job: Job) -> JobState:
        """Ask how the request stands, and what came of it once it is complete.

        Raises: Unreachable, Busy, Gone, Unauthorized, Malformed.
        """
        call = self._request("GET", job.urls["status"], {"logs": "1"})
        answer = await wire.look(self._client, call, self._key())
        told = answer.json if isinstance(answer.json, Mapping) else {}
        named = {told.get("request_id"), told.get("gateway_request_id")} - {None}
        if named and job.id not in named:
            raise Malformed(f"{self.name} answered about another job than was asked for")
        state = standing(answer.json)
        if state is not None:
            return state
        if told.get("error_type"):
            return failed(route, told, secret=self._key())
        return await self._result(route, job, told)

    async def _result(self, route: Route, job: Job, told: Mapping[str, object]) -> JobState:
        """Return what a complete request brought. What its status `told` is believed where the
        result says no more about an error.
        """
        is_over = bool(told.get("error"))
        call = self._request("GET", job.urls["result"])
        try:
            answer = await wire.look(self._client, call, self._key(), too_late=OF_THE_MODEL)
        except (Gone, Unreachable):
            if is_over:
                return failed(route, told, secret=self._key())
            raise
        if answer.status < 400 and not is_over:
            return made(route, answer.json, self._key())
        if answer.status == 400 and STILL_RUNNING in answer.message:
            return Running()
        if answer.status < 400 or (answer.status >= 500 and not is_failure(answer.json)):
            if is_over:
                return failed(route, told, secret=self._key())
            raise wire.refusal_of_look(answer)
        retryable = answer.headers.get("x-fal-retryable") or answer.headers.get(
            "x-fal-needs-retry", ""
        )
        return failed(route, answer.json, answer.status, retryable, self._key())

    async def cancel(self, route: Route, job: Job) -> None:
        """Ask to stop: what waits is removed, what runs is told so, and `poll` tells what came of
        it. Raises: like `poll`.
        """
        call = self._request("PUT", job.urls["cancel"])
        await wire.look(self._client, call, self._key(), too_late=TOO_LATE)

    async def find(self, route: Route, key: str) -> Job | None:
        """Return None: fal knows no reference of ours."""
        return None

    async def learn(self) -> None:
        """Have the keys ready that news are signed with."""
        await self._ring.learn()

    def hear(self, headers: Mapping[str, str], raw: bytes) -> News:
        """Read what became of a request, after its signature. Raises: Forged, Malformed.

        A request that fal tried again has another id; the first one is what the submit was told.
        """
        digest = hashlib.sha256(raw).hexdigest()
        signed = [headers.get(f"x-fal-webhook-{name}", "") for name in SIGNED]
        with self._ring.doubting() as keys:
            fresh(signed[2], self._clock())
            message = "\n".join((*signed, digest)).encode()
            check_ed25519(message, headers.get("x-fal-webhook-signature", ""), keys)
        try:
            body = json.loads(raw)
        except (ValueError, RecursionError):
            raise Malformed("the news is no JSON") from None
        told = body if isinstance(body, Mapping) else {}
        job_id, status = (
            told.get("gateway_request_id") or told.get("request_id"),
            told.get("status"),
        )
        if not (isinstance(job_id, str) and REQUEST_ID.fullmatch(job_id)):
            raise Malformed("the news names no job")
        if not (isinstance(status, str) and STATUS.fullmatch(status)):
            raise Malformed("the news names no status")
        return News(event=f"{job_id}:{status}", job_id=job_id)

    def job(self, route: Route, job_id: str) -> Job:
        """Return the request of this id, at its model's app. Raises: Malformed."""
        if not REQUEST_ID.fullmatch(job_id):
            raise Malformed(f"no job of {self.name} can have such an id")
        path = f"{app_of(route.endpoint)}/requests/{job_id}"
        return Job(
            id=job_id,
            urls={"status": f"{path}/status", "result": path, "cancel": f"{path}/cancel"},
        )

    def _path_of(self, url: object, job_id: str) -> str | None:
        """Return an address of this job as a path below the queue's, None for one that is not there
        or of another job: our key goes nowhere else.
        """
        try:
            address = httpx.URL(url if isinstance(url, str) else "")
            there = origin_of(address)
        except (httpx.InvalidURL, ValueError):
            return None
        is_fal = {there.host, self.origin.host} <= HOSTS and there[::2] == self.origin[::2]
        base, path = httpx.URL(f"{self._base_url}/").path, address.path
        if not (there == self.origin or is_fal) or not path.startswith(base):
            return None
        path = path.removeprefix(base)
        parts = path.split("/")
        if not PATH.fullmatch(path) or job_id not in parts or {".", ".."} & set(parts):
            return None
        return path

    async def _fetch_keys(self) -> Keys:
        at_home = f"{self._base_url}/.well-known/jwks.json"
        url = KEYS_URL if self.origin.host in HOSTS else at_home
        call = self._client.build_request("GET", url, headers={"Accept-Encoding": "identity"})
        return ed25519_keys((await wire.look(self._client, call, "")).json)

    def _key(self) -> str:
        return self._secret.get_secret_value()

    def _request(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> httpx.Request:
        key = self._key()
        if not (key.isascii() and key.isprintable()):
            raise Unauthorized(f"the key of {self.name} holds characters that no key has")
        ours = {"Accept-Encoding": "identity", "Authorization": f"Key {key}"}
        return self._client.build_request(
            method,
            f"{self._base_url}/{path}",
            params=params,
            headers={**ours, **(headers or {})},
            content=wire.portions(body) if body else None,
        )


def app_of(endpoint: str) -> str:
    """Return the part of a model's id under which its requests live."""
    parts = endpoint.split("/")
    return "/".join(parts[: 3 if parts[0] in LONGER_APPS else 2])


def payload(route: Route, request: Request) -> dict[str, Json]:
    """Return the body of a submit: the model's own input, bare."""
    return spell(route.dialect, request)


def refusal(answer: wire.Answer) -> ProviderError:
    """Return what a refused submit means: the policy's word is a type, not a text."""
    told = answer.json if isinstance(answer.json, Mapping) else {}
    if answer.status in (400, 422) and code_of(told, answer.status) == "content_policy":
        return Rejected(answer.message, code="content_policy", request_id=answer.request_id)
    return wire.refusal_of_submit(answer)


def configured(settings: Settings, client: httpx.AsyncClient) -> Configured | None:
    """fal, where its key is set. The question is the price of a model, told to account holders.

    Source: fal.ai/docs/platform-apis/v1/models/pricing, 2026-11-22.
    """
    key = settings.fal_key
    if key is None:
        return None
    provider = Fal("fal", settings.fal_base_url, key, client)
    at_home = f"{settings.fal_base_url}/v1/models/pricing"
    url = PRICES_URL if provider.origin.host in HOSTS else at_home
    return Configured(
        provider=provider,
        label="fal",
        setting="fal_key",
        question=Question(
            url=f"{url}{QUESTION}", headers={"Authorization": f"Key {key.get_secret_value()}"}
        ),
    )

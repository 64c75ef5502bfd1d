"""Black Forest Labs: a task is made by POST, looked at where its submit said, and never cancelled.

That address (`polling_url`) is on another host each time, so it is asked, with the key, only on the
company's own hosts; any other is passed over for the one we build ourselves. What a task costs, in
credits, is told by its submit alone, and is kept with the job. bfl_tasks.py reads the answers.
Source: docs.bfl.ai/quick_start/generating_images and /api_integration/errors, 2026-11-22;
black-forest-labs/skills (bfl-api, 2026-02-03; flux3-video, 2026-08), 2026-11-22.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TypeGuard

import httpx
from pydantic import SecretStr

from providers import wire
from providers.addresses import origin_of
from providers.bfl_tasks import cost_of, parse, status_of
from providers.contract import (
    AnswerLost,
    BlockedUrl,
    Job,
    JobState,
    Malformed,
    News,
    Rejected,
    Request,
    Route,
    Unauthorized,
)
from providers.dialect import Json
from providers.download import is_host, read_url
from providers.place import Configured, Question
from providers.spelling import data_uri, spell
from settings import Settings

HOSTS = ("bfl.ai", "*.bfl.ai")  # api.bfl.ai answers with addresses on api.eu2.bfl.ai and others
INPUT_BYTES_MAX = 20_000_000
REDIRECTS_MAX = 2
REDIRECTS = frozenset({301, 302, 303, 307, 308})
#: Statuses whose body may still say how the task stands: one that is forgotten, one that failed.
TELLING = frozenset({404, 500, 503})
TASK_ID = re.compile(r"(?=.*[A-Za-z0-9])[A-Za-z0-9._-]{1,200}", re.ASCII)
STATUS = re.compile(r"[A-Za-z][A-Za-z _-]{0,39}", re.ASCII)
FRAMES = ("start", "end")
COST = "cost_usd"  # beside the address in Job.urls


class BlackForestLabs:
    """BFL's API, or whoever speaks its wire."""

    def __init__(
        self, name: str, base_url: str, api_key: SecretStr | str, client: httpx.AsyncClient
    ) -> None:
        self.name = name
        self.origin = origin_of(base_url)
        self.input_bytes_max = INPUT_BYTES_MAX
        self._base_url = base_url.rstrip("/")
        self._client = client
        self._secret = api_key if isinstance(api_key, SecretStr) else SecretStr(api_key)

    async def submit(
        self, route: Route, request: Request, *, key: str, webhook_url: str | None = None
    ) -> Job:
        """Send the one paid request. Raises: any ProviderError but Unreachable and Gone.

        Only a route that a webhook can help (`on_lost_submit`) is told its address: the films'
        endpoint refuses every field that it does not know.
        """
        hears = route.on_lost_submit == "webhook"
        sent = payload(route, request, webhook_url if hears else None)
        body = json.dumps(sent, allow_nan=False).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        call = self._request("POST", f"{self._base_url}/{route.endpoint}", headers, body)
        answer = await wire.submit(self._client, call, self._key())
        told: Mapping[str, object] = answer.json if isinstance(answer.json, Mapping) else {}
        task_id = told.get("id")
        if not is_task_id(task_id):
            raise AnswerLost(f"{self.name} took the request, but named no task")
        job, cost_usd = self.job(route, task_id), cost_of(told)
        urls = {**job.urls, "status": self._kept(told.get("polling_url")) or job.urls["status"]}
        return Job(id=task_id, urls=urls if cost_usd is None else {**urls, COST: str(cost_usd)})

    async def poll(self, route: Route, job: Job) -> JobState:
        """Ask how the task stands. Raises: Unreachable, Busy, Gone, Unauthorized, Malformed.

        Gone: the task is unknown, also because it is too long ago.
        """
        address = self._address(job)
        for _ in range(REDIRECTS_MAX + 1):
            call = self._request("GET", address)
            answer = await wire.look(self._client, call, self._key(), REDIRECTS | TELLING)
            if answer.status not in REDIRECTS:
                return self._read(route, job, answer)
            address = self._moved(address, answer.headers.get("Location", ""))
        raise Malformed(f"{self.name} sends from one address to the next")

    def _read(self, route: Route, job: Job, answer: wire.Answer) -> JobState:
        told: Mapping[str, object] = answer.json if isinstance(answer.json, Mapping) else {}
        if answer.status in TELLING and not isinstance(status_of(told), str):
            raise wire.refusal_of_look(answer)
        if told.get("id") not in (None, job.id):
            raise Malformed(f"{self.name} answered about another task than was asked for")
        return parse(route, answer.json, self._key(), kept_cost(job))

    async def cancel(self, route: Route, job: Job) -> None:
        """Do nothing: there is no way to stop a task, and it is paid for."""

    async def find(self, route: Route, key: str) -> Job | None:
        """Return None: tasks cannot be listed and carry no reference of ours."""
        return None

    def hear(self, headers: Mapping[str, str], raw: bytes) -> News:
        """Read what became of a task; only the address proves the sender.

        A header with an HMAC is known from the company's skills repository alone, not from its
        documentation: to demand it could mean to hear nothing. Raises: Malformed.
        """
        try:
            body = json.loads(raw)
        except (ValueError, RecursionError):
            raise Malformed("the news is no JSON") from None
        told: Mapping[str, object] = body if isinstance(body, Mapping) else {}
        task_id, status = told.get("id", told.get("task_id")), status_of(told)
        if not is_task_id(task_id):
            raise Malformed("the news names no task")
        if not (isinstance(status, str) and STATUS.fullmatch(status)):
            raise Malformed("the news names no status")
        return News(event=f"{task_id}:{status}", job_id=task_id)

    def job(self, route: Route, job_id: str) -> Job:
        """Return the task of this id, as the configured host knows it. Raises: Malformed."""
        if not is_task_id(job_id):
            raise Malformed(f"no task of {self.name} can have such an id")
        return Job(id=job_id, urls={"status": f"get_result?id={job_id}"})

    def _kept(self, polling_url: object) -> str | None:
        """Return the address of a task as it is stored, None for one that is not theirs."""
        if not isinstance(polling_url, str):
            return None
        try:
            url = str(httpx.URL(f"{self._base_url}/").join(polling_url))
        except httpx.InvalidURL:
            return None
        if not self._is_theirs(url):
            return None
        return url.removeprefix(f"{self._base_url}/")

    def _address(self, job: Job) -> str:
        """Return where a job is asked for; what is stored is not believed, either."""
        stored = job.urls.get("status", "")
        if "://" not in stored:
            stored = f"{self._base_url}/{stored}"
        return stored if self._is_theirs(stored) else f"{self._base_url}/get_result?id={job.id}"

    def _moved(self, address: str, location: str) -> str:
        """Return where an answer sends us, if that is theirs. Raises: Malformed."""
        try:
            there = str(httpx.URL(address).join(location))
        except httpx.InvalidURL:
            there = ""
        if not location or not self._is_theirs(there):
            raise Malformed(f"{self.name} sends us to a host that is not its own")
        return there

    def _is_theirs(self, url: str) -> bool:
        """Whether our key may go there: to the configured place, and from one of the company's
        hosts to another, by https.
        """
        try:
            place = origin_of(read_url(url))
        except (BlockedUrl, httpx.InvalidURL):
            return False
        if place == self.origin:
            return True
        siblings = (place, self.origin)
        return all(
            one.scheme == "https" and any(is_host(host, one) for host in HOSTS) for one in siblings
        )

    def _key(self) -> str:
        return self._secret.get_secret_value()

    def _request(
        self,
        method: str,
        address: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> httpx.Request:
        key = self._key()
        if not (key.isascii() and key.isprintable()):
            raise Unauthorized(f"the key of {self.name} holds characters that no key has")
        return self._client.build_request(
            method,
            address,
            headers={"Accept-Encoding": "identity", "x-key": key, **(headers or {})},
            content=wire.portions(body) if body else None,
        )


def is_task_id(task_id: object) -> TypeGuard[str]:
    """Whether this can name a task, and nothing else, in an address."""
    return isinstance(task_id, str) and TASK_ID.fullmatch(task_id) is not None


def kept_cost(job: Job) -> float | None:
    """Return the cost that was stored with a job."""
    return float(job.urls[COST]) if COST in job.urls else None


def configured(settings: Settings, client: httpx.AsyncClient) -> Configured | None:
    """BFL, where its key is set. The question is how many credits are left.

    Source: docs.bfl.ai/api-reference (GET /v1/credits), 2026-11-22.
    """
    key = settings.bfl_api_key
    if key is None:
        return None
    return Configured(
        provider=BlackForestLabs("bfl", settings.bfl_base_url, key, client),
        label="Black Forest Labs",
        setting="bfl_api_key",
        question=Question(
            url=f"{settings.bfl_base_url}/credits", headers={"x-key": key.get_secret_value()}
        ),
    )


def payload(route: Route, request: Request, webhook_url: str | None = None) -> dict[str, Json]:
    """Return the body of a submit. Raises: Rejected.

    Pictures are bare base64; a list of them goes into numbered fields (`input_image`,
    `input_image_2`); `keyframes.start` and `.end` become the list that makes a film begin so.
    """
    bare = {uri: uri.partition(",")[2] for uri in map(data_uri, request.inputs)}
    body: dict[str, Json] = {}
    for name, value in spell(route.dialect, request).items():
        if isinstance(value, list):
            for at, one in enumerate(value, 1):
                body[name if at == 1 else f"{name}_{at}"] = bare.get(str(one), one)
        elif name == "keyframes" and isinstance(value, dict):
            if "start" not in value:
                raise Rejected("a picture to end with needs one to start with")
            frames = [str(value[frame]) for frame in FRAMES if frame in value]
            body |= {"mode": "i2v", name: [bare.get(frame, frame) for frame in frames]}
        else:
            body[name] = bare.get(value, value) if isinstance(value, str) else value
    return {**body, **({"webhook_url": webhook_url} if webhook_url else {})}

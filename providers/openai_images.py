"""OpenAI-shaped images: one request that answers when all is made, as base64 or as addresses.

The same class speaks to OpenAI and to any server of its shape; the openai SDK does the speaking. An
endpoint of the catalogue is a model there; with pictures among the inputs it is an edit, and they
travel as files of a form, whatever their fields are called.
Source: openai 3.54.0 (types/image_generate_params.py, resources/images.py), 2026-11-22.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import httpx
import openai
from openai import AsyncOpenAI
from pydantic import SecretStr

from providers.addresses import origin_of
from providers.contract import (
    AnswerLost,
    Failed,
    Gone,
    InputFile,
    Job,
    JobState,
    Made,
    Malformed,
    NeverSent,
    News,
    Output,
    Rejected,
    Request,
    Route,
    Succeeded,
    Unauthorized,
)
from providers.dialect import Json
from providers.failures import classify, message_of, plain_text
from providers.masks import see_through
from providers.openai_client import NEVER_LEFT, open_openai
from providers.openai_refusals import refusal
from providers.outputs import OUTPUTS_MAX, as_result
from providers.place import Configured, Question
from providers.sink import in_thread
from providers.spelling import spell
from settings import Settings

BASE_URL = "https://api.openai.com/v1"
HOST = "api.openai.com"
#: Pictures take 10 to 120 s; a stopping process waits 150 s for a submit, and this is under it.
ANSWER_WITHIN_S = 140.0
#: OpenAI takes 16 files of 50 MB; nobody has to wait for that many.
INPUT_BYTES_MAX = 25_000_000
KEYLESS = "none"  # the SDK sends a key always; a server without keys looks at none
Part = tuple[str, bytes, str]  # name, content, type
SUFFIXES = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


class OpenAIImages:
    """A place that speaks OpenAI's images wire. Its client is its own; `aclose` closes it."""

    def __init__(
        self,
        name: str,
        base_url: str,
        api_key: SecretStr | str | None,
        answer_within_s: float = ANSWER_WITHIN_S,
    ) -> None:
        self.name = name
        self.origin = origin_of(base_url)
        self.input_bytes_max = INPUT_BYTES_MAX
        self._base_url = base_url.rstrip("/")
        self._secret = api_key if isinstance(api_key, SecretStr) else SecretStr(api_key or "")
        self._answer_within_s = answer_within_s
        self._client: AsyncOpenAI | None = None

    async def submit(
        self, route: Route, request: Request, *, key: str, webhook_url: str | None = None
    ) -> Made:
        """Send the one paid request and wait until it is made. Raises: any ProviderError but
        Unreachable and Gone.
        """
        client = self._opened()
        body, files = payload(route, request), await files_of(request)
        job = Job(id=key)
        try:
            async with asyncio.timeout(self._answer_within_s):
                raw = await send(client, body, files, key)
        except openai.APIStatusError as error:
            # `from None`: the SDK's error repeats what the server said, and that may be our key.
            raise refusal(error, self._key()) from None
        except openai.APIConnectionError as error:
            raise self._lost(error.__cause__) from None
        except TimeoutError:
            within = f"in {self._answer_within_s:g} s"
            raise AnswerLost(f"no answer from {self._where} {within}") from None
        return Made(job=job, state=await in_thread(read, raw, self._where, self._key()))

    async def poll(self, route: Route, job: Job) -> JobState:
        """Raises: Gone: what was made was in the answer, and nothing is kept there."""
        raise Gone(f"{self.name} keeps no jobs; what it made was in its one answer")

    async def cancel(self, route: Route, job: Job) -> None:
        """Do nothing: what answers only when it is done cannot be stopped."""

    async def find(self, route: Route, key: str) -> Job | None:
        """Return None: no request can be looked up there."""
        return None

    def hear(self, headers: Mapping[str, str], raw: bytes) -> News:
        """Raises: Malformed: there are no news of images."""
        raise Malformed(f"{self.name} sends no news")

    def job(self, route: Route, job_id: str) -> Job:
        """Raises: Malformed: there are no jobs."""
        raise Malformed(f"{self.name} has no jobs")

    async def aclose(self) -> None:
        """Close the SDK's client, if it was ever needed."""
        if self._client is not None:
            await self._client.close()

    @property
    def _where(self) -> str:
        return self.origin.host

    def _key(self) -> str:
        return self._secret.get_secret_value()

    def _opened(self) -> AsyncOpenAI:
        key = self._key()
        if not (key.isascii() and key.isprintable()):
            raise Unauthorized(f"the key of {self.name} holds characters that no key has")
        if self._client is None:
            self._client = open_openai(self._base_url, key or KEYLESS, self._answer_within_s)
        return self._client

    def _lost(self, cause: BaseException | None) -> NeverSent | AnswerLost:
        if isinstance(cause, NEVER_LEFT):
            return NeverSent(f"no connection to {self._where}")
        return AnswerLost(f"no answer from {self._where} ({type(cause).__name__})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The pictures of an edit as parts of a form."""

    pictures: tuple[Part, ...]
    mask: Part | None


async def send(client: AsyncOpenAI, body: dict[str, Json], files: Files, key: str) -> bytes:
    """Send a request once; return its answer unread. Raises: openai.APIError.

    Our key goes along as OpenAI's own header for that: its support finds a lost request by it.
    Source: https://developers.openai.com/api/reference/overview (X-Client-Request-Id), 2026-11-22.
    """
    model, prompt = str(body.pop("model")), str(body.pop("prompt", ""))
    headers = {"X-Client-Request-Id": key}
    calls = client.images.with_raw_response
    if not files.pictures:
        answer = await calls.generate(
            model=model, prompt=prompt, extra_headers=headers, extra_body=body
        )
    else:
        answer = await calls.edit(
            model=model,
            prompt=prompt,
            image=list(files.pictures),
            mask=files.mask or openai.omit,
            extra_headers=headers,
            extra_body=body,
        )
    return answer.http_response.content


def payload(route: Route, request: Request) -> dict[str, Json]:
    """Return the fields of the request but its pictures."""
    return {"model": route.endpoint, **spell(route.dialect, replace(request, inputs=()))}


async def files_of(request: Request) -> Files:
    """Return the pictures in order: the one to edit, then the references. Raises: Rejected."""
    pictures = [
        file for role in ("image", "reference") for file in request.inputs if file.role == role
    ]
    masks = [file for file in request.inputs if file.role == "mask"]
    mask = None
    if masks and pictures:
        try:
            data = await in_thread(see_through, masks[0].data, pictures[0].data)
        except ValueError as error:
            raise Rejected(str(error)) from error
        mask = ("mask.png", data, "image/png")
    return Files(pictures=tuple(part(at, file) for at, file in enumerate(pictures)), mask=mask)


def part(at: int, file: InputFile) -> Part:
    """Return a picture under a name that tells its type, which is what some servers go by."""
    return f"{at}.{SUFFIXES.get(file.media_type, 'bin')}", file.data, file.media_type


def read(raw: bytes, where: str, secret: str = "") -> Succeeded | Failed:
    """Return what an answer with a success status brought. Raises: AnswerLost: it is no JSON."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise AnswerLost(f"{where} answered something else than JSON") from None
    return parse(body, secret)


def parse(body: object, secret: str = "") -> Succeeded | Failed:
    """Return the pictures of an answer, which may be fewer than were asked for; 200 is not yet
    success.
    """
    items = body.get("data") if isinstance(body, Mapping) else None
    found = [picture(item) for item in items] if isinstance(items, list) else []
    outputs = tuple(Output(url=url) for url in dict.fromkeys(found) if url)[:OUTPUTS_MAX]
    if outputs:
        return Succeeded(outputs=outputs)
    error = body.get("error") if isinstance(body, Mapping) else None
    said = plain_text(message_of(error), secret)
    code = classify(said)
    return Failed(
        code=code,
        message=said or "the provider answered without a picture",
        retryable=code == "provider_error",
    )


def picture(item: object) -> str | None:
    """Return one picture: OpenAI gives base64, others an address, or the one in the other."""
    if not isinstance(item, Mapping):
        return None
    given = (item.get("b64_json"), item.get("url"))
    return next((url for one in given if isinstance(one, str) and (url := as_result(one))), None)


def configured(settings: Settings, client: httpx.AsyncClient) -> Configured | None:
    """The images server that the settings name, with its own key; or OpenAI itself, with the key
    that the chat model has there. A key for the chat model is never sent anywhere else.

    The question lists models, which is free.
    Source: https://developers.openai.com/api/reference/resources/models (list), 2026-11-22.
    """
    key, setting = settings.images_api_key, "images_api_key"
    base_url = settings.images_base_url or BASE_URL
    if key is None and is_openai(base_url) and is_openai(settings.openai_base_url or BASE_URL):
        key, setting = settings.openai_api_key, "openai_api_key"
        base_url = settings.images_base_url or settings.openai_base_url or BASE_URL
    if key is None and is_openai(base_url):
        return None
    bearer = key.get_secret_value() if key else KEYLESS
    provider = OpenAIImages("images", base_url, key)
    return Configured(
        provider=provider,
        aclose=provider.aclose,
        label="OpenAI" if is_openai(base_url) else f"Images at {origin_of(base_url).host}",
        setting=setting if key else "images_base_url",
        question=Question(
            url=f"{base_url.rstrip('/')}/models", headers={"Authorization": f"Bearer {bearer}"}
        ),
    )


def is_openai(url: str) -> bool:
    """Whether an address is OpenAI's own API, unread on its way there."""
    parts = urlsplit(url)
    return (parts.scheme, parts.netloc.lower()) in (("https", HOST), ("https", f"{HOST}:443"))

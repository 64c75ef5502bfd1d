"""What a provider is to the rest of Kinora: a handful of value types, and the calls that take and
give them. What they raise stands in `providers.errors`.

`poll` returns what the job says of itself and raises only when the looking failed: that difference
is what keeps a paid film from being thrown away by a bad minute of network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from providers.dialect import Dialect
from providers.errors import (
    AnswerLost,
    BlockedUrl,
    Busy,
    ErrorCode,
    Forged,
    Gone,
    Malformed,
    NeverSent,
    OutOfCredit,
    ProviderError,
    Rejected,
    TooLarge,
    Unauthorized,
    Unreachable,
)

#: Of another file, and part of the contract.
__all__ = [
    "AnswerLost",
    "BlockedUrl",
    "Busy",
    "ErrorCode",
    "Forged",
    "Gone",
    "Malformed",
    "NeverSent",
    "OutOfCredit",
    "ProviderError",
    "Rejected",
    "TooLarge",
    "Unauthorized",
    "Unreachable",
]

Kind = Literal["image", "video", "audio"]
Role = Literal["reference", "image", "mask", "start", "end"]
LostSubmit = Literal["key", "lookup", "webhook", "ask"]


class Origin(NamedTuple):
    """Scheme, host in lower case, and port of an address."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """A picture that goes along with a request, already decoded and re-encoded by us."""

    role: Role
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be made, in neutral words; already checked against the model's abilities."""

    kind: Kind
    prompt: str
    negative_prompt: str | None = None
    style: str | None = None
    aspect_ratio: str | None = None
    resolution: str | None = None
    width_px: int | None = None
    height_px: int | None = None
    duration_s: float | None = None
    n: int = 1
    seed: int | None = None
    audio: bool | None = None
    inputs: tuple[InputFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The provider's job, as far as we must remember it: plain JSON, stored right after the submit.

    `urls` are relative to the address the provider is configured at: they survive a move of it.
    """

    id: str
    urls: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a provider tells of a job unasked. `event` tells one piece of news from another, short
    and printable; whose news it is in our words, the address says that it was sent to.
    """

    event: str
    job_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One result of a job: an address to fetch, or the bytes themselves as a data URI."""

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The job stands in the provider's queue."""

    position: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The job is being worked on; progress 0..1, None where the provider tells nothing."""

    progress: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Succeeded:
    """The job is done; cost is what the provider says it charged, None when it says nothing."""

    outputs: tuple[Output, ...]
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The job ended without a result. `charged` None: the provider does not tell."""

    code: ErrorCode
    message: str
    retryable: bool = True
    charged: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """The job was cancelled at the provider."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The answer of a provider that answers only when it is done: what its one request brought."""

    job: Job
    state: Succeeded | Failed


JobState = Waiting | Running | Succeeded | Failed | Cancelled


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a model costs: `usd` for each `unit`, as of a date, from a named source.

    `usd_at` holds the resolutions that cost something else; a megapixel is a million pixels.
    """

    unit: Literal["image", "second", "megapixel"]
    usd: float
    as_of: str
    source: str
    usd_at: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A model at a provider: where it is asked, in which words, and what a lost submit means.

    `inputs` are the input words this route takes, as in `Model.inputs`; `result_hosts` the hosts
    its results may be fetched from (port 443; `*.example.com` for subdomains); `tells_cost`:
    whether what the provider says of a job's cost counts, and not our price.
    """

    provider: str
    endpoint: str
    on_lost_submit: LostSubmit
    price: Price | None
    poll_s: float
    poll_max_s: float
    deadline_s: float
    inputs: tuple[str, ...]
    result_hosts: tuple[str, ...]
    dialect: Dialect
    tells_cost: bool = True


@runtime_checkable
class Keyed(Protocol):
    """A provider whose results have to be fetched with its key."""

    def result_headers(self, url: str) -> Mapping[str, str]:
        """What a request to this address carries: our key at its own origin, else nothing. Asked
        anew for each address that a redirect leads to.
        """
        ...


@runtime_checkable
class Learner(Protocol):
    """A provider whose news are checked with keys that have to be fetched before."""

    async def learn(self) -> None:
        """Have the keys ready that `hear` checks with; a request now and then at most."""
        ...


class Provider(Protocol):
    """One company's wire. Stateless but for its HTTP client: any worker may go on with any job."""

    name: str
    #: Where it is configured: the one place a result may come from at whatever address.
    origin: Origin
    #: What the input pictures of one request may weigh together, before any encoding.
    input_bytes_max: int

    async def submit(
        self, route: Route, request: Request, *, key: str, webhook_url: str | None = None
    ) -> Job | Made:
        """Send the one paid request; `key` is `<generation id>-<attempt>`, always the same.
        `webhook_url`: where the provider tells what becomes of it, if it can do that. A provider
        without jobs answers when all is made, its bytes as data URIs.

        Raises: any ProviderError but Unreachable and Gone.
        """
        ...

    async def poll(self, route: Route, job: Job) -> JobState:
        """Ask how the job stands; an answer about another job is Malformed.

        Raises: Unreachable, Busy, Gone, Unauthorized, Malformed.
        """
        ...

    async def cancel(self, route: Route, job: Job) -> None:
        """Ask the provider to stop; `poll` tells what came of it. Raises: like `poll`."""
        ...

    async def find(self, route: Route, key: str) -> Job | None:
        """Find the job of a submit whose answer was lost (`on_lost_submit` = `lookup`)."""
        ...

    def hear(self, headers: Mapping[str, str], raw: bytes) -> News:
        """Read news as it was sent, after its signature where the provider signs.

        `headers` have lower-case names. Raises: Forged, Malformed.
        """
        ...

    def job(self, route: Route, job_id: str) -> Job:
        """Build a job of this route from its id alone. Raises: Malformed: it cannot be one."""
        ...

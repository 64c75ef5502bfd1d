"""What may go wrong between us and a provider, as one tree; the class says who must act.

ProviderError(message, *, retry_after_s=None, request_id=None)
  Rejected       the request is at fault (safety, bad parameter): for the person, never retried
  Unauthorized   our key is missing, wrong or not allowed: for the operator, never retried
  OutOfCredit    our account is empty: for the operator, never retried
  Busy           429 or a full queue: asked again after `retry_after_s`; nothing was accepted
  NeverSent      the request provably did not leave (refused, DNS, TLS): safe to send again
  AnswerLost     the request left, the answer did not come: for a submit the one ambiguous case
  Unreachable    we could not *look* (poll, cancel): says nothing about the job
  Gone           the provider no longer knows the job or its result
  Malformed      an answer we do not understand, an unknown status too: never "still running"
  Forged         news whose signature does not hold: somebody else's
  BlockedUrl     a result lies where we do not go (host, address, scheme): no use asking again
  TooLarge       a result is larger than we store
"""

from __future__ import annotations

from typing import Literal

ErrorCode = Literal[
    "content_policy",
    "invalid_request",
    "auth",
    "out_of_credit",
    "rate_limited",
    "unavailable",
    "provider_error",
    "timeout",
    "expired",
    "submit_unknown",
    "blocked_url",
    "wrong_type",
    "internal",
]


class ProviderError(Exception):
    """Something between us and the provider; the subclass says who must act."""

    code: ErrorCode = "provider_error"

    def __init__(
        self, message: str, *, retry_after_s: float | None = None, request_id: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after_s = retry_after_s
        self.request_id = request_id


class Rejected(ProviderError):
    """The provider refuses this request; another prompt or parameter may pass."""

    code: ErrorCode = "invalid_request"

    def __init__(
        self,
        message: str,
        *,
        code: Literal["content_policy", "invalid_request"] = "invalid_request",
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, request_id=request_id)
        self.code = code


class Unauthorized(ProviderError):
    """The provider does not accept our key."""

    code: ErrorCode = "auth"


class OutOfCredit(ProviderError):
    """The account at the provider has no money left."""

    code: ErrorCode = "out_of_credit"


class Busy(ProviderError):
    """The provider takes no more for now; nothing was accepted."""

    code: ErrorCode = "rate_limited"


class NeverSent(ProviderError):
    """The request provably never left this machine."""

    code: ErrorCode = "unavailable"


class AnswerLost(ProviderError):
    """The request left and no usable answer came; the provider may have accepted it."""

    code: ErrorCode = "submit_unknown"


class Unreachable(ProviderError):
    """We could not look; the job itself may be well."""

    code: ErrorCode = "unavailable"


class Gone(ProviderError):
    """The provider no longer knows the job, or its result has expired."""

    code: ErrorCode = "expired"


class Malformed(ProviderError):
    """An answer outside the provider's contract."""


class Forged(ProviderError):
    """News that the provider did not sign, though it signs what it sends."""


class BlockedUrl(ProviderError):
    """A result lies where we do not go: a host nobody named, a private address, no https."""

    code: ErrorCode = "blocked_url"


class TooLarge(ProviderError):
    """A result is larger than we store."""

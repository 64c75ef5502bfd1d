"""Signed news: the two schemes that providers sign with, and the keys they are checked by.

A check is pure: headers, the bytes as they came, keys and the time go in, Forged comes out or
nothing does. Keys are published at an address, so a `KeyRing` fetches them ahead of the check.
Source: standardwebhooks.com (specification, 1.0.0) and replicate/webhook.py of replicate 1.0.7;
docs.fal.ai/model-apis/model-endpoints/webhooks, 2026-11-22.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from providers.contract import Forged, Malformed, ProviderError

TOLERANCE_S = 300
KEYS_KEPT_S = 86_400.0
FETCH_S = 5.0  # whoever sends the news waits for it
ASK_AGAIN_S = 60.0  # forged news must not make us ask the provider as often as they come
SECRET_PREFIX = "whsec_"
KEY_BYTES = 32
TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
SIGNATURES_MAX = 16

Keys = tuple[bytes, ...]
Clock = Callable[[], float]


class KeyRing:
    """The keys a provider signs with, as fetched last; `keys` is empty until they were."""

    def __init__(self, fetch: Callable[[], Awaitable[Keys]], clock: Clock = time.time) -> None:
        self.keys: Keys = ()
        self._fetch = fetch
        self._clock = clock
        self._asked_at = self._ask_at = float("-inf")
        self._one_at_a_time = asyncio.Lock()

    async def learn(self) -> None:
        """Fetch the keys when there are none, when they are old, and when a check was in doubt.

        A provider that cannot be asked leaves the keys as they are.
        """
        async with self._one_at_a_time:
            now = self._clock()
            if now < self._ask_at:
                return
            self._asked_at, self._ask_at = now, now + ASK_AGAIN_S
            try:
                async with asyncio.timeout(FETCH_S):
                    self.keys = await self._fetch()
            except (ProviderError, TimeoutError):
                return
            self._ask_at = now + KEYS_KEPT_S

    @contextlib.contextmanager
    def doubting(self) -> Iterator[Keys]:
        """The keys to check with; when nothing fits them, they are asked for again before long.

        Raises: Malformed: there are none yet, so nobody can tell forged news from genuine ones, and
        what they say is not believed.
        """
        if not self.keys:
            raise Malformed("the news cannot be checked: the provider's keys are not known yet")
        try:
            yield self.keys
        except Forged:
            self._ask_at = min(self._ask_at, self._asked_at + ASK_AGAIN_S)
            raise


def check_standard(headers: Mapping[str, str], raw: bytes, keys: Keys, now_s: float) -> None:
    """Check a Standard Webhooks signature (`webhook-id`, `-timestamp`, `-signature`, HMAC).

    Raises: Forged.
    """
    message_id, signatures = headers.get("webhook-id", ""), headers.get("webhook-signature", "")
    sent_at = fresh(headers.get("webhook-timestamp", ""), now_s)
    message = b".".join((message_id.encode(), sent_at.encode(), raw))
    wanted = [hmac.new(key, message, hashlib.sha256).digest() for key in keys]
    for version, _, signature in (
        part.partition(",") for part in signatures.split()[:SIGNATURES_MAX]
    ):
        given = from_base64(signature)
        if version == "v1" and any(hmac.compare_digest(given, one) for one in wanted):
            return
    raise Forged("the signature does not hold")


def check_ed25519(message: bytes, signature_hex: str, keys: Keys) -> None:
    """Check an Ed25519 signature with any of these public keys. Raises: Forged."""
    try:
        signature = bytes.fromhex(signature_hex)
    except ValueError:
        raise Forged("the signature is no hexadecimal number") from None
    for key in keys:
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
        except InvalidSignature:
            continue
        return
    raise Forged("the signature does not hold")


def fresh(timestamp: str, now_s: float) -> str:
    """Return the time news were signed at, Unix seconds as text. Raises: Forged: not just now."""
    if not TIMESTAMP.fullmatch(timestamp):
        raise Forged("the news do not say when they were signed")
    if abs(now_s - int(timestamp)) > TOLERANCE_S:
        raise Forged("the news were not signed just now")
    return timestamp


def standard_key(secret: object) -> bytes:
    """Return the key in a `whsec_...` secret. Raises: Malformed."""
    if not isinstance(secret, str) or not secret.startswith(SECRET_PREFIX):
        raise Malformed("the signing secret is not written as it must be")
    key = from_base64(secret.removeprefix(SECRET_PREFIX))
    if not key:
        raise Malformed("the signing secret is not written as it must be")
    return key


def ed25519_keys(document: object) -> Keys:
    """Return the Ed25519 keys in a JSON Web Key Set. Raises: Malformed: it has none."""
    listed = document.get("keys") if isinstance(document, Mapping) else None
    rows: Iterable[object] = listed if isinstance(listed, list) else ()
    found = [
        from_base64(str(row.get("x", "")).replace("-", "+").replace("_", "/"))
        for row in rows
        if isinstance(row, Mapping) and (row.get("kty"), row.get("crv")) == ("OKP", "Ed25519")
    ]
    keys = tuple(key for key in found if len(key) == KEY_BYTES)
    if not keys:
        raise Malformed("the provider publishes no key that we can check with")
    return keys


def from_base64(text: str) -> bytes:
    """Return the bytes in base64, with or without its padding; none for what is none."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        return b""

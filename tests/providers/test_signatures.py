"""Signed news: the published vectors pass, and nothing that differs from them by one bit."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from providers.contract import Forged, Malformed, Unreachable
from providers.signatures import (
    ASK_AGAIN_S,
    KEYS_KEPT_S,
    TOLERANCE_S,
    KeyRing,
    Keys,
    check_ed25519,
    check_standard,
    ed25519_keys,
    fresh,
    standard_key,
)

# Source: the specification of Standard Webhooks, its own example.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SENT_AT = 1614265330
BODY = b'{"test": 2432232314}'
HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": str(SENT_AT),
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
KEYS = (standard_key(SECRET),)
# A vector for Ed25519: the private key is the bytes 0 to 31.
PUBLIC_X = "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"
FAL_BODY = (
    b'{"request_id":"r1","gateway_request_id":"r1","status":"OK","payload":{"images":[]},'
    b'"error":null}'
)
FAL_MESSAGE = b"\n".join(
    (b"r1", b"user_1", b"1700000000", hashlib.sha256(FAL_BODY).hexdigest().encode())
)
FAL_SIGNATURE = (
    "9394621224699c7ad71c7cad93e5dbf2819ced684b938a9f72e3e80fbe9dd92d"
    "e593d98125d2f01b58d258bb18119aa7883af0cbd97b733d131d2d37adcb5908"
)
JWKS = {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": PUBLIC_X}]}


@pytest.mark.parametrize("now_s", [SENT_AT, SENT_AT + TOLERANCE_S, SENT_AT - TOLERANCE_S])
@pytest.mark.parametrize("before", ["", "v1,AAAA ", "v2,g0hM9SsE= v1a,AAAA "])
def test_the_example_of_standard_webhooks_holds(now_s: int, before: str) -> None:
    signed = HEADERS | {"webhook-signature": before + HEADERS["webhook-signature"]}
    check_standard(signed, BODY, KEYS, now_s)
    check_standard(signed, BODY, (b"an old key", *KEYS), now_s)


@pytest.mark.parametrize(
    ("headers", "body", "keys", "now_s"),
    [
        (HEADERS, BODY[:-2] + b"5}", KEYS, SENT_AT),
        (HEADERS, b"", KEYS, SENT_AT),
        (HEADERS, BODY, (b"another key",), SENT_AT),
        (HEADERS, BODY, (), SENT_AT),
        (HEADERS, BODY, KEYS, SENT_AT + TOLERANCE_S + 1),
        (HEADERS, BODY, KEYS, SENT_AT - TOLERANCE_S - 1),
        (HEADERS | {"webhook-id": "msg_q"}, BODY, KEYS, SENT_AT),
        (HEADERS | {"webhook-timestamp": str(SENT_AT + 1)}, BODY, KEYS, SENT_AT),
        (HEADERS | {"webhook-timestamp": ""}, BODY, KEYS, SENT_AT),
        (HEADERS | {"webhook-timestamp": "١"}, BODY, KEYS, SENT_AT),
        (HEADERS | {"webhook-timestamp": "9" * 40}, BODY, KEYS, SENT_AT),
        (HEADERS | {"webhook-signature": ""}, BODY, KEYS, SENT_AT),
        (HEADERS | {"webhook-signature": "v1,"}, BODY, KEYS, SENT_AT),
        (HEADERS | {"webhook-signature": "v1,é"}, BODY, KEYS, SENT_AT),
        (
            HEADERS | {"webhook-signature": HEADERS["webhook-signature"].replace("v1,", "v1a,")},
            BODY,
            KEYS,
            SENT_AT,
        ),
        (
            HEADERS | {"webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA="},
            BODY,
            KEYS,
            SENT_AT,
        ),
        ({}, BODY, KEYS, SENT_AT),
    ],
)
def test_what_differs_from_it_is_forged(
    headers: dict[str, str], body: bytes, keys: Keys, now_s: int
) -> None:
    with pytest.raises(Forged):
        check_standard(headers, body, keys, now_s)


def test_the_vector_of_ed25519_holds_with_any_of_the_published_keys() -> None:
    keys = ed25519_keys(JWKS)
    assert keys == (
        Ed25519PrivateKey.from_private_bytes(bytes(range(32))).public_key().public_bytes_raw(),
    )
    check_ed25519(FAL_MESSAGE, FAL_SIGNATURE, keys)
    other = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()
    check_ed25519(FAL_MESSAGE, FAL_SIGNATURE, (other, *keys))
    for message, signature, tried in (
        (FAL_MESSAGE + b" ", FAL_SIGNATURE, keys),
        (FAL_MESSAGE, "0" + FAL_SIGNATURE[1:], keys),
        (FAL_MESSAGE, FAL_SIGNATURE[:-2], keys),
        (FAL_MESSAGE, "not hexadecimal", keys),
        (FAL_MESSAGE, "", keys),
        (FAL_MESSAGE, FAL_SIGNATURE, (other,)),
        (FAL_MESSAGE, FAL_SIGNATURE, ()),
    ):
        with pytest.raises(Forged):
            check_ed25519(message, signature, tried)


@pytest.mark.parametrize(
    "document",
    [
        *({}, [], None, "keys", {"keys": None}, {"keys": []}, {"keys": ["x"]}),
        {"keys": [{"kty": "RSA", "n": "AQAB"}]},
        {"keys": [{"kty": "OKP", "crv": "X25519", "x": PUBLIC_X}]},
        {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}]},
        {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": 7}]},
        {"keys": [{"kty": "OKP", "crv": "Ed25519"}]},
    ],
)
def test_a_key_set_without_a_key_is_malformed(document: object) -> None:
    with pytest.raises(Malformed):
        ed25519_keys(document)


@pytest.mark.parametrize(
    "secret", [None, "", 7, "whsec_", "whsec_é", SECRET.removeprefix("whsec_")]
)
def test_a_secret_that_is_none_is_malformed(secret: object) -> None:
    with pytest.raises(Malformed):
        standard_key(secret)
    assert standard_key(SECRET) == base64.b64decode(SECRET.removeprefix("whsec_"))


def test_a_time_is_digits_and_near() -> None:
    assert fresh("1000", 1000 + TOLERANCE_S) == "1000"
    for text, now_s in (("1000", 1301), ("1000", 699), ("", 0), ("-1", 0), ("1e3", 1000)):
        with pytest.raises(Forged):
            fresh(text, now_s)


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


async def test_keys_are_fetched_once_a_day_and_sooner_when_in_doubt() -> None:
    clock, fetched, trouble = Clock(), [0], [False]

    async def fetch() -> Keys:
        fetched[0] += 1
        if trouble[0]:
            raise Unreachable("nobody there")
        return (f"key {fetched[0]}".encode(),)

    ring = KeyRing(fetch, clock)
    with pytest.raises(Malformed), ring.doubting():
        pass
    for _ in range(3):
        await ring.learn()
    assert (ring.keys, fetched) == ((b"key 1",), [1])
    with pytest.raises(Forged), ring.doubting() as keys:
        raise Forged(f"not by {keys!r}")
    await ring.learn()
    assert fetched == [1], "forged news do not make us ask as often as they come"
    clock.now_s += ASK_AGAIN_S
    await ring.learn()
    assert (ring.keys, fetched) == ((b"key 2",), [2])
    trouble[0] = True
    clock.now_s += KEYS_KEPT_S
    await ring.learn()
    await ring.learn()
    assert (ring.keys, fetched) == ((b"key 2",), [3]), "old keys are better than none"
    trouble[0] = False
    clock.now_s += ASK_AGAIN_S
    await ring.learn()
    assert ring.keys == (b"key 4",)

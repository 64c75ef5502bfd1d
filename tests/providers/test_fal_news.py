"""News of fal: whose signature is believed, where the keys come from, and that ours stays here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from providers.contract import Forged, Malformed, News
from providers.fal import Fal, configured
from providers.transport import Limits, open_client
from settings import load
from tests.providers.servers import Exchange, serving

KEY = "fal-id:CANARY0123456789"
NOW_S = 1_700_000_000
SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
JWKS = {
    "keys": [{"kty": "OKP", "crv": "Ed25519", "x": "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"}]
}
# A vector: its private key is the bytes 0 to 31.
RAW = (
    b'{"request_id":"r1","gateway_request_id":"r1","status":"OK","payload":{"images":[]},'
    b'"error":null}'
)
HEADERS = {
    "x-fal-webhook-request-id": "r1",
    "x-fal-webhook-user-id": "user_1",
    "x-fal-webhook-timestamp": str(NOW_S),
    "x-fal-webhook-signature": (
        "9394621224699c7ad71c7cad93e5dbf2819ced684b938a9f72e3e80fbe9dd92d"
        "e593d98125d2f01b58d258bb18119aa7883af0cbd97b733d131d2d37adcb5908"
    ),
}


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with open_client(Limits(connect_s=0.3, read_s=0.3)) as client:
        yield client


@pytest.fixture
async def there(client: httpx.AsyncClient) -> AsyncIterator[Fal]:
    """An adapter that has learned the keys, and sent its own to nobody for that."""

    async def answer(exchange: Exchange) -> None:
        await exchange.reply(json.dumps(JWKS).encode())

    async with serving(answer) as server:
        there = Fal("fal", f"{server.url}/q", KEY, client, lambda: NOW_S)
        with pytest.raises(Malformed, match="not known yet"):
            there.hear(HEADERS, RAW)
        await there.learn()
        await there.learn()
        assert [one.path for one in server.seen] == ["/q/.well-known/jwks.json"]
        assert "authorization" not in server.seen[0].headers
        yield there


def signed(raw: bytes, sent_at: int = NOW_S) -> dict[str, str]:
    digest = hashlib.sha256(raw).hexdigest()
    message = f"r1\nuser_1\n{sent_at}\n{digest}".encode()
    signature = SIGNER.sign(message).hex()
    return HEADERS | {
        "x-fal-webhook-timestamp": str(sent_at),
        "x-fal-webhook-signature": signature,
    }


def test_the_vector_is_genuine(there: Fal) -> None:
    assert signed(RAW) == HEADERS
    assert there.hear(HEADERS, RAW) == News(event="r1:OK", job_id="r1")


@pytest.mark.parametrize(
    ("headers", "raw"),
    [
        ({}, RAW),
        (HEADERS, RAW.replace(b"OK", b"KO")),
        (HEADERS, RAW + b" "),
        (HEADERS | {"x-fal-webhook-request-id": "r2"}, RAW),
        (HEADERS | {"x-fal-webhook-user-id": "user_2"}, RAW),
        (HEADERS | {"x-fal-webhook-timestamp": str(NOW_S + 1)}, RAW),
        (HEADERS | {"x-fal-webhook-signature": "0" * 128}, RAW),
        (HEADERS | {"x-fal-webhook-signature": ""}, RAW),
        (signed(RAW, NOW_S - 301), RAW),
        (signed(RAW, NOW_S + 301), RAW),
    ],
)
def test_what_differs_from_it_by_a_bit_is_forged(
    there: Fal, headers: dict[str, str], raw: bytes
) -> None:
    with pytest.raises(Forged):
        there.hear(headers, raw)


def test_a_request_that_fal_tried_again_is_the_first_one(there: Fal) -> None:
    raw = b'{"request_id": "r9", "gateway_request_id": "r1", "status": "ERROR"}'
    assert there.hear(signed(raw), raw) == News(event="r1:ERROR", job_id="r1")
    raw = b'{"request_id": "r9", "status": "OK"}'
    assert there.hear(signed(raw, NOW_S - 300), raw) == News(event="r9:OK", job_id="r9")


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"status": "OK"}'),
        *(b'{"request_id": "r1"}', b'{"request_id": "../x", "status": "OK"}'),
        b'{"request_id": "r1", "status": "ok\\n"}',
    ],
)
def test_signed_nonsense_is_malformed(there: Fal, raw: bytes) -> None:
    with pytest.raises(Malformed):
        there.hear(signed(raw), raw)


async def test_the_real_keys_are_fetched_where_fal_publishes_them() -> None:
    asked: list[httpx.Request] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=JWKS)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as mock:
        await Fal("fal", "https://queue.fal.run", KEY, mock).learn()
    assert [str(one.url) for one in asked] == ["https://rest.fal.ai/.well-known/jwks.json"]
    assert "authorization" not in asked[0].headers


def test_a_key_switches_it_on_and_is_not_shown(tmp_path: Path) -> None:
    off, on = (load(env, tmp_path / "no.env").settings for env in ({}, {"FAL_KEY": KEY}))
    client = httpx.AsyncClient()
    assert configured(off, client) is None
    found = configured(on, client)
    assert found is not None
    assert (found.provider.name, found.setting) == ("fal", "fal_key")
    assert found.question is not None
    assert found.question.url.startswith("https://api.fal.ai/v1/models/pricing?")
    assert KEY not in repr(found)

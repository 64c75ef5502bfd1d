"""A signed address opens one file until a moment, for whoever holds it, and nothing else."""

from __future__ import annotations

import hashlib
import hmac
import io
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from PIL import Image

import api
from api.access import Access
from api.guard import Guard
from api.links import sign
from api.problems import install
from db import users
from db.ids import new_id
from runtime import Runtime
from tests.demo_process import Demo
from tests.house import open_house


@dataclass(frozen=True, slots=True)
class Gallery:
    """The doors of a house, and two pictures that belong to somebody who is not the caller."""

    house: Runtime
    http: httpx.AsyncClient
    picture: UUID
    another: UUID

    def sign(self, asset_id: UUID, expires_at: int) -> dict[str, str]:
        """The signature of an address, as the house makes it."""
        signature = sign(self.house.key("media"), asset_id, expires_at)
        return {"exp": str(expires_at), "sig": signature}

    async def get(self, asset_id: UUID, **params: str) -> httpx.Response:
        return await self.http.get(f"/media/{asset_id}", params=params)


def red_square(size_px: int = 32) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (size_px, size_px), "red").save(out, "PNG")
    return out.getvalue()


@pytest.fixture
async def gallery(database_url: str, calm_demo: Demo, tmp_path: Path) -> AsyncIterator[Gallery]:
    async with open_house(database_url, calm_demo.url, tmp_path) as house:
        async with house.engine.begin() as connection:
            owner = await users.ensure(connection, "somebody else")
        taken = [await house.uploads.take(owner, red_square(n), name="a.png") for n in (32, 48)]
        app = FastAPI()
        install(app)
        app.include_router(api.routes())
        app.state.runtime = house
        transport = httpx.ASGITransport(Guard(Access(app, lambda: house)))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            yield Gallery(house, http, taken[0].id, taken[1].id)


def soon() -> int:
    return int(time.time()) + 60


async def test_without_a_signature_what_is_anothers_does_not_exist(gallery: Gallery) -> None:
    answer = await gallery.get(gallery.picture)
    assert answer.status_code == 404
    assert answer.json() == (await gallery.get(new_id())).json()


async def test_a_signed_address_opens_its_file_for_anybody(gallery: Gallery) -> None:
    signed = gallery.sign(gallery.picture, soon())
    answer = await gallery.get(gallery.picture, **signed)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(answer.content)).size == (32, 32)
    small = await gallery.get(gallery.picture, w="128", **signed)
    assert small.headers["content-type"] == "image/webp"
    saved = await gallery.get(gallery.picture, download="1", **signed)
    assert saved.headers["content-disposition"].startswith("attachment")


async def test_the_signature_is_what_any_process_with_the_secret_would_make(
    gallery: Gallery, tmp_path: Path
) -> None:
    """All processes of an installation share the secret: an address of one opens at another."""
    secret = (tmp_path / "secret").read_text("utf-8").encode()
    key = hmac.new(secret, b"kinora:media", hashlib.sha256).digest()
    expires_at = soon()
    message = f"media:{gallery.picture}:{expires_at}".encode()
    signature = hmac.new(key, message, hashlib.sha256).hexdigest()
    assert gallery.sign(gallery.picture, expires_at)["sig"] == signature
    other = replace(gallery.house, secret=b"another installation's secret")
    foreign = sign(other.key("media"), gallery.picture, expires_at)
    answer = await gallery.get(gallery.picture, exp=str(expires_at), sig=foreign)
    assert answer.status_code == 404


async def test_an_expired_address_opens_nothing(gallery: Gallery) -> None:
    for expires_at in (int(time.time()) - 1, 0, -1, int(time.time()) - 10**9):
        signed = gallery.sign(gallery.picture, expires_at)
        assert (await gallery.get(gallery.picture, **signed)).status_code == 404


async def test_a_signature_is_good_for_nothing_but_what_it_was_made_for(gallery: Gallery) -> None:
    expires_at = soon()
    signed = gallery.sign(gallery.picture, expires_at)
    assert (await gallery.get(gallery.another, **signed)).status_code == 404
    later = signed | {"exp": str(expires_at + 1)}
    assert (await gallery.get(gallery.picture, **later)).status_code == 404
    wrong_purpose = sign(gallery.house.key("login"), gallery.picture, expires_at)
    answer = await gallery.get(gallery.picture, exp=str(expires_at), sig=wrong_purpose)
    assert answer.status_code == 404


async def test_a_tampered_signature_opens_nothing(gallery: Gallery) -> None:
    expires_at = soon()
    right = gallery.sign(gallery.picture, expires_at)["sig"]
    flipped = ("0" if right[0] != "0" else "1") + right[1:]
    for wrong in ("", "x", flipped, right[:-1], right + "0", right.upper(), "ü", " " + right):
        answer = await gallery.get(gallery.picture, exp=str(expires_at), sig=wrong)
        assert answer.status_code == 404, wrong
    assert (await gallery.get(gallery.picture, sig=right)).status_code == 404
    assert (await gallery.get(gallery.picture, exp=str(expires_at))).status_code == 404
    for malformed in ({"exp": "soon", "sig": right}, {"exp": "1e99", "sig": right}):
        answer = await gallery.get(gallery.picture, **malformed)
        assert answer.status_code == 422


async def test_a_moment_beyond_all_calendars_is_no_error(gallery: Gallery) -> None:
    for expires_at in (10**18, 10**40):
        signed = gallery.sign(gallery.picture, expires_at)
        assert (await gallery.get(gallery.picture, **signed)).status_code == 200


async def test_the_owner_needs_no_signature_and_a_wrong_one_does_no_harm(gallery: Gallery) -> None:
    asset = await gallery.house.uploads.take(
        gallery.house.local_user_id, red_square(), name="mine.png"
    )
    assert (await gallery.get(asset.id)).status_code == 200
    assert (await gallery.get(asset.id, exp=str(soon()), sig="0" * 64)).status_code == 200


@pytest.mark.parametrize("path", ["/media/", "/media/x", "/media/../secret", "/media/%2e%2e%2fa"])
async def test_what_is_no_asset_is_not_found(gallery: Gallery, path: str) -> None:
    answer = await gallery.http.get(path)
    assert answer.status_code == 404
    assert "json" in answer.headers["content-type"]

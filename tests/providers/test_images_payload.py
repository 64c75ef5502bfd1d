"""What is asked of an OpenAI-shaped images server, and which server that is by the settings."""

from __future__ import annotations

import io
from pathlib import Path

import httpx
import pytest
from PIL import Image

from providers.contract import InputFile, Rejected, Request, Role
from providers.masks import see_through
from providers.openai_images import configured, files_of, payload
from providers.place import Configured
from providers.transport import open_client
from settings import load
from tests.providers.company_routes import route_to

ROUTE = route_to(
    "images",
    "gpt-image-2",
    {"size": "size", "n": "n", "pictures": "image", "mask": "mask"},
    lists=("pictures",),
    defaults={"quality": "medium"},
    on_lost_submit="ask",
)


def picture(size: tuple[int, int], mode: str = "RGB", colour: object = "red") -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, colour).save(out, "PNG")  # type: ignore[arg-type]
    return out.getvalue()


def file(role: Role, data: bytes, media_type: str = "image/png") -> InputFile:
    return InputFile(role=role, media_type=media_type, data=data)


def test_a_request_is_spelled_as_the_route_says_and_pictures_are_none_of_its_fields() -> None:
    red = file("image", picture((8, 8)))
    request = Request(
        kind="image", prompt="a fox", width_px=1248, height_px=832, n=2, seed=7, inputs=(red,)
    )
    assert payload(ROUTE, request) == {
        "model": "gpt-image-2",
        "quality": "medium",
        "prompt": "a fox",
        "seed": 7,
        "size": "1248x832",
        "n": 2,
    }


async def test_the_picture_to_edit_is_first_and_then_come_the_references() -> None:
    files = await files_of(
        Request(
            kind="image",
            prompt="p",
            inputs=(
                file("reference", b"1", "image/jpeg"),
                file("image", b"2", "image/webp"),
                file("reference", b"3", "image/x"),
            ),
        )
    )
    assert files.pictures == (
        ("0.webp", b"2", "image/webp"),
        ("1.jpg", b"1", "image/jpeg"),
        ("2.bin", b"3", "image/x"),
    )
    assert files.mask is None


async def test_a_mask_travels_transparent_where_it_was_white_and_as_large_as_the_picture() -> None:
    drawn = Image.new("L", (40, 20))
    drawn.paste(255, (0, 0, 20, 20))
    out = io.BytesIO()
    drawn.save(out, "PNG")
    request = Request(
        kind="image",
        prompt="p",
        inputs=(file("image", picture((80, 40))), file("mask", out.getvalue())),
    )
    mask = (await files_of(request)).mask
    assert mask is not None
    assert (mask[0], mask[2]) == ("mask.png", "image/png")
    with Image.open(io.BytesIO(mask[1])) as sent:
        assert (sent.size, sent.mode) == ((80, 40), "RGBA")
        assert sent.getpixel((5, 5))[3] == 0  # type: ignore[index]
        assert sent.getpixel((75, 5))[3] == 255  # type: ignore[index]


def test_a_mask_that_is_transparent_already_is_left_so() -> None:
    clear = Image.new("RGBA", (8, 8), (255, 255, 255, 255))
    clear.putpixel((0, 0), (255, 255, 255, 0))
    out = io.BytesIO()
    clear.save(out, "PNG")
    with Image.open(io.BytesIO(see_through(out.getvalue(), picture((8, 8))))) as sent:
        assert sent.getpixel((0, 0))[3] == 0  # type: ignore[index]
        assert sent.getpixel((7, 7))[3] == 255  # type: ignore[index]


async def test_a_mask_that_is_none_is_refused_before_it_is_sent() -> None:
    files = (file("image", picture((8, 8))), file("mask", b"no picture"))
    with pytest.raises(Rejected, match="cannot be read"):
        await files_of(Request(kind="image", prompt="p", inputs=files))


@pytest.fixture(scope="module")
async def client() -> httpx.AsyncClient:
    async with open_client() as client:
        return client


OURS = {"OPENAI_API_KEY": "sk-chat"}
FOREIGN = {**OURS, "OPENAI_BASE_URL": "http://127.0.0.1:11434/v1", "CHAT_MODEL": "m"}
OPENAI = "https://api.openai.com/v1"


def opened(environ: dict[str, str], client: httpx.AsyncClient, folder: Path) -> Configured | None:
    return configured(load(environ, env_file=folder / "no.env").settings, client)


@pytest.mark.parametrize(
    ("environ", "url", "bearer", "setting"),
    [
        (OURS, OPENAI, "sk-chat", "openai_api_key"),
        ({**OURS, "OPENAI_BASE_URL": f"{OPENAI}/"}, OPENAI, "sk-chat", "openai_api_key"),
        ({**OURS, "IMAGES_BASE_URL": OPENAI}, OPENAI, "sk-chat", "openai_api_key"),
        ({**OURS, "IMAGES_API_KEY": "sk-own"}, OPENAI, "sk-own", "images_api_key"),
        ({**FOREIGN, "IMAGES_API_KEY": "sk-own"}, OPENAI, "sk-own", "images_api_key"),
        (
            {**OURS, "IMAGES_BASE_URL": "http://127.0.0.1:8080/v1"},
            "http://127.0.0.1:8080/v1",
            "none",
            "images_base_url",
        ),
    ],
)
async def test_the_server_and_its_key_are_those_of_the_settings(
    environ: dict[str, str],
    url: str,
    bearer: str,
    setting: str,
    client: httpx.AsyncClient,
    tmp_path: Path,
) -> None:
    found = opened(environ, client, tmp_path)
    assert found is not None
    assert found.question is not None
    assert found.provider.name == "images"
    assert (found.setting, found.question.url) == (setting, f"{url}/models")
    assert found.question.headers == {"Authorization": f"Bearer {bearer}"}
    assert bearer not in repr(found) or bearer == "none"


@pytest.mark.parametrize(
    "environ",
    [
        {},
        FOREIGN,
        {**FOREIGN, "IMAGES_BASE_URL": OPENAI},
        {**OURS, "OPENAI_BASE_URL": "https://api.openai.com.evil.example/v1"},
        {**OURS, "OPENAI_BASE_URL": "https://api.openai.com@evil.example/v1"},
        {**OURS, "OPENAI_BASE_URL": "http://api.openai.com/v1"},
        {**OURS, "OPENAI_BASE_URL": "https://api.openai.com:8443/v1"},
    ],
)
async def test_a_key_for_another_chat_server_opens_no_images(
    environ: dict[str, str], client: httpx.AsyncClient, tmp_path: Path
) -> None:
    assert opened(environ, client, tmp_path) is None

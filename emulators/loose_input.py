"""Any company's input, in the painters' own words: models call the same thing by many names.

A mark `[[case: nsfw, partial]]` in a prompt orders what a company may do with a job beside faults;
each wire says in its own way what comes of it.
"""

import re
from collections.abc import Callable
from typing import Any

from emulators.endpoints import ENDPOINTS, Endpoint

CASE = re.compile(r"\s*\[\[case:(?P<names>[\w\s,-]*)\]\]", re.IGNORECASE)
FILMS = re.compile(
    r"video|veo|kling|seedance|hailuo|/h3|\bwan\b|wan-|[it]2v|omni|ltx|\bray\b", re.IGNORECASE
)
UNKNOWN = "nobody/"  # what no company has: models of this owner
COUNTS = ("num_images", "num_outputs", "max_images", "n")
FIRST = (
    *("image", "image_url", "input_image", "start_image", "start_image_url", "first_frame_image"),
    *("first_frame_url", "image_prompt", "first_frame"),
)
LAST = (
    *("end_image", "end_image_url", "last_frame", "last_frame_url", "last_image", "tail_image_url"),
)
MASKS = ("mask", "mask_url", "mask_image_url")
MANY = ("images", "image_urls", "input_images", "image_input", "reference_images", "image_refs")
SIDES = {
    "square_hd": (1024, 1024),
    "square": (512, 512),
    "portrait_4_3": (768, 1024),
    "portrait_16_9": (576, 1024),
    "landscape_4_3": (1024, 768),
    "landscape_16_9": (1024, 576),
}
SIDE_PX, QUICK_SIDE_PX, MOST_PX = 1024, 320, 2048


def endpoint_for(model: str) -> Endpoint | None:
    """Return the painter that stands in for a company's model; None: the company has none such."""
    if model.startswith(UNKNOWN) or not model:
        return None
    kind = "video" if FILMS.search(model) else "image"
    return ENDPOINTS[f"demo-{kind}{'-quick' if 'quick' in model else ''}"]


def cases_in(company_input: dict[str, Any]) -> list[str]:
    """Return what the marks in a prompt order."""
    prompt = company_input.get("prompt")
    found = CASE.findall(prompt) if isinstance(prompt, str) else []
    return [name.strip().lower() for names in found for name in names.split(",")]


def painters_input(
    company_input: dict[str, Any], endpoint: Endpoint, fetch: Callable[[str], str] = str
) -> dict[str, Any]:
    """Return what the painter is asked; `fetch` turns the address of a picture into a data URI."""
    prompt = company_input.get("prompt")
    job_input: dict[str, Any] = {
        "prompt": CASE.sub("", prompt) if isinstance(prompt, str) else prompt,
        **{name: company_input.get(name) for name in ("negative_prompt", "seed")},
        **dict(zip(("width", "height"), sides_of(company_input, endpoint), strict=True)),
    }
    if endpoint.kind == "image":
        job_input["num_images"] = first_of(company_input, COUNTS)
    else:
        job_input["duration"] = seconds_of(company_input.get("duration"))
    pictures = {"image": FIRST, "mask": MASKS, "end_image": LAST}
    for name, words in pictures.items():
        if isinstance(picture := first_of(company_input, words), str):
            job_input[name] = fetch(picture)
    many = first_of(company_input, MANY)
    if isinstance(many, list):
        job_input["images"] = [fetch(one) if isinstance(one, str) else one for one in many]
    return {name: value for name, value in job_input.items() if value is not None}


def first_of(company_input: dict[str, Any], names: tuple[str, ...]) -> object:
    """Return the value of the first of these names that has one."""
    return next((value for name in names if (value := company_input.get(name)) is not None), None)


def seconds_of(value: object) -> object:
    """Return a length as a number: 5, "5", "8s"; "auto" is none."""
    if isinstance(value, str):
        return float(value.removesuffix("s")) if re.fullmatch(r"\d+(\.\d+)?s?", value) else None
    return value


def sides_of(company_input: dict[str, Any], endpoint: Endpoint) -> tuple[int | None, int | None]:
    """Return width and height by a size, a size's name or a ratio; none where nothing is said."""
    size = company_input.get("image_size")
    if isinstance(size, str) and size in SIDES:
        return scaled(*SIDES[size], MOST_PX)
    named = size if isinstance(size, dict) else company_input
    width, height = named.get("width"), named.get("height")
    if isinstance(width, int) and isinstance(height, int) and min(width, height) > 0:
        return scaled(width, height, MOST_PX)
    longer = QUICK_SIDE_PX if endpoint.quick else SIDE_PX
    ratio = re.fullmatch(r"([1-9]\d?):([1-9]\d?)", str(company_input.get("aspect_ratio")))
    if ratio:
        return scaled(int(ratio[1]) * SIDE_PX, int(ratio[2]) * SIDE_PX, longer)
    return (longer, longer * 9 // 16) if endpoint.quick else (None, None)


def scaled(width: int, height: int, most_px: int) -> tuple[int, int]:
    """Return two sides in the same ratio, even, and no longer than that."""
    scale = min(1.0, most_px / max(width, height))
    return max(64, round(width * scale) // 2 * 2), max(64, round(height * scale) // 2 * 2)

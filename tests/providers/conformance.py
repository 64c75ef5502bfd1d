"""What every company must do through the whole engine: one row each, what it is asked, how its bad
days are ordered from the emulator, and what it cannot do, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Row = Literal["cancel", "expired", "look", "n", "policy", "progress", "webhook"]

#: Films of a quick model are this many pixels long, pictures as large as we ask, 64 by 64.
SQUARE_PX, LONG_PX = (64, 64), (320, 180)
SQUARE = "sizes = { multiple = 16, min_px = 64, max_px = 512, square_px = 64 }"
THREE = f"{SQUARE}\nmax_n = 3"
ESTIMATED_USD = 0.01
MODEL = """
[[models]]
id = "{name}{suffix}"
label = "{name}{suffix}"
kind = "{kind}"
{abilities}

[[models.routes]]
provider = "{provider}"
endpoint = "{endpoint}"
poll_s = {poll_s}
poll_max_s = {poll_s}
price = {{ unit = "{unit}", usd = 0.01, as_of = 2026-11-22, source = "a test" }}
{route}
"""
ONE_ANSWER = "its one answer comes when all is made: there is no job to look at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """One adapter, at a quick model of the emulator.

    `way`: what is done about a lost answer by the built-in catalogue. `cost_usd`: what is put down
    in the end; None: nobody tells. `policy`, `failed`, `expired`: marks in a prompt that order it.
    `progress_of`: which of its models tells progress.
    `cannot`: the rows it has no part in, with the reason.
    """

    name: str
    provider: str
    settings: Mapping[str, str]
    endpoint: str
    abilities: str
    route: str
    way: Literal["key", "webhook", "ask"]
    cost_usd: float | None
    failed: str
    policy: str = ""
    expired: str = "[[fault: poll=status:404]]"
    progress_of: str = ""
    kind: Literal["image", "video"] = "image"
    size: tuple[int, int] = SQUARE_PX
    cannot: Mapping[Row, str] = field(default_factory=dict)
    #: Whether it is told whose request it is; else its ledger knows jobs only.
    is_named: bool = True

    def __str__(self) -> str:
        return self.name

    @property
    def answers_once(self) -> bool:
        """Whether the answer to a submit is the result."""
        return "look" in self.cannot

    def models(self) -> str:
        """Its models: one that is looked at often, one that is looked at once a minute, and one
        whose jobs wait in a queue.
        """
        slow = self.endpoint.replace("-quick", ""), self.route.replace("quick.", "slow.")
        return "".join(
            MODEL.format(
                **{name: getattr(self, name) for name in ("name", "kind", "abilities", "provider")},
                endpoint=endpoint,
                route=route,
                unit="image" if self.kind == "image" else "second",
                suffix=suffix,
                poll_s=poll_s,
            )
            for suffix, poll_s, (endpoint, route) in (
                ("", 0.1, (self.endpoint, self.route)),
                ("-rare", 60, (self.endpoint, self.route)),
                ("-slow", 0.1, slow),
            )
        )


COMPANIES = (
    Company(
        name="runpod",
        provider="runpod",
        settings={"RUNPOD_API_KEY": "rpa_x", "RUNPOD_BASE_URL": "/v2"},
        endpoint="demo-image-quick",
        abilities=THREE,
        route='fields = { prompt = "prompt", width_px = "width", height_px = "height", '
        'n = "num_images" }',
        way="webhook",
        cost_usd=0.0003,
        # A worker's error is whatever it says; this one repeats the mark that it cannot read.
        policy="[[fault: nsfw]]",
        failed="[[fault: submit=fail]]",
        cannot={"n": "its emulator delivers all or nothing; the other wires share the reader"},
    ),
    Company(
        name="fal",
        provider="fal",
        settings={"FAL_KEY": "id:demo", "FAL_BASE_URL": "/fal"},
        endpoint="demo/painter-quick/dev",
        abilities=THREE,
        route='fields = { prompt = "prompt", n = "num_images", width_px = "image_size.width", '
        'height_px = "image_size.height" }',
        way="webhook",
        cost_usd=None,
        policy="[[case: nsfw]]",
        failed="[[fault: submit=fail]]",
        expired="[[case: removed]]",
    ),
    Company(
        name="replicate",
        provider="replicate",
        settings={"REPLICATE_API_TOKEN": "r8_demo", "REPLICATE_BASE_URL": "/replicate/v1"},
        endpoint="demo/painter-quick",
        abilities=THREE,
        route='fields = { prompt = "prompt", n = "num_outputs", width_px = "width", '
        'height_px = "height" }',
        way="webhook",
        cost_usd=None,
        policy="[[case: policy]]",
        failed="[[case: error]]",
        expired="[[case: removed]]",
    ),
    Company(
        name="bfl",
        provider="bfl",
        settings={"BFL_API_KEY": "bfl-demo", "BFL_BASE_URL": "/bfl/v1"},
        endpoint="flux-2-pro-quick",
        abilities=SQUARE,
        route='fields = { prompt = "prompt", width_px = "width", height_px = "height" }',
        way="webhook",
        cost_usd=0.0003,
        policy="[[case: content-moderated]]",
        failed="[[case: failed]]",
        expired="[[case: gone]]",
        cannot={"cancel": "a task cannot be stopped", "n": "a task is one picture"},
    ),
    Company(
        name="gemini-picture",
        provider="gemini",
        settings={"GEMINI_API_KEY": "AIza-demo", "GEMINI_BASE_URL": "/gemini"},
        endpoint="gemini-3.1-flash-image-quick",
        abilities='aspect_ratios = ["16:9"]',
        route='fields = { prompt = "prompt", '
        'aspect_ratio = "generationConfig.imageConfig.aspectRatio" }',
        way="ask",
        cost_usd=None,
        policy="[[case: filtered]]",
        failed="[[case: empty]]",
        size=LONG_PX,
        cannot={
            "cancel": "what answers only when it is done cannot be stopped",
            "expired": ONE_ANSWER,
            "look": ONE_ANSWER,
            "n": "a request is one picture",
            "progress": ONE_ANSWER,
            "webhook": "there are no news of pictures",
        },
        is_named=False,
    ),
    Company(
        name="gemini-film",
        provider="gemini",
        settings={},
        endpoint="gemini-omni-1.2-flash-quick",
        kind="video",
        abilities='aspect_ratios = ["16:9"]\ndurations_s = [1]',
        route='on_lost_submit = "webhook"\nfields = { prompt = "prompt", aspect_ratio = '
        '"response_format.aspect_ratio", duration_s = { name = "response_format.duration", '
        'format = "{value}s" } }',
        way="webhook",
        cost_usd=None,
        policy="[[case: filtered]]",
        failed="[[fault: submit=fail]]",
        size=LONG_PX,
        cannot={"n": "an interaction is one film", "progress": "an interaction tells none"},
    ),
    Company(
        name="images",
        provider="images",
        settings={"IMAGES_API_KEY": "sk-demo", "IMAGES_BASE_URL": "/images/v1"},
        endpoint="gpt-image-2-quick",
        abilities=THREE,
        route='fields = { prompt = "prompt", size = "size", n = "n" }',
        way="ask",
        cost_usd=None,
        policy="[[case: policy]]",
        failed="[[case: empty]]",
        cannot={
            "cancel": "what answers only when it is done cannot be stopped",
            "expired": ONE_ANSWER,
            "look": ONE_ANSWER,
            "progress": ONE_ANSWER,
            "webhook": "there are no news of images",
        },
    ),
    Company(
        name="comfyui",
        provider="comfyui",
        settings={"COMFYUI_BASE_URL": "/comfyui"},
        endpoint="text-to-image",
        abilities=THREE,
        route='fields = { prompt = "prompt", width_px = "width", height_px = "height", n = "n" }\n'
        'defaults = { checkpoint = "quick.safetensors" }',
        way="key",
        cost_usd=ESTIMATED_USD,
        failed="[[case: error]]",
        expired="[[case: forgotten]]",
        # Its websocket tells each step once, to whoever listens just then: there must be some.
        progress_of="-slow",
        cannot={
            "policy": "one's own machine filters nothing",
            "webhook": "it tells nothing of its own accord",
        },
    ),
)


def having(*rows: Row) -> list[Company]:
    """The companies that can do all of this."""
    return [company for company in COMPANIES if not set(rows) & set(company.cannot)]

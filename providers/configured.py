"""Which providers this installation has: one for each key that is set, and the demo one, which
costs nothing. A new company is a file of its own and a line here.
"""

from __future__ import annotations

from collections.abc import Callable

import httpx

from providers import bfl, comfyui, fal, gemini, openai_images, replicate, runpod
from providers.place import Configured
from providers.runpod import RunPod
from settings import Settings

#: Each opens its company's provider where the settings switch it on, in the order people are told.
OPENERS: tuple[Callable[[Settings, httpx.AsyncClient], Configured | None], ...] = (
    runpod.configured,
    fal.configured,
    replicate.configured,
    bfl.configured,
    gemini.configured,
    openai_images.configured,
    comfyui.configured,
)


def configured(settings: Settings, demo_url: str, client: httpx.AsyncClient) -> list[Configured]:
    """The providers of these settings. The demo one is a known wire at another address, nothing
    more.
    """
    found = switched_on(settings, client)
    demo = RunPod("demo", f"{demo_url}/v2", "demo", client)
    setting = "demo_base_url" if settings.demo_base_url else None
    return [*found, Configured(provider=demo, label="Demo painter", demo=True, setting=setting)]


def switched_on(settings: Settings, client: httpx.AsyncClient) -> list[Configured]:
    """The companies whose keys, or addresses, are set."""
    return [one for opener in OPENERS if (one := opener(settings, client)) is not None]

"""Which providers this installation has: one for each key that is set, and the demo one, which
costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from providers.contract import Provider
from providers.runpod import RunPod
from settings import Settings

HEALTH_ENDPOINT = "black-forest-labs-flux-1-schnell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """A provider as people are told of it; `setting` is the one that switched it on, if any did."""

    provider: Provider
    label: str
    demo: bool
    setting: str | None


def configured(settings: Settings, demo_url: str, client: httpx.AsyncClient) -> list[Configured]:
    """The providers of these settings. The demo one is a known wire at another address, nothing
    more.
    """
    found: list[Configured] = []
    if settings.runpod_api_key is not None:
        runpod = RunPod("runpod", settings.runpod_base_url, settings.runpod_api_key, client)
        found.append(
            Configured(provider=runpod, label="RunPod", demo=False, setting="runpod_api_key")
        )
    demo = RunPod("demo", f"{demo_url}/v2", "demo", client)
    setting = "demo_base_url" if settings.demo_base_url else None
    found.append(Configured(provider=demo, label="Demo painter", demo=True, setting=setting))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A harmless request that tells whether a key is accepted."""

    label: str
    url: str
    key: str
    setting: str


def questions(settings: Settings) -> list[Question]:
    """One question for each provider whose key is set; none of them costs anything.

    RunPod: the health of a public endpoint.
    Source: docs.runpod.io/serverless/endpoints/operation-reference, 2026-08-20.
    """
    if settings.runpod_api_key is None:
        return []
    return [
        Question(
            label="RunPod",
            url=f"{settings.runpod_base_url}/{HEALTH_ENDPOINT}/health",
            key=settings.runpod_api_key.get_secret_value(),
            setting="RUNPOD_API_KEY",
        )
    ]

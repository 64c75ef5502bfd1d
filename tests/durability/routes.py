"""The ways to the demo provider: with an idempotency key, without one, and with little time.

The one without stands at provider `runpod`, pointed at the demo provider; nobody can be asked about
a lost submit there, and no webhook reaches us.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ENDPOINT = "demo-image-quick"
MODEL = """
[[models]]
id = "{model}"
label = "Demo of the lab, {model}"
kind = "image"
demo = {demo}
sizes = {{ min_px = 64, max_px = 512, square_px = 64 }}
seed = true

[[models.routes]]
provider = "{provider}"
endpoint = "demo-image-quick"
on_lost_submit = "{way}"
poll_s = {poll_s}
poll_max_s = {poll_max_s}
deadline_s = {deadline_s}
fields = {{ prompt = "prompt", width_px = "width", height_px = "height", seed = "seed" }}
price = {{ unit = "image", usd = 0.0003, as_of = 2026-11-22, source = "made up" }}
"""


@dataclass(frozen=True, slots=True)
class Route:
    """A model of the lab's own, and whether its submits carry a key."""

    model: str
    keyed: bool
    deadline_s: float = 300.0
    poll_s: float = 0.1
    poll_max_s: float = 0.3

    def row(self) -> str:
        """It, as a file of models has it."""
        return MODEL.format(
            model=self.model,
            demo="true" if self.keyed else "false",
            provider="demo" if self.keyed else "runpod",
            way="key" if self.keyed else "ask",
            poll_s=self.poll_s,
            poll_max_s=self.poll_max_s,
            deadline_s=self.deadline_s,
        )


KEYED = Route("lab-keyed", keyed=True)
UNKEYED = Route("lab-unkeyed", keyed=False)
#: Hundreds of these are followed by two processors.
CALM = Route("lab-calm", keyed=True, poll_s=1.0, poll_max_s=3.0)
HURRIED = Route("lab-hurried", keyed=True, deadline_s=3.0)
ROUTES = (KEYED, UNKEYED, CALM, HURRIED)


def settings_for(folder: Path, provider_url: str) -> dict[str, str]:
    """What a house needs to know them all."""
    models = folder / "models.toml"
    models.write_text("".join(route.row() for route in ROUTES), "utf-8")
    return {
        "MODELS_FILE": str(models),
        "RUNPOD_API_KEY": "rpa_x",
        "RUNPOD_BASE_URL": f"{provider_url}/v2",
    }


def word(value: object) -> str | None:
    """A route's name in the names of tests."""
    return value.model if isinstance(value, Route) else None

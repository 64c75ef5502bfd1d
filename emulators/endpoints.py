"""The painters of the demo provider: what they cost, how they pace themselves, what they share.

A lane is a group of jobs that wait for each other; the quick endpoints have wide lanes and no
artificial delay, for tests.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["image", "video"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One RunPod-shaped endpoint; `price_usd` is per picture or per second of film."""

    name: str
    kind: Kind
    quick: bool
    price_usd: float
    lane_width: int  # jobs drawn at the same time
    queue_s: float  # the least time a job is seen in the queue
    run_s: float  # the least time a job is seen in progress


ENDPOINTS = {
    endpoint.name: endpoint
    for endpoint in (
        Endpoint(
            name="demo-image",
            kind="image",
            quick=False,
            price_usd=0.003,
            lane_width=2,
            queue_s=0.4,
            run_s=2.1,
        ),
        Endpoint(
            name="demo-image-quick",
            kind="image",
            quick=True,
            price_usd=0.0003,
            lane_width=4,
            queue_s=0.0,
            run_s=0.0,
        ),
        Endpoint(
            name="demo-video",
            kind="video",
            quick=False,
            price_usd=0.01,
            lane_width=1,
            queue_s=0.4,
            run_s=3.6,
        ),
        Endpoint(
            name="demo-video-quick",
            kind="video",
            quick=True,
            price_usd=0.001,
            lane_width=2,
            queue_s=0.0,
            run_s=0.0,
        ),
    )
}

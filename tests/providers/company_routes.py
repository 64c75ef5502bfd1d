"""Routes as the catalogue would give them, for tests that need an endpoint of their own."""

from __future__ import annotations

from providers.contract import Kind, LostSubmit, Request, Route
from providers.dialect import Dialect, Json, Spelling

FOX = Request(kind="image", prompt="a red fox", aspect_ratio="16:9", seed=7)


def route_to(
    provider: str,
    endpoint: str,
    fields: dict[str, str] | None = None,
    *,
    lists: tuple[str, ...] = (),
    defaults: dict[str, Json] | None = None,
    kind: Kind = "image",
    output: str | None = None,
    charges_failed: bool | None = None,
    on_lost_submit: LostSubmit = "webhook",
) -> Route:
    """A route with these fields; those named in `lists` send all pictures."""
    named = {"prompt": "prompt", "aspect_ratio": "aspect_ratio", "seed": "seed", **(fields or {})}
    return Route(
        provider=provider,
        endpoint=endpoint,
        on_lost_submit=on_lost_submit,
        price=None,
        poll_s=0.1,
        poll_max_s=0.3,
        deadline_s=600.0 if kind == "image" else 2700.0,
        inputs=("text!", "image", "reference", "start_image", "end_image"),
        result_hosts=(),
        dialect=Dialect(
            fields={
                word: Spelling(name=name, is_list=word in lists)  # type: ignore[misc]
                for word, name in named.items()
            },
            defaults=defaults or {},
            output=output,
            charges_failed=charges_failed,
        ),
    )

"""A stand-in for the heart at its door: it notes what it is asked and answers with rows."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from generations.admission import Admission
from generations.contract import Caller, GenerationError, Wanted

USER = UUID("01990000-0000-7000-8000-000000000001")
THREAD = UUID("01990000-0000-7000-8000-000000000002")
STEP = UUID("01990000-0000-7000-8000-000000000003")
ASSET = "01990000-0000-7000-8000-0000000000a1"
CALLER = Caller(user_id=USER, thread_id=THREAD, step_id=STEP)


class RecordingAdmission:
    """Notes every call as (verb, caller, what); `refusal` is raised by all of them when set."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Caller | None, Any]] = []
        self.refusal: GenerationError | None = None

    @property
    def door(self) -> Admission:
        return cast(Admission, self)

    def verbs(self) -> list[str]:
        return [verb for verb, _, _ in self.asked]

    def wanted(self) -> list[Wanted]:
        return [what for verb, _, what in self.asked if verb == "submit"]

    def note(self, verb: str, caller: Caller | None, what: object) -> None:
        self.asked.append((verb, caller, what))
        if self.refusal:
            raise self.refusal

    async def submit(self, caller: Caller, wanted: Wanted) -> dict[str, Any]:
        self.note("submit", caller, wanted)
        return a_generation(len(self.wanted()), kind=wanted.kind, prompt=wanted.prompt)

    async def get(self, caller: Caller, generation: str) -> dict[str, Any]:
        self.note("get", caller, generation)
        return a_generation(1)

    async def find(self, caller: Caller, **wanted: Any) -> dict[str, Any]:
        self.note("find", caller, wanted)
        return {"data": [a_generation(2), a_generation(1)], "next_cursor": None}

    async def cancel(self, caller: Caller, generation: str) -> dict[str, Any]:
        self.note("cancel", caller, generation)
        return a_generation(1, cancel_requested_at="2026-11-22T10:00:00Z")

    async def retry(self, caller: Caller, generation: str) -> dict[str, Any]:
        self.note("retry", caller, generation)
        return a_generation(1, attempt=2)

    def models(self, **wanted: Any) -> list[dict[str, Any]]:
        self.note("models", None, wanted)
        return [{"id": "demo-image", "label": "Demo", "kind": "image", "inputs": ["text!"]}]


def a_generation(number: int, **changed: Any) -> dict[str, Any]:
    """A generation as INTERFACE shows it."""
    return {
        "id": f"01990000-0000-7000-8000-{number:012d}",
        "handle": f"#{number}",
        "kind": "image",
        "status": "queued",
        "progress": None,
        "queue_position": None,
        "prompt": "a red fox",
        "model": "demo-image",
        "provider": "demo",
        "params": {"aspect_ratio": "16:9", "n": 1},
        "parent_id": None,
        "thread_id": str(THREAD),
        "inputs": [],
        "assets": [],
        "error": None,
        "notes": [],
        "charged": "no",
        "cost_usd": {"estimated": 0.003, "actual": None},
        "attempt": 1,
        "cancel_requested_at": None,
        "created_at": "2026-11-22T10:00:00Z",
        "submitted_at": None,
        "finished_at": None,
        **changed,
    }

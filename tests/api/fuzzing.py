"""Requests made up from the description: some that it allows, some that it does not, and every
answer held against it.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import (
    APIOperation,
    Case,
    CheckContext,
    CheckFunction,
    GenerationMode,
    Response,
)
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.described import examples

Operation = APIOperation[Any, Any, Any, Any]
Made = Case[Operation]
#: That what is allowed is accepted too is not asked: which cursor is ours, which ratio a model can
#: do and whether a generation may still be cancelled, no schema says.
CHECKS: tuple[CheckFunction, ...] = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
#: It never ends by itself; `test_catching_up.py` reads it.
ENDLESS = "/api/events"
QUICK_IMAGE, QUICK_FILM = "demo-image-quick", "demo-video-quick"
TIMEOUT_S = 70.0


@dataclass(kw_only=True)
class Fuzz:
    """Runs over all operations of a server; `answers` counts what came back from each."""

    url: str
    examples_each: int
    session: requests.Session = field(default_factory=requests.Session)
    answers: dict[str, Counter[int]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    made: dict[str, Any] = field(default_factory=dict)

    def run(self) -> None:
        """Try every operation."""
        self.session.trust_env = False
        text = self._get("/api/openapi.json").text
        # The examples name what is really there.
        made = self._make("generate_image", QUICK_IMAGE)
        text = text.replace(examples.ASSET_ID, made["assets"][0]["id"])
        document = json.loads(text.replace(examples.ID, made["id"]))
        for found in schemathesis.openapi.from_dict(document).get_all_operations():
            operation = found.ok() if isinstance(found, Ok) else None
            assert operation is not None, found
            if operation.path != ENDLESS:
                self._try(operation)
            if operation.method.upper() == "DELETE":
                self.made.clear()

    def _try(self, operation: Operation) -> None:
        real = dict(self._real(operation.path))
        bounds = settings(
            max_examples=self.examples_each,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        allowed = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
        wrong = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
        some = given(allowed, st.sampled_from((real, {})))
        seed(7)(bounds(some(lambda case, named: self._ask(case, named, CHECKS))))()
        more = (*CHECKS, what_is_wrong_is_refused)
        # Where nothing can be sent, nothing can be sent wrongly.
        with contextlib.suppress(Unsatisfiable):
            seed(7)(bounds(given(wrong)(lambda case: self._ask(case, {}, more))))()

    def _ask(self, case: Made, named: dict[str, str], checks: Sequence[CheckFunction]) -> None:
        case.path_parameters.update(named)
        choose_quick_models(case)
        label = case.operation.label
        answer = case.call(base_url=self.url, session=self.session, timeout=TIMEOUT_S)
        self.answers.setdefault(label, Counter())[answer.status_code] += 1
        try:
            case.validate_response(answer, checks=list(checks))
        except FailureGroup as faults:
            self.faults.append(f"{label}: {faults}")

    def _real(self, path: str) -> Iterator[tuple[str, str]]:
        """What an address may name."""
        if "{video_id}" in path:
            yield "video_id", self._there("generate_video", QUICK_FILM)["id"]
        elif "{generation_id}" in path:
            yield "generation_id", self._there("generate_image", QUICK_IMAGE)["id"]
        elif "{asset_id}" in path:
            yield "asset_id", self._there("generate_image", QUICK_IMAGE)["assets"][0]["id"]

    def _there(self, tool: str, model: str) -> Any:
        """One that was made, and that no operation has deleted."""
        if tool not in self.made:
            self.made[tool] = self._make(tool, model)
        return self.made[tool]

    def _make(self, tool: str, model: str) -> Any:
        wanted = {"prompt": "a fox to be named", "model": model}
        answer = self.session.post(f"{self.url}/api/tools/{tool}", json=wanted, timeout=TIMEOUT_S)
        return self._get(f"{answer.headers['Location']}?wait=60").json()

    def _get(self, path: str) -> requests.Response:
        answer = self.session.get(self.url + path, timeout=TIMEOUT_S)
        answer.raise_for_status()
        return answer


def what_is_wrong_is_refused(ctx: CheckContext, response: Response, case: Made) -> bool | None:
    """As schemathesis has it, but for blanks: an optional argument that is empty counts as not
    sent, whatever it should be, since language models fill in every field they are shown.
    """
    values = case.body.values() if isinstance(case.body, dict) else ()
    if any(isinstance(value, str) and not value.strip() for value in values):
        return None
    return negative_data_rejection(ctx, response, case)


def choose_quick_models(case: Made) -> None:
    """Nothing is made by the default models, which take their time."""
    makes = ("generate_", "edit_", "/v1/images", "/v1/videos")
    if isinstance(case.body, dict) and any(word in case.operation.path for word in makes):
        is_film = "video" in case.operation.path
        case.body.setdefault("model", QUICK_FILM if is_film else QUICK_IMAGE)

"""What was asked against what the model can do: refused with what is possible, before any HTTP."""

from __future__ import annotations

import re

from providers.contract import Kind, Request, Role
from providers.findings import CannotDo, Findings, Wanted, number, one_of, shown, spans
from providers.model import INPUT_OF_ROLE, Model
from providers.shapes import check_shape

UNSENDABLE = re.compile("[\0\ud800-\udfff]")  # what Postgres and UTF-8 refuse
SEED_MAX = 2**31 - 1  # what every provider takes as a whole number
MAKES: dict[Kind, str] = {"image": "pictures", "video": "films", "audio": "sound"}
ARGUMENT_OF_ROLE: dict[Role, str] = {
    "image": "image",
    "mask": "mask",
    "start": "start_image",
    "end": "end_image",
    "reference": "references",
}
NEEDS: dict[Role, Role] = {"mask": "image", "end": "start"}


def check(model: Model, wanted: Wanted) -> Request:
    """Return the request, normalised and filled with the model's defaults, still without its files.

    Raises:
        CannotDo: with one entry for every argument the model cannot follow.
    """
    findings = Findings()
    if wanted.kind != model.kind:
        makes, asked = MAKES[model.kind], MAKES[wanted.kind]
        findings.refuse("model", f"{model.id} makes {makes}, not {asked}; name another model")
        raise CannotDo(findings.errors)
    check_words(model, wanted, findings)
    check_inputs(model, wanted, findings)
    check_numbers(model, wanted, findings)
    duration_s = check_duration(model, wanted, findings)
    resolution = check_resolution(model, wanted, findings)
    aspect_ratio, pixels = check_shape(model, wanted, resolution, findings)
    if findings.errors:
        raise CannotDo(findings.errors)
    return Request(
        kind=wanted.kind,
        prompt=wanted.prompt,
        negative_prompt=wanted.negative_prompt or None,
        style=wanted.style or None,
        aspect_ratio=aspect_ratio,
        resolution=resolution,
        width_px=pixels[0] if pixels else None,
        height_px=pixels[1] if pixels else None,
        duration_s=duration_s,
        n=wanted.n,
        seed=wanted.seed,
        audio=wanted.audio if model.audio else None,
    )


def check_words(model: Model, wanted: Wanted, findings: Findings) -> None:
    """Refuse texts that are empty, too long, unsendable, or that the model has no ear for."""
    if not wanted.prompt.strip():
        findings.refuse("prompt", "the prompt is empty; say what is to be made")
    texts = {
        "prompt": wanted.prompt,
        "negative_prompt": wanted.negative_prompt,
        "style": wanted.style,
    }
    for argument, text in texts.items():
        if not text:
            continue
        if len(text) > model.prompt_chars_max:
            most = model.prompt_chars_max
            findings.refuse(
                argument,
                f"{model.id} takes up to {most} characters in {argument}; {len(text)} are too many",
            )
        elif UNSENDABLE.search(text):
            findings.refuse(
                argument, f"{argument} holds a NUL or half a character; send plain text"
            )
    if wanted.negative_prompt and not model.negative_prompt:
        findings.refuse(
            "negative_prompt",
            f"{model.id} takes no negative_prompt; say it in the prompt instead",
        )
    if wanted.style and not model.style:
        findings.refuse("style", f"{model.id} takes no style; say it in the prompt instead")


def check_inputs(model: Model, wanted: Wanted, findings: Findings) -> None:
    """Refuse pictures the model has no use for, and the lack of those it needs."""
    allowed = {word.rstrip("!") for word in model.inputs}
    takes = one_of([word for word in sorted(allowed) if word != "text"], "and") or "no pictures"
    before = len(findings.errors)
    for role in dict.fromkeys(wanted.inputs):
        argument = ARGUMENT_OF_ROLE[role]
        count = wanted.inputs.count(role)
        most = model.max_references if role == "reference" else 1
        if INPUT_OF_ROLE[role] not in allowed:
            findings.refuse(
                argument, f"{model.id} cannot use {argument}; beside text it takes {takes}"
            )
        elif count > most:
            findings.refuse(
                argument, f"{model.id} takes up to {most} as {argument}; {count} are too many"
            )
        elif role in NEEDS and NEEDS[role] not in wanted.inputs:
            needed = ARGUMENT_OF_ROLE[NEEDS[role]]
            findings.refuse(needed, f"{argument} needs {needed} as well")
    given = {INPUT_OF_ROLE[role] for role in wanted.inputs} | {"text"}
    for word in model.inputs:
        if word.endswith("!") and word.rstrip("!") not in given:
            findings.refuse(word.rstrip("!"), f"{model.id} needs {word.rstrip('!')}")
    if len(findings.errors) == before and model.route_for(wanted.inputs) is None:
        together = one_of([ARGUMENT_OF_ROLE[role] for role in dict.fromkeys(wanted.inputs)], "and")
        findings.refuse("model", f"{model.id} cannot work from {together or 'text alone'}")


def check_numbers(model: Model, wanted: Wanted, findings: Findings) -> None:
    """Refuse a count, a seed or sound the model does not have."""
    if not 1 <= wanted.n <= model.max_n:
        possible = "1" if model.max_n == 1 else f"1 to {model.max_n}"
        findings.refuse(
            "n",
            f"{model.id} makes {possible} at once (max_n {model.max_n}); "
            f"{wanted.n} is not possible",
        )
    if wanted.seed is not None and not model.seed:
        findings.refuse("seed", f"{model.id} takes no seed; leave it out")
    elif wanted.seed is not None and not 0 <= wanted.seed <= SEED_MAX:
        findings.refuse("seed", f"seed is a whole number from 0 to {SEED_MAX}, not {wanted.seed}")
    if wanted.audio and not model.audio:
        findings.refuse("audio", f"{model.id} makes no sound; leave audio out")


def check_duration(model: Model, wanted: Wanted, findings: Findings) -> float | None:
    """Return the length in seconds, the model's usual one when none was asked for."""
    asked = wanted.duration_s
    if asked is None:
        return model.default_duration_s
    if not model.durations_s:
        findings.refuse("duration_s", f"{model.id} takes no duration_s; leave it out")
    elif asked not in model.durations_s:
        possible = spans(model.durations_s)
        findings.refuse(
            "duration_s",
            f"{model.id} makes films of {possible} seconds; {number(asked)} is not possible",
        )
    return float(asked)


def check_resolution(model: Model, wanted: Wanted, findings: Findings) -> str | None:
    """Return the resolution in the catalogue's spelling, the usual one when none was asked for."""
    if wanted.resolution is None:
        return model.default_resolution
    asked = wanted.resolution.strip().lower()
    for resolution in model.resolutions:
        if resolution.lower() == asked:
            return resolution
    possible = one_of(model.resolutions)
    findings.refuse(
        "resolution",
        f"{model.id} has resolution {possible}; {shown(wanted.resolution)} is not possible"
        if possible
        else f"{model.id} has no choice of resolution; leave it out",
    )
    return None

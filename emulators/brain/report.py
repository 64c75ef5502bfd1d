"""What to say about what the tools answered."""

from typing import Any

from emulators.brain.history import STARTING_TOOLS, History, Result, rows_of
from emulators.brain.phrases import Phrases

MAX_LISTED = 12
MAX_SUBJECT_CHARS = 120


def report(history: History, phrases: Phrases) -> str:
    """Return the words for all results of the round, each once."""
    said = [report_one(result, phrases) for result in history.results]
    return "\n".join(dict.fromkeys(said))


def report_one(result: Result, phrases: Phrases) -> str:
    """Return the words for one tool's answer."""
    content = result.content
    if not isinstance(content, dict | list):
        return phrases.refused.format(message=content) if content else phrases.done
    if isinstance(content, dict) and "status" not in content and content.get("error"):
        return refusal(content["error"], phrases)
    if result.tool == "list_models":
        return list_models(rows_of(content), phrases)
    if result.tool == "list_generations":
        return list_generations(rows_of(content), phrases)
    if isinstance(content, dict) and "status" in content:
        return report_generation(result.tool, content, phrases)
    return phrases.done


def refusal(error: Any, phrases: Phrases) -> str:
    """Return what is not possible, in the tool's own facts."""
    if not isinstance(error, dict):
        return phrases.refused.format(message=error)
    message = str(error.get("message") or error.get("detail") or error.get("code") or "?")
    details = [
        str(detail.get("msg"))
        for detail in error.get("errors") or []
        if isinstance(detail, dict) and detail.get("msg") and str(detail["msg"]) not in message
    ]
    return phrases.refused.format(message="; ".join([message, *details]))


def ref_of(generation: dict[str, Any]) -> str:
    """Return ` (#3)`, or nothing outside a thread."""
    return f" ({generation['handle']})" if generation.get("handle") else ""


def subject_of(generation: dict[str, Any]) -> str:
    """Return the prompt, shortened for a sentence."""
    prompt = " ".join(str(generation.get("prompt") or "…").split())
    if len(prompt) > MAX_SUBJECT_CHARS:
        return f"{prompt[:MAX_SUBJECT_CHARS]}…"
    return prompt


def report_generation(tool: str, generation: dict[str, Any], phrases: Phrases) -> str:
    """Return the words for a generation that a tool started, stopped or looked up."""
    status = str(generation["status"])
    ref, what = ref_of(generation), subject_of(generation)
    if tool == "cancel_generation":
        if status == "cancelled":
            return phrases.cancelled.format(ref=ref)
        if status in ("completed", "failed"):
            return phrases.already_finished.format(ref=ref)
        return phrases.cancel_asked.format(ref=ref)
    if tool in (*STARTING_TOOLS, "retry_generation") and status not in ("failed", "unknown"):
        return started(tool, generation, phrases).format(
            what=what, ref=ref, n=(generation.get("params") or {}).get("n")
        )
    return state(generation, phrases)


def started(tool: str, generation: dict[str, Any], phrases: Phrases) -> str:
    """Return the sentence for work that has begun."""
    if tool == "retry_generation":
        return phrases.retried
    if tool == "edit_image":
        return phrases.started_edit
    if tool == "generate_video":
        return phrases.started_video
    count = (generation.get("params") or {}).get("n")
    return phrases.started_images if isinstance(count, int) and count > 1 else phrases.started_image


def state(generation: dict[str, Any], phrases: Phrases) -> str:
    """Return how a generation stands."""
    ref = ref_of(generation)
    error = generation.get("error") or {}
    match generation["status"]:
        case "queued" | "submitting":
            place = generation.get("queue_position")
            sentence = phrases.queued_at if place else phrases.queued
            return sentence.format(ref=ref, place=place)
        case "completed":
            return phrases.completed.format(ref=ref)
        case "failed":
            return phrases.failed.format(ref=ref, message=error.get("message", "?"))
        case "cancelled":
            return phrases.was_cancelled.format(ref=ref)
        case "unknown":
            return phrases.is_unknown.format(ref=ref)
        case _:
            progress = generation.get("progress")
            if progress is None:
                return phrases.running.format(ref=ref)
            return phrases.running_at.format(ref=ref, percent=round(progress * 100))


def list_generations(rows: list[dict[str, Any]], phrases: Phrases) -> str:
    """Return a short list of generations."""
    lines = []
    for row in rows[:MAX_LISTED]:
        name = " ".join(filter(None, [row.get("handle"), phrases.kinds.get(str(row.get("kind")))]))
        status = phrases.statuses.get(str(row.get("status")), str(row.get("status")))
        lines.append(f"- {name}: {subject_of(row)} ({status})")
    if not lines:
        return phrases.list_empty
    more = ["- …"] if len(rows) > MAX_LISTED else []
    return "\n".join([phrases.list_head, *lines, *more])


def list_models(rows: list[dict[str, Any]], phrases: Phrases) -> str:
    """Return a short list of models with their prices."""
    lines = []
    for row in rows[:MAX_LISTED]:
        label = str(row.get("label") or row.get("id"))
        kind = phrases.kinds.get(str(row.get("kind")), "")
        about = ", ".join(filter(None, [kind, price_of(row, phrases)]))
        lines.append(f"- {label} (`{row.get('id')}`): {about}")
    return "\n".join([phrases.models_head, *lines])


def price_of(row: dict[str, Any], phrases: Phrases) -> str:
    """Return a model's price in words, empty when it has none."""
    price = row.get("price") or {}
    if not isinstance(price, dict) or price.get("usd") is None:
        return ""
    unit = phrases.units.get(str(price.get("unit")), str(price.get("unit") or ""))
    return f"${price['usd']} {unit}".strip()

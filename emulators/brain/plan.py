"""From what somebody wants to the tool calls that do it."""

import json
import re
from collections.abc import Callable

from emulators.brain import words
from emulators.brain.films import film, refers
from emulators.brain.history import RETRYABLE, UNFINISHED, History
from emulators.brain.intent import Intent, classify
from emulators.brain.phrases import Phrases
from emulators.brain.request import Plan, Request, named, one_call, requests
from emulators.brain.subject import strip_politeness, strip_request
from emulators.brain.toolbox import Toolbox


def plan(history: History, tools: Toolbox, phrases: Phrases) -> Plan:
    """Return what to do about the newest message."""
    first, *others = requests(history, tools, phrases)
    plans = [plan_one(first)]
    for other in others:
        intent = classify(other.low, other.slots, has_picture=True)
        if intent is Intent.VIDEO and refers(other):
            plans.append(Plan(text=phrases.later_animate))
        else:
            plans.append(plan_one(other))
    calls = tuple(call for one in plans for call in one.calls)
    return Plan(calls, " ".join(filter(None, (one.text for one in plans))))


def plan_one(request: Request) -> Plan:
    """Return what to do about one request."""
    phrases = request.phrases
    if not request.text.strip() and request.history.attached_now:
        return Plan(text=phrases.got_picture)
    has_picture = request.history.picture() is not None
    intent = classify(request.low, request.slots, has_picture)
    if intent in DOING:
        return DOING[intent](request)
    said = {
        Intent.HELLO: phrases.hello,
        Intent.THANKS: phrases.thanks,
        Intent.YES: phrases.yes,
    }
    return Plan(text=said.get(intent, phrases.unknown))


def draw(request: Request) -> Plan:
    """Return the call that draws."""
    tool = "generate_image"
    subject = strip_request(request.rest(tool))
    if not subject and request.text.rstrip().endswith("?"):
        return models(request)
    references = [picture.ref for picture in request.history.attached_now] or None
    return one_call(
        request,
        tool,
        prompt=subject or request.phrases.default_subject,
        n=request.slots.n,
        references=references,
        **request.common(tool),
    )


def edit(request: Request) -> Plan:
    """Return the call that changes a picture."""
    picture = named(request) or request.history.picture()
    if picture is None:
        return Plan(text=request.phrases.no_picture)
    tool = "edit_image"
    others = [other.ref for other in request.history.attached_now if other.ref != picture.ref]
    return one_call(
        request,
        tool,
        prompt=strip_politeness(request.rest(tool, it=request.phrases.it)) or request.text,
        image=picture.ref,
        n=request.slots.n,
        references=others or None,
        **request.common(tool),
    )


def kind_named(request: Request) -> str | None:
    """Return the kind of generation a message names."""
    if words.VIDEO.search(request.low):
        return "video"
    return "image" if words.PICTURE.search(request.low) else None


def target(request: Request, *, among: frozenset[str] | None = None) -> str | None:
    """Return the generation a request speaks of: the one it names, or the newest that fits."""
    if request.slots.handles:
        return request.slots.handles[0].split(".")[0]
    fitting = [made for made in request.history.made.values() if not among or made.status in among]
    of_kind = [made for made in fitting if made.kind == kind_named(request)]
    newest = (of_kind or fitting)[-1:]
    return newest[0].ref if newest else None


def cancel(request: Request) -> Plan:
    """Return the call that stops the newest work."""
    ref = target(request, among=UNFINISHED)
    if ref is None:
        return Plan(text=request.phrases.no_running)
    return one_call(request, "cancel_generation", generation=ref)


def retry(request: Request) -> Plan:
    """Return the call that repeats what failed, or draws what succeeded once more."""
    ref = target(request, among=RETRYABLE)
    newest = request.history.newest()
    if ref is None and newest is not None and newest.status == "completed":
        return again(request)
    ref = ref or target(request)
    if ref is None:
        return again(request)
    return one_call(request, "retry_generation", generation=ref)


def again(request: Request) -> Plan:
    """Return the newest starting call once more, without its seed."""
    if request.history.last_call is None:
        return Plan(text=request.phrases.no_retry)
    tool, text = request.history.last_call
    try:
        arguments = json.loads(text)
    except ValueError:
        return Plan(text=request.phrases.no_retry)
    if not isinstance(arguments, dict):
        return Plan(text=request.phrases.no_retry)
    arguments.pop("seed", None)
    return one_call(request, tool, **arguments)


def status(request: Request) -> Plan:
    """Return the call that looks at the newest work."""
    ref = target(request)
    if ref is None:
        return Plan(text=request.phrases.no_generation)
    return one_call(request, "get_generation", generation=ref)


def mine(request: Request) -> Plan:
    """Return the call that lists what was made, narrowed as the person said."""
    failed = re.search(r"(?<!\w)(?:failed|неудач\w*|fehlgeschlagen\w*)(?!\w)", request.low)
    return one_call(
        request,
        "list_generations",
        kind=kind_named(request),
        limit=request.slots.limit,
        status="failed" if failed else None,
    )


def models(request: Request) -> Plan:
    """Return the call that lists the models, or the help when there is no such tool."""
    if not request.tools.has("list_models"):
        return Plan(text=request.phrases.hello)
    return one_call(request, "list_models", kind=kind_named(request))


DOING: dict[Intent, Callable[[Request], Plan]] = {
    Intent.IMAGE: draw,
    Intent.VIDEO: film,
    Intent.EDIT: edit,
    Intent.CANCEL: cancel,
    Intent.RETRY: retry,
    Intent.STATUS: status,
    Intent.MINE: mine,
    Intent.MODELS: models,
}

"""A message taken apart into requests, each with what is needed to answer it."""

import re
from dataclasses import dataclass, replace
from typing import Any

from emulators.brain.history import History, Picture
from emulators.brain.intent import Intent, classify
from emulators.brain.phrases import Phrases
from emulators.brain.slots import Slots, read_slots, without
from emulators.brain.text import normalise
from emulators.brain.toolbox import Call, Toolbox

NEXT_REQUEST = re.compile(
    r"(?:\s*[,.;]?\s+(?:and then|and also|and|then|also|и потом|и затем|а потом|а затем|затем"
    r"|потом|и|а"
    r"|und dann|und|et puis|et|y luego|y)\s+|[.;!]\s+|\n+)"
    r"(?=(?:please\s+)?(?:draw|paint|sketch|animate|(?:make|create|generate|film)\s+(?:a|an|the"
    r"|me|one"
    r"|two|three|it|\d)|нарисуй|анимируй|оживи|сними|сделай|создай|сгенерируй|zeichne|animiere|mach"
    r"|erstelle|dessine|anime|fais|crée|dibuja|anima|haz|crea)(?!\w))"
)


@dataclass(frozen=True, slots=True)
class Plan:
    """Calls to make, or words to say, or both."""

    calls: tuple[Call, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a message, with everything needed to answer it."""

    text: str  # as written
    slots: Slots
    history: History
    tools: Toolbox
    phrases: Phrases

    @property
    def low(self) -> str:
        """The text made comparable."""
        return normalise(self.text)

    def common(self, tool: str) -> dict[str, Any]:
        """Return the slots a tool takes, by its parameters' names."""
        names = ("model", "aspect_ratio", "size", "seed", "negative_prompt", "style", "resolution")
        found = {name: getattr(self.slots, name) for name in names}
        return {name: value for name, value in found.items() if self.tools.takes(tool, name)}

    def rest(self, tool: str, *also: str, it: str = " ") -> str:
        """Return the text without the slots that go into parameters; a handle becomes `it`."""
        taken = {name for name in self.slots.cuts if self.tools.takes(tool, name)}
        return without(self.text, self.slots, taken | set(also), it)


def requests(history: History, tools: Toolbox, phrases: Phrases) -> list[Request]:
    """Return the parts of a message that each ask for work; others belong to the part before."""
    ends = [*NEXT_REQUEST.finditer(normalise(history.text)), None]
    found: list[Request] = []
    begin = part_begin = 0
    for end in ends:
        part = history.text[part_begin : end.start() if end else None]
        request = Request(part, slots_of(part, tools), history, tools, phrases)
        intent = classify(request.low, request.slots, has_picture=True)
        is_own = intent in (Intent.IMAGE, Intent.VIDEO) or (not found and intent is Intent.EDIT)
        if found and not is_own:
            whole = history.text[begin : end.start() if end else None]
            found[-1] = replace(request, text=whole, slots=slots_of(whole, tools))
        else:
            found.append(request)
            begin = part_begin
        part_begin = end.end() if end else 0
    return found


def slots_of(text: str, tools: Toolbox) -> Slots:
    """Return the slots of a text as written."""
    return read_slots(normalise(text), tools.models())


def one_call(request: Request, tool: str, **arguments: Any) -> Plan:
    """Return one call, or say that its tool is not there."""
    if not request.tools.has(tool):
        return Plan(text=request.phrases.not_offered)
    return Plan((request.tools.call(tool, **arguments),))


def named(request: Request) -> Picture | None:
    """Return the picture a request names as #3 or #3.2."""
    for handle in request.slots.handles:
        made = request.history.by_ref(handle)
        prompt = request.history.whole_prompt(made) if made else ""
        return Picture(handle, prompt, 0)
    return None

"""What the conversation tells: who said what, which pictures there are, what became of them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from emulators.brain.marks import split_faults

#: What the page around the chat says of itself: a brain as small as this has no use for it.
PAGE = re.compile(r"^\[this page: [^\]\n]*\]\n?", re.MULTILINE)
LONG_GAP = re.compile(r"\s{3,}")  # kept short, since patterns look into every gap
ATTACHED = re.compile(r"\[attached: (?P<id>[0-9A-Za-z-]{8,64})(?P<name>[^\]\n]*)\]")
NEWS = re.compile(
    r"\[(?P<ref>#\d+|[0-9a-f-]{36}) (?P<kind>image|video|audio) (?P<status>\w+)"
    r"(?:: )?(?P<more>[^\]\n]*)\]"
)
UNFINISHED = frozenset({"queued", "submitting", "in_progress", "storing", "unknown"})
RETRYABLE = frozenset({"failed", "cancelled", "unknown"})
STARTING_TOOLS = frozenset({"generate_image", "edit_image", "generate_video"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A generation, as far as the conversation has told of it."""

    id: str
    handle: str | None
    kind: str
    status: str
    prompt: str
    parent_id: str | None
    at: int  # the number of the message that told of it first

    @property
    def ref(self) -> str:
        """How tools are told which one is meant."""
        return self.handle or self.id


@dataclass(frozen=True, slots=True)
class Picture:
    """Something an edit or a film can start from."""

    ref: str
    prompt: str  # empty when nobody said what it shows
    at: int


@dataclass(frozen=True, slots=True)
class Result:
    """What a tool answered; `content` is the parsed JSON, or the bare text."""

    tool: str
    content: Any


@dataclass(slots=True)
class History:
    """One conversation, read once."""

    text: str = ""  # the newest user's words, without our lines in brackets
    faults: str = ""  # the marks for the painters in the newest user's words
    earlier_texts: list[str] = field(default_factory=list)
    attached_now: list[Picture] = field(default_factory=list)
    attached_before: list[Picture] = field(default_factory=list)
    made: dict[str, Made] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)  # of the round that ends the messages
    last_call: tuple[str, str] | None = None  # the newest call that started something
    models: tuple[str, ...] = ()
    has_spoken: bool = False

    def newest(self, kind: str | None = None) -> Made | None:
        """Return the newest generation, of one kind when given."""
        fitting = [made for made in self.made.values() if kind in (None, made.kind)]
        return fitting[-1] if fitting else None

    def by_ref(self, ref: str) -> Made | None:
        """Return a generation by its handle; `#3.2` speaks of `#3`."""
        handle = ref.split(".")[0]
        return next((made for made in self.made.values() if made.handle == handle), None)

    def picture(self) -> Picture | None:
        """Return the newest picture that `it` can mean."""
        if self.attached_now:
            return self.attached_now[0]
        found = self.attached_before[-1:]
        image = self.newest("image")
        if image is not None:
            found.append(Picture(image.ref, self.whole_prompt(image), image.at))
        return max(found, key=lambda picture: picture.at) if found else None

    def whole_prompt(self, made: Made) -> str:
        """Return what a picture shows: an edit's own words after those of what it was made from."""
        prompts = [made.prompt]
        seen = {made.id}
        while made.parent_id in self.made and made.parent_id not in seen:
            made = self.made[made.parent_id]
            seen.add(made.id)
            prompts.insert(0, made.prompt)
        return ", ".join(prompt for prompt in prompts if prompt)


def text_of(message: dict[str, Any]) -> str:
    """Return a message's words, whether it is a text or a list of parts."""
    content = message.get("content")
    if isinstance(content, str):
        return sayable(content)
    if not isinstance(content, list):
        return ""
    parts = [part for part in content if isinstance(part, dict) and part.get("type") == "text"]
    return sayable("\n".join(str(part.get("text") or "") for part in parts))


def sayable(text: str) -> str:
    """Return a text that UTF-8 can carry: half a surrogate pair becomes a question mark."""
    return text.encode("utf-8", "replace").decode()


def own_words(text: str) -> str:
    """Return a user's words without the lines that the agent wrote into them."""
    words = PAGE.sub("", NEWS.sub("", ATTACHED.sub("", text))).strip()
    return LONG_GAP.sub(lambda gap: "\n\n" if "\n" in gap.group() else " ", words)


def parse(content: str) -> Any:
    """Return a tool's answer as JSON, or as it stands."""
    try:
        return json.loads(content)
    except ValueError:
        return content


def read_history(messages: list[dict[str, Any]]) -> History:
    """Read a conversation from its first message to its last."""
    history = History()
    names: dict[str, str] = {}
    arguments: dict[str, str] = {}
    for at, message in enumerate(messages):
        text = text_of(message)
        take_news(history, text, at)
        match message["role"]:
            case "user":
                take_words(history, text, at)
            case "assistant":
                history.has_spoken = history.has_spoken or bool(text.strip())
                history.results.clear()
                for call_id, name, argument in calls_of(message):
                    names[call_id] = name
                    arguments[call_id] = argument
            case "tool":
                call_id = str(message.get("tool_call_id"))
                result = Result(names.get(call_id, ""), parse(text))
                history.results.append(result)
                take_generations(history, result, at, arguments.get(call_id, ""))
    if messages and messages[-1]["role"] != "tool":
        history.results.clear()
    return history


def take_words(history: History, text: str, at: int) -> None:
    """Take notice of what a user said and attached."""
    if history.text:
        history.earlier_texts.append(history.text)
    history.attached_before += history.attached_now
    history.attached_now = [Picture(m["id"], "", at) for m in ATTACHED.finditer(text)]
    text, history.faults = split_faults(text)
    history.text = own_words(text)


def calls_of(message: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield id, name and arguments of the calls in an assistant's message."""
    for call in message.get("tool_calls") or []:
        function = call.get("function") or {}
        arguments = sayable(str(function.get("arguments") or ""))
        yield str(call.get("id")), sayable(str(function.get("name"))), arguments


def take_generations(history: History, result: Result, at: int, arguments: str) -> None:
    """Take notice of every generation in a tool's answer, and of the models in a list of them."""
    content = result.content
    rows = rows_of(content)
    if result.tool == "list_models":
        history.models = tuple(str(row["id"]) for row in rows if row.get("id"))
        return
    told = [row for row in rows if "kind" in row and "status" in row and row.get("id")]
    if result.tool == "list_generations":  # newest first, and none newer than those we started
        unheard = {str(row["id"]): made_of(row, at) for row in reversed(told)}
        history.made = {**unheard, **history.made}
    for row in told:
        remember(history, row, at, is_started=result.tool in STARTING_TOOLS)
    if result.tool in STARTING_TOOLS and rows and "id" in rows[0]:
        history.last_call = (result.tool, arguments)


def rows_of(content: object) -> list[dict[str, Any]]:
    """Return the objects of an answer: those of a list, or the answer itself."""
    if isinstance(content, dict):
        for name in ("data", "generations", "models", "items"):
            if isinstance(content.get(name), list):
                return rows_of(content[name])
        return [content]
    if isinstance(content, list):
        return [row for row in content if isinstance(row, dict)]
    return []


def made_of(row: dict[str, Any], at: int) -> Made:
    """Return a generation from its JSON."""
    return Made(
        id=str(row["id"]),
        handle=row.get("handle"),
        kind=str(row["kind"]),
        status=str(row["status"]),
        prompt=split_faults(str(row.get("prompt") or ""))[0].strip(),
        parent_id=row.get("parent_id"),
        at=at,
    )


def remember(history: History, row: dict[str, Any], at: int, is_started: bool) -> None:
    """Write a generation's newest state down; a newly started one becomes the newest."""
    made = made_of(row, at)
    known = history.made.get(made.id)
    if known and is_started:
        del history.made[made.id]
    elif known:
        made = replace(made, at=known.at)
    history.made[made.id] = made


def take_news(history: History, text: str, at: int) -> None:
    """Take notice of lines such as `[#2 video completed]`; what no call told of was made before,
    and says what it shows: `[#1 image completed: a fox]`.
    """
    for match in NEWS.finditer(text):
        ref, status = match["ref"], match["status"]
        handle = ref if ref.startswith("#") else None
        made = history.by_ref(ref) if handle else history.made.get(ref)
        if made is not None:
            history.made[made.id] = replace(made, status=status)
        elif status == "completed":
            history.made[ref] = Made(
                id=ref,
                handle=handle,
                kind=match["kind"],
                status=status,
                prompt=split_faults(match["more"])[0].strip(),
                parent_id=None,
                at=at,
            )

"""The brain's one door: messages and tools in, words and calls out. Pure and deterministic."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from emulators.brain.history import STARTING_TOOLS, History, read_history
from emulators.brain.language import Language, detect
from emulators.brain.marks import marked_calls, marked_text, marked_words
from emulators.brain.phrases import PHRASES
from emulators.brain.plan import plan
from emulators.brain.report import report
from emulators.brain.text import normalise
from emulators.brain.toolbox import Call, Toolbox

PAUSE_S = 0.015
SLOW_PAUSE_S = 0.05
PIECE = re.compile(
    r"\s*(?:[\u3000-\u9fff\uff00-\uffef]{1,2}|[^\s\u3000-\u9fff\uff00-\uffef]{1,14})|\s+$"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says and calls; `pause_s` lies between the pieces of its text."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    pause_s: float = PAUSE_S

    def pieces(self) -> Iterator[str]:
        """Yield the text in the small pieces it is streamed in."""
        for match in PIECE.finditer(self.text):
            yield match.group()


def answer(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> Answer:
    """Answer a conversation in OpenAI's shape with the tools it offers."""
    history = read_history(messages)
    phrases = PHRASES[language_of(history)]
    if history.results:
        reply = Answer(report(history, phrases))
    elif marked := answer_marks(history.text):
        return marked
    else:
        planned = plan(history, Toolbox(tools), phrases)
        calls = tuple(with_faults(call, history.faults) for call in planned.calls)
        reply = Answer(planned.text, calls)
    if history.has_spoken or not reply.text:
        return reply
    return Answer(f"{reply.text}\n\n{phrases.demo_note}", reply.calls)


def with_faults(call: Call, faults: str) -> Call:
    """Return a call that paints with the marks for the painters behind its prompt."""
    if not faults or call.name not in STARTING_TOOLS:
        return call
    arguments = json.loads(call.arguments)
    if "prompt" in arguments:
        arguments["prompt"] = f"{arguments['prompt']} {faults}"
    return Call(call.name, json.dumps(arguments, ensure_ascii=False))


def language_of(history: History) -> Language:
    """Return the language of the newest message that gives a hint of one."""
    language: Language = "en"
    for text in [*history.earlier_texts, history.text]:
        language = detect(normalise(text), language)
    return language


def answer_marks(text: str) -> Answer | None:
    """Return what a test's marks ask for, or None when there are none."""
    if count := marked_words(text):
        slow = " ".join(f"word{number}" for number in range(1, count + 1))
        return Answer(slow, pause_s=SLOW_PAUSE_S)
    said = marked_text(text)
    try:
        calls = marked_calls(text)
    except (ValueError, KeyError) as error:
        return Answer(f"The mark `[[calls: ...]]` cannot be read: {error}")
    if said is None and calls is None:
        return None
    return Answer(said or "", calls or ())

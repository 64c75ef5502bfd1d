"""The loop: ask the model, run the tools it calls, ask again, within bounds.

Tools answer at once, so the calls of a round run one after the other and their cards stand in the
order in which the model named them. A call that is refused is no failure of the turn: the refusal
goes back to the model in words.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from agent.chat_model import ChatModel
from agent.events import Ended, Event, TextDelta, ToolCallFinished, ToolCallStarted
from agent.failure import ChatFailure
from agent.history import (
    Message,
    Said,
    Turn,
    as_object_text,
    build_messages,
    call_ids,
    tool_message,
)
from agent.prompt import SYSTEM_PROMPT
from agent.round import Call, Round
from agent.words import ENGLISH, Words
from tools.registry import Toolbox
from tools.tool import ToolError

ROUNDS_MAX = 6
CALLS_MAX = 12
TEXT_CHARS_MAX = 100_000
#: Ids of calls made now begin far above those that the history is given.
FIRST_CALL_ID = 50_000

TOO_MANY_CALLS = (
    f"Not run: one message of the person may take at most {CALLS_MAX} tool calls, and they are "
    "used up. Tell them what was started and what was left out."
)


class Agent:
    """Answers people with one chat model; keeps nothing between turns. `words` are for turns that
    end badly.
    """

    def __init__(self, chat: ChatModel, words: Words = ENGLISH) -> None:
        self._chat, self._words = chat, words

    async def reply(
        self,
        new: Said,
        toolbox: Toolbox,
        *,
        history: Sequence[Turn] = (),
        news: Sequence[str] = (),
    ) -> AsyncGenerator[Event]:
        """Answer a message; `agent.events` says what comes out and how to stop it.

        `news` are lines of the studio's own: of generations settled since the last turn, of the
        page that the person is at (`history.finished_line`, `history.page_line`).
        A turn that a crash cut may be answered again in the same step: what its calls started is
        found by their index.
        """
        messages = build_messages(SYSTEM_PROMPT, history, news, new, sees=self._chat.sees)
        turn = Progress(toolbox=toolbox, messages=messages)
        try:
            for _ in range(ROUNDS_MAX):
                answer = Round()
                async with aclosing(self._listen(turn, answer)) as events:
                    async for event in events:
                        yield event
                answer.check_whole()
                if not answer.calls:
                    yield turn.end(answer, self._words)
                    return
                async with aclosing(turn.run(answer)) as finished:
                    async for event in finished:
                        yield event
            said = self._words.too_many_rounds.format(rounds=ROUNDS_MAX)
            yield Ended(reason="limit", message=said)
        except ChatFailure as failure:
            yield Ended(reason="error", message=failure.say(self._words))

    async def _listen(self, turn: Progress, answer: Round) -> AsyncGenerator[Event]:
        """One request: its text and the beginnings of its calls, as they come."""
        try:
            async with aclosing(
                self._chat.stream(turn.messages, turn.toolbox.schemas())
            ) as payloads:
                async for payload in payloads:
                    text, named = answer.take(payload)
                    if text:
                        turn.said_chars += len(text)
                        yield TextDelta(text=text)
                    for call in named:
                        yield ToolCallStarted(index=turn.index_of(answer, call), name=call.name)
                    if turn.said_chars > TEXT_CHARS_MAX:
                        answer.cut()
                        return
        except ChatFailure:
            # What breaks behind the end of an answer takes nothing from it.
            if not answer.ended:
                raise


@dataclass(slots=True, kw_only=True)
class Progress:
    """How far one turn has come; its calls are numbered over all rounds, from 0."""

    toolbox: Toolbox
    messages: list[Message]
    calls_made: int = 0
    said_chars: int = 0
    ids: Iterator[str] = field(default_factory=lambda: call_ids(FIRST_CALL_ID))

    def index_of(self, answer: Round, call: Call) -> int:
        """The number of a call that is still being written."""
        return self.calls_made + next(i for i, known in enumerate(answer.calls) if known is call)

    async def run(self, answer: Round) -> AsyncGenerator[ToolCallFinished]:
        """Run the calls of an answer in their order, and tell the model what came of each."""
        message, ids = answer.message(self.ids)
        self.messages.append(message)
        for call, call_id in zip(answer.calls, ids, strict=True):
            finished = await self._run_one(call)
            self.calls_made += 1
            self.messages.append(tool_message(call_id, finished.result))
            yield finished

    async def _run_one(self, call: Call) -> ToolCallFinished:
        started = failed = False
        try:
            if self.calls_made >= CALLS_MAX:
                raise ToolError("too_many_calls", TOO_MANY_CALLS)
            answer = await self.toolbox.call(self.calls_made, call.name, call.arguments)
            result, started = answer.json, answer.started
        except ToolError as error:
            result, failed = error.json(), True
        return ToolCallFinished(
            index=self.calls_made,
            name=call.name,
            arguments=as_object_text(call.arguments),
            result=result,
            started=started,
            failed=failed,
        )

    def end(self, answer: Round, words: Words) -> Ended:
        """How the turn ends with an answer that calls nothing."""
        if self.said_chars > TEXT_CHARS_MAX:
            return Ended(reason="limit", message=words.too_much_text)
        if answer.finish_reason == "length":
            return Ended(reason="limit", message=words.cut_by_server)
        if not self.said_chars and not self.calls_made:
            return Ended(reason="error", message=words.nothing_said)
        return Ended(reason="done")

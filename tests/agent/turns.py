"""Running a turn to its end, and reading what came out of it."""

from __future__ import annotations

import asyncio

from agent.events import Ended, Event, TextDelta, ToolCallFinished
from agent.history import Said
from agent.loop import Agent
from tools.registry import Toolbox


async def turn(agent: Agent, toolbox: Toolbox, text: str = "draw a fox") -> list[Event]:
    """All events of a turn; the last one is its end, and no other."""
    async with asyncio.timeout(10):
        events = [event async for event in agent.reply(Said(text=text), toolbox)]
    assert [isinstance(event, Ended) for event in events] == [False] * (len(events) - 1) + [True]
    return events


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def finished(events: list[Event]) -> list[ToolCallFinished]:
    return [event for event in events if isinstance(event, ToolCallFinished)]


def end_of(events: list[Event]) -> Ended:
    end = events[-1]
    assert isinstance(end, Ended)
    return end

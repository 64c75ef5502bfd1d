"""Conversations in OpenAI's shape for the demo model, and the tools our agent offers it."""

from __future__ import annotations

import json
from typing import Any

from emulators.brain.answer import Answer, answer

Message = dict[str, Any]
PHOTO = "0199c1d2-0000-7000-8000-00000000cafe"

PARAMETERS = {
    "generate_image": "prompt model aspect_ratio size n seed negative_prompt style references",
    "edit_image": "prompt image mask references model seed n",
    "generate_video": "prompt model duration_s aspect_ratio resolution start_image end_image"
    " references seed negative_prompt audio",
    "get_generation": "generation",
    "list_generations": "query kind status limit",
    "cancel_generation": "generation",
    "retry_generation": "generation",
    "list_models": "kind input max_price_usd duration_s",
}


def tool(name: str, parameters: str) -> Message:
    """A tool in OpenAI's shape; the types do not matter to the demo model."""
    properties: Message = {parameter: {} for parameter in parameters.split()}
    schema = {"type": "object", "properties": properties}
    return {"type": "function", "function": {"name": name, "parameters": schema}}


TOOLS = [tool(name, parameters) for name, parameters in PARAMETERS.items()]


def user(text: str) -> Message:
    return {"role": "user", "content": text}


def agent(text: str) -> Message:
    return {"role": "assistant", "content": text}


def called(name: str, arguments: object, result: object) -> list[Message]:
    """A round in which the agent called a tool and got its answer."""
    function = {"name": name, "arguments": json.dumps(arguments)}
    call = {"id": "call00000", "type": "function", "function": function}
    return [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call00000", "content": json.dumps(result)},
    ]


def generation(number: int, kind: str = "image", **more: object) -> Message:
    """A generation's JSON as a tool answers it."""
    made: Message = {
        "id": f"0199c1d2-0000-7000-8000-{number:012d}",
        "handle": f"#{number}",
        "kind": kind,
        "status": "queued",
        "prompt": "a red fox in the snow",
        "params": {},
        "error": None,
    }
    return made | more


def drawn(number: int = 1, kind: str = "image", **more: object) -> list[Message]:
    """A conversation in which something was made."""
    made = generation(number, kind, **more)
    name = "generate_image" if kind == "image" else "generate_video"
    return [
        user("draw it"),
        *called(name, {"prompt": made["prompt"]}, made),
        agent("It is being made."),
    ]


def ask(text: str, before: list[Message] | None = None) -> Answer:
    """What the demo model answers to a text, after a conversation."""
    return answer([*(before or []), user(text)], TOOLS)


def calls(text: str, before: list[Message] | None = None) -> list[tuple[str, Message]]:
    """The calls it answers with, their arguments parsed."""
    return [(call.name, json.loads(call.arguments)) for call in ask(text, before).calls]

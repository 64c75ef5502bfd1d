"""The words around the operations: what this is, its limits, its parts, its parameters."""

from __future__ import annotations

from typing import Any

from api.bodies import BODY_BYTES_MAX, BODY_BYTES_MAX_AT
from api.heads import HEAD_BYTES_MAX

Json = dict[str, Any]

ABOUT = """\
Kinora makes pictures and films with models of many providers, and finishes what it began: what was
accepted is stored before it is answered, survives restarts, and is never bought twice.

**In short.** `POST /api/tools/generate_image` answers at once with a *generation*;
`GET /api/generations/{{id}}?wait=60` holds until it is settled; its `assets[].url` has the bytes.
To follow without asking, read one of the event streams.

**Who you are.** `Authorization: Bearer kn_...`, an API key, or the chat's own login. Of several
things wrong, the first counts: 401 nobody, 403 somebody who may not, then the rest. What is
somebody else's answers 404, as if it did not exist. In local mode (`AUTH_MODE=local`) nothing is
needed on the machine itself.

**Refusals** are problem documents (RFC 9457): act on `code`, read `detail`, see `errors` for the
arguments at fault. Under `/v1` they have OpenAI's shape, at `/api/mcp` JSON-RPC's. What is not
described here is 404; another method of an address of these two doors is 405.

**Limits.** {rate} Bodies may have {body} MiB, uploads {upload} MiB (413); all headers together
{head} KiB (431). `wait` is at most 60 seconds, a page has at most 100 generations, `ids` names at
most 100. Idempotency keys hold for at least 24 hours.

**Times** are RFC 3339 in UTC, ids are UUIDs that grow with time, amounts are US dollars. Fields may
be added at any time; none is taken away.
"""

TAGS = (
    (
        "Tools",
        "What can be asked for: the same list in the chat, in the widget, here and by MCP. An "
        "optional argument that is null or an empty text counts as not sent; unknown ones are "
        "refused.",
    ),
    ("Generations", "Orders for pictures and films, as rows that know how they stand."),
    ("Events", "Streams that tell each change as it happens."),
    ("Models", "What can be made, by which model, at what price."),
    ("Pictures and films", "The bytes of what was made, and the way in for pictures of yours."),
    ("Account", "Spending, and API keys."),
    ("OpenAI's shapes", "The same work behind the addresses that OpenAI's clients know."),
    ("MCP", "The same tools for agents, by the Model Context Protocol."),
    ("Widget", "The chat on pages of yours."),
    ("Process", "How the process stands, and this description."),
    ("Providers", "What providers call; nobody else does."),
)

#: Parameters by name; the same word means the same everywhere.
PARAMETERS: dict[str, Json] = {
    "generation_id": {"description": "The generation's id."},
    "asset_id": {"description": "The picture's or film's id."},
    "prefix": {"description": "The key's prefix."},
    "kind": {"description": "Only of this kind."},
    "status": {"description": "Only in this status."},
    "model": {"description": "Only of this model."},
    "q": {"description": "Words that stand in the prompt.", "example": "fox"},
    "limit": {"description": "How many, at most 100."},
    "cursor": {"description": "`next_cursor` of the page before."},
    "ids": {"description": "Ids with commas between them, at most 100; the rest is ignored then."},
    "wait": {"description": "Hold the answer for so many seconds, or until it is settled."},
    "thread_id": {"description": "Only of this conversation."},
    "last-event-id": {"name": "Last-Event-ID", "description": "The last id you heard."},
    "w": {"description": "A thumbnail about so many pixels wide."},
    "download": {"description": "Whether it is to be saved under a name."},
    "exp": {"description": "Of a signed address: until when, in seconds since 1970."},
    "sig": {"description": "Of a signed address: its signature."},
    "origin": {"description": "The page around the frame."},
}


def about(requests_per_minute: int) -> str:
    """What this is, with this installation's limits."""
    rate = (
        f"{requests_per_minute} requests a minute and caller, told in `RateLimit` (429 beyond); "
        "open streams and `/media` do not count."
        if requests_per_minute
        else "Requests are not counted here."
    )
    return ABOUT.format(
        rate=rate,
        body=BODY_BYTES_MAX >> 20,
        upload=BODY_BYTES_MAX_AT["/api/uploads"] >> 20,
        head=HEAD_BYTES_MAX >> 10,
    )

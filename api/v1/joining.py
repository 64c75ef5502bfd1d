"""Nothing is bought twice. OpenAI's clients repeat a request by themselves when its answer is lost
or late, send no key with it, and say so only in `x-stainless-retry-count`.

- A first request (count 0, or none) is a purchase of its own, whatever was asked before it.
- A repeat (1 or more) of the same caller, path and body joins the purchase that was begun last, as
  long as that is not ten minutes old, or something of it is under way or ended in the last ten
  minutes; when there is none, it begins one.
- The purchase is on record before anything is started, and each of its generations stands under a
  key: so a repeat joins one that is just being accepted, too, in whatever process, and starts what
  the first request did not get to.
- With an `Idempotency-Key` that key decides instead, as everywhere else.
"""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from accounts.visitor import Visitor
from api.repeats import read_key
from api.v1.shapes import IMAGES_MAX
from db import purchases
from generations.contract import Repeat
from runtime import Runtime

COUNT = "x-stainless-retry-count"
#: Said once something was started: asked again, nothing better would come.
BOUGHT = {"x-should-retry": "false"}
PARTS = tuple(map(str, range(IMAGES_MAX)))


@dataclass(frozen=True, slots=True)
class Purchase:
    """What a request, and its repeats, start."""

    name: str
    digest: bytes

    def repeat(self, part: int) -> Repeat:
        """What its next generation is known by."""
        return Repeat(key=purchases.part_key(self.name, PARTS[part]), request_sha256=self.digest)


async def purchase_of(
    request: Request, runtime: Runtime, visitor: Visitor, digest: bytes
) -> Purchase:
    """The purchase that this request is, or belongs to. Raises: Problem."""
    if key := read_key(request):
        return Purchase(f"key {key}", digest)
    name = purchases.Name(
        user_id=visitor.user_id,
        key=f"v1\n{visitor.grant}\n{digest.hex()}",
        request_sha256=digest,
    )
    async with runtime.engine.begin() as connection:
        if is_repeat(request):
            return Purchase(str(await purchases.join(connection, name, PARTS)), digest)
        return Purchase(str(await purchases.begin(connection, name)), digest)


def is_repeat(request: Request) -> bool:
    """Whether the client says that it has sent this before."""
    count = request.headers.get(COUNT, "").strip()
    return count.isascii() and count.isdecimal() and count.strip("0") != ""

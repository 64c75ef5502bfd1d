"""Named places at which the process may be told to die, so that tests can kill it exactly where a
kill hurts. Inert unless the environment asks: `CRASHPOINT=submit.answered` dies at the first pass,
`CRASHPOINT=submit.answered:7` at the seventh.
"""

from __future__ import annotations

import os
import signal

POINTS = (
    "accept.before-commit",  # row and call of the engine are written, not committed
    "accept.committed",  # committed, the answer has not left
    "drive.claimed",  # a driver has taken the row over, and done nothing yet
    "submit.intended",  # the intent is on record, the request has not left
    "submit.answering",  # the provider has answered, its words are not read
    "submit.answered",  # the provider's job is known to us, and to nobody after us
    "submit.stored",  # the job is on record, nobody has asked for it yet
    "look.asked",  # the provider has said how the job stands; nothing is written
    "look.succeeded",  # it is done, and that is not on record
    "collect.begun",  # on record, and nothing fetched
    "collect.midway",  # some bytes of a result are here
    "collect.stored",  # the files are ours, the row does not know
    "collect.completed",  # the row is completed, nobody has done anything more
    "turn.step-written",  # a step of the conversation is written, its turn goes on
    "migrate.between",  # some of the database's scripts have run
    "import.written",  # a batch of an import is written, not committed
    "import.batch",  # it is committed, the next one has not begun
)

_name, _, _pass = os.environ.get("CRASHPOINT", "").partition(":")
_passes = {_name: int(_pass or 1)} if _name in POINTS else {}


def crash_point(name: str) -> None:
    """Die here, as by `kill -9`, if the environment asked for it; else do nothing."""
    if name not in _passes:
        return
    _passes[name] -= 1
    if _passes[name] == 0:
        os.kill(os.getpid(), signal.SIGKILL)

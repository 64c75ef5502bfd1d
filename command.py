"""How a program of ours that stays begins and ends: one line for whatever keeps it from starting,
code 0 when it was told to stop.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator

import psycopg
from alembic.util.exc import CommandError

from db.connect import DATABASE_ERRORS
from providers.models_file import ModelsFileError
from settings import SettingsError
from shared_process import ServerUnavailable


@contextlib.contextmanager
def one_line_errors() -> Iterator[None]:
    """Tell whoever started it in one line what is wrong, and end with code 2."""
    try:
        yield
    except (SettingsError, ServerUnavailable, ModelsFileError) as error:
        sys.stderr.write(f"kinora: {error}\n")
        raise SystemExit(2) from None
    except (*DATABASE_ERRORS, psycopg.Error, CommandError) as error:
        first_line = next(iter(str(error).strip().splitlines()), type(error).__name__)
        sys.stderr.write(f"kinora: cannot start: {first_line}\n")
        raise SystemExit(2) from None


def leave(code: int = 0) -> None:
    """End now: all is closed, and Python would still take its modules apart for 1 s."""
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)

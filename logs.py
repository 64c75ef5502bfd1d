"""Log lines: one for each thing that happened, past tense, data in fields; a generation's life is
one grep for its id.
"""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Literal

import structlog

#: Libraries whose chatter tells nothing, or whose lines could hold addresses with keys in them.
QUIET = (
    *("httpx", "httpx2", "httpcore", "openai", "procrastinate", "alembic", "aiohttp", "engineio"),
    "mcp",
)


def configure_logging(form: Literal["console", "json"]) -> None:
    """Send everything, ours and the libraries', through one form to stderr."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor
    if form == "json":
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
    else:
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    told = structlog.processors.ExceptionRenderer(_tell_exception)
    last: list[structlog.typing.Processor] = [told, renderer]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "chainlit"):
        logging.getLogger(name).handlers[:] = []
        logging.getLogger(name).propagate = True
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _tell_exception(exc_info: structlog.typing.ExcInfo) -> str:
    """Where it happened, and of each exception's message the first line: in what follows Postgres
    shows the whole row, with a person's words in it.
    """
    told: list[str] = []
    seen: set[int] = set()
    error: BaseException | None = exc_info[1]
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        message = next(iter(str(error).splitlines()), "")
        told[:0] = [
            "Traceback (most recent call last):\n",
            *traceback.format_tb(error.__traceback__),
            f"{type(error).__name__}: {message}\n",
        ]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "".join(told).rstrip()

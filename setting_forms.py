"""The forms in which settings are written: the lines of `.env`, web addresses, secrets.

Pure checks, so that the settings themselves stay a list one can read.
"""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from dotenv import dotenv_values
from dotenv.parser import parse_stream
from psycopg.conninfo import conninfo_to_dict

SECRET_BYTES_MIN = 32
#: Fewer different characters, or a text that repeats itself sooner, is no secret.
SECRET_CHARACTERS_MIN = 8
SECRET_PERIOD_MIN = 16
USUAL_PORTS = {"http": 80, "https": 443}


class Unreadable(ValueError):
    """A file of settings that is none; the message says where, without what stands there."""


def read_env_file(path: Path) -> dict[str, str]:
    """The names and values of a file of settings; none when there is no such file.

    Raises: Unreadable.
    """
    if not path.is_file():
        return {}
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise Unreadable(f"{path.name} cannot be read as a text in UTF-8") from None
    for binding in parse_stream(StringIO(text)):
        if binding.error or (binding.key is not None and binding.value is None):
            said, line = binding.original.string, binding.original.line
            line += said[: len(said) - len(said.lstrip())].count("\n")
            raise Unreadable(f"{path.name} line {line} is not NAME=value")
    return {name: value or "" for name, value in dotenv_values(stream=StringIO(text)).items()}


def is_simple(secret: str) -> bool:
    """Whether this is a few characters, or a short word again and again."""
    period = (secret + secret).find(secret, 1)
    return len(set(secret)) < SECRET_CHARACTERS_MIN or period < SECRET_PERIOD_MIN


def leads_somewhere(url: str) -> bool:
    """Whether this is a web address, with a host and a port that can be one."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in USUAL_PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return known and not any(character.isspace() for character in url)


def origin_of(text: str) -> str | None:
    """Scheme, host and port as a browser writes an origin; None for anything else."""
    # A browser writes a name beyond ASCII in another form, so such a one would never be met.
    if not text.isascii() or not leads_somewhere(text) or set("*?#@\\") & set(text):
        return None
    parts = urlsplit(text)
    if parts.path:
        return None
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    usual = parts.port in (None, USUAL_PORTS[parts.scheme])
    return f"{parts.scheme}://{host}" + ("" if usual else f":{parts.port}")


def origins_in(text: str) -> tuple[str, ...]:
    """The origins of a list with commas or blanks between them.

    Raises: ValueError: the sentence names the part that is none.
    """
    found = {part: origin_of(part) for part in text.replace(",", " ").split()}
    for part, origin in found.items():
        if origin is None:
            raise ValueError(
                f"{part!r} is no origin: exact scheme and host, such as https://example.org, "
                "without a path and without *"
            )
    return tuple(str(origin) for origin in found.values())


def is_understood_by_postgres(url: str) -> bool:
    """Whether libpq reads this as hosts and ports, and not a piece of the password as either."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        return False
    ports = str(parts.get("port", "")).split(",")
    return "@" not in str(parts.get("host", "")) and all(not p or p.isdecimal() for p in ports)

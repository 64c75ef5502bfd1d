"""API keys: `kn_<prefix>_<secret>`, where the secret ends in a checksum.

The prefix names the key in lists and logs; of the secret only a hash is stored. The checksum tells
a mistyped key, and lets scanners of leaked secrets know one of ours, without a look into the
database.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib
from dataclasses import dataclass
from typing import Final

MARK: Final = "kn_"
PREFIX_CHARS: Final = 8
SECRET_CHARS: Final = 43  # 256 bits in base 62
CHECKSUM_CHARS: Final = 6
#: Start, cancel, retry and delete; look; mint tokens for the widget; operate the installation.
SCOPES: Final = ("generate", "read", "widget", "admin")
DEFAULT_SCOPES: Final = ("generate", "read")
_ALPHABET = string.digits + string.ascii_letters
_KEY = re.compile(
    rf"kn_([0-9A-Za-z]{{{PREFIX_CHARS}}})_([0-9A-Za-z]{{{SECRET_CHARS + CHECKSUM_CHARS}}})"
)


class UnknownScope(ValueError):
    """A scope that no key can have; the message lists those there are."""


@dataclass(frozen=True, slots=True)
class GivenKey:
    """A key as somebody shows it, well formed at least."""

    prefix: str
    secret: str

    def digest(self) -> bytes:
        """What is stored of the secret."""
        return hashlib.sha256(self.secret.encode()).digest()

    def text(self) -> str:
        """The key whole, to be shown once."""
        return f"{MARK}{self.prefix}_{self.secret}"


def make() -> GivenKey:
    """A new key."""
    prefix, secret = _random(PREFIX_CHARS), _random(SECRET_CHARS)
    return GivenKey(prefix, secret + _checksum(prefix + secret))


def read(text: str) -> GivenKey | None:
    """The key in this text; None when it is none of ours, or mistyped."""
    found = _KEY.fullmatch(text)
    if found is None:
        return None
    prefix, secret = found[1], found[2]
    if _checksum(prefix + secret[:-CHECKSUM_CHARS]) != secret[-CHECKSUM_CHARS:]:
        return None
    return GivenKey(prefix, secret)


def check_scopes(scopes: list[str]) -> list[str]:
    """The scopes in our order, each once.

    Raises: UnknownScope.
    """
    strange = [scope for scope in scopes if scope not in SCOPES]
    if strange or not scopes:
        raise UnknownScope(f"scopes are {', '.join(SCOPES)}")
    return [scope for scope in SCOPES if scope in scopes]


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(text: str) -> str:
    value, digits = zlib.crc32(text.encode()), ""
    for _ in range(CHECKSUM_CHARS):
        value, digit = divmod(value, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits

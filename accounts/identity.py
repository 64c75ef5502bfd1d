"""What a user is called. An identifier says where the name was proved, so that an equal name from
two sources is never one user.
"""

from __future__ import annotations

import re
import unicodedata

#: The one user of local mode.
LOCAL = "local"
PASSWORD = "password"  # noqa: S105 - the name of a source, no secret
EMAIL_CHARS_MAX = 254
_EMAIL = re.compile(r"[^\s@<>\"',;:\\()\[\]\x00-\x1f\x7f]+@[^\s@<>\"',;:\\()\[\]\x00-\x1f\x7f]+")


class NoEmail(ValueError):
    """The text is no e-mail address."""


def normal_email(text: str) -> str:
    """The one spelling of an address: people write theirs in several.

    Raises: NoEmail.
    """
    email = unicodedata.normalize("NFKC", text).strip().casefold()
    # Invisible characters would make two accounts that look like one.
    if len(email) > EMAIL_CHARS_MAX or not (email.isprintable() and _EMAIL.fullmatch(email)):
        raise NoEmail("that is no e-mail address")
    return email


def by_password(email: str) -> str:
    """The identifier of the account with this address.

    Raises: NoEmail.
    """
    return f"{PASSWORD}:{normal_email(email)}"


def shown_name(identifier: str) -> str:
    """What a person sees of an identifier."""
    return identifier.partition(":")[2] or identifier

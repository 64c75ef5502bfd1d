"""Pictures in markdown. Our page loads nothing from elsewhere, so none of them may stay one."""

from __future__ import annotations

import re
from collections.abc import Callable

# Each part takes all it can and gives nothing back: a stranger's text must not cost more than its
# length.
_PICTURE = re.compile(
    r"!\[(?P<alt>(?:[^\[\]\n]++|\[[^\[\]\n]*+\])*+)\]"
    r"\(\s*+<?(?P<url>[^()\s<>]++(?:\([^()\s<>]*+\)[^()\s<>]*+)*+)>?"
    r"(?:\s++(?:\"[^\"\n]*+\"|'[^'\n]*+'))?+\s*+\)"
)


def replace_pictures(text: str, told: Callable[[str], None]) -> str:
    """The text with each picture's description in its place; `told` hears of their addresses."""
    if "![" not in text:
        return text

    def words(found: re.Match[str]) -> str:
        told(found["url"])
        return found["alt"]

    return _PICTURE.sub(words, text)


def spelled(text: str) -> str:
    """The text with description and address in the place of each picture, for what is shown as it
    is written.
    """
    if "![" not in text:
        return text
    return _PICTURE.sub(
        lambda found: f"{found['alt']} ({found['url']})" if found["alt"] else found["url"], text
    )


def linked(text: str) -> str:
    """The text with a link in the place of each picture."""
    if "![" not in text:
        return text
    return _PICTURE.sub(lambda found: f"[{found['alt'] or 'picture'}]({found['url']})", text)

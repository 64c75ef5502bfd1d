"""What one message shows or names: pictures, films, sounds and documents, in their order.

Whatever is told of twice, by any of its names, is one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from importing.drafts import Kind, Medium, Mention, name_of_url
from importing.mapping.addresses import (
    DATA_CHARS_MAX,
    kind_of_type,
    media_type,
    type_by_url,
    type_of,
    usable_url,
)
from importing.mapping.drafting import limited_prompt
from importing.reading.values import clean, first, is_missing, read_id, unique

#: No message of a person has as many; a poisoned one may.
MENTIONS_MAX = 500
#: Nor are they told of so often, the same ones again included.
TELLINGS_MAX = 5_000
NAME_CHARS_MAX = 200
#: A file and its request, a document, and some to spare.
NAMES_MAX = 20
_NAMELESS = "chatbot:message:"
#: Types by which browsers and stores call what they do not know.
_SAYS_NOTHING = (None, "application/octet-stream", "binary/octet-stream")
_FILE_ID = re.compile(r"\[FILE_ID:\s*+([^\[\]\s]++)\s*+\]", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/]{16,}={0,2}")


@dataclass(slots=True)
class Gathered:
    """What was found in a message so far."""

    message_id: str
    is_user: bool
    #: None where one turned out to be another.
    found: list[Mention | None] = field(default_factory=list)
    #: Ids of written documents, in their order.
    documents: dict[str, None] = field(default_factory=dict)
    #: Lines that belong below the text.
    lines: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    #: Where the mention of a name stands.
    places: dict[str, int] = field(default_factory=dict)
    nameless: int = 0
    tellings: int = 0

    @property
    def mentions(self) -> tuple[Mention, ...]:
        """All of them, in their order."""
        return tuple(mention for mention in self.found if mention)

    def mention(
        self, names: tuple[str, ...], kind: Kind, medium: Medium | None, **more: Any
    ) -> None:
        """Note a thing by its names; one without any is named by its place in the message."""
        self.tellings += 1
        if self.tellings > TELLINGS_MAX:
            self.remarks.append("too_many_media")
            return
        by_url = name_of_url(medium.url) if medium else None
        known = self._known(names, by_url)
        if not known and len(self.found) >= MENTIONS_MAX:
            self.remarks.append("too_many_media")
            return
        if not known and not names:
            names = (f"{_NAMELESS}{self.message_id}:{self.nameless}",)
            self.nameless += 1
        new = Mention(names=unique((*names, by_url)), kind=kind, medium=medium, **more)
        place = known[0] if known else len(self.found)
        if not known:
            self.found.append(None)
        # In the place of the first of them.
        for other in known:
            held = self.found[other]
            new = _merged(held, new) if held else new
            self.found[other] = None
        self.found[place] = new
        self.places.update(dict.fromkeys(new.names, place))

    def _known(self, names: tuple[str, ...], by_url: str | None) -> list[int]:
        """Where it is mentioned already. Two that have names of their own are two, though one
        address is given for both.
        """
        places = {self.places[name] for name in names if name in self.places}
        place = self.places.get(by_url or "")
        held = None if place is None else self.found[place]
        if place is not None and held and (not names or held.names[0].startswith(_NAMELESS)):
            places.add(place)
        return sorted(places)

    def picture(self, address: str) -> None:
        """Note a picture that the text itself would show."""
        url = usable_url(address)
        if url is None:
            self.remarks.append("unusable_url")
            return
        kind = kind_of_type(type_by_url(url)) or "image"
        self.mention((), kind, Medium(url=url, media_type=type_of(url, kind)))

    def attachment(self, item: Any) -> None:
        """Note what is attached, or say below the text that something was."""
        if not isinstance(item, Mapping):
            self.remarks.append("unreadable: attachment")
            return
        name = item.get("name")
        name = name if isinstance(name, str) else ""
        said = first(item, "contentType", "mediaType", "mimeType")
        url = self._url(item.get("url"))
        file = _FILE_ID.search(name)
        file_id = read_id(file[1]) if file else None
        kind = kind_of_type(media_type(said))
        if kind is None and said in _SAYS_NOTHING:
            kind = kind_of_type(type_by_url(url))
        if file and file_id:
            prompt, _ = limited_prompt(name[file.end() :].strip(), "prompt", self.remarks)
            kind = kind or "image"
            medium = Medium(url=url, media_type=type_of(url, kind, said)) if url else None
            self.mention((f"superduper:file:{file_id}",), kind, medium, prompt=prompt)
        elif url is None or not self._is_shown(kind, said):
            self._say(name)
        else:
            guess = type_of(url, kind or "image", said)
            medium = Medium(url=url, media_type=guess, name=_line(name) or None)
            self.mention((), kind or "image", medium, is_upload=self.is_user)

    def file(self, part: Mapping[str, Any]) -> None:
        """Note a part of the message that is a file: an attachment by other words."""
        said = first(part, "mediaType", "mimeType")
        url = first(part, "url", "image", "data")
        if isinstance(url, str) and usable_url(url) is None:
            url = _data_url(url, media_type(said)) or url
        self.attachment({"name": first(part, "filename", "name"), "url": url, "contentType": said})

    def _is_shown(self, kind: Kind | None, said: Any) -> bool:
        """Of people's own files only pictures are; what says nothing of itself is one."""
        if kind is None:
            return said in _SAYS_NOTHING
        return kind == "image" or not self.is_user

    def _url(self, value: Any) -> str | None:
        url = usable_url(value)
        if url is None and not is_missing(value):
            self.remarks.append("unusable_url")
        return url

    def _say(self, name: str) -> None:
        self.remarks.append("attachment_not_taken")
        if len(self.lines) < MENTIONS_MAX:
            # Not as what is attached is told to the chat model: there is nothing to use.
            self.lines.append(f"(a file was attached: {_line(name) or 'unnamed'})")


def _merged(old: Mention, new: Mention) -> Mention:
    """One thing of which two places tell; addresses go last of its names. Whoever names more knows
    what to call it: a file, and the request it was made by.
    """
    best, other = (new, old) if len(new.names) > len(old.names) else (old, new)
    names = sorted(unique((*best.names, *other.names)), key=_rank)
    return replace(
        old,
        names=tuple(names) if len(names) <= NAMES_MAX else old.names,
        medium=old.medium or new.medium,
        prompt=old.prompt or new.prompt,
        is_upload=old.is_upload and new.is_upload,
    )


def _rank(name: str) -> int:
    if name.startswith("url:"):
        return 2
    return 1 if name.startswith(_NAMELESS) else 0


def _line(name: str) -> str:
    return " ".join(clean(name[:NAME_CHARS_MAX]).split())


def _data_url(text: str, media_type: str | None) -> str | None:
    """Bytes that stand there as base64 alone."""
    if media_type is None or len(text) > DATA_CHARS_MAX or not _BASE64.fullmatch(text):
        return None
    return f"data:{media_type};base64,{text}"

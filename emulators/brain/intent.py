"""What somebody wants, from one message."""

import re
from enum import StrEnum

from emulators.brain import words
from emulators.brain.slots import HANDLE, Slots

SHORT_WORDS = 7
PHRASE_WORDS = 25


class Intent(StrEnum):
    """The requests the brain tells apart."""

    IMAGE = "image"
    VIDEO = "video"
    EDIT = "edit"
    CANCEL = "cancel"
    RETRY = "retry"
    MINE = "mine"
    MODELS = "models"
    STATUS = "status"
    HELLO = "hello"
    THANKS = "thanks"
    YES = "yes"
    UNKNOWN = "unknown"


COMPARATIVE = re.compile(
    r"(?<!\w)(?:brighter|darker|warmer|colder|cooler|lighter|softer|sharper|bigger|smaller|bluer"
    r"|redder|greener|more|less|without|black and white|черно-бел\w+|ярче|темнее|светлее|теплее"
    r"|холоднее"
    r"|мягче|резче|больше|меньше|без|контрастнее|heller|dunkler|wärmer|kälter|schwarzweiß"
    r"|plus (?:clair|sombre|chaud|froid)\w*|noir et blanc|sans|ohne|sin|más \w+"
    r"|blanco y negro)(?!\w)"
    r"|更亮|更暗|亮一点|暗一点|もっと|明るく|暗く"
)
INSTRUMENTAL = re.compile(r"\w{3,}(?:ым|им|ой|ей|ыми|ими)$")
BEFORE = (
    r"^(?:\W*(?:please|now|and|then|ok|can you|could you|а|и|теперь|пожалуйста|jetzt|bitte"
    r"|kannst du)[\s,]+)*"
)
MAKE_IT = re.compile(
    rf"{BEFORE}(?:make|turn|paint|colou?r|draw|render|put|give|let|have|сделай\w*|перекрась|нарисуй"
    r"|пусть|mach\w*|färbe?|mal|male|fais|rends|haz|pon|haga)\s+(?:it|him|her|them|this|that|these"
    r"|everything|all|его|ее|их|это|эт\w+|все|он|она|оно|es|ihn|sie|alles|lo)(?!\w)"
)
MAKE_THE = re.compile(
    rf"{BEFORE}(?:make|turn|colou?r|let|сделай\w*|mach\w*|färbe?|fais|rends|haz|pon)\s+(?:the|фон"
    r"|небо|das|den|die|le|la|les|los|las|el)(?!\w)"
)
DRAW_FIRST = r"(?:draw|paint|sketch|нарису\w+|zeichne\w*|dessine\w*|dibuja\w*)(?!\w)"


def is_short(text: str) -> bool:
    """Whether a message is a mere remark; Chinese and Japanese are counted by characters."""
    return len(text.split()) <= SHORT_WORDS and len(text) <= 48


def classify(text: str, slots: Slots, has_picture: bool) -> Intent:
    """Return what a normalised text asks for; `#3` in it counts as `it`."""
    text = HANDLE.sub("it", text)
    draws = bool(words.DRAW.search(text))
    if is_short(text):
        if words.CANCEL.search(text) and not draws:
            return Intent.CANCEL
        if words.RETRY.search(text) and only_retry(text):
            return Intent.RETRY
    if not draws:
        if words.MINE.search(text):
            return Intent.MINE
        if words.MODELS.search(text):
            return Intent.MODELS
        if is_short(text) and words.STATUS.search(text) and not orders(text):
            return Intent.STATUS
    return classify_work(text, slots, has_picture) or classify_talk(text)


def orders(text: str) -> bool:
    """Whether something is to be made or changed, rather than looked at."""
    medium = words.PICTURE.search(text) or words.VIDEO.search(text)
    return bool(words.EDIT.search(text) or (words.MAKE.search(text) and medium))


def only_retry(text: str) -> bool:
    """Whether nothing but asking words stands beside `again`."""
    rest = words.RETRY.sub(" ", text)
    rest = re.sub(r"#\d+", " ", rest)
    rest = re.sub(
        r"(?<!\w)(?:please|it|that|the|last|one|this|can|you|and|ok|now|to|do|draw|make|run"
        r"|video|picture"
        r"|image|film|пожалуйста|давай|это|его|ее|и|нарисуй|сделай|картинку|видео|можешь|es"
        r"|bitte|le|la"
        r"|s'il|te|vous|plaît|por|favor|lo)(?!\w)|请|试|一次|吧|ください|して|お願い|します",
        " ",
        rest,
    )
    return not re.search(r"\w{2,}", rest)


def classify_work(text: str, slots: Slots, has_picture: bool) -> Intent | None:
    """Return the kind of work asked for, if any; a medium that is named beats a change."""
    makes = bool(words.MAKE.search(text) or words.DRAW.search(text))
    edits = is_edit(text, has_picture)
    is_video_word = bool(words.VIDEO.search(words.DISLIKE_OF_VIDEO.sub(" ", text)))
    if words.ANIMATE.search(text) or (slots.model or "").startswith("demo-video"):
        return Intent.VIDEO
    if (
        is_video_word
        and not (words.EDIT.search(text) and not makes)
        and not is_question(text, makes)
    ):
        return Intent.VIDEO
    if slots.duration_s is not None and not words.PICTURE.search(text) and (makes or has_picture):
        return Intent.VIDEO
    if edits:
        return Intent.EDIT
    if words.PICTURE.search(text) and not is_question(text, makes):
        return Intent.IMAGE
    if words.DRAW.search(text) or (makes and not is_question(text, makes)):
        return Intent.IMAGE
    if has_picture and COMPARATIVE.search(text) and is_short(text) and not is_question(text, makes):
        return Intent.EDIT
    return None


def is_edit(text: str, has_picture: bool) -> bool:
    """Whether a change of something that is there is asked for."""
    draws_anew = re.match(rf"\W*{DRAW_FIRST}", text) and not MAKE_IT.search(text)
    if words.EDIT.search(text) and not draws_anew:
        return True
    if MAKE_IT.search(text) or (has_picture and MAKE_THE.search(text)):
        return True
    if not words.MAKE.search(text) or words.DRAW.search(text):
        return False
    tail = text.rstrip(" .!?")
    return bool(INSTRUMENTAL.search(tail) or (has_picture and COMPARATIVE.search(text)))


def is_question(text: str, makes: bool) -> bool:
    """Whether something is asked about rather than asked for."""
    return bool(words.QUESTION.search(text)) or (text.rstrip().endswith(("?", "？")) and not makes)


def classify_talk(text: str) -> Intent:
    """Return the kind of remark, or a picture for a bare description of one."""
    if is_short(text):
        if words.HELLO.search(text):
            return Intent.HELLO
        if words.THANKS.search(text):
            return Intent.THANKS
        if words.YES.search(text):
            return Intent.YES
    if is_question(text, makes=False) or not re.search(r"\w", text):
        return Intent.UNKNOWN
    if words.INDEFINITE.search(text) and 2 <= len(text.split()) <= PHRASE_WORDS:
        return Intent.IMAGE
    return Intent.UNKNOWN

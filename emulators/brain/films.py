"""Requests for films: of a subject of their own, or of a picture that is there."""

import re
from dataclasses import replace

from emulators.brain import words
from emulators.brain.request import Plan, Request, named, one_call
from emulators.brain.slots import FILMS
from emulators.brain.subject import strip_request
from emulators.brain.text import normalise

MAX_FILMS_AT_ONCE = 4
TO_LIFE = re.compile(r"(?<!\w)bring (?P<what>.+?) to life(?!\w)")


def refers(request: Request) -> bool:
    """Whether a film is wanted of a picture that is there, not of a subject of its own."""
    if request.slots.handles or words.FROM_PICTURE.search(request.low):
        return True
    subject = normalise(subject_of_film(request))
    if not subject or words.DEFINITE.search(subject):
        return True
    picture = request.history.picture()
    animates = words.ANIMATE.search(request.low)
    return bool(animates and picture and shows(picture.prompt, subject.split()[0]))


def shows(prompt: str, word: str) -> bool:
    """Whether a prompt speaks of a word, in whatever case it stands."""
    return len(word) > 3 and bool(re.search(rf"(?<!\w){re.escape(word[:-1])}", normalise(prompt)))


def subject_of_film(request: Request) -> str:
    """Return what a film shows, empty when that is the picture which is there."""
    text = request.rest("generate_video", "n")
    for pattern in (words.FROM_PICTURE, TO_LIFE):
        if match := pattern.search(normalise(text)):
            inner = match["what"] if "what" in pattern.groupindex else ""
            text = f"{text[: match.start()]} {inner} {text[match.end() :]}"
    subject = strip_request(text)
    if len(subject.split()) < 3:
        subject = strip_request(re.sub(rf"(?i)(?<!\w){FILMS}(?!\w)", " ", subject))
    if match := words.REFERRING.match(normalise(subject)):
        return strip_request(subject[match.end() :])
    return subject if words.ANIMATE.sub("", normalise(subject)).strip() else ""


def film(request: Request) -> Plan:
    """Return the calls that make films, from a picture when one is meant."""
    tool = "generate_video"
    attached = request.history.attached_now
    is_referring = bool(attached) or refers(request)
    picture = named(request) or request.history.picture()
    subject = subject_of_film(request)
    if is_referring and picture is None and not subject and asks_to_animate(request):
        return Plan(text=request.phrases.no_picture)
    arguments = request.common(tool) | {"duration_s": request.slots.duration_s}
    if is_referring and picture is not None:
        start = attached[0] if attached else picture
        end = attached[1].ref if len(attached) > 1 else None
        arguments |= {"start_image": start.ref, "end_image": end}
        arguments["prompt"] = told(start.prompt, subject) or request.phrases.default_motion
    else:
        arguments["prompt"] = subject or request.phrases.default_subject
    count = min(request.slots.n or 1, MAX_FILMS_AT_ONCE)
    one = one_call(request, tool, **arguments)
    return replace(one, calls=one.calls * count)


def told(prompt: str, more: str) -> str:
    """Return a picture's own prompt with what was said about its film, nothing twice."""
    bare = words.DEFINITE.sub("", normalise(more)).strip()
    if prompt and bare and bare in normalise(prompt):
        return prompt
    return ", ".join(filter(None, [prompt, more]))


def asks_to_animate(request: Request) -> bool:
    """Whether a film can only be meant of something that is there."""
    if words.ANIMATE.search(request.low) or words.FROM_PICTURE.search(request.low):
        return True
    return bool(words.REFERRING.search(strip_request(request.low)))

"""The shape of everything the brain can say in one language; braces are filled in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrases:
    """One language. `{ref}` is empty or ` (#3)`, `{what}` a subject as the person wrote it."""

    demo_note: str  # said once, in the first reply
    hello: str
    thanks: str
    yes: str
    unknown: str
    no_picture: str
    no_running: str
    no_generation: str
    no_retry: str
    got_picture: str
    not_offered: str
    later_animate: str
    started_image: str
    started_images: str
    started_video: str
    started_edit: str
    retried: str
    cancel_asked: str
    cancelled: str
    already_finished: str
    refused: str
    queued: str
    queued_at: str
    running: str
    running_at: str
    completed: str
    failed: str
    was_cancelled: str
    is_unknown: str
    list_head: str
    list_empty: str
    models_head: str
    done: str
    it: str  # in place of a handle in an instruction
    default_subject: str
    default_motion: str
    kinds: dict[str, str]
    statuses: dict[str, str]
    units: dict[str, str]

"""English."""

from emulators.brain.phrases.sheet import Phrases

ENGLISH = Phrases(
    demo_note=(
        "(By the way: I am Kinora's demo model, a small set of rules and not a real language"
        " model.)"
    ),
    hello=(
        "Hello! Tell me what to draw, for example “Draw a red fox in the snow, 16:9”. Then say"
        " “make"
        " it blue”, “animate it for 4 seconds” or “cancel”. “Which models are there?” lists the"
        " painters."
    ),
    thanks="You're welcome! Shall I draw something else, change it, or animate it?",
    yes="Gladly. What shall I draw? For example: “a lighthouse at sunset, 16:9”.",
    unknown=(
        "I did not understand that. I can draw (“draw a cat in a boat”), change a picture (“make it"
        " blue”), make films (“a 4 second video of the sea”), and stop or repeat what I do."
    ),
    no_picture=(
        "There is no picture yet that I could work on. Shall I draw one? Say, for example, “draw a"
        " red fox in the snow”, or drop a photo into the chat."
    ),
    no_running="Nothing is being made right now, so there is nothing to stop.",
    no_generation="Nothing has been made in this conversation yet. Shall I draw something?",
    no_retry="There is nothing yet that I could try again. What shall I draw?",
    got_picture="Thank you for the picture. Shall I change it (“make it blue”) or animate it?",
    not_offered="I was not given the tool for that here.",
    later_animate="When the picture is ready, say “animate it”.",
    started_image="I'm drawing {what}{ref}. The card shows how far it is.",
    started_images="I'm drawing {n} pictures of {what}{ref}. The card shows how far they are.",
    started_video="I'm making a film of {what}{ref}. The card shows how far it is.",
    started_edit="I'm changing the picture: {what}{ref}. The card shows how far it is.",
    retried="I'm trying again: {what}{ref}. The card shows how far it is.",
    cancel_asked="I have asked for it to be stopped{ref}; the card shows when it has.",
    cancelled="Stopped{ref}.",
    already_finished="It was finished already{ref}, so there was nothing left to stop.",
    refused="That is not possible: {message}",
    queued="It is waiting for its turn{ref}.",
    queued_at="It is waiting for its turn{ref}, at place {place}.",
    running="It is being made{ref}.",
    running_at="It is being made{ref}: {percent} % done.",
    completed="Yes, it is ready{ref}: it stands on its card.",
    failed="It failed{ref}: {message} Say “try again” to repeat it.",
    was_cancelled="It was cancelled{ref}. Say “try again” to start it anew.",
    is_unknown=(
        "Nobody knows what became of it{ref}: the answer to the order was lost, and it may have"
        " been"
        " charged. Say “try again”, or “cancel” to drop it."
    ),
    list_head="This is what you have made:",
    list_empty="You have not made anything yet. Shall I draw something?",
    models_head="I draw pictures, change them and turn them into films. These models can be used:",
    done="Done.",
    it="it",
    default_subject="a quiet landscape",
    default_motion="gentle natural motion",
    kinds={"image": "picture", "video": "film", "audio": "sound"},
    statuses={
        "queued": "waiting",
        "submitting": "starting",
        "in_progress": "being made",
        "storing": "nearly ready",
        "completed": "ready",
        "failed": "failed",
        "cancelled": "cancelled",
        "unknown": "unknown",
    },
    units={"image": "a picture", "second": "a second", "megapixel": "a megapixel"},
)

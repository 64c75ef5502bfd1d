"""What the brain says, in each language it knows."""

from emulators.brain.language import Language
from emulators.brain.phrases.de import GERMAN
from emulators.brain.phrases.en import ENGLISH
from emulators.brain.phrases.es import SPANISH
from emulators.brain.phrases.fr import FRENCH
from emulators.brain.phrases.ja import JAPANESE
from emulators.brain.phrases.ru import RUSSIAN
from emulators.brain.phrases.sheet import Phrases
from emulators.brain.phrases.zh import CHINESE

PHRASES: dict[Language, Phrases] = {
    "en": ENGLISH,
    "ru": RUSSIAN,
    "de": GERMAN,
    "fr": FRENCH,
    "es": SPANISH,
    "zh": CHINESE,
    "ja": JAPANESE,
}

__all__ = ["PHRASES", "Phrases"]

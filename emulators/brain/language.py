"""Which language somebody writes, by script and by small words."""

import re
from typing import Literal

from emulators.brain.text import each

Language = Literal["en", "ru", "de", "fr", "es", "zh", "ja"]

SMALL_WORDS: dict[Language, frozenset[str]] = {
    "en": frozenset(
        each(
            "the a an of in on at with and or make draw it its please is are my what this that"
            " you me i"
            " can could do does have show for to from paint animate again stop cancel add remove"
            " hello"
            " hi help picture image film yes thanks create generate into now no"
        )
    ),
    "de": frozenset(
        each(
            "ein eine einen einem der die das den dem und im in mit bitte zeichne male mach"
            " mache mir"
            " von es ist was ich für zu auf hallo bild erstelle wie schon ja danke nein nicht auch"
            " animiere noch stopp fertig kannst du zeige füge hinzu abbrechen einer sekunden"
        )
    ),
    "fr": frozenset(
        each(
            "un une le la les des et dans avec dessine dessine-moi fais fais-moi moi de du est"
            " que s'il"
            " vous plaît sur au aux ce cette en pour bonjour oui merci non ajoute crée rends anime"
            " annule arrête anime-le anime-la rends-le rends-la peux tu qui à sous une"
        )
    ),
    "es": frozenset(
        each(
            "un una el la los las y en con dibuja dibújame haz hazme por favor de del es que"
            " hola sí"
            " gracias para mi lo se al no añade crea cancela hazlo hazla qué puedes una genera"
            " muestra"
            " anima animalo anímalo está listo quiero"
        )
    ),
}
LETTERS: dict[Language, str] = {"de": "äöüß", "fr": "çèêàœùîôë", "es": "ñ¿¡áíóú"}


def detect(text: str, otherwise: Language = "en") -> Language:
    """Return the language of a text; one that gives no hint is in the language before it."""
    if re.search(r"[\u3040-\u30ff]", text):
        return "ja"
    if re.search(r"[\u4e00-\u9fff]", text):
        return "zh"
    if len(re.findall(r"[\u0400-\u04ff]", text)) > len(re.findall(r"[a-z]", text)) / 4:
        return "ru"
    words = re.findall(r"[^\W\d_]+(?:['-][^\W\d_]+)*", text)
    scores: dict[Language, float] = {
        name: sum(word in known for word in words) for name, known in SMALL_WORDS.items()
    }
    for name, letters in LETTERS.items():
        scores[name] += sum(text.count(letter) for letter in letters) * 0.8
    best = max(scores.values())
    if best == 0:
        return otherwise
    leaders: list[Language] = [name for name, score in scores.items() if score == best]
    return otherwise if otherwise in leaders else leaders[0]

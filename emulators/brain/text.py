"""Text made comparable, without changing its length, so that places found in it stay true."""

SAME = str.maketrans({"ё": "е", "’": "'", "‘": "'", "`": "'", "–": "-", "\u00a0": " "})


def normalise(text: str) -> str:
    """Return lower case, one kind of apostrophe, and `е` for `ё`; as long as before."""
    lower = text.lower()
    if len(lower) != len(text):
        lower = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    return lower.translate(SAME)


def each(text: str) -> list[str]:
    """Return the words of a list that is written as a text."""
    return text.split()

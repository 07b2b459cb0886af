"""Letters of any language on a sign that has few of them."""

import unicodedata

# Letters and marks that have no simpler form in Unicode.
_SIMPLER = str.maketrans(
    {"–": "-", "—": "-", "−": "-", "→": ">", "←": "<", "„": '"', "“": '"', "”": '"', "‚": "'", "‘": "'", "’": "'", "€": "EUR"}
    | {"ẞ": "SS", "ß": "ss", "Æ": "AE", "æ": "ae", "Œ": "OE", "œ": "oe", "Ø": "O", "ø": "o", "Ł": "L", "ł": "l"}
    | {"Đ": "D", "đ": "d", "ı": "i"}
)


def to_plain(letter: str) -> str:
    """ASCII for `letter`: without its accents, `?` where nothing is like it."""
    simpler = unicodedata.normalize("NFKD", letter.translate(_SIMPLER)).translate(_SIMPLER)
    plain = "".join(c for c in simpler if " " <= c <= "~")
    return plain or (" " if letter.isspace() else "?")

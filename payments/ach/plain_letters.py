"""Plain letters: any text as the upper-case ASCII that every bank reads, one column a character."""

import unicodedata

UNKNOWN = "?"

# Letters and marks that have no accent to take off
SPELLINGS = str.maketrans(
    {
        "ß": "SS", "ẞ": "SS", "Æ": "AE", "æ": "AE", "Œ": "OE", "œ": "OE", "Ø": "O", "ø": "O", "Ł": "L",
        "ł": "L", "Đ": "D", "đ": "D", "Ð": "D", "ð": "D", "Þ": "TH", "þ": "TH", "ı": "I", "Ħ": "H", "ħ": "H",
        "‘": "'", "’": "'", "ʼ": "'", "´": "'", "“": '"', "”": '"', "‐": "-", "‑": "-", "–": "-", "—": "-",
    }
)  # fmt: skip


def write_plainly(*, text: str) -> str:
    """Write text in upper-case ASCII: É becomes E, ß becomes SS; what has no spelling becomes a "?".

    Control characters and odd spaces become a space. The result is ASCII 0x20-0x7E throughout.
    """
    if text.isascii() and text.isprintable():
        return text.upper()
    parts = unicodedata.normalize("NFKD", text.translate(SPELLINGS))
    return "".join(_write_character(part) for part in parts if not unicodedata.combining(part)).upper()


def _write_character(character: str) -> str:
    if " " <= character <= "~":
        return character
    if character.isspace() or unicodedata.category(character) == "Cc":
        return " "
    return UNKNOWN

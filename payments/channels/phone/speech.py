"""How numbers are read aloud: digit by digit, a letter as "B as in Boston"."""

from collections.abc import Mapping

LETTERS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "A": "Apple", "B": "Boston", "C": "Charlie", "D": "David", "E": "Edward", "F": "Frank", "G": "George",
        "H": "Henry", "J": "John", "K": "King", "M": "Mary", "N": "Nancy", "P": "Peter", "Q": "Queen",
        "R": "Robert", "S": "Sam", "T": "Thomas", "V": "Victor", "W": "William", "X": "X-ray", "Y": "Young",
        "Z": "Zebra",
    },
    "es": {
        "A": "Ana", "B": "Boston", "C": "Carlos", "D": "David", "E": "Elena", "F": "Francisco", "G": "Gloria",
        "H": "Hugo", "J": "Juan", "K": "Kilo", "M": "María", "N": "Nora", "P": "Pedro", "Q": "Queso",
        "R": "Rosa", "S": "Sara", "T": "Tomás", "V": "Víctor", "W": "Washington", "X": "Xilófono",
        "Y": "Yolanda", "Z": "Zapato",
    },
}  # fmt: skip
AS_IN = {"en": "as in", "es": "de"}


def spell_digits(digits: str) -> str:
    """Digits one by one: "6 7 8 9"."""
    return " ".join(digits)


def spell_number(number: str, *, language: str) -> str:
    """A confirmation number as it is said: "2, B as in Boston, 7"."""
    return ", ".join(_spell(character, language) for character in number)


def _spell(character: str, language: str) -> str:
    word = LETTERS[language].get(character)
    return f"{character} {AS_IN[language]} {word}" if word else character

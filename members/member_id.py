"""Member ID: 12 digits without a check digit, kept as text, leading zeros kept.

People type it with spaces or hyphens. In the shape of python-stdnum's own modules, with its exceptions.
"""

from stdnum.exceptions import InvalidFormat, InvalidLength, ValidationError
from stdnum.util import clean, isdigits

LENGTH = 12


def compact(number: str) -> str:
    """The bare digits of what was typed, spaces and hyphens of every kind removed."""
    return clean(number, " -").strip()


def validate(number: str) -> str:
    """The 12 digits of what was typed. Raises InvalidFormat or InvalidLength of stdnum."""
    number = compact(number)
    if not isdigits(number):
        raise InvalidFormat
    if len(number) != LENGTH:
        raise InvalidLength
    return number


def is_valid(number: str) -> bool:
    """Whether what was typed can be a Member ID."""
    try:
        return bool(validate(number))
    except ValidationError:
        return False


def format(number: str) -> str:  # noqa: A001  stdnum's own name
    """In groups of four, as it is read aloud: 0034 5678 9011."""
    number = compact(number)
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))

"""What people type after a command: a day, a count; anything else is refused in words."""

from argparse import ArgumentTypeError
from datetime import date


def read_day(text: str) -> date:
    """A day as YYYY-MM-DD. Raises argparse.ArgumentTypeError."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text} is not a day: write it as YYYY-MM-DD, like 2027-01-23") from error


def read_count(text: str) -> int:
    """A whole number from 1. Raises argparse.ArgumentTypeError."""
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text)):
        raise ArgumentTypeError(f"{text} is not a count: write a whole number from 1")
    return int(text)

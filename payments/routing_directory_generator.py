"""A routing directory for demonstrations, made up from a seed in the Federal Reserve's layout: no bank in it is real.

The same seed and date give the same file.
"""

import random
from collections.abc import Iterator
from datetime import date, timedelta

from payments.ach.routing_numbers import PREFIXES, compute_check_digit

BANKS = 60
DEMO_ROUTING_NUMBER = "011000015"
MERGED_ROUTING_NUMBER = "211900012"  # its bank has become the sandbox's
MADE_UP = "(MADE UP)"
SANDBOX_BANK = "SANDBOX BANK"
FIRST_WORDS = (
    "Beacon",
    "Cedar",
    "Chestnut",
    "Elm",
    "Harbor",
    "Highland",
    "Linden",
    "Maple",
    "Orchard",
    "Quarry",
)
LAST_WORDS = ("Bank", "Savings Bank", "Trust", "Credit Union")
PLACES = (("Boston", "MA", "02108"), ("Worcester", "MA", "01608"), ("Salem", "MA", "01970"))


def generate_directory(*, seed: int, today: date, banks: int = BANKS) -> Iterator[str]:
    """Each line of the file: the sandbox's bank, one that has merged into it, and so many more."""
    chance = random.Random(seed)  # noqa: S311  (nothing secret is made of it)
    yield write_line(number=DEMO_ROUTING_NUMBER, name=SANDBOX_BANK, changed_on=today)
    yield write_line(
        number=MERGED_ROUTING_NUMBER, name="Old Harbor Bank", changed_on=today, successor=DEMO_ROUTING_NUMBER
    )
    taken = {DEMO_ROUTING_NUMBER, MERGED_ROUTING_NUMBER}
    while len(taken) < banks + 2:
        digits = chance.choice(sorted(PREFIXES)) + f"{chance.randrange(10**6):06d}"
        number = digits + compute_check_digit(digits=digits)
        name = f"{chance.choice(FIRST_WORDS)} {chance.choice(LAST_WORDS)}"
        changed_on = today - timedelta(days=chance.randrange(5_000))
        if number not in taken:
            taken.add(number)
            yield write_line(number=number, name=name, changed_on=changed_on, place=chance.choice(PLACES))


def write_line(
    *,
    number: str,
    name: str,
    changed_on: date,
    successor: str = "",
    place: tuple[str, str, str] = PLACES[0],
) -> str:
    """One bank as a line of 155 characters."""
    city, state, zip_code = place
    return (
        f"{number:9}O{DEMO_ROUTING_NUMBER}{'2' if successor else '1'}{changed_on:%m%d%y}{successor or '0' * 9}"
        f"{f'{name.upper()} {MADE_UP}':36}{'1 MADE UP STREET':36}{city.upper():20}{state}{zip_code}0000"
        f"617555010011{'':5}\n"
    )

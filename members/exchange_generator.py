"""A believable exchange, made up from a seed: households, plans of invented carriers, enrollments, changes.

The same households, seed and date give the same events. Phone numbers are of the 555 exchange, emails under
example.org; no carrier and no person is real.
"""

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any


def _split(words: str) -> tuple[str, ...]:
    return tuple(words.split())


ENGLISH = _split(
    "Abigail Amos Beatrice Caleb Cora Daniel Della Edwin Eleanor Felix Grace Harold Hazel Isaac Ivy Jonah "
    "June Keisha Leonard Lydia Marcus Maeve Nathan Nora Oliver Phoebe Quincy Ruth Samuel Tessa Victor "
    "Willa"
)
SPANISH = _split(
    "Adriana Alonso Belén Camila Diego Elena Emilio Fátima Gabriel Hernán Inés Jimena Joaquín José "
    "Lourdes Luz Marisol Mateo Noemí Óscar Paloma Ramón Rocío Santiago Sofía Tomás Valeria Ximena"
)
ENGLISH_FAMILIES = _split(
    "Abbott Bradshaw Callahan Chen Dunham Ellery Fairbanks Goodwin Hathaway Ingram Jeffers Kowalski "
    "Lindqvist Mercer Nguyen O'Leary Pruitt Quigley Rowe Sheffield Thibodeau Underhill Vance Whitcomb "
    "Yates Zimmer"
)
SPANISH_FAMILIES = _split(
    "Acosta Benítez Cárdenas Delgado Escobar Figueroa Guzmán Herrera Ibáñez Jiménez Lozano Maldonado "
    "Núñez Ocampo Peña Quiñones Rosario Santana Trujillo Urrutia Vargas Zapata"
)
STREETS = _split(
    "Beacon Cedar Chestnut Elm Franklin Harbor Highland Linden Maple Orchard Pleasant Quarry School Spring"
)
PLACES = (
    ("Boston", "02108"),
    ("Worcester", "01608"),
    ("Springfield", "01103"),
    ("Lowell", "01852"),
    ("Lawrence", "01840"),
    ("Holyoke", "01040"),
    ("New Bedford", "02740"),
    ("Fall River", "02720"),
    ("Lynn", "01902"),
    ("Pittsfield", "01201"),
)
AREA_CODES = ("617", "508", "413", "781", "978", "857", "339", "351", "774")
MEMBER_ID_PREFIXES = ("000", "003", "017", "120", "384")
DUE_DAY = 23


@dataclass(frozen=True)
class Offer:
    """A plan on the shelf, with what it costs a 21-year-old a month."""

    code: str
    name: str
    product: str
    carrier: str
    base_cents: int


CARRIERS = {
    "HARBORLIGHT": ("Harborlight Health", "PO Box 550101\nBoston, MA 02205-0101"),
    "MILLBROOK": ("Millbrook Community Plan", "PO Box 550220\nWorcester, MA 01655-0220"),
    "QUARRYSTONE": ("Quarrystone Care", "Payment Center\nPO Box 550347\nSpringfield, MA 01152-0347"),
    "LANTERNDENTAL": ("Lantern Dental", "PO Box 550418\nBoston, MA 02205-0418"),
    "PLUMTREE": ("Plumtree Smiles", "PO Box 550536\nLowell, MA 01853-0536"),
}
HEALTH_PLANS = tuple(
    Offer(
        f"{carrier}-{metal.upper()}", f"{CARRIERS[carrier][0]} {metal} {deductible}", "health", carrier, cents
    )
    for carrier, factor in (("HARBORLIGHT", 104), ("MILLBROOK", 91), ("QUARRYSTONE", 98))
    for metal, deductible, base in (("Bronze", 3000, 241_00), ("Silver", 2000, 318_00), ("Gold", 750, 396_00))
    for cents in [base * factor // 100]
)
DENTAL_PLANS = tuple(
    Offer(f"{carrier}-{level.upper()}", f"{CARRIERS[carrier][0]} {level}", "dental", carrier, base)
    for carrier in ("LANTERNDENTAL", "PLUMTREE")
    for level, base in (("Basic", 19_40), ("Plus", 31_85))
)


@dataclass(frozen=True)
class _Household:
    """One household: its number, its own dice, and the business date of the whole exchange."""

    number: int
    seed: int
    today: date
    dice: random.Random

    def name_event(self, what: str) -> str:
        return f"generated-{self.seed}-{self.number}-{what}"

    def name_enrollment(self, product: str) -> str:
        return f"{'H' if product == 'health' else 'D'}{self.seed:03d}{self.number:07d}"


def generate_events(*, households: int, seed: int, today: date) -> Iterator[dict[str, Any]]:
    """The events of one exchange, ready for intake, household by household."""
    for number in range(1, households + 1):
        yield from generate_household(number=number, seed=seed, today=today)


def generate_household(*, number: int, seed: int, today: date) -> Iterator[dict[str, Any]]:
    """The events of one household, as of the day on which it enrolls."""
    dice = random.Random(f"{seed}:{number}")  # noqa: S311  names and prices, no secrets
    yield from _make_household(_Household(number=number, seed=seed, today=today, dice=dice))


def _make_household(home: _Household) -> Iterator[dict[str, Any]]:
    """Half have health and dental, most others health alone; then what happens to a few of them."""
    dice = home.dice
    member = _make_member(home)
    products = dice.choices([("health", "dental"), ("health",), ("dental",)], weights=[45, 40, 15])[0]
    start, extras = _choose_start(home)
    enrolled = []
    for product in products:
        offer = dice.choice(HEALTH_PLANS if product == "health" else DENTAL_PLANS)
        price = _price(home, offer=offer, born=date.fromisoformat(member["date_of_birth"]))
        enrolled.append((offer, price))
        yield {
            "event_id": home.name_event(product),
            "kind": "enroll",
            "enrollment_id": home.name_enrollment(product),
            "member": member,
            "plan": _describe(offer),
            **price,
            "requested_start": start.isoformat(),
            **extras,
        }
    yield from _make_later_events(home, start=start, enrolled=enrolled)


def _make_later_events(
    home: _Household, *, start: date, enrolled: list[tuple[Offer, dict[str, int]]]
) -> Iterator[dict[str, Any]]:
    """One in twelve changes price, one in twenty moves house, one in thirty ends later in the year."""
    offer, price = enrolled[0]
    named = {"enrollment_id": home.name_enrollment(offer.product)}
    if home.dice.random() < 1 / 12:
        dearer = price | {"premium_cents": price["premium_cents"] * 106 // 100}
        month = _first_of(start, months=home.dice.randint(2, 4)).isoformat()
        yield {
            "event_id": home.name_event("change"),
            "kind": "change",
            **named,
            "from_month": month,
            **dearer,
        }
    if home.dice.random() < 1 / 20:
        moved = {"event_id": home.name_event("move"), "kind": "member", **named}
        yield {**moved, "member": _choose_address(home.dice)}
    if home.dice.random() < 1 / 30:
        last = _first_of(start, months=home.dice.randint(3, 6)) - timedelta(days=1)
        yield {"event_id": home.name_event("end"), "kind": "end", **named, "ends_on": last.isoformat()}


def _make_member(home: _Household) -> dict[str, Any]:
    """The subscriber: family names and phone numbers are shared where a household is of the same family."""
    dice = home.dice
    family, spanish_speaking = _choose_family(home)
    spanish_name = family in SPANISH_FAMILIES
    first = dice.choice(SPANISH if spanish_name and dice.random() < 0.85 else ENGLISH)
    born = home.today - timedelta(days=dice.randint(19 * 366, 64 * 365))
    member: dict[str, Any] = {
        "member_id": _make_member_id(home),
        "first_name": first,
        "last_name": family,
        "date_of_birth": born.isoformat(),
        "phone": _make_phone(home),
        "language": "es" if spanish_speaking else "en",
        **_choose_address(dice),
    }
    if dice.random() < 0.8:
        member["email"] = f"{_plain(first)}.{_plain(family)}{home.number}@example.org"
        member["paperless"] = dice.random() < 0.7
    return member


def _is_related(home: _Household) -> bool:
    """Every ninth household is of the family before it: a grown child on the same phone number."""
    return home.number % 9 == 5


def _choose_family(home: _Household) -> tuple[str, bool]:
    """The family's name, and whether it would rather read Spanish."""
    number = home.number - 1 if _is_related(home) else home.number
    dice = random.Random(f"{home.seed}:family:{number}")  # noqa: S311  names, no secrets
    if dice.random() < 0.32:
        return dice.choice(SPANISH_FAMILIES), dice.random() < 0.7
    return dice.choice(ENGLISH_FAMILIES), False


def _make_phone(home: _Household) -> str:
    number = (home.number - 1 if _is_related(home) else home.number) - 1
    line, area = divmod(number, len(AREA_CODES))
    # 555-0100 to 555-0199 are kept for made-up people; a bigger exchange goes on from 555-2000.
    digits = 100 + line if line < 100 else 2000 + (line - 100) % 8000
    return f"+1{AREA_CODES[area]}555{digits:04d}"


def _make_member_id(home: _Household) -> str:
    """12 digits that do not look counted, many with leading zeros; another number for each household."""
    scattered = (home.number * 123_456_787 + home.seed * 1_000_003) % 10**9
    return f"{MEMBER_ID_PREFIXES[home.number % len(MEMBER_ID_PREFIXES)]}{scattered:09d}"


def _choose_address(dice: random.Random) -> dict[str, str]:
    city, zip_code = dice.choice(PLACES)
    kind = dice.choice(["Street", "Street", "Avenue", "Road"])
    street = f"{dice.randint(1, 240)} {dice.choice(STREETS)} {kind}"
    if dice.random() < 0.35:
        street += f", Apt {dice.randint(1, 12)}"
    return {"street": street, "city": city, "state": "MA", "zip_code": zip_code}


def _choose_start(home: _Household) -> tuple[date, dict[str, str]]:
    """Mostly the next month that can be paid for in time, a quarter the one after, a few already begun."""
    soonest = _first_of(home.today, months=1 if home.today.day <= DUE_DAY else 2)
    drawn = home.dice.random()
    if drawn < 0.03:
        due = _first_of(home.today, months=0 if home.today.day <= DUE_DAY - 7 else 1).replace(day=DUE_DAY)
        return home.today.replace(day=1), {"binder_due_date": due.isoformat()}
    if drawn < 0.75:
        return soonest, {}
    return _first_of(soonest, months=1), {}


def _price(home: _Household, *, offer: Offer, born: date) -> dict[str, int]:
    """Dearer with age; rather more than half of the health premiums are subsidized, never down to nothing."""
    dice = home.dice
    if offer.product == "dental":
        return {"premium_cents": offer.base_cents, "subsidy_cents": 0}
    years = (home.today - born).days // 365 - 21
    premium = offer.base_cents * (100 + max(years, 0) * 2) // 100 + dice.randint(0, 99)
    share = dice.randint(25, 92) if dice.random() < 0.57 else 0
    return {"premium_cents": premium, "subsidy_cents": premium * share // 100}


def _describe(offer: Offer) -> dict[str, Any]:
    name, address = CARRIERS[offer.carrier]
    return {
        "code": offer.code,
        "name": offer.name,
        "product": offer.product,
        "carrier": {"code": offer.carrier, "name": name},
        "remittance_name": name,
        "remittance_address": address,
    }


def _first_of(day: date, *, months: int) -> date:
    """The first of the month so many months after the day's own."""
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def _plain(name: str) -> str:
    """A name as it stands in an email address: José becomes jose."""
    letters = unicodedata.normalize("NFKD", name).lower()
    return "".join(letter for letter in letters if letter.isascii() and letter.isalpha())

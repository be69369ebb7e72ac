"""Alike checks: one with the number, payer and amount of another of the last days is asked about once more."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from uuid import UUID

from connector_pay.lib.clock import business_date, eastern_moment
from connector_pay.lib.templatetags.exchange import long_date
from payments.models import ReceivedCheck

DAYS = 30


@dataclass(frozen=True, slots=True)
class Look:
    """What is printed on a check: by this two look alike."""

    number: str
    payer: str
    cents: int
    form_key: UUID

    @property
    def key(self) -> tuple[str, str, int]:
        """Without what two people type differently: spaces and capitals."""
        return self.number.strip().casefold(), " ".join(self.payer.split()).casefold(), self.cents


def find_alike(*, looks: Sequence[Look], beside: Iterable[Look] = (), today: date) -> dict[UUID, str]:
    """Of each that looks like a check recorded in the last 30 days, or like one `beside` it, by its form key: which one.

    One statement however many. What was recorded from the same form is no other check.
    """
    known = {look.key: (look.form_key, "another check of this batch") for look in beside}
    known |= {look.key: (look.form_key, words) for look, words in _read_recorded(looks, today=today)}
    found = {look.form_key: known[look.key] for look in looks if look.key in known}
    return {key: words for key, (other, words) in found.items() if other != key}


def _read_recorded(looks: Sequence[Look], *, today: date) -> list[tuple[Look, str]]:
    """Those of the last days with these numbers."""
    numbers = {word for look in looks for word in (look.number, look.number.upper(), look.number.lower())}
    since = eastern_moment(day=today - timedelta(days=DAYS), at=time(0))
    rows = ReceivedCheck.objects.filter(number__in=numbers, recorded_at__gte=since).order_by("pk")
    rows = rows.exclude(form_key__in=[look.form_key for look in looks])
    facts = rows.values_list("number", "payer", "cents", "form_key", "recorded_at")
    return [
        (Look(number, payer, cents, form_key), f"a check recorded on {long_date(business_date(moment=at))}")
        for number, payer, cents, form_key, at in facts
    ]

"""The figures of the staff's dashboard and first page: what came in by hour, day and method, and what is on its way."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Count, Sum
from django.db.models.functions import ExtractHour

from billing.policy import read_policy
from connector_pay.lib.clock import EASTERN, MIDNIGHT, eastern_moment
from payments.ach.banking_days import BankingCalendar
from payments.checks import STANDING
from payments.models import CheckKind, Payment, PaymentChannel, PaymentStatus, ReceivedCheck

HOURS = range(24)
METHODS = (*PaymentChannel.choices, *CheckKind.choices)
ON_ITS_WAY = (PaymentStatus.RECORDED, PaymentStatus.SENDING, PaymentStatus.SENT)
NEVER_RECEIVED = (PaymentStatus.RETURNED, PaymentStatus.CANCELED)
SECONDS_AN_HOUR, SECONDS_A_MINUTE = 3600, 60


@dataclass(frozen=True, slots=True)
class Sums:
    """So many payments of so many cents."""

    number: int = 0
    cents: int = 0


def count_by_hour(*, day: date) -> Sequence[int]:
    """How many payments were made in each hour of a day, Eastern; what was canceled or returned since among them."""
    begin, end = (eastern_moment(day=day + timedelta(days=days), at=MIDNIGHT) for days in (0, 1))
    made = Payment.objects.filter(recorded_at__gte=begin, recorded_at__lt=end).order_by()
    hours = made.values(hour=ExtractHour("recorded_at", tzinfo=EASTERN)).annotate(number=Count("pk"))
    found = dict(hours.values_list("hour", "number"))
    return [found.get(hour, 0) for hour in HOURS]


def sum_on_its_way(*, today: date) -> dict[date, Sums]:
    """Money that counts as received and has not settled, by the day it was received."""
    moving = Payment.objects.filter(status__in=ON_ITS_WAY, received_date__lte=today).order_by()
    days = moving.values("received_date").annotate(number=Count("pk"), cents=Sum("amount_cents"))
    rows = days.values_list("received_date", "number", "cents").order_by("received_date")
    return {day: Sums(number, cents) for day, number, cents in rows}


def sum_collected(*, since: date, until: date) -> dict[tuple[date, str], Sums]:
    """What was received and stands, by day and method: payments by channel, and checks, those that still wait among them."""
    received = Payment.objects.filter(received_date__gte=since, received_date__lte=until).order_by()
    payments = received.exclude(status__in=NEVER_RECEIVED).values("received_date", "channel")
    handed_in = ReceivedCheck.objects.filter(received_on__gte=since, received_on__lte=until).order_by()
    checks = handed_in.filter(status__in=STANDING).values("received_on", "kind")
    rows = [
        *payments.annotate(number=Count("pk"), sum=Sum("amount_cents")).values_list(
            "received_date", "channel", "number", "sum"
        ),
        *checks.annotate(number=Count("pk"), sum=Sum("cents")).values_list(
            "received_on", "kind", "number", "sum"
        ),
    ]
    return {(day, method): Sums(number, cents) for day, method, number, cents in rows}


def sum_unsent(*, today: date) -> Sums:
    """What is received and is in no bank file yet."""
    unsent = Payment.objects.filter(status=PaymentStatus.RECORDED, received_date__lte=today)
    found = unsent.aggregate(number=Count("pk"), cents=Sum("amount_cents", default=0))
    return Sums(found["number"], found["cents"])


def add_all(sums: Iterable[Sums]) -> Sums:
    """All of them together."""
    counted = list(sums)
    return Sums(sum(item.number for item in counted), sum(item.cents for item in counted))


def add_by_method(collected: Mapping[tuple[date, str], Sums]) -> dict[str, Sums]:
    """The same by method: the channels in their order, then checks and money orders."""
    return {
        str(label): add_all(sums for (_, method), sums in collected.items() if method == value)
        for value, label in METHODS
    }


def add_by_day(collected: Mapping[tuple[date, str], Sums], *, since: date, until: date) -> dict[date, Sums]:
    """The same by day, the days without a payment among them."""
    days = [since + timedelta(days=count) for count in range((until - since).days + 1)]
    return {
        day: add_all(sums for (received, _), sums in collected.items() if received == day) for day in days
    }


def find_last_due_day(*, today: date) -> date:
    """The last due day before today, by the policy's day of the month."""
    due_day = read_policy().due_day
    month = today if today.day > due_day else today.replace(day=1) - timedelta(days=1)
    return month.replace(day=due_day)


def describe_cutoff_countdown(*, at: datetime, calendar: BankingCalendar) -> str:
    """How long until payments next go to the bank, in words."""
    wall, cutoff = at.astimezone(EASTERN), read_policy().file_cutoff
    today = wall.date()
    if not calendar.is_banking_day(today) or wall.time() >= cutoff:
        day = calendar.add(today, 1)
        return f"Next bank files: {day:%A, %B} {day.day} at {_write_time(cutoff)}."
    left = int((eastern_moment(day=today, at=cutoff) - at).total_seconds())
    hours, minutes = left // SECONDS_AN_HOUR, left % SECONDS_AN_HOUR // SECONDS_A_MINUTE
    return f"Bank files are built today at {_write_time(cutoff)}: in {_count(hours, 'hour')} {_count(minutes, 'minute')}."


def _write_time(moment: time) -> str:
    return f"{moment.hour % 12 or 12}:{moment.minute:02d} {'p.m.' if moment.hour >= 12 else 'a.m.'} Eastern"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"

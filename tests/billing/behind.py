"""What the tests of falling behind do: coverage that is active and paid so far, the nights, and what the mail has taken."""

from datetime import date, datetime, time, timedelta

from billing import episodes, invoices, terminations
from billing.due_dates import next_month
from billing.models import Account, Episode, Invoice, StartDecision, StartReview
from billing.start_decisions import decide_start
from connector_pay.lib.clock import eastern_moment
from members import outbox
from members.models import Channel, Notice, User
from payments.ach.banking_days import FEDERAL_RESERVE
from tests.billing.books import bill, noon, receive, settle_and_clear
from tests.people import make_enrollment, make_staff

PREMIUM = 100_00
JANUARY = date(2026, 1, 1)  # the oldest unpaid month of the worked cases
DECEMBER = date(2025, 12, 1)


def cover(*, start: date = DECEMBER, today: date | None = None, subsidized: bool = False, **facts) -> Account:
    """Active coverage at $100.00 a month, its first month paid by check; the bills up to today's are issued."""
    day = next_month(start, count=-1).replace(day=10)
    costs = {"premium_cents": 300_00, "subsidy_cents": 200_00} if subsidized else {"premium_cents": PREMIUM}
    enrollment = make_enrollment(requested_start=start, at=noon(day), **(costs | facts))
    account = bill(enrollment, today=day)
    pay(account, on=day)
    first = next_month(day)
    while today and first < today:
        issue(first)
        first = next_month(first)
    issue(today or day)
    return account


def cover_two_months_late(**facts) -> tuple[Account, str]:
    """Coverage asked for on February 10, 2026, from January 1, both months due on February 23 and paid by two checks.

    March is paid, too. The second check, which paid for February, is the one returned.
    """
    today, start = date(2026, 2, 10), JANUARY
    enrollment = make_enrollment(
        requested_start=start,
        binder_due_date=date(2026, 2, 23),
        premium_cents=PREMIUM,
        at=noon(today),
        **facts,
    )
    account = bill(enrollment, today=today)
    _, second = pay(account, on=today), pay(account, on=today)
    issue(date(2026, 2, 11))
    pay(account, on=date(2026, 2, 11))
    return account, second


def pay(account: Account, cents: int = PREMIUM, *, on: date, today: date | None = None) -> str:
    """A check received on a day, which we come to know of today, and which clears at once."""
    reference = receive(account, cents, on=on, today=today, kind="check")
    settle_and_clear(reference, on=today or on)
    return reference


def keep_start(*, on: date) -> None:
    """Staff were asked about a first payment that came back, and leave the start where it stands: the payment is owed."""
    facts = {"decision": StartDecision.KEEP, "by": make_staff(), "today": on, "at": noon(on)}
    decide_start(review_id=StartReview.objects.get(decided_at=None).pk, **facts)


def issue(today: date) -> None:
    """The bills that should exist by today."""
    invoices.issue_missing(today=today, at=noon(today))


def night(day: date) -> dict[str, int]:
    """The nightly review of a day."""
    at = eastern_moment(day=day, at=time(0, 15))
    return dict(episodes.review(today=day, at=at, add_banking_days=FEDERAL_RESERVE.add))


def live(first: date, last: date) -> None:
    """The nights of the first and the last day, and of each 1st and 24th between: bills issued, reviewed, the mail sent.

    In the other nights nothing comes due.
    """
    day = first
    while day <= last:
        if day in (first, last) or day.day in (1, 24):
            issue(day)
            night(day)
            send_mail(noon(day))
        day += timedelta(days=1)


def send_mail(at: datetime) -> None:
    """What waits in the outbox goes out: the emails, and the letters, as if their print batch was closed."""
    outbox.send_unsent(at=at)
    Notice.objects.filter(channel=Channel.LETTER, sent_at=None).update(sent_at=at)


def read_status(account: Account) -> list[str]:
    """Where the account's episodes stand, the oldest first."""
    return list(Episode.objects.filter(account=account).order_by("pk").values_list("status", flat=True))


def list_told(account: Account) -> list[tuple[str, date]]:
    """What was told of falling behind, and when, each notice once."""
    events = ("past_due", "termination_warning", "termination", "reinstated")
    told = Notice.objects.filter(member=account.enrollment.member, event__in=events).order_by("business_date")
    return list(dict.fromkeys(told.values_list("event", "business_date")))


def list_live_months(account: Account) -> list[date]:
    """The months with a bill that is not void."""
    live_bills = Invoice.objects.filter(account=account, voided_at=None).order_by("coverage_month")
    return list(live_bills.values_list("coverage_month", flat=True))


def confirm(account: Account, *, on: date, by: User | None = None, ends_on: date | None = None) -> list[int]:
    """Staff confirm what is listed of the account, at noon."""
    ids = Episode.objects.filter(account=account, status="listed").values_list("pk", flat=True)
    return terminations.confirm_terminations(
        episode_ids=list(ids), by=by or make_staff(), today=on, at=noon(on), ends_on=ends_on
    )

"""Stories of falling behind, lived day by day: the worked cases of the two ladders, and what comes after them."""

from datetime import date

import pytest

from billing import terminations
from billing.models import Account, Episode
from members.models import Enrollment, Notice
from payments.models import PaymentStatus, Refund
from tests.billing.behind import (
    JANUARY,
    PREMIUM,
    confirm,
    cover,
    list_live_months,
    list_told,
    live,
    pay,
    read_status,
    send_mail,
)
from tests.diary import Diary, eastern
from tests.journeys.living import NO_MONEY, NOT_AUTHORIZED, go_to, read_payment, see
from tests.journeys.living import pay as pay_online
from tests.people import make_member

DECEMBER, FEBRUARY, MARCH, APRIL = date(2025, 12, 1), *(date(2026, month, 1) for month in (2, 3, 4))
ISSUED, FOUND = date(2025, 12, 20), date(2025, 12, 24)
pytestmark = pytest.mark.django_db


def live_until(diary: Diary, day: date) -> None:
    """Live until noon of a day; the mail of each 1st goes out that day."""
    for month in (JANUARY, FEBRUARY, MARCH, APRIL):
        if diary.today < month <= day:
            go_to(diary, month)
            send_mail(diary.moment)
    go_to(diary, day)


def read_coverage(account: Account) -> tuple[str, date | None]:
    enrollment = Enrollment.objects.get(account=account)
    return enrollment.status, enrollment.ends_on


def confirm_listed(diary: Diary) -> None:
    """Staff confirm the whole list."""
    for item in terminations.list_terminations(today=diary.today):
        confirm(item.episode.account, on=diary.today)


@pytest.mark.starts(eastern(2026, 1, 9))
def test_january_without_a_subsidy_ends_december_31_unless_it_is_paid_and_february_is_its_own(
    diary: Diary,
) -> None:
    both = make_member()
    unpaid, paid = cover(today=ISSUED), cover(today=ISSUED)
    health = cover(today=ISSUED, member=both, subsidized=True)
    dental = cover(today=ISSUED, member=both, product="dental", subsidized=True)
    live(FOUND, date(2026, 1, 8))

    live_until(diary, date(2026, 1, 10))
    pay(paid, on=diary.today)
    live_until(diary, date(2026, 1, 23))
    assert read_status(paid) == ["cured"]
    live_until(diary, date(2026, 1, 24))
    assert read_status(paid) == ["cured", "open"]
    assert Episode.objects.filter(account=paid).latest("pk").oldest_month == FEBRUARY
    live_until(diary, date(2026, 1, 29))
    assert terminations.list_terminations(today=diary.today) == []
    live_until(diary, date(2026, 1, 30))
    listed = terminations.list_terminations(today=diary.today)
    assert {item.episode.account for item in listed} == {unpaid, dental}
    confirm_listed(diary)
    assert read_coverage(unpaid) == read_coverage(dental) == ("ended", date(2025, 12, 31))
    assert list_live_months(unpaid) == [DECEMBER]
    assert read_coverage(health) == read_coverage(paid) == ("active", None)  # health one ladder later


@pytest.mark.starts(eastern(2026, 2, 27))
def test_january_with_a_subsidy_ends_january_31_though_a_part_was_paid_and_january_stays_owed(
    diary: Diary,
) -> None:
    unpaid, paid_a_part = cover(today=ISSUED, subsidized=True), cover(today=ISSUED, subsidized=True)
    live(FOUND, date(2026, 2, 9))
    pay(paid_a_part, on=date(2026, 2, 10))
    live(date(2026, 2, 11), date(2026, 2, 26))
    assert see(diary, paid_a_part).open_invoices[0].coverage_month == FEBRUARY

    live_until(diary, date(2026, 3, 27))
    assert read_status(unpaid) == read_status(paid_a_part) == ["open"]
    live_until(diary, date(2026, 3, 30))
    assert read_status(unpaid) == read_status(paid_a_part) == ["listed"]
    confirm_listed(diary)
    assert read_coverage(unpaid) == read_coverage(paid_a_part) == ("ended", date(2026, 1, 31))
    assert list_live_months(unpaid) == [DECEMBER, JANUARY]
    assert (see(diary, unpaid).due_cents, see(diary, paid_a_part).due_cents) == (PREMIUM, 0)
    assert list_told(unpaid) == [
        ("past_due", JANUARY),
        ("past_due", FEBRUARY),
        ("termination_warning", MARCH),
        ("termination", date(2026, 3, 30)),
    ]
    live_until(diary, date(2026, 3, 31))


@pytest.mark.starts(eastern(2026, 1, 20))
def test_paid_january_20_and_returned_on_the_26th_it_is_unpaid_as_of_the_23rd(diary: Diary) -> None:
    account = cover(start=JANUARY, today=diary.today)
    payment = pay_online(diary, account, PREMIUM, number=NO_MONEY)
    live_until(diary, date(2026, 1, 25))
    assert read_status(account) == []
    live_until(diary, date(2026, 1, 27))
    assert read_payment(payment)[0] == PaymentStatus.RETURNED
    ladder = Episode.objects.get().ladder
    assert (ladder.notice_dates, ladder.ends_on) == ((FEBRUARY,), date(2026, 1, 31))
    live_until(diary, date(2026, 2, 2))
    assert list_told(account) == [("termination_warning", FEBRUARY)]


@pytest.mark.starts(eastern(2026, 1, 20))
def test_a_payment_that_its_payer_denies_long_after_begins_a_fresh_episode_from_the_next_1st(
    diary: Diary,
) -> None:
    account = cover(start=JANUARY, today=diary.today)
    payment = pay_online(diary, account, PREMIUM, number=NOT_AUTHORIZED)
    live_until(diary, date(2026, 2, 4))
    assert read_payment(payment)[0] == PaymentStatus.RETURNED
    assert read_coverage(account) == ("active", None)
    live_until(diary, date(2026, 2, 5))
    ladder = Episode.objects.get().ladder
    assert (ladder.notice_dates, ladder.last_day_to_pay) == ((MARCH,), date(2026, 3, 23))
    assert list_told(account) == []


@pytest.mark.starts(eastern(2026, 1, 20))
def test_what_was_paid_after_the_end_is_asked_back_once_and_a_scheduled_payment_is_canceled(
    diary: Diary,
) -> None:
    account = cover(start=JANUARY, today=diary.today)
    pay_online(diary, account, PREMIUM)  # February's
    live_until(diary, date(2026, 2, 5))
    later = pay_online(diary, account, PREMIUM, on=date(2026, 2, 23))  # March's
    Enrollment.objects.filter(account=account).update(ends_on=date(2026, 1, 31))
    live_until(diary, date(2026, 2, 6))
    assert (read_coverage(account)[0], list_live_months(account)) == ("ended", [JANUARY])
    assert see(diary, account).credit_cents == PREMIUM
    diary.go_to(eastern(2026, 2, 6, 18))
    assert read_payment(later)[0] == PaymentStatus.CANCELED
    live_until(diary, date(2026, 2, 10))
    (asked,) = Notice.objects.filter(event="refund_asked")
    assert asked.facts["amount_cents"] == PREMIUM
    assert Refund.objects.get().asked_by is None

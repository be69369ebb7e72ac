"""The banking calendar with staff's overrides: a day closed after all moves money by a day, a day opened brings it forward."""

from datetime import date, datetime

import pytest

from payments.banking_calendar import read_calendar
from payments.models import BankingDayOverride, PaymentStatus
from payments.statements import expected_clearing_date
from tests.payments.paying import live, make_account, noon, pay, send

pytestmark = pytest.mark.django_db
TUESDAY, WEDNESDAY, THURSDAY = date(2027, 1, 12), date(2027, 1, 13), date(2027, 1, 14)
KING_DAY = date(2027, 1, 18)


def overrule(day: date, *, is_open: bool) -> None:
    BankingDayOverride.objects.create(
        day=day,
        is_open=is_open,
        reason="announced by the Federal Reserve",
        recorded_at=datetime(2027, 1, 1).astimezone(),
    )


def test_without_overrides_it_is_the_federal_reserve_s_calendar() -> None:
    calendar = read_calendar()
    assert [calendar.is_banking_day(day) for day in (WEDNESDAY, KING_DAY)] == [True, False]
    assert calendar.add(TUESDAY, 1) == WEDNESDAY


def test_a_day_that_is_closed_after_all_is_passed_over() -> None:
    overrule(WEDNESDAY, is_open=False)
    calendar = read_calendar()
    assert not calendar.is_banking_day(WEDNESDAY)
    assert (calendar.add(TUESDAY, 1), calendar.add(THURSDAY, -1)) == (THURSDAY, TUESDAY)
    assert (calendar.roll_forward(WEDNESDAY), calendar.roll_back(WEDNESDAY)) == (THURSDAY, TUESDAY)
    assert list(calendar.list_days(after=TUESDAY, until=date(2027, 1, 15))) == [THURSDAY, date(2027, 1, 15)]


def test_a_holiday_that_is_open_after_all_counts() -> None:
    overrule(KING_DAY, is_open=True)
    assert read_calendar().add(date(2027, 1, 15), 1) == KING_DAY


@pytest.mark.parametrize(("closed", "final"), [(None, date(2027, 1, 19)), (WEDNESDAY, date(2027, 1, 20))])
def test_the_day_on_which_a_payment_is_final_moves_with_it(closed: date | None, final: date) -> None:
    if closed:
        overrule(closed, is_open=False)
    told = expected_clearing_date(
        today=TUESDAY, at=noon(TUESDAY), received_date=TUESDAY, calendar=read_calendar()
    )
    assert told == final


@pytest.mark.usefixtures("books")
def test_a_debit_is_sent_settles_and_posts_a_day_later_where_a_day_was_closed() -> None:
    overrule(WEDNESDAY, is_open=False)
    payment = pay(make_account())
    send(TUESDAY)
    payment.refresh_from_db()
    assert payment.effective_date == THURSDAY
    live(WEDNESDAY, date(2027, 1, 19))
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.SETTLED
    live(date(2027, 1, 20), date(2027, 1, 20))
    payment.refresh_from_db()
    assert (payment.status, payment.posted_on) == (PaymentStatus.POSTED, date(2027, 1, 20))

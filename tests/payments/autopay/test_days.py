"""Draft days: the 22nd, its debit, its cut, and how late AutoPay may be turned on; over weekends and holidays."""

from datetime import date

import pytest

from payments.ach.banking_days import FEDERAL_RESERVE, BankingCalendar
from payments.autopay.days import (
    find_cut,
    find_draft_day,
    find_drafting_time,
    find_first_draft,
    find_next_draft,
)
from tests.diary import eastern


@pytest.mark.parametrize(
    ("received", "debit", "cut"),
    [
        (date(2027, 1, 22), date(2027, 1, 22), date(2027, 1, 21)),  # an ordinary Friday
        (date(2026, 8, 22), date(2026, 8, 24), date(2026, 8, 21)),  # a Saturday
        (date(2026, 6, 22), date(2026, 6, 22), date(2026, 6, 18)),  # Juneteenth is Friday the 19th
        (date(2027, 2, 22), date(2027, 2, 22), date(2027, 2, 19)),  # a Monday
        (date(2026, 11, 22), date(2026, 11, 23), date(2026, 11, 20)),  # a Sunday
    ],
)
def test_the_debit_is_the_first_banking_day_on_or_after_the_22nd_and_its_file_goes_the_banking_day_before(
    received: date, debit: date, cut: date
) -> None:
    day = find_draft_day(month=received.replace(day=5), calendar=FEDERAL_RESERVE)
    assert (day.received_date, day.debit_date, day.cut_date) == (received, debit, cut)
    assert find_cut(today=cut, calendar=FEDERAL_RESERVE) == day
    for other in (received, date.fromordinal(cut.toordinal() - 1)):
        assert find_cut(today=other, calendar=FEDERAL_RESERVE) is None


def test_a_day_that_staff_have_closed_moves_the_debit_and_the_cut() -> None:
    calendar = BankingCalendar(closed=frozenset({date(2027, 1, 21), date(2027, 1, 22)}))
    day = find_draft_day(month=date(2027, 1, 1), calendar=calendar)
    assert (day.debit_date, day.cut_date) == (date(2027, 1, 25), date(2027, 1, 20))


def test_drafts_are_recorded_a_minute_before_the_file() -> None:
    assert f"{find_drafting_time():%H:%M}" == "16:59"


@pytest.mark.parametrize(
    ("at", "first"),
    [
        (eastern(2027, 1, 19, 23, 59, 59), date(2027, 1, 22)),
        (eastern(2027, 1, 20, 0, 0, 0), date(2027, 2, 22)),
        (eastern(2027, 1, 25), date(2027, 2, 22)),
        (eastern(2027, 2, 1, 0, 0, 0), date(2027, 2, 22)),
        # Juneteenth: the cut is the 18th, a day before the last day
        (eastern(2026, 6, 18, 16, 58, 59), date(2026, 6, 22)),
        (eastern(2026, 6, 18, 16, 59, 0), date(2026, 7, 22)),
        # a Friday the 19th that is both
        (eastern(2027, 2, 19, 16, 58, 59), date(2027, 2, 22)),
        (eastern(2027, 2, 19, 16, 59, 0), date(2027, 3, 22)),
        (eastern(2026, 12, 31, 23, 59, 59), date(2027, 1, 22)),
    ],
)
def test_turned_on_later_than_the_19th_or_the_cut_it_begins_a_month_later(at, first: date) -> None:
    assert find_first_draft(at=at, calendar=FEDERAL_RESERVE).received_date == first


@pytest.mark.parametrize(
    ("day", "waiting_days", "first"),
    [
        (14, 4, date(2027, 1, 22)),  # the 15th, 19th, 20th, 21st: answered for on the day of the cut
        (15, 4, date(2027, 2, 22)),
        (16, 0, date(2027, 1, 22)),  # a Saturday
    ],
)
def test_a_bank_account_that_is_not_validated_before_the_cut_begins_a_month_later(
    day: int, waiting_days: int, first: date
) -> None:
    found = find_first_draft(at=eastern(2027, 1, day), waiting_days=waiting_days, calendar=FEDERAL_RESERVE)
    assert found.received_date == first


def test_the_next_draft_is_the_first_that_is_not_recorded() -> None:
    before, at = eastern(2027, 1, 21, 16, 58, 59), eastern(2027, 1, 21, 16, 59)
    assert find_next_draft(at=before, calendar=FEDERAL_RESERVE).received_date == date(2027, 1, 22)
    assert find_next_draft(at=at, calendar=FEDERAL_RESERVE).received_date == date(2027, 2, 22)

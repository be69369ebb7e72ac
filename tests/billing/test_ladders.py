"""The two ladders, to the day: notices, the last day to pay, the end of coverage."""

from datetime import date

import pytest

from billing.ladders import Kind, choose_kind, find_ladder

JANUARY = date(2026, 1, 1)
OPENED = date(2025, 12, 24)


def test_without_a_subsidy_one_notice_until_the_23rd_and_the_months_before_were_covered() -> None:
    ladder = find_ladder(oldest_month=JANUARY, kind=Kind.SHORT, found_on=OPENED)
    assert ladder.notice_dates == (JANUARY,)
    assert ladder.last_day_to_pay == date(2026, 1, 23)
    assert ladder.ends_on == date(2025, 12, 31)


def test_with_a_subsidy_three_notices_until_the_23rd_of_the_third_month_and_the_first_is_covered() -> None:
    ladder = find_ladder(oldest_month=JANUARY, kind=Kind.LONG, found_on=OPENED)
    assert ladder.notice_dates == (JANUARY, date(2026, 2, 1), date(2026, 3, 1))
    assert ladder.last_day_to_pay == date(2026, 3, 23)
    assert ladder.ends_on == date(2026, 1, 31)


def test_over_a_leap_february_the_covered_month_ends_with_its_29th() -> None:
    ladder = find_ladder(oldest_month=date(2028, 2, 1), kind=Kind.LONG, found_on=date(2028, 1, 24))
    assert (ladder.ends_on, ladder.last_day_to_pay) == (date(2028, 2, 29), date(2028, 4, 23))


@pytest.mark.parametrize(
    ("found", "first", "ends"),
    [
        (date(2025, 12, 31), JANUARY, date(2025, 12, 31)),
        (JANUARY, JANUARY, date(2025, 12, 31)),
        (date(2026, 1, 2), date(2026, 2, 1), None),
        (date(2026, 1, 31), date(2026, 2, 1), None),
        (date(2026, 2, 1), date(2026, 2, 1), None),
        (date(2026, 12, 2), date(2027, 1, 1), None),
    ],
)
def test_found_after_the_1st_the_days_count_from_the_next_1st_and_staff_choose_the_end(
    found: date, first: date, ends: date | None
) -> None:
    ladder = find_ladder(oldest_month=JANUARY, kind=Kind.SHORT, found_on=found)
    assert ladder.notice_dates == (first,)
    assert ladder.last_day_to_pay == first.replace(day=23)
    assert ladder.ends_on == ends


@pytest.mark.parametrize(
    ("today", "asked"),
    [
        (date(2025, 12, 31), OPENED),
        (JANUARY, JANUARY),
        (date(2026, 1, 31), JANUARY),
        (date(2026, 2, 1), date(2026, 2, 1)),
        (date(2026, 3, 1), date(2026, 3, 1)),
        (date(2026, 6, 1), date(2026, 3, 1)),
    ],
)
def test_what_was_due_before_the_latest_notice_must_be_paid(today: date, asked: date) -> None:
    ladder = find_ladder(oldest_month=JANUARY, kind=Kind.LONG, found_on=OPENED)
    assert ladder.find_asked_before(today=today) == asked


@pytest.mark.parametrize(
    ("today", "asked"),
    [
        (OPENED, [(OPENED, date(2025, 12, 31))]),
        (JANUARY, [(OPENED, date(2025, 12, 31)), (JANUARY, date(2026, 1, 31))]),
        (
            date(2026, 3, 2),
            [
                (OPENED, date(2025, 12, 31)),
                (JANUARY, date(2026, 1, 31)),
                (date(2026, 2, 1), date(2026, 2, 28)),
                (date(2026, 3, 1), date(2026, 3, 23)),
            ],
        ),
    ],
)
def test_what_a_notice_asks_for_counts_until_the_day_before_the_next_and_the_last_until_the_last_day_to_pay(
    today: date, asked: list[tuple[date, date]]
) -> None:
    ladder = find_ladder(oldest_month=JANUARY, kind=Kind.LONG, found_on=OPENED)
    assert [(stage.before, stage.until) for stage in ladder.list_asked(today=today)] == asked


def test_the_last_notice_of_a_ladder_is_its_warning() -> None:
    long = find_ladder(oldest_month=JANUARY, kind=Kind.LONG, found_on=OPENED)
    assert [long.is_last_notice(day) for day in long.notice_dates] == [False, False, True]
    short = find_ladder(oldest_month=JANUARY, kind=Kind.SHORT, found_on=OPENED)
    assert [short.is_last_notice(day) for day in short.notice_dates] == [True]


def test_the_last_day_to_pay_is_the_policys_due_day() -> None:
    ladder = find_ladder(oldest_month=JANUARY, kind=Kind.SHORT, found_on=OPENED, due_day=20)
    assert ladder.last_day_to_pay == date(2026, 1, 20)


@pytest.mark.parametrize(
    ("product", "subsidized", "kind"),
    [
        ("health", True, Kind.LONG),
        ("health", False, Kind.SHORT),
        ("dental", True, Kind.SHORT),
        ("dental", False, Kind.SHORT),
    ],
)
def test_only_subsidized_health_has_the_long_ladder(product: str, subsidized: bool, kind: Kind) -> None:
    assert choose_kind(product=product, subsidized=subsidized) == kind

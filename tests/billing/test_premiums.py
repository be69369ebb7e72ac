"""What a month costs."""

from datetime import date

import pytest

from billing.premiums import Rate, UnableToPriceMonth, find_rate

FIRST = Rate(id=1, from_month=date(2027, 2, 1), premium_cents=300_00, subsidy_cents=100_00)
RAISED = Rate(id=2, from_month=date(2027, 4, 1), premium_cents=320_00, subsidy_cents=100_00)
CORRECTED = Rate(id=3, from_month=date(2027, 4, 1), premium_cents=310_00, subsidy_cents=100_00)


@pytest.mark.parametrize(
    ("month", "rate"), [(date(2027, 2, 1), FIRST), (date(2027, 3, 1), FIRST), (date(2027, 4, 1), RAISED)]
)
def test_a_month_costs_what_the_latest_rate_begun_by_then_says(month: date, rate: Rate) -> None:
    assert find_rate(rates=[RAISED, FIRST], month=month) == rate


def test_the_last_word_about_a_month_holds() -> None:
    assert find_rate(rates=[CORRECTED, FIRST, RAISED], month=date(2027, 5, 1)) == CORRECTED


def test_the_member_owes_the_premium_less_the_subsidy() -> None:
    assert FIRST.net_cents == 200_00


def test_a_month_before_any_rate_has_no_price() -> None:
    with pytest.raises(UnableToPriceMonth):
        find_rate(rates=[FIRST], month=date(2027, 1, 1))

"""The three return rates: whole numbers, 60 days by the day of origination, a warning before the limit."""

from datetime import date

import pytest
from django.db import transaction

from billing.policy import Policy
from payments import tasks
from payments.ach.return_rates import Level, compute_rates, read_return_rates, warn_of_rates
from payments.models import BankFile
from tests.payments.incoming_files import make_line, read_files, write_incoming
from tests.payments.paying import TUESDAY, make_account, noon, pay, send

LAST_COUNTED, FIRST_UNCOUNTED = date(2027, 3, 12), date(2027, 3, 13)


def read_level(name: str, returned: int, originated: int, code: str) -> Level:
    by_code = {"": originated - returned, code: returned}
    return compute_rates(by_code=by_code, policy=Policy())[name].level


@pytest.mark.parametrize(
    ("name", "code", "warned", "over"),
    [("unauthorized", "R10", 30, 50), ("administrative", "R03", 200, 300), ("overall", "R01", 1000, 1500)],
)
def test_each_rate_warns_and_is_over_its_limit_at_the_number_that_equals_it(
    name: str, code: str, warned: int, over: int
) -> None:
    levels = [
        read_level(name, returned, 10_000, code) for returned in (0, warned - 1, warned, over - 1, over)
    ]
    assert levels == [Level.FINE, Level.FINE, Level.WARNING, Level.WARNING, Level.OVER]


def test_codes_weigh_where_the_rules_say_and_all_weigh_on_the_overall_rate() -> None:
    by_code = dict.fromkeys(("R01", "R02", "R03", "R04", "R05", "R07", "R10", "R11", "R29", "R99"), 1)
    rates = compute_rates(by_code={"": 90, **by_code}, policy=Policy())
    assert {name: rate.returned for name, rate in rates.items()} == {
        "unauthorized": 5,
        "administrative": 3,
        "overall": 10,
    }
    assert {rate.originated for rate in rates.values()} == {100}
    assert rates["unauthorized"].percent == 5.0


def test_nothing_sent_is_fine() -> None:
    assert {rate.level for rate in compute_rates(by_code={}, policy=Policy()).values()} == {Level.FINE}
    assert compute_rates(by_code={}, policy=Policy())["overall"].percent == 0.0


@pytest.fixture
def one_of_two_returned(books: None) -> None:
    good, bad = pay(make_account()), pay(make_account(), 10_00)
    send(TUESDAY)
    bad.refresh_from_db()
    assert good.pk
    read_files({"x": write_incoming(make_line(bad.entry, code="R10"))})


@pytest.mark.parametrize(
    ("today", "numbers"),
    [
        (date(2027, 1, 11), (0, 0)),
        (TUESDAY, (1, 2)),
        (LAST_COUNTED, (1, 2)),
        (FIRST_UNCOUNTED, (0, 0)),
    ],
)
def test_debits_count_for_60_days_from_the_day_they_were_originated(
    one_of_two_returned: None, today: date, numbers: tuple[int, int]
) -> None:
    rate = read_return_rates(today=today)["unauthorized"]
    assert (rate.returned, rate.originated) == numbers


def test_a_file_that_the_bank_rejected_originated_nothing(one_of_two_returned: None) -> None:
    with transaction.atomic():
        BankFile.objects.filter(direction="out").update(status="rejected")
        assert read_return_rates(today=TUESDAY)["overall"].originated == 0
        transaction.set_rollback(True)


def test_reading_the_bank_warns_of_a_high_rate_and_is_silent_of_a_low_one(
    one_of_two_returned: None, caplog
) -> None:
    assert [rate.name for rate in warn_of_rates(today=TUESDAY)] == ["unauthorized", "overall"]
    caplog.clear()
    tasks.read_bank(day=date(2027, 1, 20), at=noon(date(2027, 1, 20)))
    assert "return rate is high" in caplog.text
    caplog.clear()
    tasks.read_bank(day=FIRST_UNCOUNTED, at=noon(FIRST_UNCOUNTED))
    assert "return rate is high" not in caplog.text

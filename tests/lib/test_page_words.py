"""Money, dates, moments and Member IDs as pages write them."""

from datetime import UTC, date, datetime

import pytest

from connector_pay.lib.templatetags import exchange
from connector_pay.lib.templatetags.uswds import status_tone


@pytest.mark.parametrize(
    ("cents", "words"),
    [(28417, "$284.17"), (0, "$0.00"), (128400, "$1,284.00"), (-500, "-$5.00"), (7, "$0.07")],
)
def test_money_is_written_with_cents(cents: int, words: str) -> None:
    assert exchange.money(cents) == words


@pytest.mark.parametrize("unknown", [None, "", 2.5, "284.17", True])
def test_an_unknown_amount_is_an_error_and_never_nothing(unknown: object) -> None:
    with pytest.raises(TypeError):
        exchange.money(unknown)  # type: ignore[arg-type]  # the template language passes anything


def test_days_and_moments_are_in_words_with_the_year_and_eastern() -> None:
    assert exchange.long_date(date(2026, 2, 1)) == "February 1, 2026"
    assert exchange.short_date(date(2026, 1, 23)) == "January 23"
    moment = datetime(2026, 1, 24, 4, 50, tzinfo=UTC)
    assert exchange.eastern(moment) == "January 23, 2026, 11:50 p.m. Eastern"


def test_a_member_id_is_written_in_groups() -> None:
    assert exchange.member_id("003456789011") == "0034 5678 9011"


@pytest.mark.parametrize(
    ("words", "tone"), [("Paid", "good"), ("Past due", "bad"), ("Something new", "info")]
)
def test_a_status_has_a_tone(words: str, tone: str) -> None:
    assert status_tone(words) == tone

"""What people type into the date and money boxes, and what they are told."""

from datetime import date

import pytest
from django import forms

from connector_pay.lib.form_fields import MemorableDateField, MoneyField


class Bill(forms.Form):
    amount = MoneyField(label="Amount", least_cents=100)
    born = MemorableDateField(label="Date of birth", required=False)


def fill(**typed: str) -> Bill:
    return Bill({"amount": "1.00", **typed})


@pytest.mark.parametrize(
    ("typed", "cents"),
    [
        ("284.17", 28417),
        ("$1,284.17", 128417),
        (" $ 90 ", 9000),
        ("1284", 128400),
        ("1.00", 100),
        ("0,001.00", None),
    ],
)
def test_dollars_are_read_as_people_type_them(typed: str, cents: int | None) -> None:
    form = fill(amount=typed)
    form.full_clean()
    assert form.cleaned_data.get("amount") == (100 if typed == "0,001.00" else cents)


@pytest.mark.parametrize("typed", ["1,28", "1284.1", "-5.00", "5e3", "ten", "1.234.56", "$", "."])
def test_an_amount_that_can_be_misread_is_refused_with_what_to_do(typed: str) -> None:
    assert fill(amount=typed).errors["amount"] == ["Enter the amount in dollars and cents, like 284.17"]


@pytest.mark.parametrize(("typed", "errors"), [("0.99", 1), ("1.00", 0), ("1.01", 0)])
def test_less_than_the_least_amount_is_refused(typed: str, errors: int) -> None:
    assert len(fill(amount=typed).errors.get("amount", [])) == errors


def test_an_empty_amount_and_an_endless_one_say_what_to_do() -> None:
    assert fill(amount=" ").errors["amount"] == ["Enter an amount, like 284.17"]
    assert fill(amount="9" * 5000).errors["amount"] == ["Enter a smaller amount"]


def test_cents_are_shown_as_dollars_and_typed_text_is_kept() -> None:
    assert 'value="1,284.17"' in str(Bill(initial={"amount": 128417})["amount"])
    assert 'value="12x"' in str(fill(amount="12x")["amount"])


@pytest.mark.parametrize(
    ("month", "day", "year", "expected"),
    [("4", "28", "1986", date(1986, 4, 28)), ("02", "29", "2028", date(2028, 2, 29)), ("", "", "", None)],
)
def test_three_boxes_make_a_date_or_none(month: str, day: str, year: str, expected: date | None) -> None:
    form = fill(born_month=month, born_day=day, born_year=year)
    assert form.is_valid()
    assert form.cleaned_data["born"] == expected


@pytest.mark.parametrize(
    ("month", "day", "year", "part"),
    [
        ("4", "28", "", "year"),
        ("", "28", "1986", "month"),
        ("13", "28", "1986", "month"),
        ("4", "0", "1986", "day"),
        ("4", "28", "86", "year"),
        ("2", "29", "2027", "day"),
        ("x", "28", "1986", "month"),
    ],
)
def test_a_wrong_date_names_the_box_to_mend(month: str, day: str, year: str, part: str) -> None:
    form = fill(born_month=month, born_day=day, born_year=year)
    (error,) = form.errors.as_data()["born"]
    assert error.params == {"part": part}
    assert form["born"].value() == [month, day, year]

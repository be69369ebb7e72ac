"""A preview is the act itself, taken back: what it shows is what happens, and nothing of it stays."""

from datetime import date
from functools import partial

import pytest

from billing.corrections import UnableToCorrect
from billing.models import Account, Adjustment, Correction, CorrectionKind, Invoice, Movement
from billing.what_if import try_out
from members.models import Notice
from tests.billing import behind
from tests.billing.books import FEBRUARY, MARCH, PREMIUM, make_account, review, see
from tests.billing.correcting import correct, waive

pytestmark = pytest.mark.usefixtures("books")
DAY = date(2027, 1, 18)


def adjust(account: Account, cents: int, *, today: date) -> object:
    return correct(CorrectionKind.ADJUSTMENT, account, month=FEBRUARY, cents=cents, today=today)


def test_what_it_shows_is_what_the_act_does_and_nothing_stays() -> None:
    account = make_account()
    act = partial(adjust, account, -84_17, today=DAY)
    tables = (Adjustment, Correction, Invoice, Movement, Notice)
    kept = [model.objects.count() for model in tables]
    effect = try_out(account_ids=[account.pk], today=DAY, act=act).effects[account.pk]
    assert [model.objects.count() for model in tables] == kept
    assert ("Owed in all", "$284.17", "$200.00") in effect.list_changes()
    changed = "Still to pay for February 2027"
    assert (changed, "$284.17 by January 23, 2027", "$200.00 by January 23, 2027") in effect.list_changes()
    assert effect.told
    act()
    assert see(account, today=DAY).due_cents == effect.after.standing.due_cents == 200_00


def test_dates_that_move_are_shown_beside_the_money() -> None:
    account, day = make_account(), date(2027, 1, 26)
    review(date(2027, 1, 24))
    act = partial(waive, account, FEBRUARY, asked_on=date(2027, 1, 20), today=day)
    effect = try_out(account_ids=[account.pk], today=day, act=act).effects[account.pk]
    assert ("Coverage starts", "March 1, 2027", "February 1, 2027") in effect.list_changes()
    assert (
        "Still to pay for March 2027",
        f"${PREMIUM / 100} by February 23, 2027",
        "None",
    ) in effect.list_changes()
    assert see(account, today=day).coverage_start == MARCH


def test_what_refuses_the_act_is_raised() -> None:
    account = make_account()
    with pytest.raises(UnableToCorrect, match="not nothing"):
        try_out(account_ids=[account.pk], today=DAY, act=partial(adjust, account, 0, today=DAY))


def test_an_act_that_does_nothing_is_empty_and_says_what_behind_means() -> None:
    account, day = behind.cover(today=date(2025, 12, 24)), date(2025, 12, 24)
    behind.night(day)
    effect = try_out(account_ids=[account.pk], today=day, act=lambda: None).effects[account.pk]
    assert effect.is_empty
    lines = {change.words: change.after for change in effect.list_changes()}
    assert lines["To stay covered"] == "Pay by January 23, 2026, else coverage ends December 31, 2025"

"""A preview is the act itself, taken back: what it shows is what happens, and nothing of it stays."""

from datetime import date
from functools import partial

import pytest

from billing.adjustments import UnableToAdjust, adjust
from billing.models import Adjustment, Invoice, Movement
from billing.waivers import grant_waiver
from billing.what_if import try_out
from members.models import Notice
from tests.billing import behind
from tests.billing.books import FEBRUARY, MARCH, PREMIUM, make_account, noon, review, see
from tests.people import make_staff

pytestmark = pytest.mark.usefixtures("books")
DAY = date(2027, 1, 18)


def test_what_it_shows_is_what_the_act_does_and_nothing_stays() -> None:
    account = make_account()
    facts = {"reason": "a wrong rate", "asked_by": make_staff(), "approved_by": make_staff()}
    act = partial(
        adjust,
        account_id=account.pk,
        month=FEBRUARY,
        cents=-84_17,
        reference="C1",
        today=DAY,
        at=noon(DAY),
        **facts,
    )
    kept = [model.objects.count() for model in (Adjustment, Invoice, Movement, Notice)]
    effect = try_out(account_ids=[account.pk], today=DAY, act=act).effects[account.pk]
    assert [model.objects.count() for model in (Adjustment, Invoice, Movement, Notice)] == kept
    assert ("Owed in all", "$284.17", "$200.00") in effect.list_changes()
    changed = "Still to pay for February 2027"
    assert (changed, "$284.17 by January 23, 2027", "$200.00 by January 23, 2027") in effect.list_changes()
    assert effect.told
    act()
    assert see(account, today=DAY).due_cents == effect.after.standing.due_cents == 200_00


def test_dates_that_move_are_shown_beside_the_money() -> None:
    account, day = make_account(), date(2027, 1, 26)
    review(date(2027, 1, 24))
    waive = partial(
        grant_waiver,
        account_id=account.pk,
        months={FEBRUARY: None},
        asked_on=date(2027, 1, 20),
        reason="lost her job",
        asked_by=make_staff(),
        approved_by=make_staff(),
        reference="W1",
        today=day,
        at=noon(day),
    )
    effect = try_out(account_ids=[account.pk], today=day, act=waive).effects[account.pk]
    assert ("Coverage starts", "March 1, 2027", "February 1, 2027") in effect.list_changes()
    assert (
        "Still to pay for March 2027",
        f"${PREMIUM / 100} by February 23, 2027",
        "-",
    ) in effect.list_changes()
    assert see(account, today=day).coverage_start == MARCH


def test_what_refuses_the_act_is_raised() -> None:
    account, clerk = make_account(), make_staff()
    facts = {"month": FEBRUARY, "cents": -1, "reason": "x", "asked_by": clerk, "approved_by": clerk}
    act = partial(adjust, account_id=account.pk, reference="C1", today=DAY, at=noon(DAY), **facts)
    with pytest.raises(UnableToAdjust):
        try_out(account_ids=[account.pk], today=DAY, act=act)


def test_an_act_that_does_nothing_is_empty_and_says_what_behind_means() -> None:
    account, day = behind.cover(today=date(2025, 12, 24)), date(2025, 12, 24)
    behind.night(day)
    effect = try_out(account_ids=[account.pk], today=day, act=lambda: None).effects[account.pk]
    assert effect.is_empty
    lines = {change.words: change.after for change in effect.list_changes()}
    assert lines["To stay covered"] == "Pay by January 23, 2026, else coverage ends December 31, 2025"

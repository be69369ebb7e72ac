"""The night of the 1st, crowded: reviews, billing runs and payers at once on the same accounts, and every one is right."""

from datetime import date

import pytest
from django.db.models import Count

from billing import accounts, invoices, overdue
from billing.balances import read_standing
from billing.models import Account, Invoice
from connector_pay.self_check import find_violations
from members.models import Enrollment, Notice, StartMove
from tests.payments.paying import PREMIUM, TUESDAY, live, make_account, noon, pay
from tests.races.together import run_together

pytestmark = pytest.mark.usefixtures("committed_db")
FEBRUARY, MARCH = date(2027, 2, 1), date(2027, 3, 1)
AT_ONCE = 8


def review() -> dict[str, int]:
    return dict(overdue.review(today=FEBRUARY, at=noon(FEBRUARY), run="review_overdue"))


def issue() -> dict[str, int]:
    return dict(invoices.issue_missing(today=FEBRUARY, at=noon(FEBRUARY)))


def make_covered() -> Account:
    """Paid in time and posted: March is to be billed."""
    account = make_account()
    pay(account)
    return account


def list_months(account: Account) -> list[date]:
    live_bills = Invoice.objects.filter(account=account, voided_at=None)
    return list(live_bills.order_by("coverage_month").values_list("coverage_month", flat=True))


def test_eight_reviews_eight_billing_runs_and_payers_at_once_bill_and_move_each_account_once() -> None:
    covered, waiting = [make_covered() for _ in range(4)], [make_account() for _ in range(4)]
    live(TUESDAY, date(2027, 1, 22))
    payers = [lambda a=account: pay(a, today=FEBRUARY) for account in (*covered[:2], *waiting[:2])]

    answers = run_together(*[review, issue] * AT_ONCE, *payers)

    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert [list_months(account) for account in covered] == [[FEBRUARY, MARCH]] * 4
    assert [list_months(account) for account in waiting] == [[MARCH]] * 4
    starts = Enrollment.objects.filter(account__in=waiting).values_list("coverage_start", flat=True)
    assert (set(starts), StartMove.objects.count()) == ({MARCH}, 4)
    assert Notice.objects.filter(event="start_pushed", channel="letter").count() == 4
    again = Invoice.objects.filter(voided_at=None).values("account", "coverage_month").annotate(n=Count("pk"))
    assert not again.filter(n__gt=1).exists()
    owed = [read_standing(account_id=item.pk, today=FEBRUARY).due_cents for item in (*covered, *waiting)]
    assert owed == [0, 0, PREMIUM, PREMIUM] * 2
    assert find_violations() == []


def test_a_night_of_several_lanes_bills_and_moves_each_account_once_and_counts_them_all(
    monkeypatch: pytest.MonkeyPatch, settings
) -> None:
    settings.RUN_LANES = 2
    monkeypatch.setattr(accounts, "SPAN", 2)
    covered, waiting = [make_covered() for _ in range(3)], [make_account() for _ in range(3)]
    live(TUESDAY, date(2027, 1, 22))
    spans = accounts.split_accounts()
    assert [(span.after, span.last) for span in spans[:-1]] == [
        (after, after + 2) for after in range(0, 2 * len(spans) - 2, 2)
    ]
    assert len(spans) > 2

    assert (issue()["invoices"], review()["pushed"]) == (3, 3)

    assert (issue()["invoices"], review()["pushed"]) == (0, 0)
    assert [list_months(account) for account in covered] == [[FEBRUARY, MARCH]] * 3
    assert [list_months(account) for account in waiting] == [[MARCH]] * 3
    assert find_violations() == []

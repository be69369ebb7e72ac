"""A plain push is the push that the review would have made one by one."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import pytest

from billing.accounts import lock_accounts
from billing.models import Account, Invoice, Movement
from billing.overdue import PUSHED, review, review_locked
from billing.plain_pushes import Plain, push_plain
from billing.start_reviews import NewReview, open_reviews
from members.models import Notice, StartMove
from tests.billing.books import APRIL, FEBRUARY, MARCH, PREMIUM, make_account, noon, read_enrollment, receive
from tests.billing.correcting import make_override
from tests.people import make_member, make_plan, make_rate

pytestmark = pytest.mark.usefixtures("books")
DUE = date(2027, 1, 23)
NIGHT = DUE + timedelta(days=1)
RUN = "test"
HOUSEHOLDS: dict[str, dict[str, Any]] = {
    "by letter": {},
    "by email": {"paperless_bills": True, "paperless_notices": True},
    "without an email address": {"paperless_bills": True, "email": ""},
    "in Spanish": {"language": "es"},
    "dental": {"product": "dental"},
    "another price from March on": {"rates": [(MARCH, 300_00)]},
    "another price from March on, said twice": {"rates": [(MARCH, 300_00), (MARCH, 310_00)]},
    "another plan from February on": {"plans": [FEBRUARY]},
    "another plan from March on": {"plans": [FEBRUARY, MARCH]},
    "another plan from April on": {"plans": [FEBRUARY, APRIL]},
    "a start asked for in March": {"requested_start": MARCH, "night": date(2027, 2, 24)},
}


def make_unpaid(
    *,
    product: str = "health",
    requested_start: date = FEBRUARY,
    rates: Any = (),
    plans: Any = (),
    **facts: Any,
) -> Account:
    account = make_account(member=make_member(**facts), product=product, requested_start=requested_start)
    for month, premium in rates:
        make_rate(enrollment=account.enrollment, month=month, premium_cents=premium)
    say_plans(account, plans)
    return account


def push(*accounts: Account, night: date = NIGHT) -> frozenset[int]:
    return look_after(*accounts, night=night).pushed


def look_after(*accounts: Account, night: date = NIGHT) -> Plain:
    keys = [account.pk for account in accounts]
    lock_accounts(account_ids=keys)
    how = {"why": PUSHED.why, "event": PUSHED.event, "run": RUN}
    return push_plain(account_ids=keys, **how, today=night, at=noon(night))


def say_plans(account: Account, months: Iterable[date]) -> None:
    """The same price under another plan from each of these months on."""
    for month in months:
        plan = make_plan(code=f"HL-{month}", name=f"The plan of {month}")
        make_rate(enrollment=account.enrollment, month=month, premium_cents=PREMIUM, plan=plan)


def read_written(account: Account) -> list[dict[str, Any]]:
    """The bills, movements, moves and notices of an account, without what is its own alone."""
    bills = list(Invoice.objects.filter(account=account).order_by("pk").values())
    movements = Movement.objects.filter(account=account).order_by("pk").values()
    moves = list(StartMove.objects.filter(enrollment=account.enrollment).values())
    notices = Notice.objects.filter(member=account.enrollment.member).order_by("event", "subject", "channel")
    own = {str(bill["id"]): f"bill {place}" for place, bill in enumerate(bills)}
    own |= {str(move["id"]): "the move" for move in moves} | {str(account.enrollment_id): "the enrollment"}
    rows = [*bills, *movements, *moves, *notices.values()]
    for row in rows:
        for name in ("id", "account_id", "member_id", "enrollment_id"):
            row.pop(name, None)
        for name in ("reference", "subject"):
            row[name] = " ".join(own.get(part, part) for part in row.get(name, "").split(":"))
        if row.get("address"):
            row["address"] = row["address"] == account.enrollment.member.email
        if "facts" in row:
            number = row["facts"].pop("invoice_number", "")
            assert not number or str(int(number)) in own
    return sorted(rows, key=str)


@pytest.mark.parametrize("household", HOUSEHOLDS.values(), ids=HOUSEHOLDS)
def test_a_plain_push_is_the_one_that_the_review_would_have_made(household: dict[str, Any]) -> None:
    facts = {name: value for name, value in household.items() if name != "night"}
    night = household.get("night", NIGHT)
    plain, single = make_unpaid(**facts), make_unpaid(**facts)
    assert push(plain, night=night) == {plain.pk}
    lock_accounts(account_ids=[single.pk])
    counts = review_locked(account_ids=[single.pk], today=night, at=noon(night), run=RUN)
    assert counts["pushed"] == 1
    assert read_written(plain) == read_written(single)
    assert read_enrollment(plain).coverage_start == read_enrollment(single).coverage_start


def test_nothing_is_pushed_on_the_due_date_and_nobody_twice() -> None:
    account = make_unpaid()
    standing = Plain(standing=frozenset({account.pk}))
    assert look_after(account, night=DUE) == standing
    assert look_after(account) == Plain(pushed=standing.standing)
    assert look_after(account) == standing


def test_what_is_not_plain_is_left_to_the_review() -> None:
    paid, own_date, named, nothing, reviewed = (
        make_unpaid(),
        make_unpaid(),
        make_account(binder_due_date=date(2027, 1, 29)),
        make_unpaid(rates=[(MARCH, 0)]),
        make_unpaid(),
    )
    review_of = NewReview(reviewed.enrollment_id, FEBRUARY, MARCH, "staff were asked")
    open_reviews(reviews=[review_of], today=DUE, at=noon(DUE))
    receive(paid, PREMIUM - 1, on=date(2027, 1, 20))
    make_override(
        account=own_date,
        coverage_month=FEBRUARY,
        due_date=date(2027, 1, 26),
        reason="told so",
        recorded_at=noon(DUE),
    )
    assert look_after(paid, own_date, named, nothing, reviewed) == Plain()


def test_a_window_that_closes_before_the_new_start_is_left_to_the_review() -> None:
    closing, open_ = (
        make_account(window_ends=date(2027, 2, 28)),
        make_account(window_ends=MARCH),
    )
    assert push(closing, open_) == {open_.pk}
    assert review(today=NIGHT, at=noon(NIGHT), run=RUN)["expired"] == 1


def test_a_second_push_goes_on_from_where_the_first_left_the_start() -> None:
    account, night = make_unpaid(), date(2027, 2, 24)
    assert push(account) == push(account, night=night) == {account.pk}
    assert read_enrollment(account).coverage_start == APRIL
    assert Invoice.objects.filter(account=account, voided_at=None).get().coverage_month == APRIL

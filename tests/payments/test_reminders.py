"""Reminders: a week and two days before the due date, of what nobody has paid or scheduled."""

from datetime import date, timedelta

import pytest

from billing.models import Account
from members.models import Notice
from members.notices import write
from payments.autopay.announcing import announce_drafts
from payments.mandates import suspend_mandates
from payments.models import MandateStatus, PaymentChannel
from payments.reminders import remind
from tests.billing.correcting import make_override
from tests.payments.autopay.granting import turn_on
from tests.payments.paying import FEBRUARY, PREMIUM, TUESDAY, make_account, make_payer, noon, pay
from tests.payments.test_consequences import grant_autopay
from tests.people import make_member, make_user

pytestmark = pytest.mark.django_db
DUE = date(2027, 1, 23)
A_WEEK_BEFORE, TWO_DAYS_BEFORE = date(2027, 1, 16), date(2027, 1, 21)


def remind_on(day: date) -> int:
    return remind(today=day, at=noon(day))


def make_paperless_account(**facts) -> Account:
    return make_account(member=make_member(paperless_notices=True), **facts)


def sign_in(account: Account):
    """The member pays: a guest cannot schedule."""
    return make_payer(channel=PaymentChannel.WEB, user=make_user(member=account.enrollment.member))


def read_facts(account: Account) -> dict:
    notices = Notice.objects.filter(event="due_reminder", member=account.enrollment.member)
    return notices.latest("pk").facts


@pytest.mark.parametrize("day", [A_WEEK_BEFORE, TWO_DAYS_BEFORE])
def test_an_unpaid_bill_is_reminded_of_a_week_and_two_days_before_it_is_due_each_once(day):
    account = make_paperless_account()

    assert remind_on(day) == 1
    assert remind_on(day) == 0
    facts = read_facts(account)
    assert (facts["amount_cents"], facts["due_date"]) == (PREMIUM, str(DUE))
    assert facts["coverage_start"] == str(FEBRUARY)


def test_a_first_payment_for_several_months_is_reminded_of_once():
    late = {"requested_start": date(2026, 12, 1), "binder_due_date": DUE}
    account = make_paperless_account(**late)
    assert account.invoices.count() == 2
    assert remind_on(A_WEEK_BEFORE) == 1
    assert read_facts(account)["amount_cents"] == 2 * PREMIUM


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "en",
            "Your coverage starts February 1, 2027 only if we receive the full amount by January 23, 2027.",
        ),
        (
            "es",
            "Su cobertura comienza el 1 de febrero de 2027 solo si recibimos la cantidad completa a más tardar el "
            "23 de enero de 2027.",
        ),
    ],
)
def test_of_a_first_bill_it_says_in_the_members_language_what_paying_in_time_keeps(language, said):
    account = make_account(member=make_member(paperless_notices=True, language=language))
    remind_on(A_WEEK_BEFORE)
    notice = Notice.objects.get(event="due_reminder", member=account.enrollment.member)
    body = write(event=notice.event, language=notice.language, facts=notice.facts).body
    assert said in body
    assert ("Your coverage" in body) == (language == "en")


def test_of_a_later_bill_it_says_nothing_of_a_start():
    account = make_paperless_account(status="active")
    assert remind_on(A_WEEK_BEFORE) == 1
    assert "coverage_start" not in read_facts(account)


def test_on_no_other_day():
    make_paperless_account()

    days = [DUE - timedelta(days=count) for count in range(-3, 12)]
    assert sum(remind_on(day) for day in days) == 2


def test_what_is_paid_in_part_is_asked_for_less():
    account = make_paperless_account()
    pay(account, 100_00)

    remind_on(A_WEEK_BEFORE)
    assert read_facts(account)["amount_cents"] == PREMIUM - 100_00


@pytest.mark.parametrize(("cents", "reminded"), [(PREMIUM - 1, 1), (PREMIUM, 0)])
def test_what_is_scheduled_up_to_the_due_date_is_not_asked_for(cents, reminded):
    account = make_paperless_account()
    pay(account, cents, received=DUE, payer=sign_in(account))

    assert remind_on(A_WEEK_BEFORE) == reminded


def test_where_no_draft_was_announced_none_comes_and_the_bill_is_reminded_of():
    grant_autopay(pay(make_paperless_account(), 10_00))

    assert remind_on(A_WEEK_BEFORE) == 1


def test_an_account_that_is_drafted_is_left_alone_until_its_mandate_is_suspended():
    account = make_paperless_account()
    mandate = grant_autopay(pay(account, 10_00))
    announce_drafts(today=TUESDAY, at=noon(TUESDAY))
    assert remind_on(A_WEEK_BEFORE) == 0

    suspend_mandates(mandate_ids=[mandate.pk], at=noon(A_WEEK_BEFORE), why="a test")
    mandate.refresh_from_db()
    assert mandate.status == MandateStatus.SUSPENDED
    assert remind_on(A_WEEK_BEFORE) == 1


def test_autopay_that_begins_with_a_later_bill_leaves_this_one_to_be_reminded_of():
    account = make_paperless_account()
    turn_on(account, at=noon(date(2027, 1, 20)))
    assert remind_on(TWO_DAYS_BEFORE) == 1


@pytest.mark.parametrize(("limit", "reminded"), [(PREMIUM, 0), (PREMIUM - 1, 1)])
def test_a_bill_above_what_autopay_may_take_is_reminded_of(limit, reminded):
    account = make_paperless_account()
    turn_on(account, at=noon(date(2027, 1, 5)), ceiling_cents=limit)
    assert remind_on(A_WEEK_BEFORE) == remind_on(TWO_DAYS_BEFORE) == reminded


def test_what_is_paid_until_the_draft_is_within_the_limit_is_left_to_autopay():
    account = make_paperless_account()
    turn_on(account, at=noon(date(2027, 1, 5)), ceiling_cents=200_00)
    pay(account, 84_17, today=date(2027, 1, 6))
    assert remind_on(A_WEEK_BEFORE) == 0


@pytest.mark.parametrize("own", [True, False])
def test_a_due_date_moved_for_the_month_or_for_the_account_decides(own):
    account = make_paperless_account()
    moved = date(2027, 1, 31)
    make_override(
        coverage_month=FEBRUARY,
        account=account if own else None,
        due_date=moved,
        reason="storm",
        recorded_at=noon(A_WEEK_BEFORE),
    )

    assert remind_on(A_WEEK_BEFORE) == 0
    assert remind_on(moved - timedelta(days=7)) == 1
    assert read_facts(account)["due_date"] == str(moved)


def test_as_many_statements_for_many_as_for_one(django_assert_max_num_queries):
    make_paperless_account()
    with django_assert_max_num_queries(20) as few:
        assert remind_on(A_WEEK_BEFORE) == 1

    for _ in range(12):
        make_paperless_account()
    with django_assert_max_num_queries(len(few.captured_queries)):
        assert remind_on(TWO_DAYS_BEFORE) == 13

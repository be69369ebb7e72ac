"""The dashboard: today beside the last deadline by the hour, whom tonight pushes, what is on its way, and what came in."""

import re
from datetime import date, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing import overdue, pushes
from billing.due_date_overrides import read_due_date
from connector_pay.lib.models import JobRun
from members.models import Enrollment
from payments.ach.banking_days import FEDERAL_RESERVE
from payments.staff import figures
from tests import people
from tests.billing.correcting import make_override
from tests.diary import eastern
from tests.payments import checking
from tests.payments.payers import read
from tests.payments.paying import PREMIUM, live, make_account, noon, pay
from tests.staff.seeing import make_clerk, sign_in

DEADLINE = date(2027, 1, 23)
NIGHT = DEADLINE + timedelta(days=1)
MOST_STATEMENTS = 24


def test_the_countdown_is_in_words_and_skips_days_without_a_file() -> None:
    def tell(at: datetime) -> str:
        return figures.describe_cutoff_countdown(at=at, calendar=FEDERAL_RESERVE)

    assert (
        tell(eastern(2027, 1, 12, 14, 50))
        == "Bank files are built today at 5:00 p.m. Eastern: in 2 hours 10 minutes."
    )
    assert (
        tell(eastern(2027, 1, 12, 15, 59))
        == "Bank files are built today at 5:00 p.m. Eastern: in 1 hour 1 minute."
    )
    assert tell(eastern(2027, 1, 12, 16, 59, 59)).endswith("in 0 hours 0 minutes.")
    assert tell(eastern(2027, 1, 12, 17)) == "Next bank files: Wednesday, January 13 at 5:00 p.m. Eastern."
    assert tell(eastern(2027, 1, 15, 17)) == "Next bank files: Tuesday, January 19 at 5:00 p.m. Eastern."


@pytest.mark.parametrize(
    ("today", "due"),
    [
        (date(2027, 1, 22), date(2026, 12, 23)),
        (date(2027, 1, 23), date(2026, 12, 23)),
        (date(2027, 1, 24), date(2027, 1, 23)),
        (date(2027, 1, 1), date(2026, 12, 23)),
    ],
)
def test_the_last_due_day_lies_before_today(today: date, due: date) -> None:
    assert figures.find_last_due_day(today=today) == due


def make_waiting() -> dict[str, int]:
    """Accounts of every sort on the evening of the deadline; those that tonight's review moves, and those it leaves."""
    asked = {"today": date(2027, 1, 22)}
    paid, short, unpaid, extended, free = (
        make_account(**facts) for facts in ({}, {}, {}, {}, {"premium_cents": 0})
    )
    later = make_account(requested_start=date(2027, 3, 1))
    early = make_account(binder_due_date=date(2027, 1, 20))
    expiring = make_account(window_ends=date(2027, 2, 10))
    pay(paid, **asked)
    pay(short, PREMIUM - 1, **asked)
    make_override(
        account=extended,
        coverage_month=date(2027, 2, 1),
        due_date=date(2027, 1, 31),
        reason="x",
        recorded_at=noon(date(2027, 1, 5)),
    )
    moved = {"short": short.pk, "unpaid": unpaid.pk, "early": early.pk, "expiring": expiring.pk}
    assert {paid.pk, extended.pk, free.pk, later.pk}.isdisjoint(moved.values())
    return moved


def test_whom_tonight_pushes_is_told_before_and_is_what_the_review_does(db) -> None:
    moved = make_waiting()
    with time_machine.travel(eastern(2027, 1, 23, 20), tick=False):
        clerk = sign_in(make_clerk())
        assert "start of coverage of 4 enrollments" in read(clerk.get(reverse("admin:dashboard")))
        page = clerk.get(reverse("admin:pushes"))
        assert {push.account.pk for push in page.context["found"]} == set(moved.values())
        assert "The enrollment expires" in read(page)
        assert "March 1, 2027" in read(page)
        assert read(clerk.get(reverse("admin:pushes"), {"after": "9" * 30})) == read(
            clerk.get(reverse("admin:pushes"))
        )
        assert "There are no more" in read(clerk.get(reverse("admin:pushes"), {"after": "999999999"}))
    told = {push.account.pk: push.start_after for push in pushes.list_pushes(night=NIGHT, limit=50)}
    before = dict(Enrollment.objects.values_list("account__pk", "coverage_start"))
    assert pushes.find_uncovered(night=NIGHT).count() == len(told)
    overdue.review(today=NIGHT, at=eastern(2027, 1, 24, 0, 10), run="night")
    for key, start, status in Enrollment.objects.values_list("account__pk", "coverage_start", "status"):
        expected = told.get(key, before[key]) or before[key]
        assert (start, status == "expired") == (expected, key in told and told[key] is None)
    assert pushes.find_uncovered(night=NIGHT).count() == 0
    assert read_due_date()(date(2027, 2, 1)) == DEADLINE


def test_every_figure_has_its_picture_and_its_table(db) -> None:
    with time_machine.travel(eastern(2027, 1, 12, 14, 50), tick=False):
        pay(make_account(), 100_00)
        pay(make_account(), 50_00, today=date(2027, 1, 11))
        live(date(2027, 1, 11), date(2027, 1, 11))
        JobRun.objects.create(
            job="send_files",
            business_date=date(2027, 1, 12),
            asked_at=noon(date(2027, 1, 12)),
            error="Traceback: it broke",
        )
        clerk = sign_in(make_clerk())
        with CaptureQueriesContext(connection) as asked:
            page = clerk.get(reverse("admin:dashboard"))
        assert len(asked) <= MOST_STATEMENTS
        people.make_member()
    words, html = read(page), page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert "in 2 hours 10 minutes" in words
    assert "12 p.m. 1 0" in words
    assert "Jan 12 $100.00, 1 payment" in words
    assert "Online, as a guest 2 $150.00" in words
    assert re.search(r"Unauthorized 0 1 0.0 % 0.5 % Fine", words)
    assert "send_files" in words
    assert "it broke" not in words
    assert html.count('role="img"') == 3
    assert "30 bars. The highest is Jan 12: $100.00, 1 payment." in words
    assert "style=" not in html.split("<main")[1]


def test_canceled_and_returned_money_is_not_collected(db) -> None:
    from payments.canceling import cancel_payment

    day = date(2027, 1, 12)
    kept, gone = pay(make_account(), 100_00), pay(make_account(), 50_00)
    cancel_payment(payment_id=gone.pk, today=day, at=noon(day), why="x")
    assert figures.sum_collected(since=day, until=day) == {(day, "guest"): figures.Sums(1, 100_00)}
    assert figures.sum_on_its_way(today=day) == {day: figures.Sums(1, 100_00)}
    assert figures.count_by_hour(day=day)[12] == 2
    assert figures.sum_collected(since=day + timedelta(days=1), until=day + timedelta(days=9)) == {}
    assert kept.received_date == day


def test_checks_are_collected_too_those_that_wait_for_an_account_among_them_and_returned_ones_are_not(
    db,
) -> None:
    day, account = date(2027, 1, 12), make_account()
    facts = {"received_on": day, "deposit_on": day, "today": day}
    checking.receive((account, 100_00), **facts)
    checking.receive(cents=20_00, number="77", **facts)
    checking.receive((account, 5_00), number="12", kind="order", **facts)
    returned = checking.receive((account, 40_00), number="13", **facts)
    checking.give_back(returned, day)
    pay(account, 10_00)
    before = day - timedelta(days=1)
    assert figures.sum_collected(since=before, until=day) == {
        (day, "guest"): figures.Sums(1, 10_00),
        (day, "check"): figures.Sums(2, 120_00),
        (day, "order"): figures.Sums(1, 5_00),
    }
    by_method = figures.add_by_method(figures.sum_collected(since=before, until=day))
    assert by_method["Check"] == figures.Sums(2, 120_00)
    assert by_method["Money order"] == figures.Sums(1, 5_00)
    assert figures.sum_collected(since=before, until=before) == {}


MANY = """
INSERT INTO payments_payment (confirmation_number, account_id, bank_account_id, authorization_id, amount_cents, received_date,
                              status, channel, form_key, session_digest, coverage_sentence, receipt_email, recorded_at,
                              return_code, retry_number)
SELECT lpad(upper(to_hex(n)), 10, 'X'), account_id, bank_account_id, authorization_id, 100, day::date,
       'recorded', 'guest', gen_random_uuid(), '', '',
       '', day, '', 0
FROM generate_series(1, 200000) AS n, (SELECT * FROM payments_payment LIMIT 1) AS one,
     LATERAL (SELECT timestamptz '2026-01-01' + n * interval '2.7 minutes' AS day) AS moment;
UPDATE payments_payment SET status = 'returned' WHERE right(confirmation_number, 2) = '00' AND recorded_at < '2027-01-07';
UPDATE payments_payment SET status = 'sending' WHERE status = 'recorded' AND recorded_at < '2027-01-07';
UPDATE payments_payment SET status = 'sent' WHERE status = 'sending';
UPDATE payments_payment SET status = 'settled' WHERE status = 'sent';
UPDATE payments_payment SET status = 'posted' WHERE status = 'settled'
"""


@pytest.mark.prove
def test_among_hundreds_of_thousands_no_figure_reads_every_payment(db) -> None:
    pay(make_account())
    with connection.cursor() as cursor:
        cursor.execute(MANY)
        cursor.execute("ANALYZE payments_payment")
    today = date(2027, 1, 9)
    with CaptureQueriesContext(connection) as asked:
        assert sum(figures.count_by_hour(day=today)) > 500
        assert figures.sum_collected(since=today - timedelta(days=29), until=today)
        assert figures.sum_on_its_way(today=today)
        assert figures.sum_unsent(today=today).number > 1_000
    for query in asked.captured_queries:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {query['sql']}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "Seq Scan on payments_payment" not in plan, plan

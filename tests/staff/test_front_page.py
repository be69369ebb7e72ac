"""The staff's first page: the box, what waits with its count, today's figures; few questions however much there is."""

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.models import CorrectionKind, Episode, PrintBatch, StartReview
from connector_pay.front_page import list_queues
from connector_pay.lib.models import JobRun
from payments import unmatched
from payments.models import BankFile, PaymentHold
from tests import people
from tests.billing import correcting
from tests.diary import eastern
from tests.payments import batching, checking, refunding
from tests.payments.channels.lockbox.depositing import import_returns, make_return
from tests.payments.payers import read
from tests.payments.paying import PREMIUM, make_account, pay
from tests.staff.seeing import make_clerk, sign_in
from tests.standing import create_at

AT = datetime(2027, 1, 12, 17, 0, tzinfo=UTC)
DAY = date(2027, 1, 12)
MOST_STATEMENTS = 16


@pytest.fixture(autouse=True)
def _tuesday(db: None):
    with time_machine.travel(eastern(2027, 1, 12), tick=False):
        yield


def count() -> dict[str, int]:
    return {queue.words: queue.count for queue in list_queues(today=DAY)}


def fill() -> None:
    """One thing in each queue."""
    account = make_account()
    receipt = refunding.receive_check(account, PREMIUM + 90_00, on=date(2026, 12, 1))
    refunding.ask(receipt, 10_00, method="check", today=DAY)
    refunding.ask_and_approve(receipt, 20_00, method="check", today=DAY)
    facts = {"oldest_month": date(2027, 1, 1), "kind": "short", "found_on": DAY, "opened_at": AT}
    create_at(Episode, account=account, status="listed", **facts)
    by = people.make_staff()
    decided = {"ended_on": DAY, "decided_by": by, "decided_on": DAY}
    create_at(Episode, account=make_account(), status="asked", **facts, **decided)
    StartReview.objects.create(
        enrollment=account.enrollment, stands_at=DAY, rules_give=DAY, why="x", opened_at=AT, opened_on=DAY
    )
    PrintBatch.objects.create(kind="bills", business_date=DAY, letters=1, made_at=AT)
    create_at(
        BankFile,
        name="x.ach",
        direction="out",
        kind="entries",
        status="unknown",
        business_date=DAY,
        sha256="1" * 64,
        line_count=1,
        stored_at=AT,
    )
    correcting.ask(CorrectionKind.ADJUSTMENT, account, today=DAY, month=date(2027, 2, 1), cents=600_00)
    checking.receive(cents=10_00)
    unmatched.ask_to_send_back(check_id=checking.receive(cents=10_00).pk, by=by, why="no account", at=AT)
    batching.begin(today=DAY, by=by)
    import_returns(make_return(), deposit_on=DAY, today=DAY)
    held = {"held_on": date(2027, 1, 4), "held_at": AT, "why": "a call", "form_key": uuid4()}
    PaymentHold.objects.create(payment=pay(make_account()), held_by=by, **held)
    JobRun.objects.create(job="send_files", business_date=DAY, asked_at=AT, error="Traceback")


def test_each_queue_counts_what_waits_and_leads_to_it(settings) -> None:
    settings.BANK_VALIDATION_METHODS = ["manual"]
    assert set(count().values()) == {0}
    fill()
    found = count()
    assert found.pop("Returns that need a person") == 0  # tests/staff/test_parked_returns.py
    assert found == dict.fromkeys(found, 1)
    clerk = sign_in(people.make_staff())
    for queue in list_queues(today=DAY):
        assert queue.count == 0 or queue.since is not None
        assert clerk.get(queue.link).status_code == 200, queue.words


def test_only_what_a_person_may_work_stands_out() -> None:
    fill()
    page = sign_in(make_clerk("change_refund")).get(reverse("admin:index"))
    queues = page.context["queues"]
    assert {queue.words for queue in queues if queue.stands_out} == {
        "Refunds to approve",
        "Refund checks to print",
    }
    assert [queue.is_yours for queue in queues] == sorted((queue.is_yours for queue in queues), reverse=True)
    assert page.content.decode().count("cp-queues__yours") == 2


def test_the_first_page_shows_the_box_and_today_s_figures_and_asks_little() -> None:
    pay(make_account(), 100_00)
    pay(make_account(), 50_00)
    clerk = sign_in(make_clerk())
    with CaptureQueriesContext(connection) as asked:
        page = clerk.get(reverse("admin:index"))
    assert len(asked) <= MOST_STATEMENTS
    words = read(page)
    assert "Find a member, payment, check or file" in words
    assert 'type="search"' in page.content.decode()
    assert "Today, Tuesday, January 12, 2027" in words
    assert "Payments received today 2 $150.00" in words
    assert "Waits for the next bank files 2 $150.00" in words


def test_queues_of_all_apps_take_three_statements() -> None:
    fill()
    with CaptureQueriesContext(connection) as asked:
        list_queues(today=DAY)
    assert len(asked) == 3

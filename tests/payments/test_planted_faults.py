"""Faults planted by the database's owner, past every guard: the self-check names each."""

import os
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.test import override_settings

from billing.invoices import issue_missing
from connector_pay.celery import read_timetable
from connector_pay.lib.jobs import run_until
from connector_pay.self_check import find_violations
from members.models import EnrollmentStatus
from tests import databases, people
from tests.diary import eastern
from tests.payments.paying import PREMIUM, TUESDAY, live, make_account, make_payer, noon, pay
from tests.standing import list_guards

SATURDAY = date(2027, 1, 23)
# Alice's payment posts, Bob's has settled, Carol's comes back, Dora's is in a file, Eve's is scheduled for the 23rd.
ALICE, BOB, CAROL, DORA, EVE = ("payment:" + str(number) for number in range(1, 6))
MAKE_REFUND = (
    "INSERT INTO members_user (username, email, password, is_superuser, is_staff, is_active, first_name, last_name, date_joined) "
    "SELECT name, name || '@example.org', '', FALSE, TRUE, TRUE, '', '', now() FROM unnest(ARRAY['asks', 'approves']) AS name; "
    "INSERT INTO payments_refund (receipt_id, payment_id, bank_account_id, method, cents, payee, why, status, form_key, "
    "asked_by_id, asked_at, decided_by_id, decided_at, check_number) SELECT receipt.id, payment.id, payment.bank_account_id, "
    "'ach', 1, 'Alice', 'test', 'approved', gen_random_uuid(), asks.id, now(), approves.id, now(), '' FROM payments_payment "
    "AS payment JOIN billing_receipt AS receipt ON receipt.reference = 'payment:' || payment.id, members_user AS asks, "
    "members_user AS approves WHERE payment.id = 1 AND asks.username = 'asks' AND approves.username = 'approves'"
)
PUT_IN_FILE = (
    "INSERT INTO payments_fileentry (file_id, line, kind, refund_id, trace, cycle, amount_cents, individual_id, blind_index) "
    "SELECT min(file.id), 9, 'refund', min(refund.id), '011000019999999', 9, 1, 'RF0000000000001', 'x' "
    "FROM payments_bankfile AS file, payments_refund AS refund WHERE file.direction = 'out'"
)
SEND_REFUND = "UPDATE payments_refund SET status = 'sent', effective_date = '2027-01-14'"
FAULTS = [
    (
        "a receipt without its movement",
        "DELETE FROM billing_movement WHERE reference = 'payment:1:received'",
        "I1 receipts",
    ),
    (
        "a receipt of another amount",
        "UPDATE billing_receipt SET cents = 1 WHERE reference = 'payment:1'",
        "I1 receipts",
    ),
    (
        "a receipt of another day",
        "UPDATE billing_receipt SET received_date = '2027-01-02' WHERE reference = 'payment:1'",
        "I17 receipts",
    ),
    (
        "a receipt whose payment does not exist",
        "UPDATE billing_receipt SET reference = 'payment:404' WHERE reference = 'payment:2'; "
        "UPDATE billing_movement SET reference = replace(reference, 'payment:2:', 'payment:404:')",
        "I17 receipts",
    ),
    (
        "a settled payment without a receipt",
        "UPDATE billing_receipt SET reference = 'check:2' WHERE reference = 'payment:2'",
        "I17 receipts",
    ),
    (
        "a settled movement deleted",
        "DELETE FROM billing_movement WHERE reference = 'payment:2:settled'",
        "I17 settled",
    ),
    (
        "two settled movements swapped",
        "UPDATE billing_movement SET reference = 'payment:4:settled' WHERE reference = 'payment:2:settled'",
        "I17 settled",
    ),
    (
        "a settled movement of another amount",
        "UPDATE billing_movement SET cents = 1 WHERE reference = 'payment:2:settled'",
        "I17 cash at the bank",
    ),
    (
        "money returned out of transit though the bank had it",
        "UPDATE billing_movement SET credit = 'in_transit' WHERE reference = 'payment:3:returned'",
        "I3 returns",
    ),
    (
        "a bill's movement deleted",
        "DELETE FROM billing_movement WHERE reference LIKE 'invoice:%:issued' AND account_id = 1",
        "I3 invoices",
    ),
    (
        "a bill of another amount",
        "UPDATE billing_invoice SET amount_cents = 1, premium_cents = 1 WHERE account_id = 1",
        "I3 invoices",
    ),
    (
        "more on a bill than it asks for",
        "UPDATE billing_allocation SET cents = cents + 1 WHERE invoice_id = (SELECT min(id) FROM billing_invoice)",
        "I11 invoices",
    ),
    (
        "an allocation deleted",
        "DELETE FROM billing_allocation WHERE receipt_id = (SELECT min(id) FROM billing_receipt)",
        "I1 idle",
    ),
    ("returned money put back on the bill", "DELETE FROM billing_allocation WHERE cents < 0", "I11 returns"),
    (
        "a file whose total is wrong",
        "UPDATE payments_bankfile SET debit_cents = debit_cents + 1 WHERE direction = 'out'",
        "I9 file totals",
    ),
    (
        "a file whose count is wrong",
        "UPDATE payments_bankfile SET entry_count = entry_count + 1 WHERE direction = 'out'",
        "I9 file totals",
    ),
    (
        "an entry of another amount",
        "UPDATE payments_fileentry SET amount_cents = 1",
        "I9 one line in one file",
    ),
    (
        "a file whose credits are wrong",
        "UPDATE payments_bankfile SET credit_cents = 1 WHERE direction = 'out'",
        "I9 file totals",
    ),
    (
        "a file that looks balanced but has no offset",
        "UPDATE payments_bankfile SET credit_cents = debit_cents WHERE direction = 'out'",
        "I9 file totals",
    ),
    (
        "a file whose bytes hold another number of entries",
        "UPDATE payments_bankfile SET credit_cents = debit_cents, entry_count = entry_count + 1 WHERE direction = 'out'",
        "I2 stored files",
    ),
    (
        "an entry that says it is a first debit's retry",
        "UPDATE payments_fileentry SET kind = 'retry' WHERE payment_id = 1",
        "I9 one line in one file",
    ),
    (
        "a debit that is being sent in a file that was",
        "UPDATE payments_payment SET status = 'sending' WHERE id = 4",
        "I9 sent with the file",
    ),
    (
        "a debit sent in a file of which nobody knows whether it was",
        "UPDATE payments_bankfile SET status = 'unknown' WHERE id = (SELECT file_id FROM payments_fileentry "
        "WHERE payment_id = 4)",
        "I9 sent with the file",
    ),
    (
        "a debit that is being sent in no file",
        "UPDATE payments_payment SET status = 'sending' WHERE id = 5",
        "I9 sent with the file",
    ),
    (
        "a prenote that went out in no file",
        "INSERT INTO payments_prenote (bank_account_id, asked_at, effective_date, outcome) "
        "SELECT min(id), now(), '2027-01-13', '' FROM payments_bankaccount",
        "I9 one line in one file",
    ),
    *(
        (f"a refund that is {name}", f"{MAKE_REFUND}; {statement}", named)
        for name, statement, named in (
            ("sent in no file", "UPDATE payments_refund SET status = 'sent'", "I9 one line in one file"),
            (
                "being sent in no file",
                "UPDATE payments_refund SET status = 'sending'",
                "I9 sent with the file",
            ),
            (
                "dated but in no file",
                "UPDATE payments_refund SET effective_date = '2027-01-14'",
                "I9 one line in one file",
            ),
            (
                "approved but in a file",
                f"{PUT_IN_FILE}; UPDATE payments_refund SET effective_date = '2027-01-14'",
                "I9 one line in one file",
            ),
            (
                "of another amount than its entry",
                f"{PUT_IN_FILE}; {SEND_REFUND}; UPDATE payments_refund SET cents = 2",
                "I9 one line in one file",
            ),
            (
                "a reversal in the file",
                f"{PUT_IN_FILE}; {SEND_REFUND}; UPDATE payments_fileentry SET kind = 'reversal' "
                "WHERE kind = 'refund'",
                "I9 one line in one file",
            ),
            ("in a file whose credits leave it out", f"{PUT_IN_FILE}; {SEND_REFUND}", "I9 file totals"),
        )
    ),
    (
        "a file's bytes that are others",
        "UPDATE payments_bankfile SET sha256 = repeat('0', 64) WHERE direction = 'out'",
        "I2 stored files",
    ),
    (
        "a start that is not the recomputed one",
        "UPDATE members_enrollment SET coverage_start = '2027-03-01' WHERE id = 4",
        "I12 starts",
    ),
    (
        "a start moved back",
        "UPDATE members_enrollment SET coverage_start = '2027-01-01' WHERE id = 4",
        "I12 starts",
    ),
    (
        "a binder paid by cleared money that still waits",
        "UPDATE billing_receipt SET cleared_on = '2027-01-15' WHERE reference = 'payment:4'",
        "I12 active",
    ),
    (
        "a payment canceled that was filed",
        "UPDATE payments_payment SET status = 'canceled' WHERE id = 4",
        "I9 one line in one file",
    ),
    (
        "a debit above its authorization",
        "UPDATE payments_payment SET amount_cents = amount_cents + 1 WHERE id = 1",
        "I4 within the authorization",
    ),
    (
        "a debit before the agreed day",
        "UPDATE payments_payment SET effective_date = '2027-01-02' WHERE id = 1",
        "I4 within the authorization",
    ),
    (
        "scheduled money whose day has come and that was not counted",
        "UPDATE payments_payment SET received_date = '2027-01-13' WHERE id = 5; "
        "UPDATE payments_authorization SET debit_on_or_after = '2027-01-13'",
        "I17 counted",
    ),
    ("a move deleted", "DELETE FROM payments_paymentmove WHERE after = 'settled'", "I7 payments"),
    (
        "a return line applied twice",
        "UPDATE payments_payment SET status = 'posted' WHERE id = 3",
        "I10 returned once",
    ),
    ("a right given to the application", "GRANT UPDATE ON billing_movement TO {role}", "I2 books"),
]
# In a story of their own: refund 1 has settled, 2 is printed, 3 came back, 4 waits; a fifth is declined, a sixth undoes a debit.
REFUND_FAULTS = [
    (
        "a withdrawal deleted",
        "DELETE FROM billing_withdrawal WHERE reference = 'refund:1'",
        "I1 withdrawals",
    ),
    (
        "a withdrawal of another amount",
        "UPDATE billing_withdrawal SET cents = cents + 1 WHERE reference = 'refund:1'",
        "I3 receivable",
    ),
    (
        "a withdrawal from another receipt",
        "UPDATE billing_withdrawal SET receipt_id = (SELECT max(id) FROM billing_receipt) WHERE reference = 'refund:4'",
        "I15 credit",
    ),
    (
        "more withdrawn than a receipt has left",
        "UPDATE billing_withdrawal SET cents = cents + 100000 WHERE reference = 'refund:4'",
        "I1 spent",
    ),
    (
        "a refund's money at the bank of another amount",
        "UPDATE billing_movement SET cents = cents + 1 WHERE reference = 'refund:1:settled'",
        "I1 paid out",
    ),
    (
        "a refund settled without its movement",
        "DELETE FROM billing_movement WHERE reference = 'refund:1:settled'",
        "I17 refunds",
    ),
    (
        "a check printed without its movement",
        "DELETE FROM billing_movement WHERE reference = 'refund:2:printed'",
        "I17 cash at the bank",
    ),
    (
        "a refund that came back and was not put back",
        "DELETE FROM billing_movement WHERE reference = 'refund:3:put_back'",
        "I1 paid out",
    ),
    (
        "two movements of refunds that change places",
        "UPDATE billing_movement SET debit = 'receivable', credit = 'bank' WHERE reference = 'refund:1:settled'",
        "I3 references",
    ),
    (
        "money paid out of nowhere",
        "UPDATE billing_movement SET debit = 'suspense' WHERE reference = 'refund:1:settled'",
        "I1 money in",
    ),
    (
        "cash that left the bank before its day",
        "UPDATE billing_movement SET business_date = '2027-01-21' WHERE reference = 'refund:1:settled'",
        "I17 each day",
    ),
    (
        "a debit's cash of another amount on its day",
        "UPDATE billing_movement SET cents = cents + 1 WHERE reference = 'payment:1:settled'",
        "I17 each day",
    ),
    (
        "a refund moved on without a history",
        "UPDATE payments_refund SET status = 'sent' WHERE id = 4",
        "I7 refunds",
    ),
    (
        "a move deleted from a refund's history",
        "DELETE FROM payments_refundmove WHERE refund_id = 1 AND after = 'sent'",
        "I7 refunds",
    ),
    (
        "a refund approved the day before its wait was over",
        "UPDATE payments_refund SET decided_at = decided_at - interval '1 day' WHERE id = 1",
        "I15 cleared",
    ),
    (
        "a refund of money that is not final",
        "UPDATE billing_receipt SET cleared_on = NULL WHERE reference = 'payment:1'",
        "I15 cleared",
    ),
    (
        "a reversal approved too late",
        "UPDATE payments_refund SET decided_at = '2027-01-28 17:00+00' WHERE method = 'reversal'",
        "I15 cleared",
    ),
    (
        "refunds of more than settled",
        "UPDATE payments_refund SET cents = 10000000 WHERE id = 4",
        "I15 settled",
    ),
    (
        "a refund of money that never settled",
        "DELETE FROM billing_movement WHERE reference = 'payment:1:settled'",
        "I15 settled",
    ),
    (
        "credit that waits though a bill is owed",
        "DELETE FROM billing_withdrawal WHERE reference LIKE 'refund:6%'",
        "I1 idle",
    ),
    (
        "a guard of moves that is gone",
        "DROP TRIGGER guard_moves ON payments_bankfile; CREATE TRIGGER guard_moves BEFORE UPDATE OF fault ON "
        "payments_bankfile FOR EACH ROW EXECUTE FUNCTION lib_refuse_move()",
        "I2 moves",
    ),
    ("a right given on withdrawals", "GRANT DELETE ON billing_withdrawal TO {role}", "I2 books"),
]


def plant(name: str, statements: str) -> None:
    """As the owner, for whom no grant is missing and who turns the triggers off; constraints hold all the same."""
    owner = psycopg2.connect(databases.url_of(name, owner=True))
    try:
        for step in (turn_guards("DISABLE"), statements, turn_guards("ENABLE")):
            with owner, owner.cursor() as cursor:
                cursor.execute(step)
    finally:
        owner.close()


def turn_guards(how: str) -> str:
    guards = [("billing_receipt", "billing_check_receipt"), *list_guards()]
    return "; ".join(f"ALTER TABLE {table} {how} TRIGGER {guard}" for table, guard in guards)


def tell_the_story() -> None:
    """Five people's payments, each at another point of the road by January 15."""
    from payments import tasks

    accounts = [make_account() for _ in range(5)]
    made = [
        pay(accounts[0], today=date(2027, 1, 7)),
        pay(accounts[1], today=TUESDAY),
        pay(accounts[2], today=date(2027, 1, 8), number="1000000001"),
        pay(accounts[3], today=date(2027, 1, 14)),
    ]
    user = people.make_user(member=accounts[4].enrollment.member)
    made.append(pay(accounts[4], received=SATURDAY, payer=make_payer(channel="web", user=user)))
    assert [payment.reference for payment in made] == [ALICE, BOB, CAROL, DORA, EVE]
    issue_missing(today=TUESDAY, at=noon(TUESDAY))
    for day in range(7, 15):
        moment = eastern(2027, 1, day, 23, 59)
        assert not [ran for ran in run_until(timetable=read_timetable(), moment=moment) if ran.error]
    tasks.read_bank(day=date(2027, 1, 15), at=eastern(2027, 1, 15, 7))


def tell_the_story_of_refunds() -> None:
    """Refunds at each point of their road by January 25, and a debit that was reversed."""
    from payments.refunds import decline_refund
    from tests.payments import refunding as r

    first = r.overpay()
    receipt = r.find_receipt(first)
    settled, printed, back = (
        r.ask_and_approve(receipt, 5_00, method=method) for method in ("ach", "check", "ach")
    )
    waiting, declined = r.ask(receipt, 5_00), r.ask(receipt, 5_00)
    decline_refund(
        refund_id=declined.pk, by=people.make_staff(), why="no", today=r.CLEARED, at=noon(r.CLEARED)
    )
    r.send(settled, back)
    friday, monday = date(2027, 1, 22), date(2027, 1, 25)
    r.print_check(printed, "1042", today=friday)
    r.settle(friday)
    r.return_refunds(back, day=monday)
    second = pay(make_account(), today=date(2027, 1, 20))
    live(date(2027, 1, 20), friday)
    r.ask_and_approve(r.find_receipt(second), second.amount_cents, method="reversal", today=friday)
    r.approve(waiting, today=friday)
    assert (waiting.pk, declined.pk) == (4, 5)


def tell_once(
    name: str, tell: Callable[[], None], *, template: str, folder: Path, unblock: Any
) -> Iterator[str]:
    """A database in which this has happened, to be copied for each fault."""
    databases.clone(template=template, name=name)
    with unblock(), databases.another_database(name), override_settings(SANDBOX_BANK_DIR=folder):
        tell()
        assert find_violations() == []
    yield name
    databases.drop(name)


@pytest.fixture(scope="module")
def story(
    template_database: str, django_db_setup: None, django_db_blocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The database of the five payments, told once and copied for each fault."""
    yield from tell_once(
        f"story_{os.getpid()}",
        tell_the_story,
        template=template_database,
        folder=tmp_path_factory.mktemp("bank"),
        unblock=django_db_blocker.unblock,
    )


@pytest.fixture(scope="module")
def refund_story(
    template_database: str, django_db_setup: None, django_db_blocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The database of the refunds."""
    yield from tell_once(
        f"refund_story_{os.getpid()}",
        tell_the_story_of_refunds,
        template=template_database,
        folder=tmp_path_factory.mktemp("bank"),
        unblock=django_db_blocker.unblock,
    )


@pytest.mark.parametrize(
    ("statements", "named"), [fault[1:] for fault in REFUND_FAULTS], ids=[fault[0] for fault in REFUND_FAULTS]
)
def test_the_self_check_names_a_fault_planted_among_refunds(
    refund_story: str, django_db_blocker, settings, statements: str, named: str
) -> None:
    assert named in list_named(refund_story, statements, settings.APPLICATION_ROLE, django_db_blocker)


@pytest.mark.parametrize(
    ("statements", "named"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS]
)
def test_the_self_check_names_a_fault_that_the_owner_planted(
    story: str, django_db_blocker, settings, statements: str, named: str
) -> None:
    assert named in list_named(story, statements, settings.APPLICATION_ROLE, django_db_blocker)


def list_named(story: str, statements: str, role: str, django_db_blocker: Any) -> set[str]:
    """What the self-check names after these statements on a copy of the story."""
    name = f"{story}_planted"
    databases.clone(template=story, name=name)
    try:
        plant(name, statements.format(role=role))
        with django_db_blocker.unblock(), databases.another_database(name):
            return {violation.name for violation in find_violations()}
    finally:
        databases.drop(name)


def test_the_story_has_a_payment_at_each_point_of_the_road(story: str, django_db_blocker) -> None:
    from billing.models import Receipt
    from members.models import Enrollment
    from payments.models import Payment

    with django_db_blocker.unblock(), databases.another_database(story):
        statuses = list(Payment.objects.order_by("pk").values_list("status", flat=True))
        assert statuses == ["posted", "settled", "returned", "sent", "recorded"]
        assert Receipt.objects.count() == 4
        assert Enrollment.objects.get(pk=1).status == EnrollmentStatus.ACTIVE
        assert Payment.objects.first().amount_cents == PREMIUM

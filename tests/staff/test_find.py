"""One box finds anything by what people have before them, opens the one clear hit, and asks few and indexed questions."""

import re

import pytest
import structlog
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from connector_pay.lib.request_log import RequestLog
from payments.models import BankAccount, BankFile, FileEntry, ReturnLine
from payments.staff.find import KINDS, find_all
from tests import people
from tests.diary import eastern
from tests.payments.payers import read, read_title
from tests.staff.seeing import live_a_story, make_clerk, sign_in

MOST_STATEMENTS = 12
MANY = 200_000


@pytest.fixture
def home(db: None):
    with time_machine.travel(eastern(2027, 1, 26), tick=False):
        yield live_a_story()


def look(client, typed: str):
    return client.get(reverse("admin:find"), {"q": typed})


def test_what_names_one_thing_opens_it(home) -> None:
    clerk = sign_in(make_clerk())
    member = reverse("admin:member_overview", args=[home.account.enrollment.member_id])
    payment = reverse("admin:payments_payment_change", args=[home.posted.pk])
    number = home.posted.confirmation_number
    file = BankFile.objects.filter(direction="out").first()
    refund = reverse("admin:payments_refund_change", args=[home.refund.pk])
    for typed, opened in {
        "0034 5678 9011": member,
        "0034-5678-9011": member,
        "(617) 555-0142": member,
        "+1 617 555 0142": member,
        "rosa DEL": member,
        "  Delgado ": member,
        home.account.enrollment.member.email.upper(): member,
        f"{number[:5]}-{number[5:]}".lower(): payment,
        FileEntry.objects.get(payment=home.posted).trace: payment,
        "1042": refund,
        home.account.invoices.get(voided_at=None).number: reverse(
            "admin:billing_invoice_change", args=[home.account.invoices.get(voided_at=None).pk]
        ),
        file.name: reverse("admin:payments_bankfile_change", args=[file.pk]),
        "0001": reverse("admin:payments_bankaccount_change", args=[home.returned.bank_account_id]),
    }.items():
        answer = look(clerk, typed)
        assert (answer.status_code, answer.get("Location")) == (302, opened), typed


def test_several_hits_are_told_apart_and_none_says_what_can_be_typed(home) -> None:
    other = people.make_member(first_name="Ramon", last_name="Delgado")
    people.make_enrollment(member=other, product="dental")
    clerk = sign_in(make_clerk())
    page = look(clerk, "delgado")
    words = read(page)
    for told in (
        "Rosa Delgado",
        "0034 5678 9011",
        "Ramon Delgado",
        "Harborlight Dental Basic",
        "Harborlight Silver 2000",
    ):
        assert told in words
    trace = ReturnLine.objects.get().trace
    assert "Payments" in read(look(clerk, trace))
    assert "Returns" in read(look(clerk, trace))
    for typed in (
        "",
        "Nobody",
        "000000000000",
        "9" * 40,
        "' OR 1=1",
        "<script>alert(1)</script>",
        "\u202e😀",
        "%",
        "_____",
    ):
        answer = look(clerk, typed)
        assert answer.status_code == 200, typed
        assert "What can be typed" in read(answer), typed
        assert ("Nothing was found" in read(answer)) == bool(typed)
        assert "<script>alert" not in answer.content.decode()


def test_more_than_a_page_of_hits_asks_for_more_words(db) -> None:
    for _ in range(11):
        people.make_member(last_name="Quimby")
    page = look(sign_in(make_clerk()), "quim").content.decode()
    assert page.count("Quimby</a>") == 10
    assert "There are more" in page


def test_what_is_looked_for_stands_in_no_title_and_in_no_log(db, rf) -> None:
    page = look(sign_in(make_clerk()), "Delgada")
    assert "Delgada" not in read_title(page)
    with structlog.testing.capture_logs() as logged:
        look(sign_in(make_clerk()), "Delgada")
    assert "Delgada" not in str(logged)
    assert RequestLog.format_request(rf.get("/admin/find/?q=Delgada")) == "GET /admin/find/"
    assert read_title(page).startswith("Find")


def test_no_search_asks_more_than_a_few_questions(db) -> None:
    people.make_member(last_name="Delgado")
    for typed in ("0034 5678 9011", "617 555 0142", "1042", "del x y z", "a@b.c", "ABCDE-FGHJK", "1" * 15):
        with CaptureQueriesContext(connection) as asked:
            find_all(typed=typed)
        assert 0 < len(asked) <= MOST_STATEMENTS, typed


def test_only_staff_search(db) -> None:
    assert look(sign_in(people.make_user()), "Delgado").status_code in (302, 403)
    assert sign_in(make_clerk()).post(reverse("admin:find"), {"q": "x"}).status_code in (403, 405)


FILL = """
INSERT INTO members_member (member_id, first_name, last_name, date_of_birth, email, phone, language, street, city, state,
                            zip_code, paperless_bills, paperless_notices)
SELECT (500000000000 + n)::text, 'First' || n %% 5003, 'Last' || n %% 50021, '1990-01-01', 'm' || n || '@example.org',
       '+1413' || lpad(n::text, 7, '0'), 'en', '1 Road', 'Boston', 'MA', '02108', false, false
FROM generate_series(1, %(many)s) AS n;
INSERT INTO members_user (password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined)
SELECT 'x', false, 'u' || n, '', '', 'u' || n || '@example.org', false, true, now() FROM generate_series(1, %(many)s) AS n;
INSERT INTO payments_payment (confirmation_number, account_id, bank_account_id, authorization_id, amount_cents, received_date,
                              status, channel, form_key, session_digest, coverage_sentence, receipt_email, recorded_at,
                              return_code, retry_number)
SELECT lpad(upper(to_hex(n)), 10, 'X'), account_id, bank_account_id, authorization_id, 100, '2027-01-01', 'recorded', 'guest',
       gen_random_uuid(), '', '', CASE WHEN n %% 9 = 0 THEN 'g' || n || '@example.org' ELSE '' END, '2027-01-01', '', 0
FROM generate_series(1, %(many)s) AS n, (SELECT * FROM payments_payment LIMIT 1) AS one;
INSERT INTO payments_fileentry (file_id, line, kind, payment_id, trace, cycle, amount_cents, individual_id, blind_index)
SELECT (SELECT min(id) FROM payments_bankfile), 100000 + row_number() OVER (), 'debit', payment.id,
       '7' || lpad(payment.id::text, 14, '0'), 9, 100, '', ''
FROM payments_payment AS payment WHERE confirmation_number LIKE 'XXXXX%%';
INSERT INTO lib_sealedvalue (id, purpose, token) SELECT gen_random_uuid(), 'many', 'x' FROM generate_series(1, %(many)s);
INSERT INTO payments_bankaccount (holder_name, kind, routing_number, last_four, blind_index, sealed_id, status, nickname,
                                  added_at)
SELECT 'x', 'checking', '011000015', lpad((row_number() OVER () %% 10000)::text, 4, '0'), '', id, 'valid', '', now()
FROM lib_sealedvalue WHERE purpose = 'many';
INSERT INTO payments_returnline (file_id, line, code, trace, amount_cents, applied, parked_because, sealed_id, at)
SELECT (SELECT max(id) FROM payments_bankfile), 100000 + row_number() OVER (), 'R01',
       '6' || lpad((row_number() OVER ())::text, 14, '0'), 1, false, 'x', id, now() FROM lib_sealedvalue WHERE purpose = 'many';
INSERT INTO payments_bankfile (name, direction, kind, status, business_date, origin, created_time, modifier, sha256, line_count,
                               entry_count, debit_cents, credit_cents, fault, stored_at)
SELECT 'many' || n || '.ach', 'in', 'returns', 'read', '2027-01-01', '', '', '', 'many' || n, 1, 0, 0, 0, '', now()
FROM generate_series(1, %(many)s) AS n;
INSERT INTO payments_refund (receipt_id, method, cents, payee, why, status, form_key, asked_at, check_number)
SELECT receipt_id, 'check', 1, 'x', 'x', 'asked', gen_random_uuid(), now(), (700000000 + n)::text
FROM generate_series(1, %(many)s) AS n, (SELECT receipt_id FROM payments_refund LIMIT 1) AS one;
INSERT INTO billing_invoice (account_id, coverage_month, due_date, premium_cents, subsidy_cents, adjustment_cents, amount_cents,
                             is_binder, issued_on, issued_at, voided_at, void_reason)
SELECT (SELECT min(id) FROM billing_account), '2027-02-01', '2027-01-23', 1, 0, 0, 1, false, '2027-01-05', now(), now(), ''
FROM generate_series(1, %(many)s);
"""
ANALYZED = (
    *("members_member", "members_user", "payments_payment", "payments_fileentry", "payments_bankaccount"),
    *("payments_returnline", "payments_bankfile", "payments_refund", "billing_invoice"),
)


@pytest.mark.prove
def test_among_hundreds_of_thousands_each_kind_of_search_reads_an_index_and_no_whole_table(home) -> None:
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"many": MANY})
        cursor.execute(f"ANALYZE {', '.join(ANALYZED)}")
    asked_for = {
        "Member ID, whole or its first 5 digits": ["500000000017", "50000000017"],
        "Phone number": ["413 000 0017"],
        "First or last name, or how they begin": ["last17 ", "First17 Last17", "Delg", "Rosa Delgado"],
        "Email address": ["m17@example.org", "u17@example.org", "G18@example.org"],
        "Confirmation number": ["XXXXXXXX11"],
        "Trace number": ["7" + "0" * 12 + "17", "6" + "0" * 12 + "17"],
        "Check number": ["700000017"],
        "Bill number, 10 digits": [home.account.invoices.first().number],
        "Last 4 of a bank account": ["0017"],
        "Name of a bank file": ["many17.ach", "many17"],
    }
    assert set(asked_for) == {kind.words for kind in KINDS}
    for words, terms in asked_for.items():
        for kind in (kind for kind in KINDS if kind.words == words):
            for term in terms:
                value = kind.read(term) or term
                with CaptureQueriesContext(connection) as asked:
                    kind.find(value, 11)
                for query in asked.captured_queries:
                    refuse_scan(query["sql"])
    assert BankAccount.objects.filter(last_four="0017").count() >= MANY // 10_000


def refuse_scan(statement: str) -> None:
    """The plan reads no large table from end to end."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    scanned = set(re.findall(r"Seq Scan on (\w+)", plan)) & set(ANALYZED)
    assert not scanned, plan

"""B3d: AutoPay's drafts selected, recorded, filed and counted, beside the same in set SQL and a bare loop over the lines."""

import hashlib
from collections.abc import Iterator
from datetime import date, time

from django.conf import settings
from django.db import connection, transaction

from connector_pay.lib.clock import eastern_moment
from connector_pay.lib.models import SealedValue
from connector_pay.lib.sealed import open_sealed
from payments.ach.batching import build_files
from payments.ach.stored_files import LINES_A_CHUNK, store_chunk, take_file_id
from payments.autopay.drafting import draft_all
from payments.bank_accounts import ACCOUNT_NUMBER
from payments.recording import credit_due
from tests import databases
from tests.bench.crowd import Month, make_crowd, noon, renew
from tests.bench.exchange import ROUTING
from tests.bench.measuring import ROUNDS, Figure, compare
from tests.bench.same_rows import refuse_other_rows

FULL_SIZE = 160_000
CUT, DRAFT, CLEARS = date(2027, 1, 21), date(2027, 1, 22), date(2027, 1, 27)
DRAFTED_AT, FILED_AT = (eastern_moment(day=CUT, at=moment) for moment in (time(16, 59), time(17)))
COUNTED_AT = eastern_moment(day=DRAFT, at=time(0, 1))
TEMPLATE, SCRATCH = "bench_autopay", "bench_drafts"
BEFORE = (
    Month(date(2027, 1, 1), date(2026, 12, 5), date(2026, 12, 23), paid_on=date(2026, 12, 12)),
    Month(date(2027, 2, 1), date(2027, 1, 1), date(2027, 1, 23)),
)
EFFECT = "Received January 22, 2027, your bill for February 2027 is paid on time."
SEALED_AT_ONCE = 10_000
PROOFS = """
INSERT INTO payments_bankaccount (holder_name, kind, routing_number, last_four, blind_index, sealed_id, status,
    nickname, added_at)
    SELECT 'Alice Alvarez', 'checking', %(routing)s, '0000', md5(sealed.id::text), sealed.id, 'valid', '', %(at)s
    FROM lib_sealedvalue AS sealed WHERE purpose = 'account_number';
INSERT INTO payments_authorization (account_id, bank_account_id, channel, sec_code, recurring, amount_cents, debit_on_or_after,
                                    text, text_version, language, payer_name, account_last_four, given_at, browser)
    SELECT id, id, 'autopay', 'WEB', true, 1000000, %(draft)s, 'I authorize it.', 'recurring-debit-1', 'en',
           'Alice Alvarez', '0000', %(at)s, '' FROM billing_account ORDER BY id;
INSERT INTO payments_mandate (account_id, bank_account_id, authorization_id, status, ceiling_cents, drafts_from,
    form_key, given_at)
    SELECT account_id, bank_account_id, id, 'on', 0, %(draft)s, gen_random_uuid(), %(at)s FROM payments_authorization ORDER BY id;
INSERT INTO payments_draftannouncement (account_id, draft_date, amount_cents, announced_on, at)
    SELECT account_id, %(draft)s, amount_cents, %(announced)s, %(at)s FROM billing_invoice WHERE coverage_month = %(month)s;
"""
DRAFTED = """
SELECT count(*) FROM (SELECT id FROM billing_account ORDER BY id FOR NO KEY UPDATE) AS locked;
CREATE TEMPORARY TABLE draft (id bigint, account_id bigint, cents int) ON COMMIT DROP;
WITH written AS (
    INSERT INTO payments_payment (confirmation_number, account_id, bank_account_id, authorization_id, amount_cents, received_date,
                                  status, channel, form_key, session_digest, coverage_sentence, receipt_email, recorded_at,
                                  return_code, retry_number)
        SELECT upper(left(md5(random()::text), 10)), mandate.account_id, bank_account_id, authorization_id, amount_cents,
               %(draft)s, 'recorded', 'autopay', gen_random_uuid(), '', %(effect)s, '', %(drafted_at)s, '', 0
        FROM payments_mandate AS mandate JOIN billing_invoice AS invoice ON invoice.account_id = mandate.account_id
            AND coverage_month = %(month)s ORDER BY mandate.account_id
    RETURNING id, account_id, amount_cents
) INSERT INTO draft SELECT * FROM written;
INSERT INTO members_notice (event, subject, channel, member_id, address, language, facts, at, business_date)
    SELECT 'payment_scheduled', 'payment:' || draft.id, CASE WHEN paperless_notices THEN 'email' ELSE 'letter' END, member.id,
           CASE WHEN paperless_notices THEN email ELSE '' END, member.language,
           jsonb_build_object('product', product, 'amount_cents', cents, 'received_date', %(draft)s, 'last_four', bank.last_four,
                              'confirmation_number', left(confirmation_number, 5) || '-' || right(confirmation_number, 5),
                              'effect', %(effect)s, 'clearing_date', %(clears)s), %(drafted_at)s, %(cut)s
    FROM draft JOIN payments_payment AS payment ON payment.id = draft.id
    JOIN payments_bankaccount AS bank ON bank.id = payment.bank_account_id
    JOIN billing_account AS account ON account.id = draft.account_id
    JOIN members_enrollment AS enrollment ON enrollment.id = account.enrollment_id
    JOIN members_plan AS plan ON plan.id = enrollment.plan_id JOIN members_member AS member ON member.id = enrollment.member_id
"""
TO_FILE = """
SELECT payment.id, amount_cents, confirmation_number, kind, routing_number, holder_name, sealed.id, sealed.token
FROM payments_payment AS payment JOIN payments_bankaccount AS bank ON bank.id = payment.bank_account_id
JOIN lib_sealedvalue AS sealed ON sealed.id = bank.sealed_id WHERE payment.status = 'recorded' ORDER BY payment.id
"""
FILED = """
INSERT INTO payments_fileentry (file_id, line, kind, payment_id, trace, cycle, amount_cents, individual_id, blind_index)
    SELECT %(file)s, 2 + row_number() OVER (ORDER BY payment.id), 'debit', payment.id,
           %(odfi)s || lpad((row_number() OVER (ORDER BY payment.id))::text, 7, '0'), 0, amount_cents,
               confirmation_number, blind_index
    FROM payments_payment AS payment JOIN payments_bankaccount AS bank ON bank.id = payment.bank_account_id
    WHERE payment.status = 'recorded' ORDER BY payment.id;
UPDATE payments_payment SET status = 'sending', effective_date = %(draft)s WHERE status = 'recorded';
INSERT INTO payments_paymentmove (before, after, at, why, payment_id)
    SELECT 'recorded', 'sending', %(filed_at)s, '', id FROM payments_payment ORDER BY id;
INSERT INTO payments_bankfile (id, name, direction, kind, status, business_date, origin, created_on, created_time, modifier,
                               sha256, line_count, entry_count, debit_cents, credit_cents, fault, stored_at)
    SELECT %(file)s, 'BARE.ach', 'out', 'entries', 'sending', %(cut)s, '', %(cut)s, '1700', 'A', %(sha256)s, count(*), count(*),
           sum(amount_cents), 0, '', %(filed_at)s FROM payments_payment
"""
COUNTED = """
SELECT count(*) FROM (SELECT id FROM billing_account ORDER BY id FOR NO KEY UPDATE) AS locked;
INSERT INTO billing_receipt (account_id, reference, cents, received_date, counted_at)
    SELECT account_id, 'payment:' || id, amount_cents, received_date, %(counted_at)s FROM payments_payment ORDER BY id;
INSERT INTO billing_movement (debit, credit, cents, account_id, reference, business_date, at)
    SELECT 'in_transit', 'receivable', amount_cents, account_id, 'payment:' || id || ':received', %(draft)s, %(counted_at)s
    FROM payments_payment ORDER BY id;
INSERT INTO billing_allocation (receipt_id, invoice_id, cents, reference, at)
    SELECT receipt.id, invoice.id, receipt.cents, receipt.reference || ':1', %(counted_at)s
    FROM billing_receipt AS receipt JOIN billing_invoice AS invoice ON invoice.account_id = receipt.account_id
        AND coverage_month = %(month)s WHERE receipt.received_date = %(draft)s ORDER BY receipt.id
"""
WRITTEN = (
    "SELECT id, account_id, bank_account_id, authorization_id, amount_cents, received_date, status, channel, coverage_sentence, "
    "recorded_at, effective_date, return_code FROM payments_payment",
    "SELECT payment_id, before, after, at, why FROM payments_paymentmove",
    "SELECT event, subject, channel, member_id, address, language, facts - 'confirmation_number', at, business_date "
    "FROM members_notice",
    "SELECT line, kind, payment_id, trace, cycle, amount_cents, length(individual_id), blind_index FROM payments_fileentry",
    "SELECT status, business_date, entry_count, debit_cents, credit_cents, stored_at FROM payments_bankfile",
    "SELECT purpose, count(*) FROM lib_sealedvalue GROUP BY purpose",
    "SELECT account_id, reference, cents, received_date, counted_at, cleared_on FROM billing_receipt",
    "SELECT debit, credit, cents, account_id, reference, business_date, at FROM billing_movement",
    "SELECT receipt.reference, invoice_id, allocation.cents, allocation.reference, at FROM billing_allocation AS allocation "
    "JOIN billing_receipt AS receipt ON receipt.id = receipt_id",
)


def measure(*, size: int, rounds: int = ROUNDS) -> Iterator[Figure]:
    """Our evening and night of the draft beside the yardstick, each on a fresh copy of the same exchange."""
    make_granted(name=TEMPLATE, count=size)
    with databases.another_database(SCRATCH):
        sides = {"ours": lambda: draft_ours(size), "yardstick": lambda: write_barely(size)}
        refuse_other_rows(**sides, prepare=_renew, queries=WRITTEN)
        ratio, spread, seconds = compare(**sides, prepare=_renew, rounds=rounds)
    for name in (SCRATCH, TEMPLATE):
        databases.drop(name)
    what = "AutoPay drafted, filed and counted / the same SQL and a bare write"
    detail = f"{seconds:.2f} s, {seconds / size * 1e6:.0f} µs a draft"
    yield Figure("B3d", what, f"{size:,}", ratio, spread, 1.5, detail)


def make_granted(*, name: str, count: int) -> None:
    """So many members with AutoPay on, told of the draft on the 1st, each from a bank account of their own."""
    make_crowd(name=name, count=count, start=BEFORE[0].month, status="active", months=BEFORE)
    with databases.another_database(name):
        for first in range(1, count + 1, SEALED_AT_ONCE):
            numbers = range(first, min(first + SEALED_AT_ONCE, count + 1))
            SealedValue.objects.bulk_create(
                SealedValue.make(clear=f"48200{number:07d}".encode(), purpose=ACCOUNT_NUMBER)
                for number in numbers
            )
        facts = {
            "routing": ROUTING,
            "draft": DRAFT,
            "month": BEFORE[1].month,
            "announced": BEFORE[1].issued_on,
        }
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(PROOFS, {**facts, "at": noon(BEFORE[0].issued_on)})
        connection.close()
    databases.vacuum(name)


def draft_ours(expected: int) -> None:
    """As the jobs of January 21 and the first of January 22 do."""
    assert draft_all(today=CUT, at=DRAFTED_AT)["drafted"] == expected
    assert [file.entry_count for file in build_files(today=CUT, at=FILED_AT)] == [expected]
    assert credit_due(today=DRAFT, at=COUNTED_AT) == expected


def write_barely(expected: int) -> None:
    """The same rows by set SQL, the same bytes opened and sealed, one f-string a line, nothing checked and nothing read back."""
    facts = {
        "cut": CUT,
        "draft": DRAFT.isoformat(),
        "clears": CLEARS.isoformat(),
        "month": BEFORE[1].month,
        "effect": EFFECT,
        "drafted_at": DRAFTED_AT,
        "filed_at": FILED_AT,
        "counted_at": COUNTED_AT,
        "odfi": settings.ACH["odfi"],
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(DRAFTED, facts)
    with transaction.atomic(), connection.cursor() as cursor:
        file_id = take_file_id()
        cursor.execute(TO_FILE)
        lines = [_render(place, row) for place, row in enumerate(cursor.fetchall(), start=1)]
        digest = hashlib.sha256()
        # The file's own lines: two before the entries, two after, and what fills up a block of ten.
        count = -(-(len(lines) + 4) // 10) * 10
        frame = ["1" * 94, "5" * 94, *lines, *("9" * 94 for _ in range(count - len(lines) - 2))]
        for number, start in enumerate(range(0, count, LINES_A_CHUNK)):
            clear = "".join(f"{line}\n" for line in frame[start : start + LINES_A_CHUNK]).encode()
            digest.update(clear)
            store_chunk(file_id=file_id, number=number, clear=clear)
        cursor.execute(FILED, {**facts, "file": file_id, "sha256": digest.hexdigest()})
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(COUNTED, facts)
        assert cursor.rowcount == expected, cursor.rowcount


def _render(place: int, row: tuple) -> str:
    _id, cents, number, kind, routing, holder, sealed_id, token = row
    account = open_sealed(token=token, purpose=ACCOUNT_NUMBER, row=sealed_id).decode()
    code = "27" if kind == "checking" else "37"
    return (
        f"6{code}{routing}{account:<17}{cents:010d}{number:<15}{holder.upper():<22.22}R 0"
        f"{settings.ACH['odfi']}{place:07d}"
    )


def _renew() -> None:
    renew(template=TEMPLATE, name=SCRATCH)

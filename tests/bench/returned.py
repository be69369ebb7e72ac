"""B6: ten thousand returns read, matched, reversed and reopened, beside COPY and set SQL that write the same rows."""

import hashlib
import io
import statistics
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from itertools import zip_longest
from uuid import uuid4

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from connector_pay.lib.clock import eastern_moment
from connector_pay.lib.models import SealedValue
from payments.ach.applying import RETURN_LINE
from payments.ach.entries import BatchHeader, Entry, FileHeader, ReturnAddenda
from payments.ach.incoming import parse_incoming, read_bank
from payments.ach.nacha import write_file
from payments.ach.routing_numbers import compute_check_digit
from payments.bank_accounts import index_number, open_account_number
from payments.models import FileEntry, Payment
from tests import databases
from tests.bench.exchange import PREMIUM, ROUTING, list_entries, settle_payments
from tests.bench.measuring import ROUNDS, Figure, compare, time_once

FULL_SIZE = 10_000
DAY = date(2027, 1, 15)
AT = eastern_moment(day=DAY, at=time(7))
EFFECT = "Pay today: coverage starts February 1, 2027."
TEMPLATE, SCRATCH = "bench_settled", "bench_returned"
# What our code writes for a return, in the fewest statements that can: no check, no sealing, no word chosen.
YARDSTICK = """
CREATE TEMPORARY TABLE found ON COMMIT DROP AS
    SELECT line.*, entry.id AS entry_id, payment.id AS payment_id, payment.account_id, payment.amount_cents AS cents,
           payment.received_date, payment.confirmation_number, receipt.id AS receipt_id, member.id AS member_id, member.email,
           member.language, plan.product
    FROM line JOIN payments_fileentry AS entry ON entry.trace = line.trace
    JOIN payments_payment AS payment ON payment.id = entry.payment_id AND payment.amount_cents = line.amount
    JOIN billing_receipt AS receipt ON receipt.reference = 'payment:' || payment.id
    JOIN billing_account AS account ON account.id = payment.account_id
    JOIN members_enrollment AS enrollment ON enrollment.id = account.enrollment_id
    JOIN members_plan AS plan ON plan.id = enrollment.plan_id
    JOIN members_member AS member ON member.id = enrollment.member_id;
SELECT count(*) FROM (
    SELECT id FROM billing_account WHERE id IN (SELECT account_id FROM found) ORDER BY id FOR NO KEY UPDATE
) AS locked;
UPDATE payments_payment SET status = 'returned', return_code = found.code
    FROM found WHERE found.payment_id = payments_payment.id AND payments_payment.status = 'settled';
INSERT INTO payments_paymentmove (before, after, at, why, payment_id)
    SELECT 'settled', 'returned', %(at)s, 'R01 Insufficient funds', payment_id FROM found;
UPDATE billing_receipt SET taken_back_on = %(day)s FROM found WHERE found.receipt_id = billing_receipt.id;
INSERT INTO billing_allocation (receipt_id, invoice_id, cents, reference, at)
    SELECT receipt_id, invoice_id, -sum(allocation.cents), 'payment:' || payment_id || ':2', %(at)s
    FROM found JOIN billing_allocation AS allocation USING (receipt_id) GROUP BY receipt_id, invoice_id, payment_id;
INSERT INTO billing_movement (debit, credit, cents, account_id, reference, business_date, at)
    SELECT 'receivable', 'bank', cents, account_id, 'payment:' || payment_id || ':returned', %(day)s, %(at)s FROM found;
INSERT INTO members_notice (event, subject, channel, member_id, address, language, facts, at, business_date)
    WITH bill AS (
        SELECT invoice.account_id, invoice.due_date, invoice.amount_cents - coalesce(sum(allocation.cents), 0) AS cents
        FROM billing_invoice AS invoice LEFT JOIN billing_allocation AS allocation ON allocation.invoice_id = invoice.id
        WHERE invoice.account_id IN (SELECT account_id FROM found) AND invoice.voided_at IS NULL GROUP BY invoice.id
    ), owed AS (
        SELECT account_id, sum(cents) AS cents, min(due_date) AS due_date FROM bill WHERE cents > 0 GROUP BY account_id
    )
    SELECT 'payment_returned', 'payment:' || payment_id, channel, member_id, CASE channel WHEN 'email' THEN email ELSE '' END,
           language,
           jsonb_build_object(
               'product', product, 'amount_cents', found.cents, 'received_date', received_date,
               'confirmation_number', left(confirmation_number, 5) || '-' || right(confirmation_number, 5),
               'last_four', '', 'effect', %(effect)s, 'due_cents', owed.cents, 'due_date', owed.due_date
           ), %(at)s, %(day)s
    FROM found JOIN owed USING (account_id), unnest(ARRAY['email', 'letter']) AS channel;
INSERT INTO lib_sealedvalue (id, purpose, token) SELECT sealed_id, 'return_line', raw FROM found;
INSERT INTO payments_returnline (file_id, line, code, trace, amount_cents, entry_id, applied, parked_because, sealed_id, at)
    SELECT %(file)s, number, code, trace, amount, entry_id, true, '', sealed_id, %(at)s FROM found;
"""
STORE_FILE = """
WITH file AS (
    INSERT INTO payments_bankfile (name, direction, kind, status, business_date, origin, created_time, modifier, sha256,
                                   line_count, entry_count, debit_cents, credit_cents, fault, stored_at)
    VALUES ('RETURNS.ach', 'in', 'returns', 'read', %(day)s, '', '', '', %(sha256)s,
            %(lines)s, %(entries)s, %(cents)s, 0, '', %(at)s) RETURNING id
), part AS (
    INSERT INTO lib_sealedvalue (id, purpose, token)
    SELECT gen_random_uuid(), 'bank_file', part FROM unnest(%(parts)s::bytea[]) AS part RETURNING id
), chunk AS (
    INSERT INTO payments_filechunk (file_id, number, sealed_id) SELECT file.id, row_number() OVER () - 1, part.id FROM file, part
)
SELECT id FROM file
"""
# Each row that either side writes, but for ids of its own, the sealed values and the order.
WRITTEN = [
    "SELECT id, status, return_code FROM payments_payment",
    "SELECT payment_id, before, after, at, why FROM payments_paymentmove",
    "SELECT id, taken_back_on FROM billing_receipt",
    "SELECT receipt_id, invoice_id, cents, reference, at FROM billing_allocation",
    "SELECT debit, credit, cents, account_id, reference, business_date, at FROM billing_movement",
    "SELECT event, subject, channel, member_id, address, language, facts::text, at, business_date FROM members_notice",
    "SELECT purpose, count(*) FROM lib_sealedvalue GROUP BY purpose",
    "SELECT line, code, trace, amount_cents, entry_id, applied, parked_because, at FROM payments_returnline",
    "SELECT name, status, business_date, sha256, line_count, entry_count, debit_cents, fault, stored_at FROM payments_bankfile",
    "SELECT file.name, number FROM payments_filechunk JOIN payments_bankfile AS file ON file.id = file_id",
]


class Shelf:
    """A bank that has left one file."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def list_incoming(self) -> list[str]:
        """Its name."""
        return ["RETURNS.ach"]

    def get(self, *, name: str) -> bytes:
        """Its bytes."""
        return self.data

    def put(self, *, name: str, data: bytes) -> None:
        """Nothing is sent here."""
        raise AssertionError(name)

    def find(self, *, name: str) -> str | None:
        """Nothing was sent here."""
        return None


def measure(*, size: int) -> Iterator[Figure]:
    """Our reading of a file of `size` returns beside the yardstick, each on a fresh copy of the same exchange."""
    template = databases.prepare_template()
    databases.clone(template=template, name=TEMPLATE)
    with databases.another_database(TEMPLATE):
        settle_payments(count=size)
        data = write_returns(list_entries())
    connection.close()
    databases.analyze(TEMPLATE)
    with databases.another_database(SCRATCH):
        refuse_other_rows(data, size=size)
        ratio, spread, seconds = compare(
            ours=lambda: read_ours(data, size=size),
            yardstick=lambda: write_barely(data, size=size),
            prepare=_renew,
        )
    for name in (SCRATCH, TEMPLATE):
        databases.drop(name)
    unavoidable = statistics.median(time_once(lambda: read_and_seal(data)) for _ in range(ROUNDS))
    detail = f"{seconds:.2f} s; the least it can be, with strict reading and sealing: {1 + unavoidable * ratio / seconds:.2f}"
    yield Figure(
        "B6", "returns read and reversed / COPY and set SQL", f"{size:,}", ratio, spread, 1.2, detail
    )


def read_ours(data: bytes, *, size: int) -> None:
    """As the morning's job does."""
    counts = read_bank(bank=Shelf(data), today=DAY, at=AT)
    assert counts["returned"] == size, counts


def read_and_seal(data: bytes) -> None:
    """What no return can do without and the yardstick leaves out: every line read strictly and sealed, its account indexed."""
    incoming = parse_incoming(name="RETURNS.ach", data=data, today=DAY)
    for line in incoming.returns:
        SealedValue.make(clear="".join(line.raw_lines).encode(), purpose=RETURN_LINE)
        index_number(routing_number=line.original_rdfi_id, account_number=line.account_number)


def write_barely(data: bytes, *, size: int) -> None:
    """The same rows by COPY and set SQL, from lines cut at fixed columns."""
    lines = data.decode().splitlines()
    rows = io.StringIO()
    for number, line in enumerate(lines, start=1):
        if line[0] == "7":
            entry = lines[number - 2]
            raw = f"{entry}\n{line}\n".encode().hex()
            rows.write(
                f"{number - 1}\t{line[3:6]}\t{line[6:21]}\t{int(entry[29:39])}\t\\\\x{raw}\t{uuid4()}\n"
            )
    rows.seek(0)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE line (number int, code text, trace text, amount int, raw bytea, sealed_id uuid) "
            "ON COMMIT DROP"
        )
        cursor.copy_expert("COPY line FROM STDIN", rows)
        cursor.execute(STORE_FILE, describe_file(data, line_count=len(lines), size=size))
        (file_id,) = cursor.fetchone()
        cursor.execute(YARDSTICK, {"at": AT, "day": DAY, "effect": EFFECT, "file": file_id})
    assert Payment.objects.filter(status="returned").count() == size


def describe_file(data: bytes, *, line_count: int, size: int) -> dict[str, object]:
    """What is kept of the file itself: its totals, and its bytes in parts."""
    part = 10_000 * 95
    return {
        "day": DAY,
        "at": AT,
        "sha256": hashlib.sha256(data).hexdigest(),
        "lines": line_count,
        "entries": size,
        "cents": PREMIUM * size,
        "parts": [data[start : start + part] for start in range(0, len(data), part)],
    }


def refuse_other_rows(data: bytes, *, size: int) -> None:
    """Both sides must leave the same rows behind, or neither measures the other."""
    left = []
    for write in (read_ours, write_barely):
        _renew()
        write(data, size=size)
        with connection.cursor() as cursor:
            left.append([_read_rows(cursor, query) for query in WRITTEN])
    for query, *both in zip(WRITTEN, *left, strict=True):
        differing = [rows for rows in zip_longest(*both) if rows[0] != rows[1]]
        assert not differing, (query, *differing[0])


def write_returns(entries: Sequence[FileEntry]) -> bytes:
    """The bank's file: every debit comes back for want of funds."""
    odfi = settings.ACH["odfi"]
    header = FileHeader(
        immediate_destination=settings.ACH["immediate_origin"],
        immediate_origin=settings.ACH["immediate_destination"],
        created_at=datetime(2027, 1, 15, 6, 30),
        modifier="A",
    )
    batch = BatchHeader(
        service_class="225",
        company_name=settings.ACH["company_name"],
        company_id=settings.ACH["company_id"],
        sec_code="WEB",
        entry_description=settings.ACH["entry_description"],
        effective_date=date(2027, 1, 13),
        odfi_id=ROUTING[:8],
        batch_number=1,
        settlement_julian="015",
    )
    returned = (
        Entry(
            transaction_code="26",
            routing_number=odfi + compute_check_digit(digits=odfi),
            account_number=open_account_number(bank_account=entry.payment.bank_account),
            amount_cents=entry.amount_cents,
            individual_id=entry.individual_id,
            individual_name="ALICE ALVAREZ",
            trace_number=f"{ROUTING[:8]}{place:07d}",
            discretionary="S",
            addenda=(
                ReturnAddenda(return_code="R01", original_trace=entry.trace, original_rdfi_id=ROUTING[:8]),
            ),
        )
        for place, entry in enumerate(entries, start=1)
    )
    return "".join(f"{line}\n" for line in write_file(header=header, batches=[(batch, returned)])).encode()


def _renew() -> None:
    connection.close()
    databases.clone(template=TEMPLATE, name=SCRATCH)


def _read_rows(cursor: CursorWrapper, query: str) -> list[str]:
    cursor.execute(query)
    return sorted(map(str, cursor.fetchall()))

"""The ledger: every movement of money, from one account of the chart to another, once under its reference.

invoice:ID:issued      receivable <- premiums      an invoice adds to what is owed
invoice:ID:voided      premiums <- receivable      and is taken away again
payment:ID:received    in transit <- receivable    money counts as received (of a check, check:ID-PART:received)
payment:ID:settled     bank <- in transit          the bank has it
payment:ID:returned    receivable <- in transit, or bank once settled
unmatched:ID:received  in transit <- suspense      money that names no account (settled as above)
unmatched:ID:matched   suspense <- bank, or in transit: it is put on accounts, or has returned or was sent_back
moved:ID:off           receivable <- suspense      money is found to be another account's: it leaves this one
moved:ID:on            suspense <- receivable      and counts for the other
refund:ID:approved     receivable <- refunds       credit leaves the account, to be paid out
refund:ID:settled      refunds <- bank             the payer's bank has it, or (refund:ID:printed) a check is out
refund:ID:returned     bank <- refunds             the bank has it again
refund:ID:put_back     refunds <- receivable       and the account: credit as before
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import Case, F, Sum, When

from billing.models import Chart, Movement
from billing.rows import insert_missing

COLUMNS = ("debit", "credit", "cents", "account", "reference", "business_date", "at")


@dataclass(frozen=True, slots=True)
class Posting:
    """One movement to post: cents > 0 out of `credit`, into `debit`."""

    debit: Chart
    credit: Chart
    cents: int
    account_id: int | None
    reference: str
    business_date: date


class AlreadyPosted(Exception):
    """A reference was used before; nothing of the set is posted."""


def post(*, postings: Iterable[Posting], at: datetime) -> None:
    """Post the movements, all or none. Raises AlreadyPosted where a reference was used before."""
    rows = [
        (item.debit, item.credit, item.cents, item.account_id, item.reference, item.business_date, at)
        for item in postings
    ]
    with transaction.atomic(savepoint=False):
        posted = insert_missing(model=Movement, columns=COLUMNS, rows=rows, returning=["reference"])
        if len(posted) < len(rows):
            used = {row[4] for row in rows} - {reference for (reference,) in posted}
            raise AlreadyPosted(f"Already posted: {min(used, default='the same reference twice')}.")


def read_balance(*, chart: Chart, account_id: int | None = None) -> int:
    """Cents in an account of the chart: debits less credits, of one billing account or of all."""
    movements = Movement.objects.filter(debit=chart) | Movement.objects.filter(credit=chart)
    if account_id is not None:
        movements = movements.filter(account=account_id)
    signed = Case(When(debit=chart, then=F("cents")), default=-F("cents"))
    return movements.aggregate(total=Sum(signed))["total"] or 0

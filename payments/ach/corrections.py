"""Corrections: what a notification of change puts right on a bank account, in the order of the file, told to its payer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import structlog
from django.db.models import Exists, OuterRef

from connector_pay.lib.clock import eastern_moment
from connector_pay.lib.models import SealedValue
from members.outbox import Telling, tell
from payments.ach.change_codes import Action, Correction, find_change_code
from payments.ach.prenote_answers import ask_again
from payments.bank_accounts import index_number, open_account_number, seal_number
from payments.banking_calendar import read_calendar
from payments.confirmation import format_number
from payments.consequences import SHUT
from payments.models import BankAccount, FileEntry, ReturnLine
from payments.payment_notices import AboutPayment, list_readers, read_about

log = structlog.get_logger(__name__)
ALARM_AFTER_BANKING_DAYS = 4  # of the 6 that the network gives
ALARM_FOR_DAYS = 60
CORRECTED_BEFORE, TOLD_TWICE = "the entry was corrected before", "the file tells of this entry twice"
CORRECTED_COLUMNS = ("sealed", "routing_number", "kind", "last_four", "blind_index")


@dataclass(frozen=True)
class Corrected:
    """An entry of ours, and what its bank puts right about the account."""

    entry: FileEntry
    correction: Correction

    @property
    def bank_account_id(self) -> int:
        """The account that the entry went to. Raises ValueError for a refund by check, which is never an entry."""
        entry = self.entry
        thing = entry.payment or entry.prenote or entry.refund
        if thing is None or thing.bank_account_id is None:
            raise ValueError(f"Entry {entry.pk} went to no bank account.")
        return thing.bank_account_id


def correct_accounts(*, corrections: Mapping[int, Correction], today: date, at: datetime) -> None:
    """Keep the corrected numbers of these entries, each on top of the one before, and tell the payers; the debits stand.

    Each account is read anew and locked: a correction before this one may have changed it. A corrected prenote has asked the
    wrong account: a new one is asked.
    """
    items = _read_items(corrections)
    ids = {item.bank_account_id for item in items}
    locked = BankAccount.objects.select_for_update(no_key=True, of=("self",)).select_related("sealed")
    accounts = {account.pk: account for account in locked.filter(pk__in=ids).order_by("pk")}
    sealed: dict[int, SealedValue] = {}
    for item in items:
        account = accounts[item.bank_account_id]
        number = item.correction.account_number or open_account_number(bank_account=account)
        if item.correction.account_number:
            sealed[account.pk] = account.sealed = seal_number(account_number=number)
        account.routing_number = item.correction.routing_number or account.routing_number
        account.kind = item.correction.account_kind or account.kind
        account.last_four = number[-4:]
        account.blind_index = index_number(routing_number=account.routing_number, account_number=number)
    SealedValue.objects.bulk_create(sealed.values())
    BankAccount.objects.bulk_update(accounts.values(), CORRECTED_COLUMNS)
    ask_again(prenotes=[item.entry.prenote for item in items if item.entry.prenote], at=at)
    about = read_about(payment_ids={item.entry.payment_id for item in items if item.entry.payment_id})
    tell(
        tellings=[telling for item in items for telling in _list_tellings(item, accounts, about)],
        today=today,
        at=at,
    )


def count_late_corrections(*, today: date) -> int:
    """Corrections that have waited for a person for more than 4 banking days, with an alarm: they must be done by the 6th.

    One whose account was corrected since, or may not be debited, waits no more. Those of the last two months are counted.
    """
    since = eastern_moment(day=today - timedelta(days=ALARM_FOR_DAYS), at=time.min)
    until = eastern_moment(day=read_calendar().add(today, -ALARM_AFTER_BANKING_DAYS), at=time.min)
    later = ReturnLine.objects.filter(
        entry=OuterRef("entry"), applied=True, code__startswith="C", pk__gt=OuterRef("pk")
    )
    parked = ReturnLine.objects.filter(
        ~Exists(later),
        applied=False,
        code__startswith="C",
        at__range=(since, until),
    ).exclude(entry__payment__bank_account__status__in=SHUT)
    codes = parked.exclude(parked_because__in=(CORRECTED_BEFORE, TOLD_TWICE)).values_list("code", flat=True)
    late = sum(find_change_code(code=code).action is not Action.IGNORE for code in codes)
    if late:
        log.error("corrections wait for staff and are soon late", count=late)
    return late


def _read_items(corrections: Mapping[int, Correction]) -> list[Corrected]:
    """The entries with what they move, in the order of the corrections."""
    entries = FileEntry.objects.select_related("payment", "prenote", "refund").in_bulk(corrections)
    return [Corrected(entries[key], correction) for key, correction in corrections.items()]


def _list_tellings(
    item: Corrected, accounts: Mapping[int, BankAccount], about: Mapping[int, AboutPayment]
) -> Iterable[Telling]:
    facts = {"last_four": accounts[item.bank_account_id].last_four}
    if item.entry.payment_id:
        payment = about[item.entry.payment_id]
        number = format_number(payment.confirmation_number)
        for reader in list_readers(payment=payment):
            if reader.is_payer:
                yield reader.make_telling(
                    event="bank_details_corrected", facts={**facts, "confirmation_number": number}
                )
        return
    owner = accounts[item.bank_account_id].owner
    if owner and owner.member:
        subject = f"file_entry:{item.entry.pk}"
        yield Telling(event="bank_details_corrected", subject=subject, member=owner.member, facts=facts)

"""The day's work on payments: crediting, reading the bank, settling, sending; each safe to run twice, late or in parallel."""

from collections.abc import Iterable
from datetime import date, datetime
from functools import partial

import structlog
from celery import shared_task
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from billing import episodes
from connector_pay.lib import clock
from connector_pay.lib.jobs import Counts
from payments import (
    canceling,
    checks,
    credit_left,
    drafts,
    recording,
    refunds,
    reminders,
    retries,
    returns,
    settlement,
)
from payments.ach import batching, corrections, incoming, return_rates, sending
from payments.autopay import announcing, drafting, turning_off
from payments.autopay.days import find_cut
from payments.bank import open_bank
from payments.banking_calendar import read_calendar
from payments.channels.lockbox.waiting_letters import release_letters
from payments.channels.phone import calls
from payments.models import BankAccountStatus, Mandate, Payment
from payments.validation.prenotes import pass_prenotes

log = structlog.get_logger(__name__)


def credit_due(*, day: date, at: datetime) -> Counts:
    """Count scheduled payments whose received date has come."""
    return {"credited": recording.credit_due(today=day, at=at)}


def review_behind(*, day: date, at: datetime) -> Counts:
    """Follow coverage whose bills are past due, up to the list of what staff end; banking days are known here."""
    return episodes.review(today=day, at=at, add_banking_days=read_calendar().add)


def read_bank(*, day: date, at: datetime) -> Counts:
    """Read what the bank has left: acknowledgements, returns, corrections, checks; then stop what a return has blocked.

    Letters about starts that were pushed need not wait for older mail any longer.
    """
    counts = incoming.read_bank(bank=open_bank(at=at), today=day, at=at)
    stopped = returns.stop_unusable(today=day, at=at)
    return_rates.warn_of_rates(today=day)
    release_letters(today=day, at=at)
    return dict(counts) | {
        "canceled": stopped["canceled"],
        "late_corrections": corrections.count_late_corrections(today=day),
    }


def settle_due(*, day: date, at: datetime) -> Counts:
    """Debits settle on their effective date and post on the 3rd banking day after it, when prenotes pass, too.

    Checks are deposited and clear. Refunds settle; of cleared credit that is left when coverage is over they are asked for.
    """
    counts = settlement.settle_due(today=day, at=at)
    more = {
        "prenotes": pass_prenotes(today=day, at=at),
        "refunded": refunds.settle_refunds(today=day, at=at),
        "refunds_asked": credit_left.ask_refunds(today=day, at=at),
    }
    banked = checks.bank_due(today=day, at=at)
    return {**counts, **banked, **{name: count for name, count in more.items() if count}}


def end_autopay(*, day: date, at: datetime) -> Counts:
    """AutoPay ends with the enrollment."""
    return turning_off.end_with_enrollments(today=day, at=at)


def announce_drafts(*, day: date, at: datetime) -> Counts:
    """Tell each payer what AutoPay will take this month, by 10 days before; what is told late is dated when it is told."""
    today = day if settings.DEMO_MODE else max(day, clock.today())
    return announcing.announce_drafts(today=today, at=at)


def draft_autopay(*, day: date, at: datetime) -> Counts:
    """Validate the accounts that wait, then record what AutoPay takes on the draft day; the file of today holds it."""
    counts = settlement.validate_waiting(today=day, at=at)
    drafted = drafting.draft_all(today=day, at=at)
    if _is_too_late(day):
        # Their received date may have come: what a failed run has held up counts at once, as of that date.
        recording.credit_due(today=clock.today(), at=clock.now())
    return {**counts, **drafted}


def is_cut(day: date) -> bool:
    """Whether the file of this day holds AutoPay's drafts."""
    return find_cut(today=day, calendar=read_calendar()) is not None


def send_files(*, day: date, at: datetime) -> Counts:
    """Validate the accounts that wait, build today's files, then hand over every file that waits, whatever left it waiting."""
    expired = canceling.cancel_expired(today=day, at=at)
    ended = canceling.cancel_ended(today=day, at=at)
    counts = settlement.validate_waiting(today=day, at=at)
    try:
        files = [] if _is_too_late(day) else batching.build_files(today=day, at=at)
    finally:
        sent = sending.send_waiting(bank=open_bank(at=at), at=_read_hand_over(at))
    return dict(counts) | {
        "expired": expired,
        "ended": ended,
        "files": sent,
        "unknown": sending.count_unknown(),
        **batching.count_entries(files=files),
    }


def make_retries(*, day: date, at: datetime) -> Counts:
    """Debits returned for want of funds are sent again, where the policy has it so."""
    return retries.make_retries(today=day, at=at)


def remind_due(*, day: date, at: datetime) -> Counts:
    """Remind of what is due in a week or in two days and neither paid nor scheduled."""
    return {"reminders": reminders.remind(today=day, at=at)}


def clear_drafts(*, day: date, at: datetime) -> Counts:
    """Throw away what was typed into payments that were never finished, and keyed in on calls that were not."""
    return {"cleared": drafts.clear_expired_drafts(at=at) + calls.clear_calls(at=at)}


def wake_validation(*, uses: Iterable[Payment | Mandate]) -> None:
    """Have the bank accounts of what was just recorded validated, once it is committed; never holds up the payer.

    The file of the day validates whatever waits, so nothing is lost where no worker can be woken.
    """
    unchecked = {
        item.bank_account_id for item in uses if item.bank_account.status == BankAccountStatus.UNCHECKED
    }
    if unchecked:
        transaction.on_commit(partial(_wake_validation, sorted(unchecked)))


@shared_task
def validate_bank_accounts(bank_account_ids: list[int]) -> None:
    """Validate bank accounts just typed, after the payment is recorded."""
    settlement.validate_waiting(today=clock.today(), at=clock.now(), bank_account_ids=bank_account_ids)


def _wake_validation(bank_account_ids: list[int]) -> None:
    try:
        # Raises at once while Redis is left alone, and within a second where it does not answer; the broker's own ways take more.
        cache.get_many(["awake"])
        validate_bank_accounts.apply_async(kwargs={"bank_account_ids": bank_account_ids}, retry=False)
    except (RedisError, OperationalError) as error:
        log.warning("no worker was woken to validate bank accounts", error=type(error).__name__)


def _read_hand_over(at: datetime) -> datetime:
    """The real moment at which files change hands: a job that failed for days runs late, and still as of its own moment.

    In a demo the days are lived one after another.
    """
    return at if settings.DEMO_MODE else max(at, clock.now())


def _is_too_late(day: date) -> bool:
    """A file for a day that is over would name a debit date that has come or gone; the next day's file takes its payments.

    In a demo the days are lived one after another, whatever the clock says by now.
    """
    return not settings.DEMO_MODE and clock.today() > day

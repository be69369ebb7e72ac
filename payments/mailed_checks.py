"""Mailed checks: a member tells us that one is on its way; it is expected, never counted, and says when it may be too late."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from billing.accounts import lock_accounts
from billing.balances import Standing
from connector_pay.lib.money import format_dollars
from connector_pay.lib.templatetags.exchange import long_date
from members.models import User
from payments.ach.banking_days import BankingCalendar
from payments.banking_calendar import read_calendar
from payments.coverage_sentences import describe_not_paying
from payments.models import CheckShare, MailedCheck, ReceivedCheck

EXPECTED_DAYS = 30
SLOWEST_MAIL = 5  # business days that paper takes at most, as a rule


class UnableToExpect(ValueError):
    """What the member says of a check cannot be; the text says why, for the member. Nothing was kept."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A check that is on its way, what its member is told of it, and a warning where it may come too late."""

    check: MailedCheck
    words: str
    warning: str = ""


def tell_mailed(
    *,
    account_id: int,
    cents: int,
    number: str,
    mailed_on: date,
    form_key: UUID,
    by: User,
    today: date,
    at: datetime,
) -> MailedCheck:
    """Note that a check is on its way; no money moves. A form key used before returns what it noted. Raises UnableToExpect.

    One at a time for an account: another is told of once this one has come, or was withdrawn.
    """
    if not today - timedelta(days=EXPECTED_DAYS) < mailed_on <= today:
        raise UnableToExpect(_("Enter the day you mailed it: today, or a day in the last month"))
    with transaction.atomic():
        lock_accounts(account_ids=[account_id])
        known = MailedCheck.objects.filter(form_key=form_key).first()
        if known is not None:
            return known
        if find_expected(account_ids=[account_id], today=today):
            raise UnableToExpect(_("You told us of a check before. Say that it is not coming first"))
        return MailedCheck.objects.create(
            account_id=account_id,
            cents=cents,
            number=number.strip(),
            mailed_on=mailed_on,
            form_key=form_key,
            told_by=by,
            told_at=at,
        )


def withdraw_mailed(*, check: MailedCheck, at: datetime) -> None:
    """The member says that it is not coming. Withdrawn before, it stays as it was."""
    MailedCheck.objects.filter(pk=check.pk, withdrawn_at=None).update(withdrawn_at=at)


def find_expected(*, account_ids: Iterable[int], today: date) -> dict[int, MailedCheck]:
    """The check that is on its way to each of the accounts, where one is. One statement."""
    rows = _list_expected(today=today).filter(account__among=list(account_ids))
    return {check.account_id: check for check in rows}


def find_expected_like(*, check: ReceivedCheck, today: date) -> list[MailedCheck]:
    """The checks that members expect us to receive and that this one may be: of its amount, mailed by the day it came."""
    rows = _list_expected(today=today).filter(cents=check.cents, mailed_on__lte=check.received_on)
    people = ("account__enrollment__member", "account__enrollment__plan")
    found = list(rows.select_related(*people))
    same = [item for item in found if item.number and item.number == check.number]
    return same or found


def describe_each_expected(*, standings: Mapping[int, Standing], today: date) -> dict[int, Expected]:
    """What the member of each account with a check on its way is told. Two statements at most."""
    found = find_expected(account_ids=standings, today=today)
    if not found:
        return {}
    calendar = read_calendar()
    return {
        key: Expected(
            check,
            describe_expected(check=check),
            warn_of_mail(standing=standings[key], mailed_on=check.mailed_on, today=today, calendar=calendar),
        )
        for key, check in found.items()
    }


def describe_expected(*, check: MailedCheck) -> str:
    """That it is on its way, and which day counts."""
    return _(
        "You told us that a check for %(amount)s is on its way. It counts on the day we receive it, not the day you "
        "mailed it. Paper takes 3 to 5 business days."
    ) % {"amount": format_dollars(check.cents)}


def warn_of_mail(*, standing: Standing, mailed_on: date, today: date, calendar: BankingCalendar) -> str:
    """That a check mailed on a day may not reach us by the due date, and what that does; empty where it has the time."""
    if not standing.open_invoices:
        return ""
    bill = standing.open_invoices[0]
    due = bill.due_date
    if calendar.add(mailed_on, SLOWEST_MAIL) <= due:
        return ""
    unpaid = describe_not_paying(standing=standing, bill=bill, paid_on=due + timedelta(days=1), today=today)
    if due < today:
        return unpaid
    words = _("A check mailed on %(mailed)s may not reach us by %(due)s.")
    return f"{words % {'mailed': long_date(mailed_on), 'due': long_date(due)}} {unpaid}"


def _list_expected(*, today: date) -> QuerySet[MailedCheck]:
    """Neither withdrawn, nor too old, nor followed by a check for its account."""
    came = CheckShare.objects.filter(
        account=OuterRef("account"), received_check__received_on__gte=OuterRef("mailed_on")
    )
    since = today - timedelta(days=EXPECTED_DAYS)
    rows = MailedCheck.objects.filter(~Exists(came), withdrawn_at=None, mailed_on__gt=since)
    return rows.order_by("pk")

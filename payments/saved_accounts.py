"""A member's saved bank accounts: how each is named, and which one is offered for the next payment."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from payments.models import BankAccount, Payment, PaymentStatus


def find_last_good(*, accounts: Sequence[BankAccount]) -> int | None:
    """The account that paid last, never one whose last payment the bank returned; the first unused one where none has paid."""
    keys = [account.pk for account in accounts]
    made = Payment.objects.filter(bank_account__in=keys).exclude(status=PaymentStatus.CANCELED)
    last = made.order_by("bank_account", "-recorded_at", "-pk").distinct("bank_account")
    by_account = {payment.bank_account_id: payment for payment in last}
    good = [payment for payment in by_account.values() if payment.status != PaymentStatus.RETURNED]
    if good:
        return max(good, key=lambda payment: (payment.recorded_at, payment.pk)).bank_account_id
    return next((key for key in keys if key not in by_account), None)


def name_account(account: BankAccount) -> str:
    """Its last four, after the name that its owner gave it."""
    if account.nickname:
        return _("%(name)s, ending %(four)s") % {"name": account.nickname, "four": account.last_four}
    return _("Ending %s") % account.last_four


def describe_account(account: BankAccount) -> str:
    """Its kind and whose it is. Apart from its name: "Checking" is the label of one box on the page, of a new account's kind."""
    facts = {"kind": account.get_kind_display(), "holder": account.holder_name}
    return _("%(kind)s account of %(holder)s") % facts

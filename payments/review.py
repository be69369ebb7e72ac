"""Review: what a payer is shown before authorizing, signed, and compared with what is true when the request reaches us."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.utils.translation import gettext as _

from billing.balances import Standing
from billing.due_date_overrides import read_due_date
from billing.due_dates import DueDate, find_start, next_month
from billing.policy import read_policy
from connector_pay.lib.money import format_dollars
from connector_pay.lib.sealed import blind_index
from connector_pay.lib.templatetags.exchange import short_date
from payments.bank_accounts import BankDetails, fingerprint
from payments.coverage_sentences import (
    Whose,
    find_missing_cents,
    find_start_if_paid,
    waits_for_first_payment,
)
from payments.drafts import Contents, Draft
from payments.models import BankAccount, Payment
from payments.payables import Payable, ask_about_same
from payments.statements import authorization_text, describe_effect

SALT = "payments.review"


# The words to be authorized, of a payable, cents, the day, the bank account's last four and the language.
WriteAuthorization = Callable[[Payable, int, date, str, str], str]


class Reviewed(Protocol):
    """Anything that is shown before it is authorized."""

    @property
    def shown(self) -> dict[str, Any]: ...


class UnableToReadReview(ValueError):
    """What came back was not signed by us, is too old, or belongs to another draft."""


@dataclass(frozen=True)
class ReviewItem:
    """One payment as it is shown: what it does to coverage, and the words to be authorized.

    `start` is the coverage start that the sentence names, where it names one; `bank` the fingerprint of the bank account;
    `due_cents` is what is due, None for a guest who is shown nothing of the account;
    `same` is a payment in progress that this one would repeat.
    """

    payable: Payable
    amount_cents: int
    received_date: date
    sentence: str
    authorization: str
    start: date | None
    bank: str
    due_cents: int | None
    same: Payment | None

    @property
    def question(self) -> str:
        """What is asked once more: the same amount is already on its way; empty where it is not."""
        return ask_about_same(payable=self.payable, payment=self.same) if self.same else ""

    @property
    def reminder(self) -> str:
        """What the page says while its box is not ticked."""
        facts = {"amount": format_dollars(self.amount_cents), "bill": self.payable.label.lower()}
        return _("Tick the box to authorize %(amount)s for the %(bill)s bill") % facts

    @property
    def shown(self) -> dict[str, Any]:
        """What travels signed with the form."""
        return {
            "account": self.payable.account_id,
            "cents": self.amount_cents,
            "date": self.received_date.isoformat(),
            "sentence": self.sentence,
            "authorization": hashlib.sha256(self.authorization.encode()).hexdigest(),
            "start": self.start.isoformat() if self.start else "",
            "bank": self.bank,
            "due": self.due_cents,
            "same": blind_index(value=self.same.reference) if self.same else "",
        }


def _write_authorization(payable: Payable, cents: int, day: date, last_four: str, language: str) -> str:
    return authorization_text(
        payee=settings.EXCHANGE["name"],
        amount_cents=cents,
        debit_on=day,
        last_four=last_four,
        bill=payable.label,
        language=language,
    )


def prepare_items(
    *,
    contents: Contents,
    payables: Mapping[int, Payable],
    bank: BankDetails | BankAccount,
    same: Mapping[int, Payment],
    today: date,
    language: str,
    whose: Whose = "your",
    write_authorization: WriteAuthorization = _write_authorization,
) -> list[ReviewItem]:
    """What the draft's payments do and ask for, as things stand today; `same` are those in progress that they would repeat.

    What is to be authorized is worded as the channel has it.
    """
    received = contents.find_received_date(today=today)
    rules = _read_rules(contents, payables)
    items = []
    for item in contents.chosen:
        payable, rule = payables[item.account_id], rules[item.account_id]
        standing = payable.standing if contents.shows_account else None
        effect: dict[str, Any] = {"standing": standing, "amount_cents": item.amount_cents}
        effect["received_date"] = received
        items.append(
            ReviewItem(
                payable=payable,
                amount_cents=item.amount_cents,
                received_date=received,
                sentence=describe_effect(**effect, today=today, due_date_rule=rule, whose=whose),
                authorization=write_authorization(
                    payable, item.amount_cents, received, bank.last_four, language
                ),
                start=_find_named_start(**effect, today=today, rule=rule),
                bank=fingerprint(bank=bank),
                due_cents=standing.due_cents if standing else None,
                same=same.get(item.account_id),
            )
        )
    return items


def sign_review(*, draft: Draft, items: Sequence[Reviewed]) -> str:
    """What was shown, signed; it travels with the form."""
    facts = {"draft": str(draft.id), "form_key": str(draft.form_key), "items": [item.shown for item in items]}
    return signing.dumps(facts, salt=SALT, compress=True)


def read_review(*, token: str, draft_id: UUID) -> dict[str, Any]:
    """What was signed for this draft: its form key, and the items as shown. Raises UnableToReadReview."""
    try:
        facts: dict[str, Any] = signing.loads(token, salt=SALT, max_age=read_policy().draft_minutes * 60)
    except signing.BadSignature as error:
        raise UnableToReadReview from error
    if facts["draft"] != str(draft_id):
        raise UnableToReadReview
    return facts


def describe_change(*, shown: Sequence[Mapping[str, Any]], items: Sequence[ReviewItem], today: date) -> str:
    """What is no longer as it was shown, in one sentence for the payer; empty where nothing has changed."""
    now = [item.shown for item in items]
    if list(shown) == now:
        return ""
    for before, after in zip(shown, now, strict=False):
        if before["start"] and after["start"] and before["start"] != after["start"]:
            return _("It is now %(today)s. Paying now starts coverage %(after)s, not %(before)s") % {
                "today": short_date(today),
                "after": short_date(date.fromisoformat(after["start"])),
                "before": short_date(date.fromisoformat(before["start"])),
            }
    asked = {item.get("same") for item in shown}
    for item in items:
        if item.same and item.shown["same"] not in asked:
            return item.question
    if [item["date"] for item in shown] != [item["date"] for item in now]:
        return _("It is now %(today)s. Check your payment once more") % {"today": short_date(today)}
    if [item.get("bank") for item in shown] != [item["bank"] for item in now]:
        return _("The bank account was changed in the meantime. Check your payment once more")
    if [item.get("due") for item in shown] != [item["due"] for item in now]:
        return _("What is due has changed in the meantime. Check your payment once more")
    return _("Something changed in the meantime. Check your payment once more")


def _read_rules(contents: Contents, payables: Mapping[int, Payable]) -> dict[int, DueDate]:
    """Each account's due dates; where nothing of the account is shown, those that hold for everyone."""
    account_ids = [item.account_id for item in contents.chosen]
    if contents.shows_account:
        return {key: payables[key].standing.due_date_rule for key in account_ids}
    return dict.fromkeys(account_ids, read_due_date())


def _find_named_start(
    *, standing: Standing | None, amount_cents: int, received_date: date, today: date, rule: DueDate
) -> date | None:
    if standing is None:
        return find_start(requested=next_month(received_date), received=received_date, due_date=rule)
    when = {"received_date": received_date, "today": today}
    if not waits_for_first_payment(standing=standing):
        return None
    if amount_cents < find_missing_cents(standing=standing, **when):
        return None
    return find_start_if_paid(standing=standing, **when)

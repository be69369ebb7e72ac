"""Returns: a payment that comes back was never received; the bills are open again, and the member hears what to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import override

from billing.allocation import lock_accounts
from billing.balances import read_standings
from connector_pay.lib.jobs import Counts
from members.outbox import Telling, tell
from payments.ach.return_codes import ReturnCode, find_return_code
from payments.consequences import follow_codes, list_touched_accounts, read_followed, stop_uses
from payments.coverage_sentences import describe_after_return, list_what_decides
from payments.models import PAYMENT_MOVES, BankAccountStatus, Payment, PaymentMove, PaymentStatus
from payments.payment_notices import AboutPayment, list_facts, list_readers, read_about
from payments.recording import take_back_counted
from payments.refunds import follow_returned_payments

NOT_VALIDATED = "The bank account did not pass validation"
MAY_RETURN = (PaymentStatus.RECORDED, PaymentStatus.SENT, PaymentStatus.SETTLED, PaymentStatus.POSTED)
SETTLED_BEFORE = (PaymentStatus.SETTLED, PaymentStatus.POSTED)


@dataclass(frozen=True)
class PaymentReturn:
    """One payment that the bank sent back: its return code (empty if it never went out), and why in words.

    `information` is what the payer's bank wrote beside the code.
    """

    payment_id: int
    code: str
    why: str
    information: str = ""

    @property
    def row(self) -> ReturnCode:
        """What follows from the code."""
        return find_return_code(code=self.code, addenda_information=self.information)


def return_payments(*, returns: Sequence[PaymentReturn], today: date, at: datetime) -> list[int]:
    """Payments that came back were never received: credit taken off, bills open again, the member told what to do.

    What the return code says is done to the bank account. A payment already returned or canceled is left as it is. Returns the
    ids of those that are returned now.
    """
    asked = {item.payment_id: item for item in returns}
    done: dict[int, PaymentReturn] = {}
    with transaction.atomic():
        locked = list_touched_accounts(payment_ids=asked)
        lock_accounts(account_ids=locked)
        for before in MAY_RETURN:
            waiting = [item for key, item in asked.items() if key not in done]
            back = _move_back(waiting, before=before, at=at)
            settled = before in SETTLED_BEFORE
            why = "returned by the bank" if before != PaymentStatus.RECORDED else NOT_VALIDATED
            take_back_counted(payment_ids=back, settled=settled, why=why, today=today, at=at)
            done |= {key: asked[key] for key in back}
        follow_returned_payments(payment_ids=done, today=today, at=at)
        followed = read_followed(rows={key: item.row for key, item in done.items() if item.code})
        follow_codes(followed=followed, locked=locked, today=today, at=at)
        _tell_returned(done, today=today, at=at)
    return sorted(done)


def stop_unusable(*, today: date, at: datetime) -> Counts:
    """A recorded payment whose bank account failed validation is returned; one whose account was blocked or paused is canceled.

    Mandates on such an account are stopped.
    """
    recorded = Payment.objects.filter(status=PaymentStatus.RECORDED).order_by("pk")
    failed = recorded.filter(bank_account__status=BankAccountStatus.FAILED).values_list("pk", flat=True)
    returns = [PaymentReturn(payment_id=key, code="", why=NOT_VALIDATED) for key in failed]
    returned = return_payments(returns=returns, today=today, at=at) if returns else []
    canceled = stop_uses(today=today, at=at)
    return {"returned": len(returned), "canceled": len(canceled)}


def _move_back(returns: Sequence[PaymentReturn], *, before: PaymentStatus, at: datetime) -> list[int]:
    """Move those that stand in `before`; one statement for each code and reason among them."""
    by_reason: dict[tuple[str, str], list[int]] = {}
    for item in returns:
        by_reason.setdefault((item.code, item.why), []).append(item.payment_id)
    return [
        key
        for (code, why), ids in sorted(by_reason.items())
        for key in PAYMENT_MOVES.move(
            model=Payment,
            history=PaymentMove,
            ids=ids,
            before=before,
            after=PaymentStatus.RETURNED,
            at=at,
            why=f"{code} {why}".strip()[:200],
            changes={"return_code": code},
        )
    ]


def _tell_returned(returns: Mapping[int, PaymentReturn], *, today: date, at: datetime) -> None:
    """Each member hears what is owed now and what paying today does; the bank's reason goes only to the payer."""
    payments = read_about(payment_ids=returns).values()
    account_ids = {payment.account_id for payment in payments}
    standings = read_standings(account_ids=account_ids, today=today)
    tellings = []
    effects: dict[tuple[object, ...], str] = {}
    for payment in payments:
        standing = standings[payment.account_id]
        alike = (payment.member.language, *list_what_decides(standing=standing, today=today))
        if alike not in effects:
            with override(payment.member.language):
                effects[alike] = describe_after_return(standing=standing, today=today)
        facts = list_facts(payment=payment) | {"effect": effects[alike]}
        if standing.due_cents:
            facts |= {"due_cents": standing.due_cents, "due_date": standing.due_date}
        tellings += _list_tellings(payment, facts, reason=_find_reason(returns[payment.id]))
    tell(tellings=tellings, today=today, at=at)


def _list_tellings(payment: AboutPayment, facts: dict[str, object], *, reason: str) -> list[Telling]:
    tellings = []
    for reader in list_readers(payment=payment):
        # What is owed is told to the member whose bill it is: another who paid hears only what became of the payment.
        told = facts if reader.is_billed else list_facts(payment=payment) | {"effect": ""}
        why = {"reason": reason} if reader.is_payer else {}
        tellings.append(reader.make_telling(event="payment_returned", facts=told | why))
    return tellings


def _find_reason(returned: PaymentReturn) -> str:
    if not returned.code:
        return "We could not confirm the bank account. Please check the routing and account numbers."
    return returned.row.words_for_member

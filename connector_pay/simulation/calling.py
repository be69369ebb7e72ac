"""Calls in a simulation: a household keys its way through the payment line, as a carrier's webhooks would tell it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

from connector_pay.simulation.chances import GIVES_DATE_OF_BIRTH, SENDS_FORM_TWICE, happens
from members.models import Member, Product
from payments.bank_accounts import BankDetails
from payments.channels.phone.calls import Reply, hang_up, start_call, take_entry
from payments.drafts import Chosen
from payments.models import AccountKind, Payment
from payments.payables import Payable, list_amounts
from payments.recording import UnableToRecord

MOST_TURNS = 40
PER_BILL = {"amount", "other"}  # steps that come once for each bill
YES = "1"
PRODUCTS = (Product.HEALTH, Product.DENTAL)
KINDS = (AccountKind.CHECKING, AccountKind.SAVINGS)


class UnableToPayOnceByPhone(Exception):
    """The same webhook, sent twice, made two payments."""


@dataclass
class Caller:
    """Somebody who pays by phone: what they key in at each step. They know what they mean to pay of which bill."""

    member_id: str
    language: str
    born: str
    payables: Sequence[Payable]
    wanted: list[Chosen]
    bank: BankDetails

    def answer(self, step: str) -> str:
        """The keys of an answer."""
        answers = {
            "language": YES if self.language == "en" else "2",
            "member": self.member_id,
            "born": self.born,
            "kind": str(KINDS.index(AccountKind(self.bank.kind)) + 1),
            "routing": self.bank.routing_number,
            "account": self.bank.account_number,
            "again": self.bank.account_number,
        }
        if step == "bill":
            return self._choose_bill()
        if step == "amount":
            return str(len(list_amounts(standing=self._find(self.wanted[0]).standing)) + 1)
        if step == "other":
            cents = self.wanted.pop(0).amount_cents
            return f"{cents // 100}*{cents % 100:02}"
        return answers.get(step, YES)

    def _choose_bill(self) -> str:
        """One bill or all of them, by the order in which they are said."""
        if len(self.wanted) == len(self.payables) > 1:
            return str(len(self.payables) + 1)
        bill = self._find(self.wanted[0])
        return str((self.payables.index(bill) if self.born else PRODUCTS.index(Product(bill.product))) + 1)

    def _find(self, chosen: Chosen) -> Payable:
        return next(payable for payable in self.payables if payable.account_id == chosen.account_id)


def pay_by_phone(
    *,
    member_id: str,
    language: str,
    payables: Sequence[Payable],
    chosen: Sequence[Chosen],
    bank: BankDetails,
    dice: Random,
    at: datetime,
) -> list[Payment]:
    """One call for all the bills, or one for each. Raises UnableToRecord where a call leads to no payment."""
    bills = {payable.product for payable in payables}
    knows = happens(dice, GIVES_DATE_OF_BIRTH) or len(bills) < len(payables)
    born = Member.objects.get(member_id=member_id).date_of_birth
    visits = [list(chosen)] if len(chosen) in (1, len(payables)) else [[item] for item in chosen]
    if not knows and len(chosen) < len(PRODUCTS):
        visits = [[item] for item in chosen]
    made: list[Payment] = []
    for wanted in visits:
        caller = Caller(member_id, language, f"{born:%m%d%Y}" if knows else "", payables, wanted, bank)
        made += _call(caller, dice=dice, at=at)
    return made


def _call(caller: Caller, *, dice: Random, at: datetime) -> list[Payment]:
    line: dict[str, Any] = {"call_id": f"CA{dice.getrandbits(128):032x}", "caller": "", "at": at}
    line["caller"] = f"+1617{dice.randrange(10**7):07}"
    reply = start_call(**line)
    seen: set[str] = set()
    for _turn in range(MOST_TURNS):
        if reply.step in seen - PER_BILL or (reply.step in PER_BILL and not caller.wanted):
            break  # asked once more: something was refused
        seen.add(reply.step)
        webhook = {"step": reply.step, "turn": reply.turn, "digits": caller.answer(reply.step), **line}
        reply = take_entry(**webhook)
        if not reply.step:
            return _finish(reply, webhook, is_repeated=happens(dice, SENDS_FORM_TWICE))
    hang_up(call_id=line["call_id"], at=at)
    raise UnableToRecord


def _finish(reply: Reply, webhook: dict[str, Any], *, is_repeated: bool) -> list[Payment]:
    """What was paid; sometimes the carrier sends its last webhook twice. Raises UnableToRecord."""
    if is_repeated and (again := take_entry(**webhook)).said != reply.said:
        raise UnableToPayOnceByPhone(f"{again.said} is not {reply.said}.")
    if not reply.payments:
        raise UnableToRecord
    return list(reply.payments)

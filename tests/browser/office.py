"""The exchange's office as the browser tests of staff's actions find it: one person of each role, and cases that wait for them.

Each case is made by the portal's own rules; what two people do, another than the one who presses the button asked for.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from itertools import count
from uuid import uuid4

from billing import invoices, reinstatement
from billing.balances import read_standing
from billing.bill_links import ensure_links
from billing.due_dates import next_month
from billing.models import (
    Account,
    BillLink,
    Correction,
    CorrectionKind,
    Episode,
    Invoice,
    PrintBatch,
    Receipt,
    StartReview,
)
from billing.print_batches import draw_waiting, make_batch
from billing.start_reviews import NewReview, open_reviews
from connector_pay.lib import clock
from connector_pay.roles import Role
from members.models import Member, Notice, User
from payments import holding, unmatched
from payments.ach.file_answers import answer_for_file
from payments.mandates import suspend_mandates
from payments.models import (
    BANK_ACCOUNT_MOVES,
    BankAccount,
    BankAccountMove,
    BankFile,
    Mandate,
    Payment,
    PaymentStatus,
    ReceivedCheck,
    Refund,
    RefundMethod,
    ReturnLine,
)
from tests import people
from tests.billing import behind, correcting
from tests.browser import households
from tests.browser.handling_tour import make_unknown_file
from tests.payments import checking, paying, refunding
from tests.payments.autopay.granting import turn_on
from tests.portal import Household, Portal, find_next_start

REFUND_CENTS, CREDIT_CENTS = 2_00, 800_00
RICH_CENTS = 900_00  # so that an adjustment may be above what one person does alone
_numbers = count(1)


@dataclass
class Office:
    """Who works there, on the database of a running portal."""

    portal: Portal
    staff: dict[Role, User] = field(default_factory=dict)

    def hire(self) -> "Office":
        """One of each role."""
        self.staff = {role: people.make_clerk(role) for role in Role}
        return self

    @property
    def today(self) -> date:
        """The portal's."""
        return clock.today()

    @cached_property
    def household(self) -> Household:
        """Health and dental due, nothing paid."""
        return self.portal.add_household(products=("health", "dental"))

    @cached_property
    def account(self) -> Account:
        """Its health account."""
        return households.find_account(self.household)

    @cached_property
    def dental(self) -> Account:
        """Its dental account."""
        return (
            Account.objects.filter(enrollment__member=self.household.member).exclude(pk=self.account.pk).get()
        )

    @cached_property
    def credit(self) -> Receipt:
        """Some of it may be refunded, whatever is billed to others meanwhile."""
        household = households.add_with_credit(self.portal, credit_cents=CREDIT_CENTS)
        payment = households.find_payment(household, status=PaymentStatus.POSTED)
        return refunding.find_receipt(payment)

    def next_number(self) -> str:
        """Of a check that nobody has seen before."""
        return f"7{next(_numbers):04d}"

    def pay(self) -> Payment:
        """A payment that is in no bank file yet, from a bank account of its own."""
        return paying.pay(self.account, 5_00, today=self.today, number=f"48200{next(_numbers):06d}")

    def hold(self) -> Payment:
        """One that is held."""
        payment = self.pay()
        facts = {"by": people.make_staff(), "form_key": uuid4(), "today": self.today, "at": clock.now()}
        holding.hold_payment(payment_id=payment.pk, why="a doubt", **facts)
        return payment

    def bank_account(self, *, paused: bool = False) -> BankAccount:
        """One on which a payment waits; or one that was paused."""
        account = self.pay().bank_account
        if paused:
            arrow = {"before": account.status, "after": "paused"}
            facts = {"model": BankAccount, "history": BankAccountMove, "ids": [account.pk], "at": clock.now()}
            BANK_ACCOUNT_MOVES.move(**facts, **arrow)
        return account

    def mandate(self, *, paused: bool = False) -> Mandate:
        """AutoPay of somebody, or one that was suspended."""
        account = households.find_account(self.portal.add_household())
        (mandate,) = turn_on(account, at=clock.now(), bank=paying.make_details(f"77700{next(_numbers):06d}"))
        if paused:
            suspend_mandates(mandate_ids=[mandate.pk], at=clock.now(), why="after a return: R08")
        return mandate

    def file(self) -> BankFile:
        """One that was being handed over when the connection was lost; another has asked the bank, which has it."""
        file = make_unknown_file(self.pay())
        at = file.moves.latest("pk").at
        heard = {"is_sent": True, "reference": "REF 76", "asked": "Kim at the bank", "form_key": uuid4()}
        answer_for_file(file_id=file.pk, by=people.make_staff(), at=at, **heard)
        return file

    def check(self, *, on_account: bool = False, asked_back: bool = False) -> ReceivedCheck:
        """One that waits, or that another has asked to send back, or that was put on its account."""
        shares = [(self.account, 10_00)] if on_account else []
        today = self.today
        facts = {"cents": 10_00, "number": f"{next(_numbers)}", "received_on": today, "deposit_on": today}
        check = checking.receive(*shares, today=today, form_key=uuid4(), **facts)
        if asked_back:
            by = people.make_staff()
            unmatched.ask_to_send_back(check_id=check.pk, by=by, why="nobody knows", at=clock.now())
        return check

    def refund(self, *, approved: bool = False) -> Refund:
        """One by check that another has asked for, or that was approved."""
        asked = refunding.ask(self.credit, REFUND_CENTS, method=RefundMethod.CHECK, today=self.today)
        return refunding.approve(asked, today=self.today) if approved else asked

    def parked(self) -> ReturnLine:
        """A return that names no debit of ours."""
        assert self.credit.cleared_on
        return households.park_a_return()

    def correction(self, *, by: User | None = None) -> Correction:
        """An adjustment that takes two people."""
        account = self.rich_account()
        month = account.enrollment.coverage_start
        return correcting.ask(
            CorrectionKind.ADJUSTMENT, account, today=self.today, by=by, month=month, cents=-600_00
        )

    def rich_account(self) -> Account:
        """Somebody with a large bill."""
        household = households.add_household(
            self.portal,
            premium_cents=RICH_CENTS,
            requested_start=find_next_start(self.today),
            at=clock.now(),
        )
        invoices.issue_missing(today=self.today, at=clock.now())
        return households.find_account(household)

    def episode(self, *, ended: bool = False, asked: bool = False, paid: bool = False) -> Episode:
        """Coverage to be ended; or that was ended, asked back, and all of it paid."""
        account = behind.cover(start=next_month(self.today, count=-4), today=self.today, member=_make_named())
        episode = households.list_to_be_ended(account)
        today, at, by = self.today, clock.now(), people.make_staff()
        if ended or asked or paid:
            behind.confirm(account, on=today, by=by)
        if asked or paid:
            reinstatement.ask_reinstatement(episode_id=episode.pk, by=by, today=today, at=at)
        if paid:
            due = read_standing(account_id=account.pk, today=today).due_cents
            behind.pay(account, due, on=today)
        episode.refresh_from_db()
        return episode

    def start_review(self) -> StartReview:
        """A start that staff are asked about."""
        enrollment = self.rich_account().enrollment
        start = enrollment.coverage_start
        new = NewReview(enrollment.pk, start, next_month(start), "the rules give a month that has begun")
        open_reviews(reviews=[new], today=self.today, at=clock.now())
        return StartReview.objects.get(enrollment=enrollment)

    def batch(self) -> PrintBatch:
        """Letters that are drawn."""
        self.pay()
        batch = make_batch(kind="letters", today=self.today, at=clock.now(), by=people.make_staff())
        draw_waiting(at=clock.now())
        return batch

    def bill_link(self) -> BillLink:
        """The code of a bill."""
        bill = Invoice.objects.get(account=self.rich_account())
        ensure_links(invoice_ids=[bill.pk], today=self.today, at=clock.now())
        return BillLink.objects.get(invoice=bill)

    def notice(self) -> Notice:
        """What somebody was told."""
        return Notice.objects.filter(event="payment_received", subject=self.pay().reference).latest("pk")

    def check_receipt(self) -> Receipt:
        """Money of a check that was put on its account."""
        return Receipt.objects.get(reference=f"check:{self.check(on_account=True).pk}-1")

    def payment_receipt(self) -> Receipt:
        """Money of a payment."""
        return Receipt.objects.get(reference=self.pay().reference)


def find_quiet_day(today: date) -> date:
    """A day that is over and on which nothing was due."""
    return next(day for day in _count_back(today) if day.day not in (22, 23, 24))


def _count_back(today: date) -> Iterator[date]:
    return (today - timedelta(days=days) for days in count(1))


def _make_named() -> Member:
    """A member whose name no other has."""
    return people.make_member(last_name=f"Quill{next(_numbers)}")

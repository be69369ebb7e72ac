"""Households in every state that a page can show, made as the portal makes them: billed, paid, returned, canceled, pushed.

Their past is lived on past days by the portal's own rules and the sandbox bank; the pages show them today.
"""

from collections.abc import Iterator
from datetime import date, time, timedelta
from itertools import count as counting
from typing import Any

from billing import invoices, overdue
from billing.due_dates import first_of_month, next_month
from billing.models import EPISODE_MOVES, Account, Episode, EpisodeMove, Invoice
from connector_pay.lib import clock
from connector_pay.lib.clock import eastern_moment
from connector_pay.lib.models import SealedValue
from members.models import EnrollmentStatus, Member
from payments.ach.banking_days import add_banking_days, banking_day_on_or_before
from payments.ach.routing_numbers import compute_check_digit
from payments.canceling import cancel_payment
from payments.mandates import stop_mandates
from payments.models import BankFile, Payment, PaymentChannel, ReturnLine
from payments.recording import Payer
from payments.routing_directory import import_directory
from payments.routing_directory_generator import generate_directory
from tests import people
from tests.payments import paying
from tests.payments.autopay.granting import turn_on
from tests.portal import Household, Portal, find_next_start

NO_MONEY = "1000000001"  # R01, three banking days after the debit
HEALTH_CENTS, SUBSIDY_CENTS = 312_44, 28_27
BILL_CENTS = HEALTH_CENTS - SUBSIDY_CENTS
_banks = counting(100)


def add_household(portal: Portal, **enrollment: object) -> Household:
    """A member who can sign in, with one enrollment of these facts, or none where none are given."""
    member = people.make_member()
    household = Household(member=member, user=people.make_user(member=member), email=member.email)
    portal.households.append(household)
    if enrollment:
        people.make_enrollment(member=member, **enrollment)
    return household


def find_account(household: Household) -> Account:
    """The household's account, the first where there are two."""
    return Account.objects.filter(enrollment__member=household.member).order_by("pk")[0]


def add_scheduling(portal: Portal) -> Household:
    """A first bill due next month or later, so that a payment can be scheduled whatever day it is."""
    today = clock.today()
    household = add_household(
        portal,
        premium_cents=HEALTH_CENTS,
        requested_start=next_month(find_next_start(today)),
        at=clock.now(),
    )
    invoices.issue_missing(today=today, at=clock.now())
    return household


def add_with_many_accounts(portal: Portal) -> Household:
    """Long names, and twelve accounts: one that costs nothing, some past due, the others due."""
    today = clock.today()
    months = list(_list_last_months(today))
    begun = months[1] - timedelta(days=20)
    member = people.make_member(first_name="Maximiliana-Guadalupe", last_name="Featherstonehaugh-Montgomery")
    household = Household(member=member, user=people.make_user(member=member), email=member.email)
    portal.households.append(household)
    for number in range(12):
        product = "dental" if number % 2 else "health"
        name = f"Harborlight All the {product.title()} Care That You Could Need for a Whole Year and More {number}"
        facts = {"requested_start": months[1], "status": EnrollmentStatus.ACTIVE, "at": paying.noon(begun)}
        facts |= {"premium_cents": 1_234_56, "subsidy_cents": 1_234_56 if number < 2 else 0}
        plan = people.make_plan(product=product, code=f"HL-LONG-{number}", name=name)
        people.make_enrollment(member=member, plan=plan, **facts)
    for day in (begun, months[1], months[2]):
        invoices.issue_missing(today=day, at=paying.noon(day))
    return household


def add_dental(household: Household) -> None:
    """A dental plan beside what the household has, first due when that is."""
    start = find_account(household).enrollment.coverage_start
    people.make_enrollment(
        member=household.member,
        product="dental",
        premium_cents=31_50,
        requested_start=start,
        at=clock.now(),
    )
    invoices.issue_missing(today=clock.today(), at=clock.now())


def add_with_autopay_stopped(portal: Portal) -> Household:
    """AutoPay that was stopped when a payment came back, with the bill of a month that is over still to pay."""
    household = add_with_a_past(portal)
    (mandate,) = turn_on(find_account(household), at=clock.now(), bank=paying.make_details("555000777"))
    stop_mandates(mandate_ids=[mandate.pk], at=clock.now(), why="after a return: R02")
    return household


def add_with_a_past(portal: Portal) -> Household:
    """Covered for three months: two paid, one payment returned and so past due, one month due, one payment canceled."""
    today = clock.today()
    months = list(_list_last_months(today))
    begun = months[0] - timedelta(days=20)
    household = add_household(
        portal,
        premium_cents=HEALTH_CENTS,
        subsidy_cents=SUBSIDY_CENTS,
        requested_start=months[0],
        status=EnrollmentStatus.ACTIVE,
        at=paying.noon(begun),
    )
    for month in (begun, *months):
        invoices.issue_missing(today=month, at=paying.noon(month))
    account = find_account(household)
    for month in months[:2]:
        day = banking_day_on_or_before(day=month - timedelta(days=14))
        _pay_and_live(household, account, on=day)
    returned = add_banking_days(day=today, count=-9)
    _pay_and_live(household, account, on=returned, number=NO_MONEY, routing_number=_name_another_bank())
    canceled = _pay(household, account, on=today - timedelta(days=1))
    cancel_payment(payment_id=canceled.pk, today=today, at=clock.now(), why="canceled by the payer")
    return household


def add_with_credit(portal: Portal, *, credit_cents: int = 50_00) -> Household:
    """Covered since this month, with so much too much in a payment that may be refunded by now."""
    today = clock.today()
    month = first_of_month(today)
    begun = month - timedelta(days=20)
    household = add_household(
        portal,
        premium_cents=HEALTH_CENTS,
        subsidy_cents=SUBSIDY_CENTS,
        requested_start=month,
        status=EnrollmentStatus.ACTIVE,
        at=paying.noon(begun),
    )
    invoices.issue_missing(today=begun, at=paying.noon(begun))
    on = add_banking_days(day=today, count=-9)
    _pay_and_live(household, find_account(household), on=on, cents=BILL_CENTS + credit_cents)
    return household


def add_with_a_saved_account(portal: Portal) -> Household:
    """Health and dental due, and a bank account of an earlier payment."""
    household = portal.add_household(products=("health", "dental"))
    _pay(household, find_account(household), on=clock.today())
    return household


def add_pushed(portal: Portal) -> Household:
    """A first bill nobody paid: it was replaced by one for a month later."""
    today = clock.today()
    start = first_of_month(today)
    enrolled = first_of_month(start - timedelta(days=1)) + timedelta(days=4)
    household = add_household(
        portal, premium_cents=HEALTH_CENTS, requested_start=start, at=paying.noon(enrolled)
    )
    invoices.issue_missing(today=enrolled, at=paying.noon(enrolled))
    review = start - timedelta(days=3)
    overdue.review(
        today=review,
        at=eastern_moment(day=review, at=time(1)),
        run="a past review",
        account_ids=[find_account(household).pk],
    )
    return household


def add_directory() -> None:
    """The made-up directory of routing numbers."""
    lines = generate_directory(seed=1, today=clock.today())
    import_directory(lines=(line.encode() for line in lines), at=clock.now())


def find_bill(household: Household, *, voided: bool) -> Invoice:
    """The household's latest bill that is, or is not, replaced."""
    bills = Invoice.objects.filter(account__enrollment__member=household.member)
    return bills.filter(voided_at__isnull=not voided).latest("coverage_month")


def list_bills(member: Member) -> list[Invoice]:
    """The member's bills that stand, the oldest month first."""
    bills = Invoice.objects.filter(account__enrollment__member=member, voided_at=None)
    return list(bills.order_by("coverage_month", "pk"))


def find_payment(household: Household, *, status: str) -> Payment:
    """The household's latest payment that stands there."""
    return Payment.objects.filter(account__enrollment__member=household.member, status=status).latest("pk")


def _list_last_months(today: date) -> Iterator[date]:
    """The first days of the two months before this one, and of this one."""
    month = first_of_month(first_of_month(today) - timedelta(days=40))
    for _ in range(3):
        yield month
        month = next_month(month)


def _name_another_bank() -> str:
    """A routing number of its own: two returns for want of funds would pause the one account that all would share."""
    digits = f"0110{next(_banks):04d}"
    return digits + compute_check_digit(digits=digits)


def _pay(
    household: Household,
    account: Account,
    *,
    on: date,
    number: str = paying.GOOD,
    routing_number: str = paying.ROUTING,
    cents: int = BILL_CENTS,
) -> Payment:
    payer = Payer(channel=PaymentChannel.WEB, user=household.user, name=household.member.full_name)
    return paying.pay(account, cents, today=on, number=number, routing_number=routing_number, payer=payer)


def _pay_and_live(household: Household, account: Account, *, on: date, **facts: Any) -> None:
    """Pay on a past banking day, and live the bank's mornings on which the payment settles and clears or comes back."""
    _pay(household, account, on=on, **facts)
    paying.send(on)
    paying.settle(add_banking_days(day=on, count=1))
    for count in (4, 5):
        morning = add_banking_days(day=on, count=count)
        paying.read(morning)
        paying.settle(morning)


def add_due_today(portal: Portal) -> Household:
    """A first bill that nobody has paid, and that today is the last day to pay."""
    return add_due_on(portal, day=clock.today())


def add_due_on(portal: Portal, *, day: date) -> Household:
    """A first bill that nobody has paid, and that is due on a day of its own."""
    today = clock.today()
    facts = {"requested_start": next_month(today), "binder_due_date": day, "premium_cents": HEALTH_CENTS}
    household = add_household(portal, at=clock.now(), **facts)
    invoices.issue_missing(today=today, at=clock.now())
    return household


def park_a_return() -> ReturnLine:
    """A return that names no debit of ours, in the last file that was read."""
    file = BankFile.objects.filter(direction="in", kind="returns").order_by("-pk")[0]
    sealed = SealedValue.make(clear=f"799R01{'0' * 15}      01100001".encode(), purpose="return_line")
    sealed.save(force_insert=True)
    facts = {
        "code": "R01",
        "trace": "0" * 15,
        "amount_cents": 50_00,
        "parked_because": "no debit has this trace",
    }
    return ReturnLine.objects.create(
        file=file, line=90_000, applied=False, sealed=sealed, at=clock.now(), **facts
    )


def list_to_be_ended(account: Account) -> Episode:
    """The account fell behind in its second month, and its ladder has run out."""
    first = Invoice.objects.filter(account=account, is_binder=True).get().coverage_month
    night = next_month(first).replace(day=1) - timedelta(days=5)
    facts = {"oldest_month": next_month(first), "kind": "short", "found_on": night}
    episode = Episode.objects.create(account=account, opened_at=clock.now(), **facts)
    EPISODE_MOVES.move(
        model=Episode, history=EpisodeMove, ids=[episode.pk], before="open", after="listed", at=clock.now()
    )
    return episode

"""Paying in a simulation: households do what they mean to do, through the same functions as the portal's pages."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from uuid import UUID

from billing.balances import Standing, read_standings
from billing.models import Account
from connector_pay.lib import clock
from connector_pay.simulation.calling import pay_by_phone
from connector_pay.simulation.chances import HAS_CEILING, SENDS_FORM_TWICE, happens, roll
from connector_pay.simulation.households import Household
from connector_pay.simulation.mailing import mail_checks
from connector_pay.simulation.plans import Act
from members.models import Member, User
from payments.autopay.plans import Plan, make_plans
from payments.autopay.setting_up import UnableToSetUp, may_set_up, read_live, set_up
from payments.autopay.turning_off import turn_off
from payments.bank_accounts import BankDetails
from payments.bank_numbers import UnableToUseBankAccount
from payments.canceling import UnableToCancel, cancel_payment
from payments.drafts import Chosen, Contents
from payments.models import BankAccount, BankAccountStatus, Mandate, Payment, PaymentChannel, PaymentStatus
from payments.payables import Payable, find_last_day, make_payables
from payments.recording import Payer, PaymentItem, UnableToRecord, record_payments
from payments.review import prepare_items
from payments.settlement import validate_waiting

USABLE = (BankAccountStatus.VALID, BankAccountStatus.UNCHECKED)
GUEST = "Grace Guest"


class UnableToPayOnce(Exception):
    """The same form, sent twice, made two payments."""


@dataclass
class Scene:
    """What the households of one sitting find: what each can pay, who signs in, and with which saved bank accounts."""

    today: date
    payables: dict[str, list[Payable]]
    users: dict[str, User]
    saved: dict[int, list[BankAccount]]
    unchecked: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Visit:
    """One household at one act, and where it stands in time."""

    act: Act
    home: Household
    scene: Scene

    @property
    def at(self) -> datetime:
        """The moment, in UTC."""
        return clock.eastern_moment(day=self.act.day, at=self.act.at)

    @property
    def user(self) -> User | None:
        """Who has signed in; nobody where a guest pays."""
        return self.scene.users[self.home.member_id] if self.act.way == "member" else None

    @property
    def payables(self) -> list[Payable]:
        """What can be paid: all of it, or the first bill alone."""
        found = self.scene.payables.get(self.home.member_id, [])
        return found[:1] if self.act.one_bill else found


def sit(*, acts: Sequence[Act], homes: Mapping[int, Household]) -> Counter[str]:
    """Households do what they mean to do within some hours of one day, in order; returns what came of it.

    Bank accounts just typed are validated afterwards, as a worker does that is woken.
    """
    done: Counter[str] = Counter()
    if not acts:
        return done
    today = acts[0].day
    scene = _read_scene([homes[act.household].member_id for act in acts], today=today)
    seen: set[int] = set()
    for act in acts:
        home = homes[act.household]
        if home.number in seen:
            scene.payables |= _read_payables([home.member_id], today=today)
        seen.add(home.number)
        visit = Visit(act, home, scene)
        clock.stand_at(visit.at)
        done[_ACTS[act.what](visit)] += 1
    if scene.unchecked:
        validate_waiting(today=today, at=clock.now(), bank_account_ids=sorted(scene.unchecked))
    return done


def _read_scene(member_ids: Iterable[str], *, today: date) -> Scene:
    known = {
        member.member_id: member
        for member in Member.objects.filter(member_id__in=set(member_ids)).select_related("user")
    }
    saved: dict[int, list[BankAccount]] = {}
    usable = BankAccount.objects.filter(owner__member__in=known.values(), hidden_at=None, status__in=USABLE)
    for account in usable.order_by("pk"):
        saved.setdefault(account.owner_id or 0, []).append(account)
    return Scene(
        today=today,
        payables=_read_payables(known, today=today),
        users={number: member.user for number, member in known.items()},
        saved=saved,
    )


def _read_payables(member_ids: Iterable[str], *, today: date) -> dict[str, list[Payable]]:
    owners = dict(
        Account.objects.filter(enrollment__member__member_id__in=list(member_ids)).values_list(
            "pk", "enrollment__member__member_id"
        )
    )
    standings = read_standings(account_ids=owners, today=today)
    found: dict[str, dict[int, Payable]] = {}
    by_member: dict[str, list[int]] = {}
    for key, member_id in owners.items():
        by_member.setdefault(member_id, []).append(key)
    for member_id, keys in by_member.items():
        payables = make_payables(standings={key: standings[key] for key in sorted(keys)})
        found[member_id] = {item.account_id: item for item in payables}
    return {member_id: list(items.values()) for member_id, items in found.items()}


def _pay(visit: Visit) -> str:
    """What is due, or a part of it, on every bill that is open."""
    chosen = [
        Chosen(item.account_id, max(item.standing.due_cents * visit.act.share // 100, 1_00))
        for item in visit.payables
        if item.standing.due_cents
    ]
    return _record(visit, chosen)


def _pay_again(visit: Visit) -> str:
    """A month's premium, whether or not anything is due."""
    chosen = [
        Chosen(item.account_id, item.standing.monthly_premium_cents)
        for item in visit.payables
        if item.standing.monthly_premium_cents
    ]
    return _record(visit, chosen)


def _schedule(visit: Visit) -> str:
    """What is due, on a later day: at the latest the last one that the page offers."""
    due = [item for item in visit.payables if item.standing.due_cents]
    wanted = visit.scene.today + timedelta(days=visit.act.days_ahead)
    pay_on = min(wanted, find_last_day(payables=due, today=visit.scene.today))
    return _record(visit, [Chosen(item.account_id, item.standing.due_cents) for item in due], pay_on=pay_on)


def _cancel(visit: Visit) -> str:
    """The latest payment that is still recorded, if it can still be canceled."""
    member = Payment.objects.filter(account__enrollment__member__member_id=visit.home.member_id)
    payment = member.exclude(status=PaymentStatus.CANCELED).order_by("-pk").first()
    if payment is None:
        return "nothing to cancel"
    try:
        cancel_payment(
            payment_id=payment.pk, today=visit.scene.today, at=visit.at, why="canceled by the payer"
        )
    except UnableToCancel:
        return "too late to cancel"
    return "canceled"


def _turn_autopay_on(visit: Visit) -> str:
    """For every bill that AutoPay does not pay yet."""
    live = read_live(account_ids=[item.account_id for item in visit.payables])
    wanted = [
        item for item in visit.payables if item.account_id not in live and may_set_up(standing=item.standing)
    ]
    if not wanted:
        return "autopay stays as it is"
    try:
        mandates = _set_up(visit, wanted)
    except (UnableToSetUp, UnableToRecord, UnableToUseBankAccount):
        return "autopay refused"
    visit.scene.unchecked |= {
        mandate.bank_account_id
        for mandate in mandates
        if mandate.bank_account.status == BankAccountStatus.UNCHECKED
    }
    return "autopay on"


def _turn_autopay_off(visit: Visit) -> str:
    """Every bill's."""
    account_ids = [item.account_id for item in visit.payables]
    ended = turn_off(account_ids=account_ids, today=visit.scene.today, at=visit.at)
    return "autopay off" if ended else "autopay stays as it is"


_ACTS: dict[str, Callable[[Visit], str]] = {
    "pay": _pay,
    "pay again": _pay_again,
    "schedule": _schedule,
    "cancel": _cancel,
    "autopay on": _turn_autopay_on,
    "autopay off": _turn_autopay_off,
}


def _record(visit: Visit, chosen: Sequence[Chosen], *, pay_on: date | None = None) -> str:
    """Review and Pay, by whichever way the household pays."""
    if not chosen:
        return "nothing due"
    try:
        payments = WAYS[visit.act.way](visit, chosen, pay_on)
    except (UnableToRecord, UnableToUseBankAccount):
        return "refused"
    visit.scene.unchecked |= {
        payment.bank_account_id
        for payment in payments
        if payment.bank_account.status == BankAccountStatus.UNCHECKED
    }
    return "paid"


def _set_up(visit: Visit, wanted: Sequence[Payable]) -> list[Mandate]:
    """Signed in, from the account saved last or another; some choose a limit. Raises UnableToSetUp."""
    dice = roll(visit.home.seed, "autopay", visit.home.number, visit.act.day)
    bank = _choose_bank(visit)
    chosen = [
        Chosen(
            item.account_id, item.standing.monthly_premium_cents + 5_00 if happens(dice, HAS_CEILING) else 0
        )
        for item in wanted
    ]

    def prepare(standings: Mapping[int, Standing], live: Mapping[int, Mandate]) -> list[Plan]:
        payables = {item.account_id: item for item in make_payables(standings=standings)}
        if any(item.account_id not in payables for item in chosen):
            raise UnableToSetUp("This bill is over.")
        return make_plans(chosen=chosen, payables=payables, live=live, bank=bank, language="en", at=visit.at)

    return set_up(
        payer=Payer(channel=PaymentChannel.WEB, user=visit.user, name=visit.home.name),
        bank=bank,
        account_ids=[item.account_id for item in chosen],
        prepare=prepare,
        form_key=UUID(int=dice.getrandbits(128), version=4),
        today=visit.scene.today,
        at=visit.at,
    )


def _choose_bank(visit: Visit) -> BankDetails | BankAccount:
    """The account that the member saved last, unless another is to be typed."""
    saved = visit.scene.saved.get(visit.user.pk, []) if visit.user and visit.act.account == "good" else []
    return saved[-1] if saved else _type_bank(visit, holder=visit.home.name)


def _pay_as_member(visit: Visit, chosen: Sequence[Chosen], pay_on: date | None) -> list[Payment]:
    """Signed in; from the account saved last, unless the household types another."""
    payer = Payer(channel=PaymentChannel.WEB, user=visit.user, name=visit.home.name)
    return _press_pay(visit, chosen, payer=payer, bank=_choose_bank(visit), pay_on=pay_on)


def _pay_as_guest(
    visit: Visit, chosen: Sequence[Chosen], pay_on: date | None, *, shown: bool = True
) -> list[Payment]:
    """Somebody who gave the member's date of birth, and is shown what is due."""
    payer = Payer(channel=PaymentChannel.GUEST, user=None, name=GUEST, receipt_email="grace@example.org")
    return _press_pay(
        visit, chosen, payer=payer, bank=_type_bank(visit, holder=GUEST), pay_on=None, shown=shown
    )


def _pay_unseen(visit: Visit, chosen: Sequence[Chosen], pay_on: date | None) -> list[Payment]:
    """Somebody who has the bill, and is shown nothing."""
    return _pay_as_guest(visit, chosen, pay_on, shown=False)


def _call_in(visit: Visit, chosen: Sequence[Chosen], pay_on: date | None) -> list[Payment]:
    """On the phone, from an account in the member's name. Raises UnableToRecord."""
    return pay_by_phone(
        member_id=visit.home.member_id,
        language=visit.home.language,
        payables=visit.scene.payables[visit.home.member_id],
        chosen=chosen,
        bank=_type_bank(visit, holder=visit.home.name),
        dice=roll(visit.home.seed, "call", visit.home.number, visit.act.day, visit.act.at),
        at=visit.at,
    )


def _mail(visit: Visit, chosen: Sequence[Chosen], pay_on: date | None) -> list[Payment]:
    """A check reaches the exchange today: no debit comes of it."""
    home = visit.home
    mail_checks(
        member_id=home.member_id,
        name=home.name,
        bank=_type_bank(visit, holder=home.name),
        enrolled_on=home.enrolls_on,
        chosen=chosen,
        dice=roll(home.seed, "mail", home.number, visit.act.day, visit.act.at),
        today=visit.scene.today,
        at=visit.at,
    )
    return []


# The ways that a household may pay, by the names in `chances.WAYS`.
WAYS: dict[str, Callable[[Visit, Sequence[Chosen], date | None], list[Payment]]] = {
    "member": _pay_as_member,
    "guest": _pay_as_guest,
    "unseen guest": _pay_unseen,
    "phone": _call_in,
    "check": _mail,
}


def _type_bank(visit: Visit, *, holder: str) -> BankDetails:
    usual = visit.act.account == "good"
    return BankDetails(
        holder_name=holder,
        kind="checking" if visit.home.number % 4 else "savings",
        routing_number=visit.home.routing_number,
        account_number=visit.home.account_number if usual else visit.act.account,
    )


def _press_pay(
    visit: Visit,
    chosen: Sequence[Chosen],
    *,
    payer: Payer,
    bank: BankDetails | BankAccount,
    pay_on: date | None,
    shown: bool = True,
) -> list[Payment]:
    """The review, then the payment; sometimes the same form twice. Raises UnableToRecord, UnableToUseBankAccount."""
    items = _review(visit, chosen, bank=bank, pay_on=pay_on, shown=shown)
    dice = roll(visit.home.seed, "form", visit.home.number, visit.act.day, visit.act.at)
    press = partial(
        record_payments,
        payer=payer,
        bank=bank,
        items=items,
        form_key=UUID(int=dice.getrandbits(128), version=4),
        today=visit.scene.today,
        at=visit.at,
    )
    payments = press()
    if happens(dice, SENDS_FORM_TWICE):
        again = press()
        if [payment.pk for payment in again] != [payment.pk for payment in payments]:
            raise UnableToPayOnce(f"{visit.home.member_id} on {visit.act.day}: {again} is not {payments}.")
    return payments


def _review(
    visit: Visit,
    chosen: Sequence[Chosen],
    *,
    bank: BankDetails | BankAccount,
    pay_on: date | None,
    shown: bool,
) -> list[PaymentItem]:
    """What the payer is told before authorizing, and agrees to."""
    payables = {item.account_id: item for item in visit.payables}
    contents = Contents(account_ids=tuple(payables), shows_account=shown, chosen=tuple(chosen), pay_on=pay_on)
    items = prepare_items(
        contents=contents,
        payables=payables,
        bank=bank,
        same={},
        today=visit.scene.today,
        language="en",
        whose="your" if visit.user else "the",
    )
    return [
        PaymentItem(
            account_id=item.payable.account_id,
            amount_cents=item.amount_cents,
            received_date=item.received_date,
            coverage_sentence=item.sentence,
            authorization_text=item.authorization,
            due_was_shown=shown,
        )
        for item in items
    ]

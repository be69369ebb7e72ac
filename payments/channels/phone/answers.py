"""What each right entry of a call does: the state after it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from connector_pay.lib.money import format_dollars
from payments.bank_numbers import (
    UnableToUseBankAccount,
    check_account_number,
    check_routing_number,
    looks_like_card,
)
from payments.channels.guest import UnableToFindBill, UnableToLookUpPhone, requires_date_of_birth
from payments.channels.phone.facts import Facts, UnableToKeepWord
from payments.channels.phone.questions import UNSEEN_BILLS, UnableToGoOn, list_of_product
from payments.channels.phone.state import OVER, CallState, Line
from payments.channels.phone.words import LANGUAGES
from payments.drafts import Chosen
from payments.models import AccountKind
from payments.payables import Payable, list_amounts
from payments.recording import UnableToRecord
from payments.statements import amount_limits

MEMBER, BORN, BILL, YEAR = "member", "born", "bill", "year"
AMOUNT, OTHER, SURE = "amount", "other", "sure"
KIND, OWNER, ROUTING, ACCOUNT, AGAIN, REVIEW = "kind", "owner", "routing", "account", "again", "review"
YES = "1"
EARLIEST_BIRTH = 1900


class UnableToTake(ValueError):
    """A wrong entry: what is said of it, and at which step the caller may try again, the same unless named."""

    def __init__(self, key: str, *, at: CallState | None = None, **facts: Any) -> None:
        super().__init__(key)
        self.key, self.at, self.facts = key, at, facts


class UnableToSayAgain(Exception):
    """The caller must hear the review again, because something in it has changed; `line` says what."""

    def __init__(self, line: Line) -> None:
        super().__init__(line.words)
        self.line = line


def take_language(state: CallState, digits: str, facts: Facts) -> CallState:
    """English or Spanish."""
    return state.go(MEMBER, language=LANGUAGES[int(digits) - 1])


def take_member(state: CallState, digits: str, facts: Facts) -> CallState:
    """The Member ID or the phone number on the account; what it leads to is looked up with the date of birth."""
    return state.fill(identifier=digits).go(BORN)


def look_up(state: CallState, digits: str, facts: Facts) -> None:
    """Look for the bill, before the call is locked."""
    born = read_born(digits, today=facts.today)
    if born or (not digits and not requires_date_of_birth()):
        facts.look_up(identifier=state.contents.identifier, date_of_birth=born)


def take_born(state: CallState, digits: str, facts: Facts) -> CallState:
    """The bill is found, or it is one and the same miss, whatever did not fit. Raises UnableToTake."""
    born = read_born(digits, today=facts.today)
    if born is None and (digits or requires_date_of_birth()):
        raise UnableToTake("wrong_born")
    try:
        found = facts.find_bill()
    except UnableToFindBill:
        raise UnableToTake("miss", at=state.go(MEMBER)) from None
    except UnableToLookUpPhone:
        raise UnableToTake("no_phones", at=state.go(MEMBER)) from None
    state = state.fill(
        account_ids=found.account_ids,
        shows_account=found.shows_account,
        withheld=found.withheld,
        person=found.person,
    )
    return state.go(BILL)


def read_born(digits: str, *, today: date) -> date | None:
    """A day of birth from 04091986; None where there is no such day, or it is still to come."""
    try:
        born = date(int(digits[4:]), int(digits[:2]), int(digits[2:4]))
    except ValueError:
        return None
    return born if born.year >= EARLIEST_BIRTH and born <= today else None


def slow_down(state: CallState, digits: str, facts: Facts) -> None:
    """Where nothing may be said, each product tried is counted like a look-up."""
    if not state.contents.shows_account:
        products = _choose(UNSEEN_BILLS, digits)
        facts.slow_down(identifier=state.contents.identifier, products=products)


def take_bill(state: CallState, digits: str, facts: Facts) -> CallState:
    """One bill, or all of them. Raises UnableToTake."""
    if not state.contents.shows_account:
        products = _choose(UNSEEN_BILLS, digits)
        return _find_unseen(state.go(BILL, products=tuple(products), to_ask=()).fill(chosen=()), facts)
    payables = _choose(list(facts.list_payables(state).values()), digits)
    state = state.go(BILL, to_ask=tuple(payable.account_id for payable in payables)).fill(chosen=())
    return _ask_next(state, facts)


def take_year(state: CallState, digits: str, facts: Facts) -> CallState:
    """The bill of a coverage year. Raises UnableToTake."""
    bills = list_of_product(state, facts, state.products[0])
    if int(digits) > len(bills):
        raise UnableToTake("wrong_key")
    to_ask = (*state.to_ask, bills[int(digits) - 1].account_id)
    return _find_unseen(replace(state, products=state.products[1:], to_ask=to_ask), facts)


def take_amount(state: CallState, digits: str, facts: Facts) -> CallState:
    """One of the amounts offered, or another. Raises UnableToTake."""
    payable = _find_payable(state, facts)
    options = list_amounts(standing=payable.standing)
    if int(digits) > len(options) + 1:
        raise UnableToTake("wrong_key")
    if int(digits) == len(options) + 1:
        return state.go(OTHER)
    return _keep_amount(state, options[int(digits) - 1].cents, payable, facts)


def take_other(state: CallState, digits: str, facts: Facts) -> CallState:
    """Dollars, star, cents. Raises UnableToTake."""
    dollars, _, cents = digits.partition("*")
    return _keep_amount(state, int(dollars) * 100 + int(cents or 0), _find_payable(state, facts), facts)


def take_sure(state: CallState, digits: str, facts: Facts) -> CallState:
    """Yes, it is meant; or back to which bill and how much."""
    return state.go(KIND if digits == YES else BILL)


def take_kind(state: CallState, digits: str, facts: Facts) -> CallState:
    """Checking or savings."""
    return state.go(OWNER, kind=(AccountKind.CHECKING, AccountKind.SAVINGS)[int(digits) - 1].value)


def take_owner(state: CallState, digits: str, facts: Facts) -> CallState:
    """An account in the member's name; others pay on the guest page or with the help line. Raises UnableToGoOn."""
    if digits != YES:
        raise UnableToGoOn("elsewhere")
    return state.go(ROUTING)


def take_routing(state: CallState, digits: str, facts: Facts) -> CallState:
    """A bank's routing number. Raises UnableToTake."""
    try:
        return state.go(ACCOUNT, routing_number=check_routing_number(digits))
    except UnableToUseBankAccount:
        raise UnableToTake("wrong_routing") from None


def take_account(state: CallState, digits: str, facts: Facts) -> CallState:
    """An account number; one that looks like a card's is taken when it is keyed in once more. Raises UnableToTake."""
    try:
        number = check_account_number(digits)
    except UnableToUseBankAccount:
        raise UnableToTake("wrong_account") from None
    if looks_like_card(number) and number != state.suspect:
        raise UnableToTake("card", at=replace(state, suspect=number))
    return state.go(AGAIN, account_number=number)


def take_again(state: CallState, digits: str, facts: Facts) -> CallState:
    """The same number once more. Raises UnableToTake."""
    if digits != state.account_number:
        raise UnableToTake("not_same", at=state.go(ACCOUNT, account_number=""))
    return state.go(REVIEW)


def take_authorization(state: CallState, digits: str, facts: Facts) -> CallState:
    """1 authorizes what was said, if it still holds: then it is paid. Raises UnableToTake, UnableToSayAgain, UnableToGoOn."""
    try:
        facts.pay(state)
    except UnableToKeepWord as change:
        raise UnableToSayAgain(Line(state.language, f"{change}.")) from None
    except UnableToUseBankAccount:
        at = state.go(KIND, account_number="", routing_number="")
        raise UnableToTake("unusable", at=at) from None
    except UnableToRecord as refusal:
        words = f"{refusal}." if str(refusal) else ""
        raise UnableToGoOn("cannot_pay", Line(state.language, words)) from None
    return state.go(OVER)


def _choose(among: Sequence[Any], digits: str) -> Sequence[Any]:
    """The one of this key, or with the last key all of them. Raises UnableToTake."""
    key = int(digits)
    if key > len(among) + (len(among) > 1):
        raise UnableToTake("wrong_key")
    return among if key > len(among) else [among[key - 1]]


def _find_unseen(state: CallState, facts: Facts) -> CallState:
    """Find the bill of each product; where there are two its year is asked, where there is none it is a miss.

    Raises UnableToTake.
    """
    while state.products:
        fitting = list_of_product(state, facts, state.products[0])
        if not fitting:
            raise UnableToTake("wrong_bill", at=state.go(BILL))
        if len(fitting) > 1:
            return state.go(YEAR)
        to_ask = (*state.to_ask, fitting[0].account_id)
        state = replace(state, products=state.products[1:], to_ask=to_ask)
    return _ask_next(state, facts)


def _ask_next(state: CallState, facts: Facts) -> CallState:
    """On to the next bill's amount; after the last, on to the bank account, unless something is to be asked once more."""
    if not state.to_ask:
        return state.go(SURE if facts.list_questions(state) else KIND)
    payable = _find_payable(state, facts)
    offered = state.contents.shows_account and list_amounts(standing=payable.standing)
    return state.go(AMOUNT if offered else OTHER)


def _keep_amount(state: CallState, cents: int, payable: Payable, facts: Facts) -> CallState:
    limits = amount_limits(standing=payable.standing if state.contents.shows_account else None)
    if cents < limits.minimum:
        raise UnableToTake("too_little", least=format_dollars(limits.minimum))
    if cents > limits.maximum:
        raise UnableToTake("too_much", most=format_dollars(limits.maximum))
    chosen = (*state.contents.chosen, Chosen(payable.account_id, cents))
    return _ask_next(replace(state.fill(chosen=chosen), to_ask=state.to_ask[1:]), facts)


def _find_payable(state: CallState, facts: Facts) -> Payable:
    payable = facts.list_payables(state).get(state.to_ask[0])
    if payable is None:
        raise UnableToGoOn("cannot_pay")
    return payable

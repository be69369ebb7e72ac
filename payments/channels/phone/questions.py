"""What a call asks at each step: the words, with what is due and what paying does filled in."""

from collections.abc import Iterator, Sequence

from connector_pay.lib.money import format_dollars
from connector_pay.lib.templatetags.exchange import long_date
from members.models import Product
from payments.banking_calendar import read_calendar
from payments.channels.guest import requires_date_of_birth
from payments.channels.phone.facts import Facts
from payments.channels.phone.speech import spell_digits, spell_number
from payments.channels.phone.state import CallState, Line
from payments.channels.phone.words import BILLS, KINDS, LANGUAGES, name_bill, say
from payments.models import BankAccountStatus, Payment
from payments.payables import Payable, list_amounts
from payments.review import ReviewItem
from payments.statements import describe_due, expected_clearing_date

Asked = tuple[CallState, list[Line]]
UNSEEN_BILLS = (Product.HEALTH, Product.DENTAL)


class UnableToGoOn(Exception):
    """The call cannot lead to a payment any more; `key` is what is said of it."""

    def __init__(self, key: str, line: Line | None = None) -> None:
        super().__init__(key)
        self.key, self.line = key, line


def ask_plainly(state: CallState, facts: Facts) -> Asked:
    """The step's own words."""
    return state, [say(state.step, language=state.language)]


def ask_language(state: CallState, facts: Facts) -> Asked:
    """Welcome, in both languages."""
    return state, [say("language", language=language) for language in LANGUAGES]


def ask_born(state: CallState, facts: Facts) -> Asked:
    """The date of birth, which may be left out unless the exchange asks everyone for it."""
    keys = ["born"] if requires_date_of_birth() else ["born", "born_optional"]
    return state, [say(key, language=state.language) for key in keys]


def ask_bill(state: CallState, facts: Facts) -> Asked:
    """What is due, where it may be said; and which bills to pay."""
    language = state.language
    if not state.contents.shows_account:
        withheld = [say("withheld", language=language)] if state.contents.withheld else []
        bills = [BILLS[language][product] for product in UNSEEN_BILLS]
        return state, [*withheld, *_list_choices(bills, language)]
    payables = list(facts.list_payables(state).values())
    lines = [say("person", language=language, person=state.contents.person)]
    for payable in payables:
        lines += _describe_bill(payable, facts, language)
    names = [name_bill(payable=payable, language=language) for payable in payables]
    return state, [*lines, *_list_choices(names, language)]


def ask_year(state: CallState, facts: Facts) -> Asked:
    """Of two bills of one product, the coverage year."""
    language, product = state.language, state.products[0]
    lines = [say("year", language=language, bill=BILLS[language][Product(product)])]
    for key, payable in enumerate(list_of_product(state, facts, product), start=1):
        lines.append(say("year_choice", language=language, year=payable.coverage, key=key))
    return state, lines


def ask_amount(state: CallState, facts: Facts) -> Asked:
    """What is due, this month's and the past due apart where both are owed, or another amount."""
    payable, language = _find_payable(state, facts), state.language
    lines = [say("amount", language=language, bill=name_bill(payable=payable, language=language))]
    options = list_amounts(standing=payable.standing)
    for key, option in enumerate(options, start=1):
        lines.append(say("amount_choice", language=language, option=option.words, key=key))
    return state, [*lines, say("amount_other", language=language, key=len(options) + 1)]


def ask_other(state: CallState, facts: Facts) -> Asked:
    """Another amount."""
    bill = name_bill(payable=_find_payable(state, facts), language=state.language)
    return state, [say("other", language=state.language, bill=bill)]


def ask_sure(state: CallState, facts: Facts) -> Asked:
    """More than is due, or the same amount already on its way: asked once more."""
    questions = [Line(state.language, question) for question in facts.list_questions(state)]
    return state, [*questions, say("sure", language=state.language)]


def ask_review(state: CallState, facts: Facts) -> Asked:
    """Amounts, day, bank account and what paying does; then what is authorized, word for word.

    What was said is kept, to be compared with what is true when the caller presses 1. Raises UnableToGoOn.
    """
    items = facts.review(state)
    if items is None:
        raise UnableToGoOn("cannot_pay")
    lines = [say("review", language=state.language)]
    for item in items:
        lines += _describe_item(item, state, facts)
    lines.append(say("authorization", language=state.language))
    lines += [Line(state.language, item.authorization) for item in items]
    lines.append(say("authorize" if len(items) == 1 else "authorize_all", language=state.language))
    return state.go(state.step, shown=tuple(item.shown for item in items)), lines


def say_received(payments: Sequence[Payment], *, language: str) -> list[Line]:
    """What was received; each confirmation number with those words, twice; and when the payment is final."""
    lines = []
    for payment in payments:
        bill = BILLS[language][Product(payment.account.enrollment.plan.product)]
        amount = format_dollars(payment.amount_cents)
        number = spell_number(payment.confirmation_number, language=language)
        lines.append(say("received", language=language, amount=amount, bill=bill))
        lines.append(say("confirmation", language=language, number=number))
        lines.append(say("confirmation_again", language=language, number=number))
    final = expected_clearing_date(
        today=payments[0].received_date,
        at=payments[0].recorded_at,
        received_date=payments[0].received_date,
        validated=payments[0].bank_account.status == BankAccountStatus.VALID,
        effective_date=payments[0].effective_date,
        calendar=read_calendar(),
    )
    return [
        *lines,
        say("not_final", language=language, date=long_date(final)),
        say("goodbye", language=language),
    ]


def list_of_product(state: CallState, facts: Facts, product: str) -> list[Payable]:
    """The bills of a product, of which there may be two."""
    return [payable for payable in facts.list_payables(state).values() if payable.product == product]


def _find_payable(state: CallState, facts: Facts) -> Payable:
    """The bill whose amount is asked now. Raises UnableToGoOn."""
    payable = facts.list_payables(state).get(state.to_ask[0])
    if payable is None:
        raise UnableToGoOn("cannot_pay")
    return payable


def _list_choices(bills: Sequence[str], language: str) -> Iterator[Line]:
    """A key for each bill, and one for all of them."""
    for key, bill in enumerate(bills, start=1):
        yield say("bill_choice", language=language, bill=bill, key=key)
    if len(bills) > 1:
        every = "bill_both" if len(bills) == 2 else "bill_all"
        yield say(every, language=language, key=len(bills) + 1)


def _describe_bill(payable: Payable, facts: Facts, language: str) -> Iterator[Line]:
    """What is due on a bill, and by when."""
    standing, bill = payable.standing, name_bill(payable=payable, language=language)
    if not standing.due_cents:
        yield say("bill_clear", language=language, bill=bill)
        return
    yield say("bill_due", language=language, bill=bill, amount=format_dollars(standing.due_cents))
    for words in describe_due(standing=standing, today=facts.today):
        yield Line(language, f"{words}.")


def _describe_item(item: ReviewItem, state: CallState, facts: Facts) -> Iterator[Line]:
    """One payment read back: the bank account by its last four, and what paying does to coverage."""
    language = state.language
    yield say(
        "review_item",
        language=language,
        bill=name_bill(payable=item.payable, language=language),
        amount=format_dollars(item.amount_cents),
        date=long_date(facts.today),
        kind=KINDS[language][state.kind],
        last_four=spell_digits(state.account_number[-4:]),
    )
    for words in (item.sentence, item.question):
        if words:
            yield Line(language, words)

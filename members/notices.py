"""Notices: what each event tells a person, in which words, and by which channels.

Facts of each event; those in brackets may be left out. `..._cents` are whole cents, `..._date`, `..._start`,
`start_before` and `start_after` are days, `coverage_month` is the first of a month, `product` is "health" or
"dental", `effect` is the coverage sentence as the payer was shown it. Of bill_ready, start_pushed,
start_restored, enrollment_restored and termination `amount_cents` is what is still to be paid, which may be nothing.
`end_date` is the last day of coverage: of past_due and termination_warning, if nothing is paid, left out where staff choose
it, with `end_is_past` where it lies before the notice's day; of reinstated, as it was.

| event                  | facts                                                                             |
| ---------------------- | --------------------------------------------------------------------------------- |
| payment_received       | product, amount_cents, received_date, confirmation_number, last_four, effect,     |
|                        | clearing_date (text: what was authorized by phone, word for word)                 |
| payment_scheduled      | product, amount_cents, received_date, confirmation_number, last_four, effect      |
| payment_returned       | product, amount_cents, received_date, confirmation_number, last_four, effect      |
|                        | (reason: only to the payer, a sentence; due_cents; due_date)                      |
| check_received         | product, amount_cents, received_date, check_number, effect                        |
| check_returned         | product, amount_cents, received_date, check_number, effect (due_cents; due_date)  |
| money_moved_away       | product, plan_name, amount_cents, received_date, effect (due_cents; due_date)     |
| money_moved_here       | product, plan_name, amount_cents, received_date, effect                           |
| received_date_changed  | product, plan_name, amount_cents, day_before, day_after, effect                   |
| payment_canceled       | product, amount_cents, confirmation_number (effect; is_over: coverage is, or ends,|
|                        | with nothing left to pay)                                                         |
| start_pushed           | product, plan_name, start_before, start_after, amount_cents, due_date             |
| start_restored         | product, plan_name, start_before, start_after, amount_cents, due_date             |
| coverage_confirmed     | product, plan_name, coverage_start (amount_cents: what the first bill asked for)  |
| bill_ready             | product, plan_name, invoice_number, coverage_month, amount_cents, due_date        |
|                        | (is_free: the month itself has come to nothing)                                   |
| due_reminder           | product, plan_name, amount_cents, due_date (coverage_start: of a first bill)      |
| bank_details_corrected | last_four (confirmation_number)                                                   |
| enrollment_expired     | product, plan_name, requested_start                                               |
| enrollment_restored    | product, plan_name, coverage_start, amount_cents, due_date                        |
| refund                 | product, amount_cents, received_date, method ("ach", "check" or "reversal")       |
|                        | (confirmation_number; last_four; check_number; due_cents, due_date, effect)       |
| bank_account_stopped   | last_four, state (blocked, paused, stopped, suspended), bills: each with product, |
|                        | coverage_month, remaining_cents, due_date (autopay; canceled: how many payments)  |
| autopay_on,            | product, last_four, draft_date, amount_cents (of the first draft), text: what was |
| autopay_changed        | authorized, word for word (above: more than is taken at once; ceiling_cents)      |
| autopay_off            | product, last_four, bills (canceled_cents: a draft not sent; ended: with coverage;|
|                        | at_bank_cents, scheduled_cents: what is left out of the bills)                    |
| autopay_coming         | product, last_four, draft_date, amount_cents, debit_date, cut_date, cutoff: in    |
|                        | words, the Eastern time until which it can be stopped on the cut_date             |
| autopay_ceiling        | product, last_four, draft_date, amount_cents, ceiling_cents, bills (is_flat: not  |
|                        | the payer's own limit; at_bank_cents, scheduled_cents as above)                   |
| autopay_waiting        | product, last_four, draft_date, amount_cents, bills (at_bank_cents,               |
|                        | scheduled_cents as above)                                                         |
| past_due               | product, plan_name, amount_cents, pay_by_date (end_date, end_is_past)             |
| termination_warning    | product, plan_name, amount_cents, pay_by_date (end_date, end_is_past)             |
| termination            | product, plan_name, end_date, amount_cents, ask_by_date                           |
| reinstated             | product, plan_name, end_date                                                      |
| refund_asked           | product, plan_name, amount_cents                                                  |
| email_to_confirm       | change_key: of the change its link confirms                                       |
| paperless_on           | text: what was agreed to, word for word                                           |
| email_in_use, email_changed, phone_changed, password_changed, paper_again: none                            |
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, Protocol

from django.conf import settings
from django.template import Context, Engine
from django.utils import dateformat, translation

from connector_pay.lib.money import format_dollars
from members.email_links import write_link
from members.models import Channel

LANGUAGES = ("en", "es")


class UnableToTell(Exception):
    """The event is unknown, a fact is missing, or there is nobody to tell."""


@dataclass(frozen=True)
class Kind:
    """One line of the table: the facts an event needs, its subject line by language, and how it travels.

    `choice` is the paperless choice that decides between email and letter; `both` sends the two in any case.
    """

    needs: frozenset[str]
    subjects: Mapping[str, str]
    choice: Literal["bills", "notices"] = "notices"
    both: bool = False


class Addressee(Protocol):
    """Whom a notice is for, and how it reaches them: a member, or as much of one as that takes."""

    @property
    def pk(self) -> int: ...
    @property
    def email(self) -> str: ...
    @property
    def language(self) -> str: ...
    @property
    def paperless_bills(self) -> bool: ...
    @property
    def paperless_notices(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class MemberToTell:
    """As much of a member as a notice takes; read for many at once."""

    pk: int
    email: str
    language: str
    paperless_bills: bool
    paperless_notices: bool


@dataclass(frozen=True)
class Words:
    """A notice ready to send: nothing sensitive in the subject line."""

    subject: str
    body: str


def _kind(needs: str, english: str, spanish: str, **how: Any) -> Kind:
    return Kind(needs=frozenset(needs.split()), subjects={"en": english, "es": spanish}, **how)


DRAFT = "product last_four draft_date amount_cents"
PAYMENT = "product amount_cents confirmation_number"
KINDS: dict[str, Kind] = {
    "staff_changed": _kind(
        "account changed changed_by rest_until",
        "A staff account was changed. Please check it",
        "Se cambió una cuenta del personal. Revísela",
    ),
    "payment_received": _kind(
        f"{PAYMENT} received_date last_four effect clearing_date",
        "We received your payment",
        "Recibimos su pago",
    ),
    "payment_scheduled": _kind(
        f"{PAYMENT} received_date last_four effect",
        "Your payment is scheduled",
        "Su pago está programado",
    ),
    "payment_returned": _kind(
        f"{PAYMENT} received_date last_four effect",
        "Your payment did not go through. Please act now",
        "Su pago no se completó. Actúe ahora",
        both=True,
    ),
    "check_received": _kind(
        "product amount_cents received_date check_number effect",
        "We received your check",
        "Recibimos su cheque",
    ),
    "check_returned": _kind(
        "product amount_cents received_date check_number effect",
        "Your check did not go through. Please act now",
        "Su cheque no se completó. Actúe ahora",
        both=True,
    ),
    "money_moved_away": _kind(
        "product plan_name amount_cents received_date effect",
        "A payment was moved off your bill. Please read this",
        "Movimos un pago que estaba en su factura. Lea esto",
        both=True,
    ),
    "money_moved_here": _kind(
        "product plan_name amount_cents received_date effect",
        "A payment was put on your bill",
        "Pusimos un pago en su factura",
    ),
    "received_date_changed": _kind(
        "product plan_name amount_cents day_before day_after effect",
        "We corrected the date of your payment",
        "Corregimos la fecha de su pago",
    ),
    "payment_canceled": _kind(PAYMENT, "Your payment was canceled", "Su pago fue cancelado"),
    "start_pushed": _kind(
        "product plan_name start_before start_after amount_cents due_date",
        "Your coverage start date has changed",
        "Cambió la fecha de inicio de su cobertura",
        both=True,
    ),
    "start_restored": _kind(
        "product plan_name start_before start_after amount_cents due_date",
        "Your coverage starts earlier after all",
        "Su cobertura comienza antes de lo que le dijimos",
    ),
    "coverage_confirmed": _kind(
        "product plan_name coverage_start", "Your coverage is confirmed", "Su cobertura está confirmada"
    ),
    "bill_ready": _kind(
        "product plan_name invoice_number coverage_month amount_cents due_date",
        "Your premium bill is ready",
        "Su factura de la prima está lista",
        choice="bills",
    ),
    "due_reminder": _kind(
        "product plan_name amount_cents due_date",
        "Your premium is due soon",
        "Su prima vence pronto",
    ),
    "bank_details_corrected": _kind(
        "last_four",
        "Your bank sent us a correction",
        "Su banco nos envió una corrección",
    ),
    "enrollment_expired": _kind(
        "product plan_name requested_start",
        "Your enrollment has ended",
        "Su inscripción ha terminado",
    ),
    "enrollment_restored": _kind(
        "product plan_name coverage_start amount_cents due_date",
        "Your enrollment goes on after all",
        "Su inscripción sí continúa",
        both=True,
    ),
    "refund": _kind(
        "product amount_cents received_date method",
        "About a refund of your payment",
        "Sobre un reembolso de su pago",
    ),
    "bank_account_stopped": _kind(
        "last_four state bills",
        "We can no longer take payments from your bank account",
        "Ya no podemos cobrar de su cuenta de banco",
        both=True,
    ),
    "autopay_on": _kind(f"{DRAFT} text", "AutoPay is on", "El pago automático está activado"),
    "autopay_changed": _kind(f"{DRAFT} text", "You changed AutoPay", "Usted cambió el pago automático"),
    "autopay_off": _kind("product last_four bills", "AutoPay is off", "El pago automático está desactivado"),
    "autopay_coming": _kind(
        f"{DRAFT} debit_date cut_date cutoff", "An AutoPay payment is coming", "Se acerca un pago automático"
    ),
    "autopay_ceiling": _kind(
        f"{DRAFT} ceiling_cents bills",
        "AutoPay will not pay your bill. Please pay it now",
        "El pago automático no pagará su factura. Páguela ahora",
        both=True,
    ),
    "autopay_waiting": _kind(
        f"{DRAFT} bills",
        "AutoPay cannot pay your bill yet. Please pay it now",
        "El pago automático aún no puede pagar su factura. Páguela ahora",
        both=True,
    ),
    "past_due": _kind(
        "product plan_name amount_cents pay_by_date",
        "Your premium is past due",
        "Su prima está vencida",
    ),
    "termination_warning": _kind(
        "product plan_name amount_cents pay_by_date",
        "Your coverage will end. Please act now",
        "Su cobertura va a terminar. Actúe ahora",
        both=True,
    ),
    "termination": _kind(
        "product plan_name end_date amount_cents ask_by_date",
        "Your coverage has ended",
        "Su cobertura ha terminado",
    ),
    "reinstated": _kind(
        "product plan_name end_date",
        "Your coverage is back",
        "Su cobertura continúa",
    ),
    "refund_asked": _kind(
        "product plan_name amount_cents",
        "We are preparing a refund for you",
        "Estamos preparando un reembolso para usted",
    ),
    "email_to_confirm": _kind("change_key", "Confirm your email address", "Confirme su correo electrónico"),
    "email_in_use": _kind("", "About your email address", "Sobre su correo electrónico"),
    "email_changed": _kind(
        "", "Your email address was changed", "Se cambió su correo electrónico", both=True
    ),
    "phone_changed": _kind("", "Your phone number was changed", "Se cambió su número de teléfono", both=True),
    "password_changed": _kind("", "Your password was changed", "Se cambió su contraseña"),
    "paperless_on": _kind(
        "text", "You chose email, not paper", "Usted eligió correo electrónico, no papel", both=True
    ),
    "paper_again": _kind("", "We will send you paper again", "Le enviaremos papel otra vez", both=True),
}
PRODUCT_WORDS = {
    "en": {"health": "health", "dental": "dental"},
    "es": {"health": "de salud", "dental": "dental"},
}
DAY = {"en": "F j, Y", "es": r"j \d\e F \d\e Y"}
MONTH = {"en": "F Y", "es": r"F \d\e Y"}


def find_kind(*, event: str, facts: Mapping[str, Any]) -> Kind:
    """Its line of the table. Raises UnableToTell where it has none, or the facts lack what it needs."""
    if event not in KINDS:
        raise UnableToTell(f"There is no notice for {event!r}.")
    missing = KINDS[event].needs - facts.keys()
    if missing:
        raise UnableToTell(f"{event} needs {', '.join(sorted(missing))}.")
    return KINDS[event]


def choose_channels(*, kind: Kind, member: Addressee | None, address: str) -> list[Channel]:
    """By email when paperless for that kind, else by letter; returned payments, pushed starts and warnings of an end by both.

    An address given for this one notice always gets its email; someone who is no member gets nothing else. A
    member without an email address gets the letter.
    """
    if member is None:
        return [Channel.EMAIL] if address else []
    paperless = member.paperless_bills if kind.choice == "bills" else member.paperless_notices
    wants_email = (paperless or kind.both) and bool(member.email)
    channels = [Channel.EMAIL] if wants_email or address else []
    if kind.both or not (paperless and member.email):
        channels.append(Channel.LETTER)
    return channels


def write(*, event: str, language: str, facts: Mapping[str, Any], name: str = "") -> Words:
    """The notice in the reader's language. `facts` as stored, days as YYYY-MM-DD. Raises UnableToTell."""
    kind = find_kind(event=event, facts=facts)
    spoken = language if language in LANGUAGES else "en"
    with translation.override(spoken):
        body = _render(
            f"notices/{event}.{spoken}.txt", _put_in_words(facts.items(), language=spoken) | {"name": name}
        )
    return Words(subject=kind.subjects[spoken], body=body)


def _render(template: str, words: Mapping[str, Any]) -> str:
    """Plain text: nothing is escaped, and the blank lines that tags leave behind are closed up."""
    context = Context(
        {"exchange": settings.EXCHANGE, "portal_url": settings.PORTAL_URL, **words}, autoescape=False
    )
    text: str = Engine.get_default().get_template(template).render(context)
    paragraphs = (paragraph.strip() for paragraph in text.split("\n\n"))
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph) + "\n"


def _put_in_words(facts: Iterable[tuple[str, Any]], *, language: str) -> dict[str, Any]:
    """Cents as dollars (`amount_cents` is `amount` too), days and months as they are read aloud."""
    words: dict[str, Any] = {}
    for fact, value in facts:
        if fact.endswith("_cents"):
            words[fact.removesuffix("_cents")] = format_dollars(value)
            words[fact] = value  # for the words that depend on whether it is nothing
        elif fact == "coverage_month":
            words[fact] = dateformat.format(_read_day(value), MONTH[language])
        elif fact.endswith(("_date", "_start", "_before", "_after")):
            words[fact] = dateformat.format(_read_day(value), DAY[language])
        elif isinstance(value, list):
            words[fact] = [_put_in_words(item.items(), language=language) for item in value]
        elif fact == "change_key":
            words["confirm_link"] = write_link(value)
        elif fact == "product":
            words[fact] = PRODUCT_WORDS[language][value]
        else:
            words[fact] = value
    return words


def _read_day(value: date | str) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value

"""Bills as PDF: summary, what is owed, ways to pay, and the coupon with its scan line and code; for one bill or hundreds."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.utils import dateformat, translation

from billing.bill_figures import BillFigures, read_figures
from billing.bill_links import ensure_links, format_code, write_address
from billing.scan_line import ScanLine, format_scan_line, write_scan_line
from connector_pay.lib.documents import TEMPLATES, draw_pdf
from connector_pay.lib.money import format_dollars
from connector_pay.lib.qr_codes import draw_qr
from members import member_id
from members.letters import list_address_lines
from members.models import EnrollmentStatus, Member
from members.notices import DAY, LANGUAGES, MONTH, PRODUCT_WORDS

Facts = dict[str, Any]


@dataclass(frozen=True)
class Speech:
    """How a bill speaks: its words by name, with what they say about this bill filled in."""

    language: str
    fillings: Mapping[str, str]

    def say(self, name: str) -> str:
        """The words of this name."""
        return read_words(self.language)[name].format_map(self.fillings)


def draw_bills(*, invoice_ids: Sequence[int], name: str = "", today: date, at: datetime) -> bytes:
    """The bills in this order as one PDF, each in its member's language; `name` is the batch's, for the document's title."""
    return draw_pdf(
        template="bill", facts=list_facts(invoice_ids=invoice_ids, name=name, today=today, at=at), at=at
    )


def list_facts(*, invoice_ids: Sequence[int], name: str = "", today: date, at: datetime) -> Facts:
    """All that the template prints, in words. As many statements for one bill as for many."""
    figures = read_figures(invoice_ids=invoice_ids, today=today)
    asking = [key for key, item in figures.items() if item.invoice.voided_at is None]
    codes = ensure_links(invoice_ids=asking, today=today, at=at)
    bills = [describe_bill(item, code=codes.get(key, "")) for key, item in figures.items()]
    language = bills[0]["language"] if bills else LANGUAGES[0]
    title = read_words(language)["batch"].format(name=name) if name else bills[0]["title"]
    website = settings.EXCHANGE["website_url"].split("//", 1)[-1]
    exchange = {"name": settings.EXCHANGE["name"], "website": website}
    return {"title": title, "language": language, "exchange": exchange, "bills": bills}


def describe_bill(figures: BillFigures, *, code: str) -> Facts:
    """One bill's facts; `code` opens it from its QR. A bill that was replaced says so, and asks for nothing."""
    member = figures.invoice.account.enrollment.member
    language = member.language if member.language in LANGUAGES else LANGUAGES[0]
    with translation.override(language):
        speech = Speech(language, _list_fillings(figures, language))
        replaced = figures.invoice.voided_at is not None
        facts: Facts = {
            "language": language,
            "replaced": replaced,
            "title": speech.say("title"),
            "heading": speech.say("heading"),
            "month": speech.fillings["month"],
            "address": list_address_lines(member=member),
            "summary": _summarize(figures, speech),
            "words": _choose_words(figures, speech),
            "questions": speech.say("questions"),
        }
        return facts if replaced else facts | _detail(figures, speech, code=code)


@cache
def read_words(language: str) -> Mapping[str, str]:
    """A bill's words in a language, as templates/documents/ has them."""
    words: Mapping[str, str] = json.loads(
        (settings.BASE_DIR / TEMPLATES / f"bill.{language}.json").read_text("utf-8")
    )
    return words


def _list_fillings(figures: BillFigures, language: str) -> dict[str, str]:
    enrollment = figures.invoice.account.enrollment
    product = PRODUCT_WORDS[language][enrollment.plan.product]
    fillings: dict[str, str] = {
        **settings.EXCHANGE,
        "product": product.capitalize() if language == "en" else product,
        "plan": figures.plan.name,
        "month": dateformat.format(figures.invoice.coverage_month, MONTH[language]),
        "due_date": dateformat.format(figures.due_date, DAY[language]),
        "start": dateformat.format(enrollment.coverage_start, DAY[language]),
        "past_due": format_dollars(figures.past_due_cents),
        "rest": format_dollars(figures.due_cents - figures.past_due_cents),
        "portal": settings.PORTAL_URL,
    }
    # In print an address needs no scheme.
    return {name: words.removeprefix("https://").removeprefix("http://") for name, words in fillings.items()}


def _summarize(figures: BillFigures, speech: Speech) -> Facts:
    """The box at the top: how much, by when, for whom and what."""
    enrollment = figures.invoice.account.enrollment
    asks = figures.due_cents > 0 and figures.invoice.voided_at is None
    return {
        "label": speech.say("amount_due"),
        "amount": format_dollars(figures.due_cents if asks else 0),
        "when": [speech.say(name) for name in (_choose_when(figures) if asks else ["nothing_due"])],
        "rows": [
            (speech.say("member_id"), member_id.format(enrollment.member.member_id)),
            (speech.say("plan"), figures.plan.name),
            (speech.say("bill_number"), figures.invoice.number),
            (speech.say("issued"), dateformat.format(figures.invoice.issued_on, DAY[speech.language])),
        ],
    }


def _choose_when(figures: BillFigures) -> Sequence[str]:
    """By when to pay: what is past due now, the rest by the due date."""
    if not figures.past_due_cents:
        return ["pay_by"]
    return ["pay_now"] if figures.past_due_cents == figures.due_cents else ["past_due_now", "rest_by"]


def _choose_words(figures: BillFigures, speech: Speech) -> str:
    """The one sentence that matters most."""
    if figures.invoice.voided_at is not None:
        return speech.say("replaced")
    if not figures.due_cents:
        return speech.say("covered")
    if figures.standing.enrollment_status == EnrollmentStatus.WAITING:
        return speech.say("first_bill")
    return speech.say("past_due_words" if figures.past_due_cents else "on_time")


def _detail(figures: BillFigures, speech: Speech, *, code: str) -> Facts:
    ways = ("online", "scan", "phone", "mail")
    several = len(figures.open_months) > 1
    owed = list(_list_owed(figures, speech))
    return {
        "owed": {
            "title": speech.say("what_you_owe"),
            "head": [speech.say("item"), speech.say("amount")],
            "rows": owed,
            "total": 1 + [label for label, _ in owed].index(speech.say("amount_due")),
        },
        "recent": {
            "title": speech.say("recent"),
            "head": [speech.say(word) for word in ("date", "status", "amount")],
            "rows": list(_list_recent(figures, speech)),
            "none": speech.say("no_payments"),
        },
        "months": {
            "title": speech.say("open_months"),
            "head": [speech.say(word) for word in ("month", "due", "bill", "received", "to_pay")],
            "rows": list(_list_months(figures, speech)) if several else [],
        },
        "ways": {
            "title": speech.say("ways"),
            "list": [(speech.say(way), speech.say(f"{way}_words")) for way in ways],
        },
        "help": speech.say("help").splitlines(),
        "coupon": _make_coupon(figures, speech, code=code),
    }


def _list_owed(figures: BillFigures, speech: Speech) -> Iterator[Sequence[str]]:
    """From what was owed before to what is due now; each line adds up to the last."""
    invoice, previous = figures.invoice, figures.previous_cents
    if previous:
        yield speech.say("previous" if previous > 0 else "previous_credit"), _write(previous)
    if figures.payments_cents:
        yield speech.say("payments"), _write(-figures.payments_cents)
    yield speech.say("premium"), _write(invoice.premium_cents)
    if invoice.subsidy_cents:
        yield speech.say("subsidy"), _write(-invoice.subsidy_cents)
    if figures.adjustment_cents:
        yield speech.say("adjustment"), _write(figures.adjustment_cents)
    yield speech.say("amount_due"), _write(figures.due_cents)
    if figures.past_due_cents:
        yield speech.say("past_due"), _write(figures.past_due_cents)
    if 0 < figures.past_due_cents < figures.due_cents:
        yield speech.say("this_month"), _write(figures.due_cents - figures.past_due_cents)
    if figures.credit_cents:
        yield speech.say("credit"), _write(figures.credit_cents)


def _list_recent(figures: BillFigures, speech: Speech) -> Iterator[Sequence[str]]:
    for payment in figures.recent:
        status = "returned" if not payment.stands else "paid" if payment.cleared else "processing"
        day = dateformat.format(payment.received_date, DAY[speech.language])
        yield day, speech.say(status), _write(payment.cents)


def _list_months(figures: BillFigures, speech: Speech) -> Iterator[Sequence[str]]:
    for item in figures.open_months:
        month = dateformat.format(item.coverage_month, MONTH[speech.language])
        due = dateformat.format(item.due_date, DAY[speech.language])
        cents = (item.amount_cents, item.received_cents, item.remaining_cents)
        yield month, due, *map(_write, cents)


def _make_coupon(figures: BillFigures, speech: Speech, *, code: str) -> Facts:
    invoice, enrollment = figures.invoice, figures.invoice.account.enrollment
    member, plan = enrollment.member, figures.plan
    line = ScanLine(member.member_id, plan.product, invoice.number, figures.due_cents)
    address = write_address(code=code)
    start, end = address.split(format_code(code))
    return {
        "title": speech.say("coupon"),
        "rows": list(_list_coupon_rows(figures, speech, member)),
        "enclosed": speech.say("enclosed"),
        "mail_to": speech.say("mail_to"),
        "address": [plan.remittance_name, *plan.remittance_address.splitlines()],
        "check_words": speech.say("check_words"),
        "scan_line": format_scan_line(write_scan_line(line=line)),
        "qr": draw_qr(address),
        "alt": speech.say("alt"),
        "link": [start.split("//", 1)[-1], f"{format_code(code)}{end}"],
    }


def _list_coupon_rows(figures: BillFigures, speech: Speech, member: Member) -> Iterator[tuple[str, str]]:
    yield speech.say("member_id"), member_id.format(member.member_id)
    yield speech.say("for_member"), member.full_name
    yield speech.say("plan"), speech.fillings["plan"]
    yield speech.say("month"), speech.fillings["month"]
    yield speech.say("bill_number"), figures.invoice.number
    yield speech.say("amount_due"), format_dollars(figures.due_cents)
    yield speech.say("due"), speech.fillings["due_date"]


def _write(cents: int) -> str:
    """With a real minus sign, as the pages have it."""
    return format_dollars(cents).replace("-", "−")

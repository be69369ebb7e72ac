"""Proof of authorization: for any debit, what its payer agreed to, how, and that a copy was delivered, as one PDF."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.translation import override

from connector_pay.lib.documents import draw_pdf
from connector_pay.lib.money import format_dollars
from connector_pay.lib.templatetags.exchange import eastern, long_date, member_id
from members.models import Channel, Notice
from payments.confirmation import compact_number, format_number
from payments.models import (
    AccountKind,
    Authorization,
    Mandate,
    MandateStatus,
    Payment,
    PaymentChannel,
    PhoneCall,
)

COPIES = ("payment_received", "payment_scheduled")  # the notices that carry what was authorized to its payer
AUTOPAY_COPIES = ("autopay_on", "autopay_changed")
HOW_GIVEN = {
    PaymentChannel.WEB: "on the website, signed in",
    PaymentChannel.GUEST: "on the website, as a guest",
    PaymentChannel.PHONE: "by phone, on a call that the payer made",
}
Row = tuple[str, str]


class UnableToFindDebit(LookupError):
    """No payment has this confirmation number or trace number."""


def make_filename(*, payment: Payment) -> str:
    """What the document is called: by its confirmation number, and nothing that tells who paid."""
    return f"proof-{payment.confirmation_number}.pdf"


def make_mandate_filename(*, mandate: Mandate) -> str:
    """What the document of a standing authorization is called."""
    return f"autopay-authorization-{mandate.pk}.pdf"


def find_debit(*, number: str) -> Payment:
    """The payment of a confirmation number or a trace number, as people write them. Raises UnableToFindDebit."""
    compact = compact_number(number)
    payments = Payment.objects.select_related(
        "authorization__given_by",
        "authorization__mandate",
        "account__enrollment__member",
        "account__enrollment__plan",
        "bank_account",
        "entry__file",
    )
    by_trace = payments.filter(entry__trace=compact).order_by("-pk").first()
    found = payments.filter(confirmation_number=compact).first() or by_trace
    if found is None:
        raise UnableToFindDebit(
            f"No debit has the confirmation or trace number {number}. Check the number on the receipt or in the bank file."
        )
    return found


def prove_authorization(*, payment: Payment, at: datetime) -> bytes:
    """The proof that the payer's bank may ask for within 10 banking days: a PDF in English, whatever the payer's language.

    The account number is shown by its last four digits only. Sources: Nacha Operating Rules, proof of authorization; 12 CFR
    1005.10(b), the copy to the consumer.
    """
    with override("en"):
        return draw_pdf(template="proof_of_authorization", facts=_list_facts(payment, at=at), at=at)


def prove_mandate(*, mandate: Mandate, at: datetime) -> bytes:
    """The proof of a standing authorization: the same, and what became of AutoPay since."""
    related = Mandate.objects.select_related(
        "authorization__given_by",
        "account__enrollment__member",
        "account__enrollment__plan",
        "bank_account",
    )
    with override("en"):
        facts = _list_mandate_facts(related.get(pk=mandate.pk), at=at)
        return draw_pdf(template="proof_of_authorization", facts=facts, at=at)


def _list_mandate_facts(mandate: Mandate, *, at: datetime) -> dict[str, Any]:
    proof = mandate.authorization
    return {
        "title": "Proof of authorization of AutoPay",
        "payee": settings.EXCHANGE["name"],
        "footer": f"AutoPay authorization {mandate.pk}, drawn up {eastern(at)}",
        "summary": _summarize(proof),
        "sections": [
            {"title": "What was authorized, word for word", "words": proof.text, "rows": []},
            {"title": "Recurring authorization", "rows": list(_list_given(proof))},
            {"title": "AutoPay", "rows": list(_list_autopay(mandate))},
            {
                "title": "Copy to the payer",
                "rows": list(_list_notices(AUTOPAY_COPIES, [f"mandate:{mandate.pk}"])),
            },
        ],
    }


def _summarize(proof: Authorization) -> str:
    return (
        f"{proof.payer_name} authorized {settings.EXCHANGE['name']} to debit the bank account below. "
        "This is the authorization as it was recorded when it was given; it has not been changed since."
    )


def _list_autopay(mandate: Mandate) -> Iterator[Row]:
    bank, enrollment = mandate.bank_account, mandate.account.enrollment
    ending = f"{AccountKind(bank.kind).label} ending {mandate.authorization.account_last_four}"
    product, member = enrollment.plan.get_product_display(), member_id(enrollment.member.member_id)
    yield "Bank account", f"{ending}, routing {bank.routing_number}"
    yield "Name on the account", bank.holder_name
    yield "For", f"{product} premium, Member ID {member}"
    yield "First draft", long_date(mandate.drafts_from)
    for payment in mandate.authorization.payments.order_by("pk"):
        number = format_number(payment.confirmation_number)
        amount = format_dollars(payment.amount_cents)
        yield "Draft", f"{amount} on {long_date(payment.received_date)}, confirmation number {number}"
    for move in mandate.moves.order_by("pk"):
        yield MandateStatus(move.after).label, f"{eastern(move.at)}, {move.why}"


def _list_facts(payment: Payment, *, at: datetime) -> dict[str, Any]:
    proof = payment.authorization
    number = format_number(payment.confirmation_number)
    kind = "Recurring" if proof.recurring else "Single"
    return {
        "title": f"Proof of authorization of debit {number}",
        "payee": settings.EXCHANGE["name"],
        "footer": f"Debit {number}, drawn up {eastern(at)}",
        "summary": _summarize(proof),
        "sections": [
            {"title": "What was authorized, word for word", "words": proof.text, "rows": []},
            {"title": f"{kind} authorization", "rows": [*_list_given(proof), *_list_calls(payment)]},
            {"title": "The debit", "rows": list(_list_debit(payment))},
            {"title": "Copy to the payer", "rows": list(_list_copies(payment))},
        ],
    }


def _list_given(proof: Authorization) -> Iterator[Row]:
    yield "Given by", proof.payer_name
    moment = f"{eastern(proof.given_at)} ({proof.given_at:%Y-%m-%d %H:%M:%S} UTC)"
    yield "Given", f"{HOW_GIVEN[PaymentChannel(proof.channel)]}, {moment}"
    if proof.given_by:
        yield "Signed in as", proof.given_by.email
    if proof.taken_by:
        yield "Heard by", proof.taken_by.get_full_name() or proof.taken_by.get_username()
    if proof.address:
        yield "Network address", proof.address
    if proof.browser:
        yield "Browser", proof.browser
    yield "Language and version", f"{proof.language}, {proof.text_version}"
    amount = format_dollars(proof.amount_cents)
    yield "Amount", f"What is due each month, never more than {amount}" if proof.recurring else amount
    yield "On or after", long_date(proof.debit_on_or_after)
    yield "Kind of entry", proof.sec_code


def _list_calls(payment: Payment) -> Iterator[Row]:
    """The call on which it was given, as its carrier knows it."""
    forms = payment.authorization.payments.values("form_key")
    for call in PhoneCall.objects.filter(form_key__in=forms):
        yield "Call", f"{call.call_id}, begun {eastern(call.started_at)}"
        yield "Caller's number", call.caller or "withheld"


def _list_debit(payment: Payment) -> Iterator[Row]:
    bank, enrollment = payment.bank_account, payment.account.enrollment
    ending = f"{AccountKind(bank.kind).label} ending {payment.authorization.account_last_four}"
    product, member = enrollment.plan.get_product_display(), member_id(enrollment.member.member_id)
    yield "Confirmation number", format_number(payment.confirmation_number)
    yield "Amount", format_dollars(payment.amount_cents)
    yield "Bank account", f"{ending}, routing {bank.routing_number}"
    yield "Name on the account", bank.holder_name
    yield "For", f"{product} premium, Member ID {member}"
    entry = getattr(payment, "entry", None)
    if entry:
        yield "Trace number", entry.trace
        yield "Bank file", f"{entry.file.name}, line {entry.line}"
    if payment.effective_date:
        yield "Effective entry date", long_date(payment.effective_date)
    yield "Status", payment.get_status_display() + (f", {payment.return_code}" if payment.return_code else "")


def _list_copies(payment: Payment) -> Iterator[Row]:
    """Each copy that was made, where it went and when. A guest who left no email saw it on the confirmation page."""
    subjects = (payment.reference, f"{payment.reference}:payer")
    yield from _list_notices(COPIES, subjects)
    if hasattr(payment.authorization, "mandate"):
        yield from _list_notices(AUTOPAY_COPIES, [f"mandate:{payment.authorization.mandate.pk}"])
        return
    if payment.channel == PaymentChannel.PHONE:
        yield "By phone", f"read out before it was given, {eastern(payment.recorded_at)}"
        return
    yield (
        "On the page",
        f"shown with the confirmation number, {eastern(payment.recorded_at)}, to print or save",
    )


def _list_notices(events: Sequence[str], subjects: Sequence[str]) -> Iterator[Row]:
    for notice in Notice.objects.filter(event__in=events, subject__in=subjects).order_by("pk"):
        to = f"By email to {notice.address}" if notice.channel == Channel.EMAIL else "By letter"
        yield (
            to,
            f"sent {eastern(notice.sent_at)}"
            if notice.sent_at
            else f"written {eastern(notice.at)}, not sent yet",
        )

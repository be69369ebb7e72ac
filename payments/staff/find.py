"""One box finds anything: a member, a payment, a refund, a bill, a bank account or a bank file, by what people have before them.

`KINDS` is the table of what can be typed and what it finds: another kind is another row. One clear hit is opened at once.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import Model, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from billing.models import Invoice
from connector_pay.lib.money import format_dollars
from connector_pay.lib.read_only_admin import LARGEST_ID
from members import member_id
from members.models import Member
from payments.confirmation import LENGTH, compact_number, format_number
from payments.models import BankAccount, BankFile, Payment, ReceivedCheck, Refund, ReturnLine

SHOWN = 10
LONGEST = 100
NUMBER = re.compile(r"\+?[\d\s().-]+")
WORDS_AT_MOST = 4


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that was found: where it is, what it is called, and enough to tell it from another."""

    url: str
    title: str
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """What can be typed (`read` returns it, or None where this is none of it), and what it finds: at most so many."""

    words: str
    heading: str
    read: Callable[[str], str | None]
    find: Callable[[str, int], Sequence[Hit]]


@dataclass(frozen=True, slots=True)
class Found:
    """The hits of one heading; `has_more` where there are others, so that more must be typed."""

    heading: str
    hits: list[Hit]
    has_more: bool


def find_all(*, typed: str) -> list[Found]:
    """Everything that was meant by what was typed, by heading, each thing once. One or two statements a kind."""
    groups: dict[str, dict[str, Hit]] = {}
    for kind in KINDS:
        value = kind.read(typed)
        if value is not None:
            hits = groups.setdefault(kind.heading, {})
            hits.update({hit.url: hit for hit in kind.find(value, SHOWN + 1)})
    return [
        Found(heading, list(hits.values())[:SHOWN], len(hits) > SHOWN)
        for heading, hits in groups.items()
        if hits
    ]


@require_safe
@never_cache
def find(request: HttpRequest) -> HttpResponse:
    """The one clear hit, or a list of what was found; what was typed stands in no title."""
    typed = " ".join(request.GET.get("q", "").split())[:LONGEST]
    found = find_all(typed=typed) if typed else []
    hits = [hit for group in found for hit in group.hits]
    if len(hits) == 1:
        return redirect(hits[0].url)
    shown = {
        "title": "Find",
        "typed": typed,
        "found": found,
        "kinds": list(dict.fromkeys(k.words for k in KINDS)),
    }
    return render(request, "admin/find.html", {**admin.site.each_context(request), **shown})


def _digits(typed: str) -> str:
    return re.sub(r"\D", "", typed) if NUMBER.fullmatch(typed) else ""


def _read_member_id(typed: str) -> str | None:
    digits = _digits(typed)
    return digits if 5 <= len(digits) <= member_id.LENGTH else None


def _read_phone(typed: str) -> str | None:
    digits = _digits(typed)
    return f"+1{digits[-10:]}" if len(digits) == 10 or (len(digits) == 11 and digits[0] == "1") else None


def _read_name(typed: str) -> str | None:
    has_letter = any(letter.isalpha() for letter in typed)
    return typed if has_letter and "@" not in typed and not re.search(r"\d", typed) else None


def _read_email(typed: str) -> str | None:
    return typed if "@" in typed else None


def _read_confirmation(typed: str) -> str | None:
    number = compact_number(typed)
    return number if re.fullmatch(rf"[0-9A-Z]{{{LENGTH}}}", number) else None


def _read_digits(*lengths: int) -> Callable[[str], str | None]:
    return lambda typed: _digits(typed) if len(_digits(typed)) in lengths else None


def _read_file_name(typed: str) -> str | None:
    return typed if re.fullmatch(r"[A-Za-z0-9._-]{4,80}", typed) and re.search(r"[A-Za-z]", typed) else None


def _find_members(which: Q, limit: int) -> list[Hit]:
    members = Member.objects.filter(which).order_by("last_name", "first_name", "pk")
    found = members.prefetch_related("enrollments__plan")[:limit]
    return [
        Hit(
            reverse("admin:member_overview", args=[member.pk]),
            member.full_name,
            (
                f"Member ID {member_id.format(member.member_id)}",
                f"born {member.date_of_birth:%B} {member.date_of_birth.day}, {member.date_of_birth.year}",
                f"{member.street}, {member.city}",
                *(f"{item.plan} ({item.get_status_display()})" for item in member.enrollments.all()),
            ),
        )
        for member in found
    ]


def _find_by_name(typed: str, limit: int) -> list[Hit]:
    """Every word begins the first or the last name."""
    which = Q()
    for word in typed.split()[:WORDS_AT_MOST]:
        which &= Q(last_name__istartswith=word) | Q(first_name__istartswith=word)
    return _find_members(which, limit)


def _find_payments(which: Q, limit: int) -> list[Hit]:
    payments = Payment.objects.filter(which).order_by("-recorded_at", "-pk")
    people = ("account__enrollment__member", "account__enrollment__plan", "bank_account")
    return [
        Hit(
            _address(payment),
            f"Payment {format_number(payment.confirmation_number)}",
            (
                format_dollars(payment.amount_cents),
                f"received {_write_day(payment.received_date)}",
                payment.get_status_display(),
                *_describe_account(payment.account),
            ),
        )
        for payment in payments.select_related(*people)[:limit]
    ]


def _find_refunds(which: Q, limit: int) -> list[Hit]:
    refunds = Refund.objects.filter(which).order_by("-pk")
    people = ("receipt__account__enrollment__member", "receipt__account__enrollment__plan")
    return [
        Hit(
            _address(refund),
            f"Refund {refund.pk}" + (f", check {refund.check_number}" if refund.check_number else ""),
            (
                format_dollars(refund.cents),
                f"to {refund.payee}",
                refund.get_status_display(),
                *_describe_account(refund.receipt.account),
            ),
        )
        for refund in refunds.select_related(*people)[:limit]
    ]


def _find_received_checks(which: Q, limit: int) -> list[Hit]:
    return [
        Hit(
            _address(check),
            f"{check.get_kind_display()} {check.number}",
            (
                format_dollars(check.cents),
                f"received {_write_day(check.received_on)}",
                check.get_status_display(),
                f"from {check.payer}",
            ),
        )
        for check in ReceivedCheck.objects.filter(which).order_by("-pk")[:limit]
    ]


def _find_invoices(which: Q, limit: int) -> list[Hit]:
    invoices = Invoice.objects.filter(which)
    people = ("account__enrollment__member", "account__enrollment__plan")
    return [
        Hit(
            _address(invoice),
            f"Bill {invoice.number}",
            (
                format_dollars(invoice.amount_cents),
                f"for {invoice.coverage_month:%B %Y}",
                "void" if invoice.voided_at else f"due {_write_day(invoice.due_date)}",
                *_describe_account(invoice.account),
            ),
        )
        for invoice in invoices.select_related(*people)[:limit]
    ]


def _find_bank_accounts(which: Q, limit: int) -> list[Hit]:
    accounts = BankAccount.objects.filter(which).select_related("owner__member").order_by("-pk")[:limit]
    return [
        Hit(
            _address(account),
            f"{account}, {account.holder_name}",
            (
                account.get_status_display(),
                f"added {_write_day(account.added_at)}",
                f"of {account.owner.member}" if account.owner and account.owner.member else "a guest’s",
            ),
        )
        for account in accounts
    ]


def _find_files(which: Q, limit: int) -> list[Hit]:
    return [
        Hit(
            _address(file),
            file.name,
            (
                file.get_direction_display(),
                file.get_status_display(),
                _write_day(file.business_date),
                f"{file.line_count:,} lines",
            ),
        )
        for file in BankFile.objects.filter(which).order_by("name")[:limit]
    ]


def _find_returns(which: Q, limit: int) -> list[Hit]:
    return [
        Hit(
            _address(line),
            f"Return {line.code}",
            (
                format_dollars(line.amount_cents),
                f"read {_write_day(line.at)}",
                line.parked_because or "applied",
            ),
        )
        for line in ReturnLine.objects.filter(which).order_by("-pk")[:limit]
    ]


def _by(find_some: Callable[[Q, int], list[Hit]], lookup: str) -> Callable[[str, int], list[Hit]]:
    return lambda value, limit: find_some(Q(**{lookup: value}), limit)


def _find_check(value: str, limit: int) -> list[Hit]:
    # The empty number is left out in words: the index holds none.
    return _find_refunds(Q(check_number=value) & ~Q(check_number=""), limit)


def _find_invoice(value: str, limit: int) -> list[Hit]:
    return _find_invoices(Q(pk=int(value)), limit) if int(value) <= LARGEST_ID else []


def _find_receipt_email(value: str, limit: int) -> list[Hit]:
    return _find_payments(Q(receipt_email__iexact=value) & ~Q(receipt_email=""), limit)


def _find_member_id(value: str, limit: int) -> list[Hit]:
    whole = len(value) == member_id.LENGTH
    return _find_members(Q(member_id=value) if whole else Q(member_id__startswith=value), limit)


def _address(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def _describe_account(account: Any) -> tuple[str, ...]:
    enrollment = account.enrollment
    number = member_id.format(enrollment.member.member_id)
    return (f"{enrollment.member.full_name}, Member ID {number}", str(enrollment.plan))


def _write_day(day: Any) -> str:
    return f"{day:%B} {day.day}, {day.year}"


KINDS: tuple[Kind, ...] = (
    Kind("Member ID, whole or its first 5 digits", "Members", _read_member_id, _find_member_id),
    Kind("Phone number", "Members", _read_phone, _by(_find_members, "phone")),
    Kind("First or last name, or how they begin", "Members", _read_name, _find_by_name),
    Kind("Email address", "Members", _read_email, _by(_find_members, "email__iexact")),
    Kind("Email address", "Members", _read_email, _by(_find_members, "user__email__iexact")),
    Kind("Email address", "Payments", _read_email, _find_receipt_email),
    Kind("Confirmation number", "Payments", _read_confirmation, _by(_find_payments, "confirmation_number")),
    Kind("Trace number", "Payments", _read_digits(15), _by(_find_payments, "entry__trace")),
    Kind("Trace number", "Refunds", _read_digits(15), _by(_find_refunds, "entry__trace")),
    Kind("Trace number", "Returns", _read_digits(15), _by(_find_returns, "trace")),
    Kind(
        "Check number", "Checks received", _read_digits(*range(1, 21)), _by(_find_received_checks, "number")
    ),
    Kind("Check number", "Refunds", _read_digits(*range(1, 11)), _find_check),
    Kind("Bill number, 10 digits", "Bills", _read_digits(10), _find_invoice),
    Kind("Last 4 of a bank account", "Bank accounts", _read_digits(4), _by(_find_bank_accounts, "last_four")),
    Kind("Name of a bank file", "Bank files", _read_file_name, _by(_find_files, "name__startswith")),
)

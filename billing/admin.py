"""Staff's review of the books: accounts, invoices, receipts and the ledger's movements. Nothing here can
be changed.
"""

from operator import attrgetter, methodcaller
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from billing.models import Account, Allocation, DueDateOverride, Invoice, Movement, Receipt, ReceiptChange
from billing.paper_admin import (
    PrintBatchAdmin as PrintBatchAdmin,  # its review registers itself, and that of codes
)
from billing.staff import accounts as staff_accounts
from billing.staff import corrections as corrections  # these reviews register themselves
from billing.staff import episodes as episodes
from billing.staff import months as months
from billing.staff import starts as starts
from billing.staff.month_close import MAY_CLOSE, show_close
from connector_pay.lib.export_admin import ExportableAdmin
from connector_pay.lib.money import format_dollars
from connector_pay.lib.read_only_admin import (
    ReadOnlyAdmin,
    ReadOnlyInline,
    link_to,
    link_to_list,
    show_dollars,
)


class InvoiceInline(ReadOnlyInline):
    """An account's invoices, void ones too."""

    model = Invoice
    ordering = ("-coverage_month", "-pk")
    fields = ("review", "coverage_month", "due_date", "amount", "is_binder", "issued_on", "voided_at")
    amount = show_dollars("amount_cents", "amount")

    @admin.display(description="invoice")
    def review(self, invoice: Invoice) -> str:
        """Leads to the invoice."""
        return link_to(invoice)


class ReceiptInline(ReadOnlyInline):
    """Money counted for an account."""

    model = Receipt
    ordering = ("-received_date", "-pk")
    fields = ("review", "amount", "received_date", "cleared_on", "taken_back_on")
    amount = show_dollars("cents", "amount")

    @admin.display(description="receipt")
    def review(self, receipt: Receipt) -> str:
        """Leads to the receipt."""
        return link_to(receipt)


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    """What one enrollment owes and has paid, with what staff may do about it."""

    list_display = ("id", "member", "plan", "opened_at")
    list_select_related = ("enrollment__member", "enrollment__plan")
    fields = ("id", "member", "enrollment_link", "opened_at", "timeline", "payments", "movements")
    inlines = (InvoiceInline, ReceiptInline)
    search_paths = {
        "member_id": "enrollment__member__member_id",
        "phone": "enrollment__member__phone",
        "name": "enrollment__member__last_name",
        "text": "enrollment__external_id",
    }
    search_help_text = "Member ID, phone number, name or enrollment ID"

    def get_urls(self) -> list[URLPattern]:
        """With the addresses of what staff do."""
        return [*staff_accounts.list_urls(wrap=self.admin_site.admin_view), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """With what may be done now."""
        account = Account.objects.filter(pk=object_id).first() if object_id.isdigit() else None
        deeds = staff_accounts.list_deeds(account, request=request) if account else []
        return super().change_view(request, object_id, form_url, (extra_context or {}) | {"deeds": deeds})

    @admin.display(description="member")
    def member(self, account: Account) -> str:
        """Leads to the member."""
        return link_to(account.enrollment.member)

    @admin.display(description="plan")
    def plan(self, account: Account) -> str:
        """Its plan's name."""
        return account.enrollment.plan.name

    @admin.display(description="enrollment")
    def enrollment_link(self, account: Account) -> str:
        """Leads to the enrollment."""
        return link_to(account.enrollment)

    @admin.display(description="timeline")
    def timeline(self, account: Account) -> str:
        """Leads to all that happened on it."""
        address = reverse("admin:account_timeline", args=[account.pk])
        return format_html('<a href="{}">All that happened on this account</a>', address)

    @admin.display(description="payments")
    def payments(self, account: Account) -> str:
        """Leads to its payments."""
        model = account._meta.get_field("payments").related_model
        return link_to_list(model, "All payments of this account", account__id__exact=account.pk)

    @admin.display(description="ledger")
    def movements(self, account: Account) -> str:
        """Leads to its movements."""
        return link_to_list(Movement, "All movements of this account", account__id__exact=account.pk)


class AllocationInline(ReadOnlyInline):
    """Which receipts lie on an invoice, or which invoices a receipt lies on."""

    model = Allocation
    fields = ("receipt_link", "invoice_link", "amount", "at", "reference")
    amount = show_dollars("cents", "amount")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Allocation]:
        """With both ends."""
        return super().get_queryset(request).select_related("receipt", "invoice")

    @admin.display(description="receipt")
    def receipt_link(self, allocation: Allocation) -> str:
        """Leads to the money."""
        return link_to(allocation.receipt)

    @admin.display(description="invoice")
    def invoice_link(self, allocation: Allocation) -> str:
        """Leads to the bill."""
        return link_to(allocation.invoice)


@admin.register(Invoice)
class InvoiceAdmin(ReadOnlyAdmin):
    """One account, one coverage month."""

    list_display = ("number", "member", "coverage_month", "due_date", "amount", "is_binder", "voided_at")
    list_filter = (
        "is_binder",
        "account__enrollment__plan__product",
        ("voided_at", admin.EmptyFieldListFilter),
    )
    list_select_related = ("account__enrollment__member",)
    fields = (
        "number",
        "member",
        "account_link",
        "coverage_month",
        "due_date",
        "premium",
        "subsidy",
        "amount",
        "is_binder",
        "issued_on",
        "issued_at",
        "voided_at",
        "void_reason",
    )
    inlines = (AllocationInline,)
    search_paths = {
        "number": "pk",
        "member_id": "account__enrollment__member__member_id",
        "phone": "account__enrollment__member__phone",
        "name": "account__enrollment__member__last_name",
    }
    search_help_text = "Invoice number, Member ID, phone number or name"
    premium = show_dollars("premium_cents", "premium")
    subsidy = show_dollars("subsidy_cents", "subsidy")
    amount = show_dollars("amount_cents", "amount")

    @admin.display(description="member")
    def member(self, invoice: Invoice) -> str:
        """Leads to the member."""
        return link_to(invoice.account.enrollment.member)

    @admin.display(description="account")
    def account_link(self, invoice: Invoice) -> str:
        """Leads to the account."""
        return link_to(invoice.account)


class ReceiptChangeInline(ReadOnlyInline):
    """How it was moved, or dated anew."""

    model = ReceiptChange
    fk_name = "receipt"
    verbose_name_plural = "moved and dated anew"
    fields = (
        "account_before",
        "account_after",
        "received_before",
        "received_after",
        "by",
        "approved_by",
        "why",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReceiptChange]:
        """With the accounts' enrollments, which name them."""
        accounts = ("account_before__enrollment__plan", "account_after__enrollment__plan")
        return super().get_queryset(request).select_related(*accounts, "by", "approved_by")


@admin.register(Receipt)
class ReceiptAdmin(ReadOnlyAdmin):
    """Money counted for an account as of its received date."""

    list_display = ("reference", "member", "amount", "received_date", "cleared_on", "taken_back_on")
    list_select_related = ("account__enrollment__member",)
    fields = (
        "reference",
        "member",
        "account_link",
        "amount",
        "received_date",
        "counted_at",
        "cleared_on",
        "taken_back_on",
    )
    inlines = (AllocationInline, ReceiptChangeInline)
    search_paths = {
        "text": "reference",
        "member_id": "account__enrollment__member__member_id",
        "phone": "account__enrollment__member__phone",
        "name": "account__enrollment__member__last_name",
    }
    search_help_text = "Member ID, phone number, name, or a reference such as payment:12"
    amount = show_dollars("cents", "amount")

    @admin.display(description="member")
    def member(self, receipt: Receipt) -> str:
        """Leads to the member."""
        return link_to(receipt.account.enrollment.member)

    @admin.display(description="account")
    def account_link(self, receipt: Receipt) -> str:
        """Leads to the account."""
        return link_to(receipt.account)


@admin.register(Movement)
class MovementAdmin(ExportableAdmin):
    """One movement of the ledger: money out of one account of the chart, into another."""

    list_display = ("reference", "business_date", "debit", "credit", "amount", "account_link")
    list_filter = ("debit", "credit")
    list_select_related = ("account__enrollment__plan",)
    fields = ("reference", "business_date", "debit", "credit", "amount", "account_link", "at")
    export_permission = "billing.export_movement"
    export_columns = {
        "Reference": attrgetter("reference"),
        "Business date": attrgetter("business_date"),
        "Into": methodcaller("get_debit_display"),
        "Out of": methodcaller("get_credit_display"),
        "Amount": lambda movement: format_dollars(movement.cents),
        "Account": attrgetter("account_id"),
        "Posted at": attrgetter("at"),
    }
    search_paths = {
        "text": "reference",
        "member_id": "account__enrollment__member__member_id",
        "phone": "account__enrollment__member__phone",
        "name": "account__enrollment__member__last_name",
    }
    search_help_text = "Member ID, phone number, name, or a reference such as payment:12"
    amount = show_dollars("cents", "amount")

    def get_urls(self) -> list[URLPattern]:
        """With the address of the month close."""
        close = path("close/", self.admin_site.admin_view(show_close), name="billing_movement_close")
        return [close, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """With the way to the month close, for whoever may."""
        more = {"may_close": request.user.has_perm(MAY_CLOSE)}
        return super().changelist_view(request, {**(extra_context or {}), **more})

    @admin.display(description="account")
    def account_link(self, movement: Movement) -> str:
        """Leads to the account."""
        return link_to(movement.account)


@admin.register(DueDateOverride)
class DueDateOverrideAdmin(ReadOnlyAdmin):
    """A due date moved by policy."""

    list_display = ("coverage_month", "due_date", "account", "reason")
    list_select_related = ("account__enrollment__plan",)
    fields = ("coverage_month", "due_date", "account", "reason", "correction_link", "recorded_at")

    @admin.display(description="correction")
    def correction_link(self, override: DueDateOverride) -> str:
        """Leads to who asked for it, and who approved it."""
        return link_to(override.correction)

"""Staff's review of how money moves: payments with their history, authorizations, bank files and
returns.

A bank account's number is never shown here, only how it ends.
"""

from operator import attrgetter, methodcaller
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from billing.models import Movement
from connector_pay.lib.export_admin import ExportableAdmin
from connector_pay.lib.keyset_list import KeysetAdmin
from connector_pay.lib.masking import mask_number
from connector_pay.lib.money import format_dollars
from connector_pay.lib.read_only_admin import (
    ReadOnlyAdmin,
    ReadOnlyInline,
    link_to,
    link_to_list,
    show_dollars,
)
from members.models import Notice
from payments.models import (
    Authorization,
    BankFile,
    FileAnswer,
    FileEntry,
    FileMove,
    Payment,
    PaymentHold,
    PaymentMove,
    ReturnLine,
)
from payments.staff import bank_accounts as bank_accounts  # its review registers itself
from payments.staff import check_batches as check_batches  # its review registers itself
from payments.staff import checks as checks  # its review registers itself
from payments.staff import handling
from payments.staff import lockbox as lockbox  # its reviews register themselves
from payments.staff import lockbox_returns as lockbox_returns  # its review registers itself
from payments.staff import mandates as mandates  # its review registers itself
from payments.staff import refunds as refunds  # its review registers itself
from payments.staff import returns as returns  # its review registers itself
from payments.staff.bank_files import resolve
from payments.staff.bank_lines import show_entry_line, show_return_lines
from payments.staff.proofs import show_proof

HALF = 5


class PaymentMoveInline(ReadOnlyInline):
    """How its status changed."""

    model = PaymentMove
    fields = ("before", "after", "at", "why")


class PaymentHoldInline(ReadOnlyInline):
    """When staff kept it out of bank files."""

    model = PaymentHold
    verbose_name_plural = "holds"
    fields = ("held_on", "held_by", "why", "released_at", "released_by", "release_reason")


class FileEntryInline(ReadOnlyInline):
    """The line of the bank file it went out on."""

    model = FileEntry
    verbose_name_plural = "file entries"
    fields = ("file_link", "line_link", "trace", "amount")
    amount = show_dollars("amount_cents", "amount")

    def get_queryset(self, request: HttpRequest) -> QuerySet[FileEntry]:
        """With the file."""
        return super().get_queryset(request).select_related("file")

    @admin.display(description="file")
    def file_link(self, entry: FileEntry) -> str:
        """Leads to the file."""
        return link_to(entry.file)

    @admin.display(description="line")
    def line_link(self, entry: FileEntry) -> str:
        """Leads to the line, masked."""
        address = reverse("admin:payments_fileentry_line", args=[entry.pk])
        return format_html('<a href="{}">Line {}</a>', address, entry.line)


@admin.register(Payment)
class PaymentAdmin(ExportableAdmin, KeysetAdmin):
    """One debit of one bank account for one billing account, from recording to posting or return."""

    list_display = (
        "confirmation",
        "member",
        "amount",
        "status",
        "received_date",
        "channel",
        "ending",
        "recorded_at",
    )
    change_form_template = "admin/payments/payment/change_form.html"
    list_filter = ("status", "is_held", "channel", "account__enrollment__plan__product", "received_date")
    list_select_related = ("account__enrollment__member", "bank_account")
    moment = "recorded_at"
    fields = (
        "confirmation",
        "member",
        "account_link",
        "bank_account_link",
        "authorization_link",
        "amount",
        "status",
        "is_held",
        "received_date",
        "channel",
        "coverage_sentence",
        "receipt_email",
        "recorded_at",
        "effective_date",
        "posted_on",
        "return_code",
        "movements",
        "notices",
        "proof",
    )
    inlines = (PaymentMoveInline, PaymentHoldInline, FileEntryInline)
    search_paths = {
        "confirmation": "confirmation_number",
        "trace": "entry__trace",
        "member_id": "account__enrollment__member__member_id",
        "phone": "account__enrollment__member__phone",
        "name": "account__enrollment__member__last_name",
        "email": "receipt_email",
    }
    search_help_text = "Confirmation number, Member ID, phone number, name, trace number or receipt email"
    amount = show_dollars("amount_cents", "amount")
    export_permission = "payments.export_payment"
    export_columns = {
        "Confirmation number": attrgetter("confirmation_number"),
        "Member ID": attrgetter("account.enrollment.member.member_id"),
        "Name": attrgetter("account.enrollment.member.full_name"),
        "Amount": lambda payment: format_dollars(payment.amount_cents),
        "Status": methodcaller("get_status_display"),
        "Received": attrgetter("received_date"),
        "Way": methodcaller("get_channel_display"),
        "Bank account": lambda payment: mask_number(payment.bank_account.last_four),
        "Recorded": attrgetter("recorded_at"),
        "Settles": attrgetter("effective_date"),
        "Posted": attrgetter("posted_on"),
        "Return code": attrgetter("return_code"),
    }

    def get_urls(self) -> list[URLPattern]:
        """With the address of the proof of authorization."""
        proof = path(
            "<int:payment_id>/proof/", self.admin_site.admin_view(show_proof), name="payments_payment_proof"
        )
        return [proof, *handling.list_urls(wrap=self.admin_site.admin_view), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """With what may be done now."""
        payment = self.get_object(request, object_id)
        more = {"deeds": handling.list_deeds(payment, request=request)} if payment else {}
        return super().change_view(request, object_id, form_url, (extra_context or {}) | more)

    @admin.display(description="proof of authorization")
    def proof(self, payment: Payment) -> str:
        """Leads to the PDF."""
        address = reverse("admin:payments_payment_proof", args=[payment.pk])
        return format_html('<a href="{}">Proof of authorization (PDF)</a>', address)

    @admin.display(description="confirmation number", ordering="confirmation_number")
    def confirmation(self, payment: Payment) -> str:
        """In two groups, as the payer was told it."""
        number = payment.confirmation_number
        return f"{number[:HALF]}-{number[HALF:]}"

    @admin.display(description="bank account")
    def ending(self, payment: Payment) -> str:
        """How the account's number ends."""
        return mask_number(payment.bank_account.last_four)

    @admin.display(description="member")
    def member(self, payment: Payment) -> str:
        """Leads to the member."""
        return link_to(payment.account.enrollment.member)

    @admin.display(description="account")
    def account_link(self, payment: Payment) -> str:
        """Leads to the billing account."""
        return link_to(payment.account)

    @admin.display(description="bank account")
    def bank_account_link(self, payment: Payment) -> str:
        """Leads to the bank account."""
        return link_to(payment.bank_account)

    @admin.display(description="authorization")
    def authorization_link(self, payment: Payment) -> str:
        """Leads to what the payer agreed to."""
        return link_to(payment.authorization)

    @admin.display(description="ledger")
    def movements(self, payment: Payment) -> str:
        """Leads to its movements."""
        return link_to_list(
            Movement, "Movements of this payment", reference__startswith=f"{payment.reference}:"
        )

    @admin.display(description="notices")
    def notices(self, payment: Payment) -> str:
        """Leads to what was told about it."""
        return link_to_list(Notice, "Notices about this payment", subject__exact=payment.reference)


@admin.register(Authorization)
class AuthorizationAdmin(ReadOnlyAdmin):
    """What a payer agreed to, word for word: the proof of a debit."""

    list_display = ("id", "payer_name", "amount", "debit_on_or_after", "channel", "ending", "given_at")
    list_filter = ("channel", "recurring")
    fields = (
        "text",
        "text_version",
        "language",
        "payer_name",
        "amount",
        "debit_on_or_after",
        "recurring",
        "sec_code",
        "channel",
        "ending",
        "account_link",
        "given_at",
        "given_by",
        "taken_by",
        "address",
        "browser",
    )
    search_paths = {
        "last_four": "account_last_four",
        "title": "payer_name",
        "member_id": "account__enrollment__member__member_id",
        "phone": "account__enrollment__member__phone",
    }
    search_help_text = "The payer's name, Member ID, phone number or the account's last four digits"
    amount = show_dollars("amount_cents", "amount")

    @admin.display(description="bank account")
    def ending(self, authorization: Authorization) -> str:
        """How the account's number ended."""
        return mask_number(authorization.account_last_four)

    @admin.display(description="account")
    def account_link(self, authorization: Authorization) -> str:
        """Leads to the billing account."""
        return link_to(authorization.account)


class FileMoveInline(ReadOnlyInline):
    """How its status changed."""

    model = FileMove
    fields = ("before", "after", "at", "why")


class FileAnswerInline(ReadOnlyInline):
    """What staff heard from the bank, where its outcome was unknown."""

    model = FileAnswer
    verbose_name_plural = "what the bank said"
    fields = ("by", "is_sent", "asked", "reference", "at")


@admin.register(BankFile)
class BankFileAdmin(ReadOnlyAdmin):
    """A file to or from the bank, with its totals; its text stays sealed."""

    list_display = (
        "name",
        "direction",
        "kind",
        "status",
        "business_date",
        "entry_count",
        "debits",
        "credits",
    )
    list_filter = ("direction", "kind", "status")
    ordering = ("-business_date", "-pk")
    fields = (
        "name",
        "direction",
        "kind",
        "status",
        "business_date",
        "created_on",
        "created_time",
        "modifier",
        "line_count",
        "entry_count",
        "debits",
        "credits",
        "entries",
        "returns",
        "fault",
        "sha256",
        "stored_at",
    )
    inlines = (FileMoveInline, FileAnswerInline)
    search_paths = {"text": "name", "trace": "entries__trace"}
    search_help_text = "The file's name, or a trace number"
    debits = show_dollars("debit_cents", "debits")
    credits = show_dollars("credit_cents", "credits")

    def get_urls(self) -> list[URLPattern]:
        """With the address at which staff say what became of a file."""
        address = path(
            "<int:file_id>/resolve/", self.admin_site.admin_view(resolve), name="payments_bankfile_resolve"
        )
        return [address, *super().get_urls()]

    @admin.display(description="entries")
    def entries(self, file: BankFile) -> str:
        """Leads to its debits."""
        return link_to_list(FileEntry, "Its debits", file__id__exact=file.pk)

    @admin.display(description="returns and corrections")
    def returns(self, file: BankFile) -> str:
        """Leads to its returns and corrections."""
        return link_to_list(ReturnLine, "Its returns and corrections", file__id__exact=file.pk)


@admin.register(FileEntry)
class FileEntryAdmin(ReadOnlyAdmin):
    """One debit at one line of one bank file."""

    list_display = ("trace", "payment_link", "file", "line", "amount")
    list_select_related = ("file", "payment")
    fields = ("trace", "cycle", "payment_link", "refund_link", "file_link", "line", "as_it_stands", "amount")
    search_paths = {
        "trace": "trace",
        "confirmation": "payment__confirmation_number",
        "member_id": "payment__account__enrollment__member__member_id",
    }
    search_help_text = "Trace number, confirmation number or Member ID"
    amount = show_dollars("amount_cents", "amount")

    def get_urls(self) -> list[URLPattern]:
        """With the addresses of the bank's own lines."""
        wrap = self.admin_site.admin_view
        return [
            path("<int:entry_id>/line/", wrap(show_entry_line), name="payments_fileentry_line"),
            path("returned/<int:line_id>/", wrap(show_return_lines), name="payments_returnline_raw"),
            *super().get_urls(),
        ]

    @admin.display(description="refund")
    def refund_link(self, entry: FileEntry) -> str:
        """Leads to the refund."""
        return link_to(entry.refund)

    @admin.display(description="as it stands in the file")
    def as_it_stands(self, entry: FileEntry) -> str:
        """Leads to the line, masked."""
        address = reverse("admin:payments_fileentry_line", args=[entry.pk])
        return format_html('<a href="{}">The line of the bank file, masked</a>', address)

    @admin.display(description="payment")
    def payment_link(self, entry: FileEntry) -> str:
        """Leads to the payment."""
        return link_to(entry.payment)

    @admin.display(description="file")
    def file_link(self, entry: FileEntry) -> str:
        """Leads to the file."""
        return link_to(entry.file)

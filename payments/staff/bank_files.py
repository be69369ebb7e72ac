"""A bank file of unknown outcome, on the staff's side: after asking the bank, one of the staff says whether it has the file."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from connector_pay.lib import clock
from connector_pay.lib.money import format_dollars
from connector_pay.lib.staff_pages import Page, WhyForm, require, show_act
from connector_pay.lib.templatetags.exchange import long_date
from payments.ach.sending import AlreadyHandingOver, UnableToResolveFile, resolve_unknown
from payments.models import BankFile, FileStatus

MAY_RESOLVE = "payments.resolve_file"
SENT, NOT_SENT = "sent", "not_sent"
SAID = {
    SENT: "It counts as sent.",
    NOT_SENT: "It goes out again, the same bytes under the same name, when files are next handed over.",
}
STANDS = {
    SENT: (FileStatus.SENT, FileStatus.ACCEPTED, FileStatus.REJECTED),
    NOT_SENT: (FileStatus.SENDING,),
}
LONGEST_WHY = 100


class ResolveForm(WhyForm):
    """What the bank said, and the reference it gave."""

    outcome = forms.ChoiceField(
        label="What the bank says",
        choices=[(SENT, "It has this file"), (NOT_SENT, "It never had this file")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what the bank says"},
    )
    reference = forms.CharField(
        label="The bank's reference",
        max_length=40,
        help_text="Of the call or the message in which the bank said so.",
        error_messages={"required": "Enter the reference that the bank gave you"},
    )
    field_order = ("outcome", "reference", "why")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["why"].label = "Whom you asked"
        self.fields["why"].max_length = LONGEST_WHY  # type: ignore[attr-defined]  # a CharField's own


@require_http_methods(["GET", "POST"])
@never_cache
def resolve(request: HttpRequest, file_id: int) -> HttpResponse:
    """Mark a file of unknown outcome as sent, or as not sent; shown once more before it is done."""
    require(request, MAY_RESOLVE)
    file = get_object_or_404(BankFile, pk=file_id, direction=BankFile.Direction.OUT)

    def act(typed: Mapping[str, Any]) -> str:
        if BankFile.objects.get(pk=file_id).status not in STANDS[typed["outcome"]]:  # not pressed twice
            who = request.user.get_username()
            why = f"by {who}: {typed['why']} ({typed['reference']})"[:200]
            is_sent = typed["outcome"] == SENT
            resolve_unknown(name=file.name, sent=is_sent, why=why, at=clock.now())
        return SAID[typed["outcome"]]

    page = Page(
        title="Say whether the bank has this file",
        button="This is what the bank says",
        back=file,
        facts=[
            ("File", file.name),
            ("Built for", long_date(file.business_date)),
            ("Entries", str(file.entry_count)),
            ("Debits", format_dollars(file.debit_cents)),
            ("Credits", format_dollars(file.credit_cents)),
            ("Status", file.get_status_display()),
        ],
        words=[
            "Ask the bank first. If this is answered wrongly, every payer in the file is debited twice, or not at all.",
            "It has the file: its entries count as sent, and settle on their day.",
            "It never had it: the same bytes go out again under the same name.",
        ],
    )
    return show_act(
        request,
        page,
        act=act,
        refusals=(UnableToResolveFile, AlreadyHandingOver),
        form_class=ResolveForm,
        needs_preview=True,
    )

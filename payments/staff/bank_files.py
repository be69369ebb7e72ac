"""A bank file of unknown outcome, on the staff's side: after asking the bank, two of the staff say whether it has the file."""

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from connector_pay.lib import clock
from connector_pay.lib.money import format_dollars
from connector_pay.lib.staff_pages import Page, WhyForm, require, show_act
from connector_pay.lib.templatetags.exchange import long_date
from members.models import User
from payments.ach.file_answers import answer_for_file, list_answers
from payments.ach.sending import AlreadyHandingOver, UnableToResolveFile
from payments.models import BankFile, FileStatus

MAY_RESOLVE = "payments.resolve_file"
SENT, NOT_SENT = "sent", "not_sent"
WAITS = "Written down. It counts once another person has heard the same from the bank."
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
        if BankFile.objects.get(pk=file_id).status in STANDS[typed["outcome"]]:  # pressed twice
            return SAID[typed["outcome"]]
        is_resolved = answer_for_file(
            file_id=file_id,
            is_sent=typed["outcome"] == SENT,
            reference=typed["reference"],
            asked=typed["why"],
            by=cast("User", request.user),
            form_key=typed["form_key"],
            at=clock.now(),
        )
        return SAID[typed["outcome"]] if is_resolved else WAITS

    return show_act(
        request,
        _describe_resolving(file),
        act=act,
        refusals=(UnableToResolveFile, AlreadyHandingOver),
        form_class=ResolveForm,
        needs_preview=True,
    )


def _describe_resolving(file: BankFile) -> Page:
    return Page(
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
            *(("Heard before", str(answer)) for answer in list_answers(file=file)),
        ],
        words=[
            "Ask the bank first. Two of you ask, each for yourself: it counts once both have heard the same.",
            "If this is answered wrongly, every payer in the file is debited twice, or not at all.",
            "It has the file: its entries count as sent, and settle on their day.",
            "It never had it: the same bytes go out again under the same name.",
        ],
    )

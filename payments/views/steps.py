"""The steps of paying that members and guests share: bank account, review, recording."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from billing.balances import Standing
from members import member_id
from payments import routing_directory
from payments.bank_accounts import BankDetails
from payments.bank_numbers import UnableToUseBankAccount, check_routing_number
from payments.channels.guest import read_identifier
from payments.drafts import UnableToFindDraft, discard_draft
from payments.forms.authorizing import ReviewForm, is_authorized, name_box
from payments.forms.bank import NEW, BankForm
from payments.models import AccountKind, BankAccount, BankAccountStatus, Payment, PaymentChannel
from payments.payables import Payable, find_same, make_payables, read_in_progress
from payments.recording import PaymentItem, UnableToRecord, find_recorded, record_as_told
from payments.review import (
    ReviewItem,
    UnableToReadReview,
    describe_change,
    prepare_items,
    read_review,
    sign_review,
)
from payments.tasks import wake_validation
from payments.views.journey import (
    AMOUNT,
    BANK,
    FIND,
    REVIEW,
    Journey,
    describe_payer,
    open_journey,
    read_language,
    see_other,
    start_again,
)

OPEN_TOO_LONG = gettext_noop("This page was open too long. Check your payment once more")
Step = Callable[[Journey], HttpResponse]
Bank = BankDetails | BankAccount
Shown = Sequence[Mapping[str, Any]]


def take_step(
    request: HttpRequest,
    *,
    draft_id: UUID,
    step: str,
    steps: Mapping[str, Step],
    channel: PaymentChannel,
    at: datetime,
) -> HttpResponse:
    """Answer one step of a visit; one that has ended in a payment leads to its confirmation, one that is over begins anew."""
    if step not in steps:
        raise Http404
    try:
        journey = open_journey(request, draft_id=draft_id, channel=channel, at=at, kind=Journey)
    except UnableToFindDraft:
        return start_again(request, start="guest_find" if channel == PaymentChannel.GUEST else "pay")
    if journey.contents.recorded:
        return _go_to_confirmation(journey)
    if step in (BANK, REVIEW) and not journey.contents.chosen:
        return journey.go(AMOUNT)
    if step == REVIEW and not journey.contents.has_bank:
        return journey.go(BANK)
    return steps[step](journey)


def show_bank(journey: Journey) -> HttpResponse:
    """The bank account: asked, checked, kept sealed until the review."""
    saved = _list_saved(journey)
    options: dict[str, Any] = {"saved": saved, "known": journey.contents.bank, "is_guest": journey.is_guest}
    if journey.request.method == "POST":
        form = BankForm(journey.request.POST, **options)
        if not form.is_valid() and journey.is_keeping:
            return journey.keep_half_typed(half_typed=form.half_typed)
        if form.is_valid():
            email = form.cleaned_data.get("receipt_email", "")
            chosen = {"bank": form.details, "saved_account_id": form.saved_account_id, "receipt_email": email}
            chosen |= {"half_typed": {}}
            if journey.is_keeping:
                return journey.keep_half_typed(**chosen)
            journey.keep(replace(journey.contents, **chosen))
            return journey.go(REVIEW)
    else:
        form = BankForm(initial=_read_bank_initial(journey), **options)
    total_cents = sum(item.amount_cents for item in journey.contents.chosen)
    return journey.show(
        "payments/pay_bank.html",
        BANK,
        form=form,
        has_saved=bool(saved),
        total_cents=total_cents,
        directory=_find_typed_bank(form),
    )


def show_review(journey: Journey) -> HttpResponse:
    """What will happen, in words, before it does; then the payment, if every word still holds when the request arrives."""
    bank = find_bank(journey)
    if bank is None:
        return journey.go(BANK)
    if journey.request.method == "POST":
        return _authorize(journey, bank)
    items = _read_items(journey, bank)
    if items is None:
        return journey.go(AMOUNT)
    form = ReviewForm(initial=_sign(journey, items), items=items)
    return _draw_review(journey, bank=bank, form=form, items=items)


def find_bank(journey: Journey) -> BankDetails | BankAccount | None:
    """What was typed, or the saved account that was chosen, while it may be used."""
    key = journey.contents.saved_account_id
    if key is None:
        return journey.contents.bank
    return next((account for account in _list_saved(journey) if account.pk == key), None)


def list_bank_rows(
    journey: Journey, bank: BankDetails | BankAccount, directory: routing_directory.Bank | None
) -> list[dict[str, str]]:
    """The bank account as the review pages show it, each line with its link to change it."""
    change = journey.link(BANK)
    account = _("%(kind)s, ending %(four)s") % {"kind": AccountKind(bank.kind).label, "four": bank.last_four}
    rows = [
        {"label": _("Name on the account"), "value": bank.holder_name, "change_url": change},
        {"label": _("Routing number"), "value": bank.routing_number, "change_url": change},
        {"label": _("Bank account"), "value": account, "change_url": change},
    ]
    if directory:
        rows.insert(1, {"label": _("Bank"), "value": directory.name, "change_url": ""})
    if journey.contents.receipt_email:
        rows.append(
            {
                "label": _("Email for your receipt"),
                "value": journey.contents.receipt_email,
                "change_url": change,
            }
        )
    return rows


def _read_items(journey: Journey, bank: Bank) -> list[ReviewItem] | None:
    """The payments as things stand; None where one of the bills can no longer be paid."""
    in_progress = read_in_progress(account_ids=journey.chosen_accounts)
    return _prepare(journey, bank, payables=journey.read_payables(), in_progress=in_progress)


def _prepare(
    journey: Journey, bank: Bank, *, payables: Iterable[Payable], in_progress: Iterable[Payment]
) -> list[ReviewItem] | None:
    known = {payable.account_id: payable for payable in payables}
    if any(item.account_id not in known for item in journey.contents.chosen):
        return None
    same = find_same(
        chosen=journey.contents.chosen,
        received_date=journey.contents.find_received_date(today=journey.today),
        in_progress=in_progress,
        session_digest=None if journey.contents.shows_account else journey.session_digest,
    )
    return prepare_items(
        contents=journey.contents,
        payables=known,
        bank=bank,
        same=same,
        today=journey.today,
        language=read_language(),
        whose="the" if journey.is_guest else "your",
    )


def _authorize(journey: Journey, bank: Bank) -> HttpResponse:
    typed = journey.request.POST
    try:
        shown = read_review(token=typed.get("token", ""), draft_id=journey.draft.id)["items"]
    except UnableToReadReview:
        return _review_again(journey, bank, problem=_(OPEN_TOO_LONG))
    if not is_authorized(typed=typed, account_ids=journey.chosen_accounts):
        return _ask_to_authorize(journey, bank, shown=shown)
    return _record(journey, bank, shown=shown)


def _ask_to_authorize(journey: Journey, bank: Bank, *, shown: Shown) -> HttpResponse:
    items = _read_items(journey, bank)
    if items is None:
        return journey.go(AMOUNT)
    change = describe_change(shown=shown, items=items, today=journey.today)
    if change:
        # The same form sent twice: what changed may be that the first of the two has paid.
        return _answer_repeated(journey) or _review_again(journey, bank, problem=change)
    typed = journey.request.POST.copy()
    typed["token"] = sign_review(draft=journey.draft, items=items)
    return _draw_review(journey, bank=bank, form=ReviewForm(typed, items=items), items=items)


def _record(journey: Journey, bank: Bank, *, shown: Shown) -> HttpResponse:
    def prepare(standings: Mapping[int, Standing], in_progress: Sequence[Payment]) -> list[PaymentItem]:
        """The payments under the lock. Raises UnableToRecord where what was shown no longer holds."""
        items = _prepare(journey, bank, payables=make_payables(standings=standings), in_progress=in_progress)
        if items is None:
            raise UnableToRecord(_("This bill can no longer be paid here. Call us"))
        change = describe_change(shown=shown, items=items, today=journey.today)
        if change:
            raise UnableToRecord(change)
        # In the payment's own transaction: what is recorded leaves nothing typed behind, and what is refused all of it.
        discard_draft(draft=journey.draft)
        return [_make_item(item, due_was_shown=journey.contents.shows_account) for item in items]

    try:
        payments = record_as_told(
            payer=describe_payer(journey, name=bank.holder_name),
            bank=bank,
            account_ids=journey.chosen_accounts,
            beside=journey.contents.account_ids,
            prepare=prepare,
            form_key=journey.draft.form_key,
            today=journey.today,
            at=journey.at,
        )
    except (UnableToRecord, UnableToUseBankAccount) as refusal:
        return _answer_repeated(journey) or _review_again(journey, bank, problem=str(refusal))
    wake_validation(uses=payments)
    return _go_to_confirmation(journey)


def _make_item(item: ReviewItem, *, due_was_shown: bool) -> PaymentItem:
    return PaymentItem(
        account_id=item.payable.account_id,
        amount_cents=item.amount_cents,
        received_date=item.received_date,
        coverage_sentence=item.sentence,
        authorization_text=item.authorization,
        due_was_shown=due_was_shown,
    )


def _review_again(journey: Journey, bank: Bank, *, problem: str) -> HttpResponse:
    """Nothing was recorded: the page as things stand now, no box ticked, with what has changed at its top."""
    items = _read_items(journey, bank)
    if items is None:
        return journey.go(AMOUNT)
    form = ReviewForm(_sign(journey, items), items=items, problem=problem)
    return _draw_review(journey, bank=bank, form=form, items=items)


def _draw_review(
    journey: Journey, *, bank: Bank, form: ReviewForm, items: Sequence[ReviewItem]
) -> HttpResponse:
    directory = routing_directory.find_bank(routing_number=bank.routing_number)
    boxes = [form[name_box(item.payable.account_id)] for item in items]
    return journey.show(
        "payments/pay_review.html",
        REVIEW,
        form=form,
        payments=list(zip(items, boxes, strict=True)),
        identification=_list_identification(journey),
        bank_rows=list_bank_rows(journey, bank, directory),
        directory=directory,
        total_cents=sum(item.amount_cents for item in items),
        is_scheduled=any(item.received_date > journey.today for item in items),
    )


def _sign(journey: Journey, items: Sequence[ReviewItem]) -> dict[str, str]:
    return {"token": sign_review(draft=journey.draft, items=items)}


def _answer_repeated(journey: Journey) -> HttpResponse | None:
    """The confirmation of the payment that this form has made, None if it has made none."""
    return _go_to_confirmation(journey) if find_recorded(form_key=journey.draft.form_key) else None


def _go_to_confirmation(journey: Journey) -> HttpResponse:
    return see_other(reverse("confirmation", args=[journey.draft.form_key]))


def _list_saved(journey: Journey) -> list[BankAccount]:
    """The member's own accounts that may be debited, the latest first; a guest has none."""
    if journey.is_guest:
        return []
    usable = (BankAccountStatus.VALID, BankAccountStatus.UNCHECKED)
    accounts = BankAccount.objects.filter(owner=journey.request.user.pk, hidden_at=None, status__in=usable)
    return list(accounts.order_by("-pk"))


def _read_bank_initial(journey: Journey) -> dict[str, object]:
    """What was typed, but never the number."""
    contents = journey.contents
    initial: dict[str, object] = {"receipt_email": contents.receipt_email}
    if contents.bank:
        known = contents.bank
        initial |= {
            "holder_name": known.holder_name,
            "kind": known.kind,
            "routing_number": known.routing_number,
        }
        initial["source"] = NEW
    elif contents.saved_account_id:
        initial["source"] = str(contents.saved_account_id)
    elif contents.must_choose_bank:
        initial["source"] = ""
    return initial | dict(contents.half_typed)


def _find_typed_bank(form: BankForm) -> routing_directory.Bank | None:
    """The bank of the routing number in the box; None for no number, a wrong one, or one that the directory lacks."""
    try:
        number = check_routing_number(form["routing_number"].value() or "")
    except UnableToUseBankAccount:
        return None
    return routing_directory.find_bank(routing_number=number)


def _list_identification(journey: Journey) -> list[dict[str, str]]:
    """For a guest, whose bill it is: the number they typed, in groups, or the bill's; and the name where it may be shown."""
    contents = journey.contents
    if not journey.is_guest:
        return []
    if contents.bill_number:
        return [{"label": _("Bill number"), "value": contents.bill_number, "change_url": ""}]
    typed = read_identifier(contents.identifier)
    label = _("Member ID") if typed.member_id else _("Phone number")
    value = member_id.format(typed.member_id) if typed.member_id else typed.written
    rows = [{"label": label, "value": value, "change_url": journey.link(FIND)}]
    if contents.person:
        rows.append({"label": _("Member"), "value": contents.person, "change_url": ""})
    return rows

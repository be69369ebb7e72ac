"""One visit of a payer: the draft, the moment, and the addresses of its steps; shared by members and guests."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from connector_pay.lib import clock
from connector_pay.lib.addresses import read_address
from members.models import User
from payments.drafts import (
    Contents,
    Draft,
    UnableToFindDraft,
    find_draft,
    prolong_drafts,
    read_session_digest,
    write_draft,
)
from payments.models import PaymentChannel
from payments.payables import Payable, list_payables
from payments.recording import Payer

KEEP = "keep_half_typed"  # as the script names it
FIND, AMOUNT, BANK, REVIEW, CONFIRMATION = "find", "amount", "bank", "review", "confirmation"
STEP_WORDS = {
    FIND: _("Find your bill"),
    AMOUNT: _("Amount"),
    BANK: _("Bank account"),
    REVIEW: _("Review and authorize"),
    CONFIRMATION: _("Confirmation"),
}


@dataclass(frozen=True)
class Journey:
    """A payer on the way: who, with which draft, and when the request reached us."""

    is_autopay: ClassVar[bool] = False

    request: HttpRequest
    draft: Draft
    channel: PaymentChannel
    at: datetime
    today: date

    @property
    def contents(self) -> Contents:
        """What was found and typed so far."""
        return self.draft.contents

    @property
    def is_guest(self) -> bool:
        """Whether the payer has not signed in."""
        return self.channel == PaymentChannel.GUEST

    @property
    def session_digest(self) -> str:
        """The browser session."""
        return read_session_digest(self.request)

    @property
    def chosen_accounts(self) -> list[int]:
        """The accounts whose bills the payer chose to pay."""
        return [item.account_id for item in self.contents.chosen]

    def link(self, step: str) -> str:
        """The address of a step of this visit."""
        return reverse("guest_pay" if self.is_guest else "pay_step", args=[self.draft.id, step])

    @property
    def back_url(self) -> str:
        """Where the bank account page leads back to."""
        return self.link(AMOUNT)

    def go(self, step: str) -> HttpResponse:
        """On to a step, by GET."""
        return see_other(self.link(step))

    @property
    def is_keeping(self) -> bool:
        """Whether the page sends what is typed so far because a member's session is about to end; a guest's is not kept."""
        return not self.is_guest and KEEP in self.request.POST

    def keep(self, contents: Contents) -> None:
        """Keep what was typed, for as long again."""
        write_draft(draft=self.draft, contents=contents)
        user = None if self.is_guest else read_user(self.request)
        prolong_drafts(user=user, session_digest=self.session_digest, at=self.at)

    def keep_half_typed(self, **typed: Any) -> HttpResponse:
        """Keep a page as it is filled in so far; nothing is checked, and nobody goes on."""
        self.keep(replace(self.contents, **typed))
        return HttpResponse(status=204)

    def read_payables(self) -> list[Payable]:
        """The accounts that this payer may pay, as they stand."""
        return list_payables(account_ids=self.contents.account_ids, today=self.today)

    def show(self, template: str, step: str, **context: Any) -> HttpResponse:
        """The page of a step."""
        context |= {"journey": self, "find_url": self.link(FIND), "amount_url": self.link(AMOUNT)}
        context |= describe_step(step, is_guest=self.is_guest)
        return render(self.request, template, context)


Kind = TypeVar("Kind", bound=Journey)


def open_journey(
    request: HttpRequest, *, draft_id: UUID, channel: PaymentChannel, at: datetime, kind: type[Kind]
) -> Kind:
    """The visit that this draft belongs to. Raises UnableToFindDraft, also for a draft of another kind of visit."""
    user = read_user(request) if channel == PaymentChannel.WEB else None
    # A member who had to sign in again goes on; whoever is not known is known by the session alone.
    digest = None if user else read_session_digest(request)
    draft = find_draft(draft_id=draft_id, user=user, session_digest=digest, at=at)
    if draft.contents.is_autopay != kind.is_autopay:
        raise UnableToFindDraft
    return kind(request, draft, channel, at, clock.business_date(moment=at))


def describe_step(step: str, *, is_guest: bool) -> dict[str, Any]:
    """The names of all steps and the number of this one, for the step indicator."""
    names: Sequence[str] = list(STEP_WORDS) if is_guest else list(STEP_WORDS)[1:]
    return {"steps": [STEP_WORDS[name] for name in names], "step": names.index(step) + 1}


def see_other(address: str) -> HttpResponse:
    """The answer to a form that was accepted: 303, so that going back never sends it again."""
    answer = redirect(address)
    answer.status_code = 303
    return answer


def start_again(request: HttpRequest, *, start: str) -> HttpResponse:
    """What was typed is gone, on purpose: begin anew."""
    return render(request, "payments/pay_start_again.html", {"start": reverse(start)})


def describe_payer(journey: Journey, *, name: str) -> Payer:
    """Who authorizes, and from where: what the proof of authorization keeps."""
    request = journey.request
    return Payer(
        channel=journey.channel,
        user=None if journey.is_guest else read_user(request),
        name=name,
        session_digest=journey.session_digest,
        address=read_address(request),
        browser=request.headers.get("User-Agent", ""),
        language=read_language(),
        receipt_email=journey.contents.receipt_email,
    )


def read_user(request: HttpRequest) -> User | None:
    """Whoever has signed in."""
    return request.user if request.user.is_authenticated else None


def read_language() -> str:
    """The language of the page, as two letters."""
    return (get_language() or settings.LANGUAGE_CODE)[:2]

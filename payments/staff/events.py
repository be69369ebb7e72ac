"""All that happened on an account, as one line: a table of where events are kept, read newest first, a page at a time.

Another kind of event is another row of `SOURCES`. A page asks each source once, however long the account's history is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.urls import reverse

from billing.models import (
    Account,
    Adjustment,
    DueDateOverride,
    Episode,
    EpisodeMove,
    Invoice,
    Receipt,
    StartReview,
)
from connector_pay.lib.clock import EASTERN
from connector_pay.lib.money import format_dollars
from members.models import EnrollmentMove, Notice, PremiumRate, StartMove
from members.notices import KINDS
from payments.ach.return_codes import find_return_code
from payments.confirmation import format_number
from payments.models import (
    DraftAnnouncement,
    FileEntry,
    Mandate,
    MandateMove,
    Payment,
    PaymentMove,
    Refund,
    RefundMove,
    ReturnLine,
)
from payments.staff.acts_told import ACTS
from payments.staff.telling import Source, Told, link, name_people, say_day

EVENTS_A_PAGE = 100


@dataclass(frozen=True, slots=True)
class Event:
    """One event. Its place, moment, source and key, tells it from every other and says where the next page begins."""

    kind: str
    at: datetime
    told: Told
    source: int
    key: int

    @property
    def month(self) -> str:
        """The month it happened in, Eastern."""
        return f"{self.at.astimezone(EASTERN):%B %Y}"

    @property
    def cursor(self) -> str:
        """Its place, for an address."""
        return f"{self.at.isoformat()},{self.source},{self.key}"

    @property
    def order(self) -> tuple[datetime, int, int]:
        """Newest first; at one moment by source, and of one source the later row first."""
        return (self.at, -self.source, self.key)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last event of the page before."""

    at: datetime
    source: int
    key: int


def read_cursor(text: str) -> Cursor | None:
    """The place that an address names; None for the first page, and for what names none."""
    parts = text.split(",")
    try:
        at, source, key = datetime.fromisoformat(parts[0].replace(" ", "+")), int(parts[1]), int(parts[2])
    except (ValueError, IndexError):
        return None
    return Cursor(at, source, key) if at.tzinfo and 0 <= key < 2**63 else None


def list_events(
    *, account: Account, kinds: Iterable[str] = (), after: Cursor | None = None, limit: int = EVENTS_A_PAGE
) -> tuple[list[Event], bool]:
    """A page of an account's events, newest first, and whether there are more. One statement a source."""
    wanted = set(kinds)
    found: list[Event] = []
    for number, source in enumerate(SOURCES):
        if not wanted or source.kind in wanted:
            found += _read(account, source, number, after=after, limit=limit + 1)
    found.sort(key=lambda event: event.order, reverse=True)
    return found[:limit], len(found) > limit


def name_notice(notice: Notice) -> str:
    """What a notice says at its top, in English."""
    kind = KINDS.get(notice.event)
    return kind.subjects["en"] if kind else notice.event


def _read(account: Account, source: Source, number: int, *, after: Cursor | None, limit: int) -> list[Event]:
    rows = source.rows(account)
    if after:
        rows = rows.filter(_after(source, number, after))
    rows = rows.order_by(f"-{source.moment}", "-pk")[:limit]
    return [
        Event(source.kind, _find_moment(row, source.moment), source.tell(row), number, row.pk) for row in rows
    ]


def _after(source: Source, number: int, after: Cursor) -> Q:
    """The rows whose place is behind the cursor's."""
    earlier, same = Q(**{f"{source.moment}__lt": after.at}), Q(**{source.moment: after.at})
    if number < after.source:
        return earlier
    return earlier | (same & Q(pk__lt=after.key) if number == after.source else same)


def _find_moment(row: Model, path: str) -> Any:
    found: Any = row
    for name in path.split("__"):
        found = getattr(found, name)
    return found


def _tell_issued(invoice: Invoice) -> Told:
    what = "First bill" if invoice.is_binder else "Bill"
    words = (
        f"{what} {invoice.number} for {invoice.coverage_month:%B %Y}: {format_dollars(invoice.amount_cents)}"
    )
    return Told(words, f"due {say_day(invoice.due_date)}", link(invoice))


def _tell_voided(invoice: Invoice) -> Told:
    words = f"Bill {invoice.number} for {invoice.coverage_month:%B %Y} voided"
    return Told(words, invoice.void_reason, link(invoice))


def _tell_payment(payment: Payment) -> Told:
    number = format_number(payment.confirmation_number)
    words = (
        f"Payment {number} of {format_dollars(payment.amount_cents)}, {payment.get_channel_display().lower()}"
    )
    return Told(words, f"received {say_day(payment.received_date)}; {payment.bank_account}", link(payment))


def _tell_payment_move(move: PaymentMove) -> Told:
    number = format_number(move.payment.confirmation_number)
    return Told(f"Payment {number}: {move.before} to {move.after}", move.why, link(move.payment))


def _tell_entry(entry: FileEntry) -> Told:
    words = f"{entry.get_kind_display()} of {format_dollars(entry.amount_cents)} in bank file {entry.file}"
    url = reverse("admin:payments_fileentry_line", args=[entry.pk])
    return Told(words, f"line {entry.line}, trace {entry.trace}", url)


def _tell_return(line: ReturnLine) -> Told:
    title = "Correction" if line.code.startswith("C") else find_return_code(code=line.code).title
    what = "" if line.applied else f"; waits for a person: {line.parked_because}"
    return Told(f"{line.code} from the bank: {title}", f"trace {line.trace}{what}", link(line))


def _tell_refund(refund: Refund) -> Told:
    by = refund.asked_by.get_username() if refund.asked_by else "the day’s work"
    words = f"Refund {refund.pk} of {format_dollars(refund.cents)} asked for"
    return Told(words, f"{refund.get_method_display()}: {refund.why}", link(refund), by)


def _tell_refund_move(move: RefundMove) -> Told:
    refund = move.refund
    decides = move.after in ("approved", "declined") and refund.decided_by
    by = refund.decided_by.get_username() if decides and refund.decided_by else ""
    return Told(f"Refund {refund.pk}: {move.before} to {move.after}", move.why, link(refund), by)


def _tell_mandate(mandate: Mandate) -> Told:
    giver = mandate.authorization.given_by
    details = f"{mandate.bank_account}; drafts from {say_day(mandate.drafts_from)}"
    return Told("AutoPay turned on", details, link(mandate), giver.get_username() if giver else "")


def _tell_mandate_move(move: MandateMove) -> Told:
    return Told(f"AutoPay: {move.before} to {move.after}", move.why, link(move.mandate))


def _tell_announcement(told: DraftAnnouncement) -> Told:
    return Told(
        f"Draft of up to {format_dollars(told.amount_cents)} announced for {say_day(told.draft_date)}"
    )


def _tell_notice(notice: Notice) -> Told:
    sent = "" if notice.sent_at else "not sent yet"
    return Told(f"{notice.get_channel_display()}: {name_notice(notice)}", sent, link(notice))


def _tell_enrollment_move(move: EnrollmentMove) -> Told:
    return Told(f"Coverage: {move.before} to {move.after}", move.why, link(move.enrollment))


def _tell_start_move(move: StartMove) -> Told:
    what = "pushed" if move.start_after > move.start_before else "restored"
    words = f"Start of coverage {what}: {say_day(move.start_before)} to {say_day(move.start_after)}"
    return Told(words, move.why, link(move.enrollment))


def _tell_rate(rate: PremiumRate) -> Told:
    words = f"Price from {rate.from_month:%B %Y}: {format_dollars(rate.net_cents)} a month"
    return Told(
        words, f"premium {format_dollars(rate.premium_cents)}, subsidy {format_dollars(rate.subsidy_cents)}"
    )


def _tell_review(review: StartReview) -> Told:
    words = f"Start under review: stands at {say_day(review.stands_at)}, the rules give {say_day(review.rules_give)}"
    return Told(words, review.why, link(review))


def _tell_decision(review: StartReview) -> Told:
    by = review.decided_by.get_username() if review.decided_by else ""
    return Told(f"Start decided: {review.get_decision_display()}", "", link(review), by)


def _tell_episode(episode: Episode) -> Told:
    return Told(
        f"Fell behind: {episode.oldest_month:%B %Y} is unpaid", f"{episode.kind} ladder", link(episode)
    )


def _tell_episode_move(move: EpisodeMove) -> Told:
    decider = move.episode.decided_by if move.after == "ended" else None
    by = decider.get_username() if decider else ""
    return Told(f"Behind: {move.before} to {move.after}", move.why, link(move.episode), by)


def _tell_adjustment(adjustment: Adjustment) -> Told:
    sign = "taken off" if adjustment.cents < 0 else "put on"
    words = f"{adjustment.get_kind_display()}: {format_dollars(abs(adjustment.cents))} {sign} {adjustment.coverage_month:%B %Y}"
    by = name_people(asked_by=adjustment.asked_by, decided_by=adjustment.approved_by)
    return Told(words, adjustment.reason, "", by)


def _tell_override(override: DueDateOverride) -> Told:
    words = f"Due date for {override.coverage_month:%B %Y} moved to {say_day(override.due_date)}"
    return Told(words, override.reason, link(override))


def _tell_receipt(receipt: Receipt) -> Told:
    words = f"Money received: {format_dollars(receipt.cents)}"
    return Told(words, f"{receipt.reference}, received {say_day(receipt.received_date)}", link(receipt))


def _find_notices(account: Account) -> "QuerySet[Notice]":
    """What the member was told, but for what is about the other product."""
    enrollment = account.enrollment
    about = Q(facts__product=enrollment.plan.product) | ~Q(facts__has_key="product")
    return Notice.objects.filter(about, member=enrollment.member_id)


KIND_WORDS: dict[str, str] = {
    "bills": "Bills",
    "payments": "Payments",
    "bank": "Bank files and returns",
    "refunds": "Refunds",
    "autopay": "AutoPay",
    "notices": "Notices",
    "coverage": "Coverage and its start",
    "behind": "Falling behind",
    "corrections": "Corrections",
}

SOURCES: Sequence[Source] = (
    Source("bills", lambda a: a.invoices.all(), "issued_at", _tell_issued),
    Source("bills", lambda a: a.invoices.filter(voided_at__isnull=False), "voided_at", _tell_voided),
    Source("payments", lambda a: a.payments.select_related("bank_account"), "recorded_at", _tell_payment),
    Source(
        "payments",
        lambda a: PaymentMove.objects.filter(payment__account=a).select_related("payment"),
        "at",
        _tell_payment_move,
    ),
    Source(
        "payments",
        lambda a: a.receipts.exclude(reference__startswith="payment:"),
        "counted_at",
        _tell_receipt,
    ),
    Source(
        "bank",
        lambda a: FileEntry.objects.filter(payment__account=a).select_related("file"),
        "file__stored_at",
        _tell_entry,
    ),
    Source(
        "bank",
        lambda a: FileEntry.objects.filter(refund__receipt__account=a).select_related("file"),
        "file__stored_at",
        _tell_entry,
    ),
    Source("bank", lambda a: ReturnLine.objects.filter(entry__payment__account=a), "at", _tell_return),
    Source(
        "bank", lambda a: ReturnLine.objects.filter(entry__refund__receipt__account=a), "at", _tell_return
    ),
    Source(
        "refunds",
        lambda a: Refund.objects.filter(receipt__account=a).select_related("asked_by"),
        "asked_at",
        _tell_refund,
    ),
    Source(
        "refunds",
        lambda a: RefundMove.objects.filter(refund__receipt__account=a).select_related("refund__decided_by"),
        "at",
        _tell_refund_move,
    ),
    Source(
        "autopay",
        lambda a: a.mandates.select_related("bank_account", "authorization__given_by"),
        "given_at",
        _tell_mandate,
    ),
    Source(
        "autopay",
        lambda a: MandateMove.objects.filter(mandate__account=a).select_related("mandate"),
        "at",
        _tell_mandate_move,
    ),
    Source("autopay", lambda a: a.draft_announcements.all(), "at", _tell_announcement),
    Source("notices", _find_notices, "at", _tell_notice),
    Source(
        "coverage", lambda a: a.enrollment.moves.select_related("enrollment"), "at", _tell_enrollment_move
    ),
    Source(
        "coverage", lambda a: a.enrollment.start_moves.select_related("enrollment"), "at", _tell_start_move
    ),
    Source("coverage", lambda a: a.enrollment.rates.all(), "recorded_at", _tell_rate),
    Source("coverage", lambda a: a.enrollment.start_reviews.all(), "opened_at", _tell_review),
    Source(
        "coverage",
        lambda a: a.enrollment.start_reviews.filter(decided_at__isnull=False).select_related("decided_by"),
        "decided_at",
        _tell_decision,
    ),
    Source("behind", lambda a: a.episodes.all(), "opened_at", _tell_episode),
    Source(
        "behind",
        lambda a: EpisodeMove.objects.filter(episode__account=a).select_related("episode__decided_by"),
        "at",
        _tell_episode_move,
    ),
    Source(
        "corrections",
        lambda a: a.adjustments.select_related("approved_by", "asked_by"),
        "recorded_at",
        _tell_adjustment,
    ),
    Source("corrections", lambda a: DueDateOverride.objects.filter(account=a), "recorded_at", _tell_override),
    *ACTS,
)

"""Previews of corrections for staff's pages: how the account stands and would stand, whom it concerns, who must approve it."""

from datetime import date, datetime
from typing import Any

from billing.corrections import NewCorrection, UnableToCorrect, preview, preview_waiting
from billing.extensions import Reach, find_reach
from billing.models import Correction, CorrectionKind, StartDecision, StartReview
from billing.what_if import Tried
from connector_pay.lib.staff_pages import Effect, Row
from connector_pay.lib.templatetags.exchange import long_date
from members.models import User


def preview_correction(*, new: NewCorrection, by: User, today: date, at: datetime) -> Effect:
    """What asking for it does, and whether another person must approve it first."""
    try:
        tried = preview(new=new, by=by, today=today, at=at)
    except UnableToCorrect as refusal:
        return Effect(refusal=str(refusal))
    words = []
    if isinstance(tried.answer, Correction) and tried.answer.takes_two:
        words.append("Another person must approve this. Until then nothing changes.")
    return _show(tried, new.month if new.account_id is None else None, new.new_date, words)


def preview_asked(*, correction: Correction, today: date, at: datetime) -> Effect:
    """What approving it does, as things stand today."""
    try:
        tried = preview_waiting(correction=correction, today=today, at=at)
    except UnableToCorrect as refusal:
        return Effect(refusal=str(refusal))
    month = correction.month if correction.account_id is None else None
    return _show(tried, month, correction.new_date, [])


def preview_start(*, review: StartReview, by: User, today: date, at: datetime) -> Effect:
    """What either decision does to the account; what cannot be done is said in its place."""
    tables: list[tuple[str, Any]] = []
    words = []
    for decision in StartDecision:
        new = make_decision(review=review, decision=decision)
        effect = preview_correction(new=new, by=by, today=today, at=at)
        tables += [(f"If {decision.label.lower()}", rows) for _name, rows in effect.tables]
        if effect.refusal:
            words.append(f"“{decision.label}” cannot be chosen: {effect.refusal}")
    return Effect(tables=tables, words=words)


def make_decision(*, review: StartReview, decision: str) -> NewCorrection:
    """What deciding a start asks for."""
    return NewCorrection(
        CorrectionKind.START,
        account_id=review.enrollment.account.pk,
        start_review_id=review.pk,
        decision=decision,
    )


def list_reach(*, month: date, reach: Reach, new_date: date) -> tuple[str, list[Row]]:
    """Whom a later due date of a month for everyone concerns, as a table."""
    return (
        f"What this does: {month:%B %Y}, for everyone",
        [
            ("Due date", long_date(reach.due_date), long_date(new_date)),
            ("Bills still to pay, with this due date", f"{reach.unpaid_bills:,}", f"{reach.unpaid_bills:,}"),
            ("Starts that were pushed past this month", f"{reach.starts:,}", "Looked at again tonight"),
        ],
    )


def _show(tried: Tried, month: date | None, new_date: date | None, words: list[str]) -> Effect:
    tables: list[tuple[str, Any]] = list(tried.list_tables())
    if month is not None and new_date is not None:
        tables.append(list_reach(month=month, reach=find_reach(month=month), new_date=new_date))
    return Effect(tables=tables, words=words)

"""Start decisions: staff say where coverage starts when its month had begun before the rules could give it."""

from datetime import date, datetime

from django.db import transaction

from billing.accounts import lock_accounts
from billing.binders import BinderOf, await_payment_again, read_binders, read_first_payments
from billing.invoices import BinderMove, issue_missing, reissue_binders
from billing.models import Account, StartDecision, StartReview
from members import coverage
from members.models import EnrollmentStatus, User


class UnableToDecide(ValueError):
    """The review is decided, or what it asks for can no longer be done; the text says why, for staff."""


def decide_start(
    *, review_id: int, decision: StartDecision, by: User, today: date, at: datetime
) -> StartReview:
    """Keep the start where it stands, or move it to the month that the rules give: its bill is issued anew.

    A payment that was taken back stays owed if the start is kept; moved to a month to come, coverage waits for it again. Raises
    UnableToDecide.
    """
    with transaction.atomic():
        review = _lock_review(review_id)
        StartReview.objects.filter(pk=review.pk).update(decided_at=at, decision=decision, decided_by=by)
        if decision == StartDecision.MOVE:
            _move(review, by=by, today=today, at=at)
        review.refresh_from_db()
    return review


def _move(review: StartReview, *, by: User, today: date, at: datetime) -> None:
    why, account_id = f"decided by {by.get_username()}", review.enrollment.account.pk
    binder = _read_binder(review)
    payment = read_first_payments(binders=[binder])[account_id]
    if review.rules_give <= today and not payment.is_covered_in_time(start=review.rules_give):
        raise UnableToDecide("That month has begun, and it was not paid for in time.")
    if binder.status == EnrollmentStatus.EXPIRED:
        coverage.revive(enrollment_ids=[binder.enrollment_id], at=at, why=why)
    change = coverage.StartChange(binder.enrollment_id, binder.coverage_start, review.rules_give)
    if change.start_before != change.start_after:
        coverage.move_starts(changes=[change], why=why, run=f"start review {review.pk}", at=at, today=today)
    held = payment.find_held(start=review.rules_give)
    before = None if binder.status == EnrollmentStatus.EXPIRED else binder.coverage_start
    move = BinderMove(account_id, before, review.rules_give, held.cents if held else None)
    reissue_binders(moves=[move], why=why, today=today, at=at)
    await_payment_again(account_ids=[account_id], today=today, at=at, why=why)
    issue_missing(today=today, at=at, account_ids=[account_id])


def _read_binder(review: StartReview) -> BinderOf:
    """Where the start stands. Raises UnableToDecide where it has moved since, or coverage is over."""
    statuses = (EnrollmentStatus.WAITING, EnrollmentStatus.ACTIVE, EnrollmentStatus.EXPIRED)
    account = Account.objects.get(enrollment=review.enrollment_id)
    found = read_binders(account_ids=[account.pk], statuses=statuses)
    if not found or found[0].coverage_start != review.stands_at:
        raise UnableToDecide("Coverage has changed since this review was opened.")
    return found[0]


def _lock_review(review_id: int) -> StartReview:
    """Lock its account, then read it. Raises UnableToDecide."""
    reviews = StartReview.objects.filter(pk=review_id).select_related("enrollment__account")
    lock_accounts(account_ids=reviews.values_list("enrollment__account", flat=True))
    review = reviews.first()
    if review is None or review.decided_at is not None:
        raise UnableToDecide("There is no such review, or it was decided before.")
    return review

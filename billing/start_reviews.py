"""Start reviews: a start of coverage that no run may move, because its month has begun, waits here for staff."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from billing.models import StartReview
from billing.rows import insert_missing


@dataclass(frozen=True, slots=True)
class NewReview:
    """A start to be looked at: where it stands, where the rules put it, and why it is in question."""

    enrollment_id: int
    stands_at: date
    rules_give: date
    why: str


def open_reviews(*, reviews: Sequence[NewReview], today: date, at: datetime) -> list[int]:
    """Open a review for each enrollment that has none open; returns the ids of those opened for."""
    columns = (
        *("enrollment", "stands_at", "rules_give", "why"),
        *("opened_at", "opened_on", "decision"),
    )
    rows = [
        (item.enrollment_id, item.stands_at, item.rules_give, item.why, at, today, "") for item in reviews
    ]
    opened = insert_missing(model=StartReview, columns=columns, rows=rows, returning=["enrollment"])
    return [enrollment_id for (enrollment_id,) in opened]


def list_under_review(*, enrollment_ids: Iterable[int]) -> set[int]:
    """Those of the enrollments whose start staff are looking at: nothing is done about their first payment by itself."""
    waiting = StartReview.objects.filter(enrollment__in=list(enrollment_ids), decided_at=None)
    return set(waiting.values_list("enrollment_id", flat=True))


def list_known(*, enrollment_ids: Iterable[int]) -> set[tuple[int, date]]:
    """Of each enrollment, the starts that staff have been asked about, decided or not."""
    reviews = StartReview.objects.filter(enrollment__in=list(enrollment_ids))
    return set(reviews.values_list("enrollment_id", "rules_give"))


def list_decided(*, enrollment_ids: Iterable[int]) -> set[tuple[int, date | None]]:
    """Of each enrollment, the starts that staff fixed."""
    reviews = StartReview.objects.filter(enrollment__in=list(enrollment_ids), decided_at__isnull=False)
    return {(review.enrollment_id, review.decided_start) for review in reviews}

"""What came of a simulated year, as a small table: how many, and how many dollars."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, QuerySet, Sum

from billing.models import Episode, EpisodeStatus, Invoice
from connector_pay.lib.money import format_dollars
from members.models import EnrollmentMove, EnrollmentStatus, StartMove
from payments.models import Payment, PaymentStatus, Refund, RefundStatus

PAID_BACK = (RefundStatus.SETTLED, RefundStatus.PRINTED)


@dataclass(frozen=True)
class Figure:
    """One line of the table; `cents` is None for what is no money."""

    name: str
    count: int
    cents: int | None = None


def read_figures() -> list[Figure]:
    """Billed and not voided; collected: posted; returned; starts pushed and restored; terminated; refunded."""
    return list(_read())


def describe_figures(figures: list[Figure]) -> str:
    """Aligned, for a person."""
    lines = [f"{'':<12}{'count':>9}{'dollars':>18}"]
    for figure in figures:
        dollars = "" if figure.cents is None else format_dollars(figure.cents)
        lines.append(f"{figure.name:<12}{figure.count:>9,}{dollars:>18}".rstrip())
    return "\n".join(lines)


def _read() -> Iterator[Figure]:
    payments = Payment.objects.order_by()
    yield _sum("billed", Invoice.objects.filter(voided_at=None), "amount_cents")
    yield _sum("collected", payments.filter(status=PaymentStatus.POSTED), "amount_cents")
    yield _sum("returned", payments.filter(status=PaymentStatus.RETURNED), "amount_cents")
    moves = StartMove.objects.order_by()
    yield Figure("pushed", moves.filter(start_after__gt=F("start_before")).count())
    yield Figure("restored", moves.filter(start_after__lt=F("start_before")).count())
    episodes = Episode.objects.order_by()
    yield Figure("terminated", episodes.filter(ended_on__isnull=False).count())
    yield Figure("reinstated", episodes.filter(status=EpisodeStatus.REINSTATED).count())
    expired = EnrollmentMove.objects.filter(after=EnrollmentStatus.EXPIRED)
    yield Figure("expired", expired.count())
    yield _sum("refunded", Refund.objects.filter(status__in=PAID_BACK), "cents")


def _sum(name: str, rows: QuerySet[Any], column: str) -> Figure:
    found = rows.aggregate(count=Count("pk"), cents=Sum(column))
    return Figure(name, found["count"], found["cents"] or 0)

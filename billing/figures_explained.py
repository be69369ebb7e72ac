"""Figures of an account, explained: the movements of the ledger that make up what was billed, paid, refunded and is owed."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Case, F, Q, Sum, When

from billing.models import Chart, Movement

LINES_AT_MOST = 1_000


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure: the movements between two accounts of the chart; those that debit `plus` add to it, the others take off."""

    key: str
    words: str
    plus: Chart
    against: tuple[Chart, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One movement of a figure, with what it adds and what the figure came to with it."""

    movement: Movement
    cents: int
    running_cents: int


ELSEWHERE = tuple(chart for chart in Chart if chart is not Chart.RECEIVABLE)
FIGURES = {
    figure.key: figure
    for figure in (
        Figure("owed", "Balance: billed and refunded, less paid", Chart.RECEIVABLE, ELSEWHERE),
        Figure("billed", "Billed, less what was voided", Chart.RECEIVABLE, (Chart.PREMIUMS,)),
        Figure("paid", "Paid, less what came back", Chart.RECEIVABLE, (Chart.IN_TRANSIT, Chart.BANK)),
        Figure("refunded", "Refunded, less what was put back", Chart.RECEIVABLE, (Chart.REFUNDS,)),
        Figure(
            "in_transit", "On its way from the payer’s bank", Chart.IN_TRANSIT, (Chart.RECEIVABLE, Chart.BANK)
        ),
    )
}
# Paid is told as a sum that grows: what leaves the receivable adds to it.
TURNED = ("paid",)


def sum_figures(*, account_id: int) -> dict[str, int]:
    """Every figure of an account in cents. One statement."""
    sums = {key: Sum(_sign(figure), filter=_find(figure), default=0) for key, figure in FIGURES.items()}
    found = Movement.objects.filter(account=account_id).aggregate(**sums)
    return {key: _turn(key, found[key]) for key in FIGURES}


def list_lines(*, account_id: int, key: str) -> Sequence[Line]:
    """The movements of a figure, oldest first, each with what the figure came to; the sum of them all is the figure."""
    figure = FIGURES[key]
    movements = Movement.objects.filter(_find(figure), account=account_id).order_by("pk")[:LINES_AT_MOST]
    lines, running = [], 0
    for movement in movements:
        cents = _turn(key, movement.cents if movement.debit == figure.plus else -movement.cents)
        running += cents
        lines.append(Line(movement, cents, running))
    return lines


def _find(figure: Figure) -> Q:
    return Q(debit=figure.plus, credit__in=figure.against) | Q(credit=figure.plus, debit__in=figure.against)


def _sign(figure: Figure) -> Case:
    return Case(When(debit=figure.plus, then=F("cents")), default=-F("cents"))


def _turn(key: str, cents: int) -> int:
    return -cents if key in TURNED else cents

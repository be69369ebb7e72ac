"""The rates and plans that intake said, and what staff adjusted, read for many accounts at once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from django.db.models import QuerySet

from billing.models import Adjustment
from billing.premiums import Adjusted, Rate, Terms
from connector_pay.lib.written_once import write_once
from members.models import Enrollment, Plan, PremiumRate

Said = TypeVar("Said")


@dataclass(frozen=True, slots=True)
class Plans:
    """The plans of an enrollment, each with the month it came with, in their order; `otherwise` where none was said by then."""

    otherwise: Plan
    said: tuple[tuple[date, Plan], ...] = ()

    def find(self, *, month: date) -> Plan:
        """The plan in a month: that of its bill, however the enrollment stands today."""
        return find_latest(said=self.said, month=month) or self.otherwise


def find_latest(*, said: Sequence[tuple[date, Said]], month: date) -> Said | None:
    """What was said last of a month, each with the month from which it holds, in their order; None before the first."""
    return next((what for since, what in reversed(said) if since <= month), None)


def read_rates(*, enrollment_ids: Iterable[int]) -> Mapping[int, Sequence[Rate]]:
    """Every rate of each enrollment; none for an enrollment that has none. One statement."""
    rates: defaultdict[int, list[Rate]] = defaultdict(list)
    for enrollment_id, key, month, premium, subsidy in _read_rate_rows(enrollment_ids):
        rates[enrollment_id].append(Rate(key, month, premium, subsidy))
    return rates


@write_once
def _read_rate_rows(enrollment_ids: list[int]) -> QuerySet[PremiumRate, Any]:
    rates = PremiumRate.objects.filter(enrollment__among=enrollment_ids)
    return rates.values_list("enrollment_id", "pk", "from_month", "premium_cents", "subsidy_cents")


def read_plans(*, enrollments: Iterable[Enrollment]) -> dict[int, Plans]:
    """The plans of each enrollment, read with its own, by the month they came with. Two statements."""
    known = {enrollment.pk: enrollment for enrollment in enrollments}
    said = PremiumRate.objects.filter(enrollment__among=list(known), plan__isnull=False)
    columns = ("enrollment_id", "from_month", "plan_id")
    rows = list(said.order_by("from_month", "pk").values_list(*columns))
    plans = Plan.objects.in_bulk({plan_id for *_, plan_id in rows if plan_id})
    found: defaultdict[int, list[tuple[date, Plan]]] = defaultdict(list)
    for enrollment_id, month, plan_id in rows:
        if plan_id:
            found[enrollment_id].append((month, plans[plan_id]))
    return {key: Plans(item.plan, tuple(found.get(key, ()))) for key, item in known.items()}


def read_terms(*, enrollments: Mapping[int, int]) -> dict[int, Terms]:
    """The terms of each account, given its enrollment: rates and adjustments. Two statements."""
    rates = read_rates(enrollment_ids=enrollments.values())
    adjusted: defaultdict[int, list[Adjusted]] = defaultdict(list)
    for account_id, month, cents, kind, counts_from in _read_adjustment_rows(enrollments):
        adjusted[account_id].append(Adjusted(month, cents, kind, counts_from))
    return {
        account_id: Terms(rates=rates[enrollment_id], adjustments=tuple(adjusted.get(account_id, ())))
        for account_id, enrollment_id in enrollments.items()
    }


@write_once
def _read_adjustment_rows(account_ids: list[int]) -> QuerySet[Adjustment, Any]:
    adjustments = Adjustment.objects.filter(account__among=account_ids).order_by("pk")
    return adjustments.values_list("account_id", "coverage_month", "cents", "kind", "counts_from")

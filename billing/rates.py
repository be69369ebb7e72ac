"""The rates and plans that intake said, and what staff adjusted, read for many accounts at once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from billing.models import Adjustment
from billing.premiums import Adjusted, Rate, Terms
from members.models import PremiumRate


@dataclass(frozen=True, slots=True)
class PlanNames:
    """The plans of an enrollment, each with the month it came with, in their order."""

    said: tuple[tuple[date, str], ...] = ()

    def find(self, *, month: date, otherwise: str) -> str:
        """The name of the plan in a month."""
        return next((name for since, name in reversed(self.said) if since <= month), otherwise)


def read_rates(*, enrollment_ids: Iterable[int]) -> Mapping[int, Sequence[Rate]]:
    """Every rate of each enrollment; none for an enrollment that has none. One statement."""
    rates: defaultdict[int, list[Rate]] = defaultdict(list)
    rows = PremiumRate.objects.filter(enrollment__among=list(enrollment_ids))
    for enrollment_id, key, month, premium, subsidy in rows.values_list(
        "enrollment_id", "pk", "from_month", "premium_cents", "subsidy_cents"
    ):
        rates[enrollment_id].append(Rate(key, month, premium, subsidy))
    return rates


def read_plan_names(*, enrollment_ids: Iterable[int]) -> dict[int, PlanNames]:
    """The names of each enrollment's plans by the month they came with; none where no plan was ever said. One statement."""
    said = PremiumRate.objects.filter(enrollment__in=list(enrollment_ids), plan__isnull=False)
    names: defaultdict[int, list[tuple[date, str]]] = defaultdict(list)
    rows = said.order_by("from_month", "pk").values_list("enrollment_id", "from_month", "plan__name")
    for enrollment_id, month, name in rows:
        names[enrollment_id].append((month, name or ""))
    return {key: PlanNames(tuple(said)) for key, said in names.items()}


def read_terms(*, enrollments: Mapping[int, int]) -> dict[int, Terms]:
    """The terms of each account, given its enrollment: rates and adjustments. Two statements."""
    rates = read_rates(enrollment_ids=enrollments.values())
    adjusted: defaultdict[int, list[Adjusted]] = defaultdict(list)
    rows = Adjustment.objects.filter(account__in=list(enrollments)).order_by("pk")
    for account_id, month, cents, kind, counts_from in rows.values_list(
        "account_id", "coverage_month", "cents", "kind", "counts_from"
    ):
        adjusted[account_id].append(Adjusted(month, cents, kind, counts_from))
    return {
        account_id: Terms(rates=rates[enrollment_id], adjustments=tuple(adjusted.get(account_id, ())))
        for account_id, enrollment_id in enrollments.items()
    }

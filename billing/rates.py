"""The rates that intake said, and what staff adjusted, read for many accounts at once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from billing.models import Adjustment
from billing.premiums import Adjusted, Rate, Terms
from members.models import PremiumRate


def read_rates(*, enrollment_ids: Iterable[int]) -> Mapping[int, Sequence[Rate]]:
    """Every rate of each enrollment; none for an enrollment that has none. One statement."""
    rates: defaultdict[int, list[Rate]] = defaultdict(list)
    rows = PremiumRate.objects.filter(enrollment__in=list(enrollment_ids))
    for enrollment_id, key, month, premium, subsidy in rows.values_list(
        "enrollment_id", "pk", "from_month", "premium_cents", "subsidy_cents"
    ):
        rates[enrollment_id].append(Rate(key, month, premium, subsidy))
    return rates


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

"""The rates that intake said, read for many enrollments at once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from billing.premiums import Rate
from members.models import PremiumRate


def read_rates(*, enrollment_ids: Iterable[int]) -> Mapping[int, Sequence[Rate]]:
    """Every rate of each enrollment; none for an enrollment that has none. One statement."""
    rates: defaultdict[int, list[Rate]] = defaultdict(list)
    rows = PremiumRate.objects.filter(enrollment__among=list(enrollment_ids))
    for enrollment_id, key, month, premium, subsidy in rows.values_list(
        "enrollment_id", "pk", "from_month", "premium_cents", "subsidy_cents"
    ):
        rates[enrollment_id].append(Rate(key, month, premium, subsidy))
    return rates

"""Return rates: how many of the debits of the last 60 days came back, held against the network's limits."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

import structlog
from django.db import connection

from billing.policy import Policy, read_policy
from payments.ach.return_codes import CountsAs, find_return_code

log = structlog.get_logger(__name__)
WINDOW_DAYS = 60
HUNDREDTHS_OF_A_PERCENT = 10_000

# By the day on which the returned debit was originated; a file that the bank rejected originated nothing.
_DEBITS = """
    SELECT coalesce(payment.return_code, ''), count(*) FROM payments_bankfile AS file
    JOIN payments_fileentry AS entry ON entry.file_id = file.id
    JOIN payments_payment AS payment ON payment.id = entry.payment_id
    WHERE file.direction = 'out' AND file.status <> 'rejected' AND file.business_date > %s AND file.business_date <= %s
    GROUP BY payment.return_code
"""


class Level(StrEnum):
    """How near a rate is to its limit."""

    FINE = "fine"
    WARNING = "warning"
    OVER = "over the limit"


@dataclass(frozen=True)
class ReturnRate:
    """One rate: so many returns among so many debits, the limit and the earlier warning in hundredths of a percent."""

    name: str
    returned: int
    originated: int
    warning: int
    limit: int

    @property
    def level(self) -> Level:
        """Where it stands: the limit, and the warning, are reached by the rate that equals them."""
        if not self.returned:
            return Level.FINE
        share = self.returned * HUNDREDTHS_OF_A_PERCENT
        if share >= self.limit * self.originated:
            return Level.OVER
        return Level.WARNING if share >= self.warning * self.originated else Level.FINE

    @property
    def percent(self) -> float:
        """For people to read; levels are decided on whole numbers."""
        return round(100 * self.returned / self.originated, 2) if self.originated else 0.0


def compute_rates(*, by_code: Mapping[str, int], policy: Policy) -> dict[str, ReturnRate]:
    """The three rates from the number of debits by return code, those not returned under an empty code."""
    originated = sum(by_code.values())
    counted: dict[CountsAs, int] = dict.fromkeys(CountsAs, 0)
    for code, count in by_code.items():
        if code:
            counted[find_return_code(code=code).counts_as] += count
    numbers = {
        "unauthorized": (
            counted[CountsAs.UNAUTHORIZED],
            policy.unauthorized_warning,
            policy.unauthorized_limit,
        ),
        "administrative": (
            counted[CountsAs.ADMINISTRATIVE],
            policy.administrative_warning,
            policy.administrative_limit,
        ),
        "overall": (sum(counted.values()), policy.overall_warning, policy.overall_limit),
    }
    return {
        name: ReturnRate(name, returned, originated, warning, limit)
        for name, (returned, warning, limit) in numbers.items()
    }


def read_return_rates(*, today: date) -> dict[str, ReturnRate]:
    """The unauthorized, the administrative and the overall rate of the debits of the last 60 days, today's among them."""
    with connection.cursor() as cursor:
        cursor.execute(_DEBITS, [today - timedelta(days=WINDOW_DAYS), today])
        by_code = dict(cursor.fetchall())
    return compute_rates(by_code=by_code, policy=read_policy())


def warn_of_rates(*, today: date) -> list[ReturnRate]:
    """Staff read of each rate that is near its limit or over it; returns those."""
    high = list(_list_high(read_return_rates(today=today)))
    for rate in high:
        log.warning(
            "return rate is high",
            rate=rate.name,
            level=rate.level.value,
            percent=rate.percent,
            returned=rate.returned,
            originated=rate.originated,
        )
    return high


def _list_high(rates: Mapping[str, ReturnRate]) -> Iterator[ReturnRate]:
    return (rate for rate in rates.values() if rate.level is not Level.FINE)

"""The premium rules: each one that is set exists, and is of its kind."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import time
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, register

from billing.policy import Policy
from connector_pay.checks.saying import refuse

# The cut-off comes after the bank was read and debits have settled, and before the self-check.
EARLIEST_CUTOFF, LATEST_CUTOFF = time(9), time(23)
LAST_DAY = 28  # that every month has


@register(Tags.compatibility)
def check_premium_rules(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Every field of PREMIUM_POLICY must be one of the exchange's rules, of its kind."""
    return list(_check_premium_rules())


def _check_premium_rules() -> Iterator[CheckMessage]:
    kinds = {field.name: type(getattr(Policy(), field.name)) for field in fields(Policy)}
    for name, value in settings.PREMIUM_POLICY.items():
        if name not in kinds:
            hint = f"Choose from: {', '.join(sorted(kinds))}."
            yield refuse(33, "PREMIUM_POLICY", f"has no rule named {name!r}.", hint)
        elif type(value) is not kinds[name]:
            yield refuse(
                34,
                "PREMIUM_POLICY",
                f"gives {name!r} a value of the wrong kind.",
                f"It must be a {kinds[name].__name__}.",
            )
    cutoff = settings.PREMIUM_POLICY.get("file_cutoff")
    if isinstance(cutoff, time) and not EARLIEST_CUTOFF <= cutoff <= LATEST_CUTOFF:
        hint = f"It must lie between {EARLIEST_CUTOFF:%H:%M} and {LATEST_CUTOFF:%H:%M}, Eastern time."
        yield refuse(63, "PREMIUM_POLICY", f"gives 'file_cutoff' {cutoff:%H:%M}.", hint)
    yield from _check_autopay_days(settings.PREMIUM_POLICY)
    if settings.GUEST_IDENTIFICATION not in ("open", "strict"):
        hint = "Set it to open or strict."
        yield refuse(35, "GUEST_IDENTIFICATION", f"is {settings.GUEST_IDENTIFICATION!r}.", hint)


def _check_autopay_days(policy: Mapping[str, Any]) -> Iterator[CheckMessage]:
    """AutoPay is turned on in time, drafts, and only then the bill is due: all within one month, the shortest among them."""
    names = ("autopay_last_day", "autopay_day", "due_day")
    days = [policy.get(name, getattr(Policy(), name)) for name in names]
    if all(type(day) is int for day in days) and not 1 <= days[0] <= days[1] <= days[2] <= LAST_DAY:
        hint = f"They must follow one another, from 1 to {LAST_DAY}: {', '.join(names)}."
        yield refuse(
            64, "PREMIUM_POLICY", f"gives AutoPay the days {days[0]}, {days[1]} and {days[2]}.", hint
        )

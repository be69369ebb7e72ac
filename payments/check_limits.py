"""Check limits: which checks one person does not put on accounts alone: dated back across a due date, or above the limit."""

from collections.abc import Collection, Mapping
from datetime import date

from billing.due_date_overrides import DueDates
from billing.policy import read_policy


def is_above_limit(*, cents: int) -> bool:
    """Whether a check is for more than one person puts on accounts alone."""
    return cents > read_policy().check_alone_limit_cents


def is_dated_back(
    *,
    received_on: date,
    recorded_on: date,
    account_ids: Collection[int],
    due_dates: Mapping[int, DueDates],
) -> bool:
    """Whether a due date of one of its accounts lies between the day it was received and the day it was recorded."""
    return any(due_dates[key].is_crossed(back_to=received_on, before=recorded_on) for key in account_ids)

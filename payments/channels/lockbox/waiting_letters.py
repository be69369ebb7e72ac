"""Letters about pushed starts that wait for the lockbox's file: where none comes, a few banking days are enough."""

from datetime import date, datetime, timedelta

from django.conf import settings

from billing.held_letters import note_mail_read
from billing.policy import read_policy
from payments.banking_calendar import read_calendar

LONGEST_LOOK_BACK_DAYS = 60


def release_letters(*, today: date, at: datetime) -> int:
    """A letter about a pushed start waits a few banking days for the lockbox's file, and no longer.

    Returns whether more letters may go now.
    """
    if not settings.LOCKBOX_NUMBERS:
        return 0
    calendar, wait = read_calendar(), read_policy().letter_banking_days
    days = (today - timedelta(back) for back in range(LONGEST_LOOK_BACK_DAYS))
    until = next(day for day in days if calendar.add(day, wait) <= today)
    return note_mail_read(until=until, why="waited for long enough", at=at)

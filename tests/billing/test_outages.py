"""An outage that touches a due day moves it to the whole day after the outage; one that does not moves nothing."""

from datetime import date, datetime, timedelta

import pytest

from billing.due_dates import find_due_date
from billing.outages import find_moved
from tests.billing.books import FEBRUARY, MARCH
from tests.diary import eastern


@pytest.mark.parametrize(
    ("began", "ended", "moved"),
    [
        (eastern(2027, 1, 23, 23, 59), eastern(2027, 1, 23, 23, 59, 59), {FEBRUARY: date(2027, 1, 24)}),
        (eastern(2027, 1, 22, 23), eastern(2027, 1, 23, 0, 0, 1), {FEBRUARY: date(2027, 1, 24)}),
        (eastern(2027, 1, 22, 23), eastern(2027, 1, 23, 0), {}),
        (eastern(2027, 1, 24, 0), eastern(2027, 1, 24, 9), {}),
        (eastern(2027, 1, 23, 20), eastern(2027, 1, 24, 0), {FEBRUARY: date(2027, 1, 24)}),
        (eastern(2027, 1, 23, 20), eastern(2027, 1, 25, 8), {FEBRUARY: date(2027, 1, 26)}),
    ],
    ids=["the last minute", "into the day", "until its midnight", "after it", "to midnight", "for days"],
)
def test_each_due_day_that_it_touched_gets_the_day_after_it(
    began: datetime, ended: datetime, moved: dict[date, date]
) -> None:
    assert find_moved(began_at=began, ended_at=ended, due_date=find_due_date) == moved


def test_a_due_date_that_was_moved_is_hit_where_it_is_now() -> None:
    began, ended = eastern(2027, 1, 31, 20), eastern(2027, 1, 31, 22)
    rule = {FEBRUARY: date(2027, 1, 31)}
    hit = find_moved(
        began_at=began, ended_at=ended, due_date=lambda month: rule.get(month, find_due_date(month))
    )
    assert hit == {FEBRUARY: date(2027, 2, 1)}
    long = find_moved(
        began_at=began - timedelta(days=9), ended_at=ended + timedelta(days=30), due_date=find_due_date
    )
    assert set(long) == {FEBRUARY, MARCH}

"""Business time: the Eastern calendar decides, and in a demo it may run ahead of the machine's by whole
days.
"""

from datetime import UTC, date, datetime, time, timedelta

import pytest
import time_machine

from connector_pay.lib import clock
from connector_pay.lib.models import DemoClock


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2027, 1, 24, 4, 59, 59, 999999, tzinfo=UTC), date(2027, 1, 23)),
        (datetime(2027, 1, 24, 5, 0, tzinfo=UTC), date(2027, 1, 24)),
        (datetime(2027, 7, 24, 3, 59, 59, tzinfo=UTC), date(2027, 7, 23)),
        (datetime(2027, 7, 24, 4, 0, tzinfo=UTC), date(2027, 7, 24)),
    ],
)
def test_the_business_date_turns_at_midnight_eastern(moment, day):
    assert clock.business_date(moment=moment) == day


@pytest.mark.django_db
def test_in_a_simulation_it_stands_where_it_was_put_until_it_is_let_go():
    moment = datetime(2027, 1, 24, 4, 59, 59, tzinfo=UTC)
    with time_machine.travel(datetime(2031, 5, 1, tzinfo=UTC), tick=False):
        clock.stand_at(moment)
        try:
            assert (clock.now(), clock.today()) == (moment, date(2027, 1, 23))
        finally:
            clock.stand_at(None)
        assert clock.today() > date(2031, 4, 1)


@pytest.mark.django_db
class TestDemoClock:
    def test_it_is_the_machines_date_until_the_clock_is_moved(self):
        with time_machine.travel(datetime(2027, 1, 5, 15, 0, tzinfo=UTC), tick=False):
            assert clock.today() == date(2027, 1, 5)

    def test_moved_days_keep_the_wall_clock_across_a_clock_change(self):
        DemoClock.advance(days=30)
        with time_machine.travel(datetime(2027, 3, 1, 15, 0, tzinfo=UTC), tick=False):
            assert clock.now() == datetime(2027, 3, 31, 14, 0, tzinfo=UTC)  # 10:00 Eastern on both days

    def test_it_never_goes_back(self):
        DemoClock.advance(days=5)
        DemoClock.advance(days=3)
        assert DemoClock.read_days() == 5

    def test_outside_demo_mode_it_is_not_read(self, settings):
        DemoClock.advance(days=5)
        settings.DEMO_MODE = False
        with time_machine.travel(datetime(2027, 1, 5, 15, 0, tzinfo=UTC), tick=False):
            assert clock.today() == date(2027, 1, 5)

    def test_in_the_hour_the_autumn_repeats_an_unmoved_clock_is_the_machines(self):
        second_half_past_one = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
        with time_machine.travel(second_half_past_one, tick=False):
            assert clock.now() == second_half_past_one


def test_a_wall_clock_time_is_found_on_both_sides_of_a_clock_change():
    before = clock.eastern_moment(day=date(2027, 3, 13), at=time(17))
    after = clock.eastern_moment(day=date(2027, 3, 14), at=time(17))
    assert after - before == timedelta(hours=23)

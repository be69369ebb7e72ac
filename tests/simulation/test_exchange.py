"""The simulated exchange on its scratch database: never the real one, and stopped by the first thing that does not hold."""

from collections import Counter
from datetime import date

import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings

from billing.invoices import issue_missing
from connector_pay.lib import clock
from connector_pay.simulation.exchange import Exchange, UnableToHold, check
from connector_pay.simulation.helper import UnableToHelp, helped
from connector_pay.simulation.scratch import UnableToMakeScratch, scratch_exchange
from members.models import Enrollment, Member
from tests import people
from tests.databases import run_as_owner
from tests.diary import eastern
from tests.simulation.simulating import list_folders, list_scratch

pytestmark = pytest.mark.usefixtures("committed_db")


class TestTheScratchDatabase:
    def test_it_is_empty_and_another_one_and_gone_afterwards(self):
        people.make_member()
        name, before, folders = connection.settings_dict["NAME"], list_scratch(), list_folders()
        with scratch_exchange(seed=1):
            (ours,) = list_scratch() - before
            assert connection.settings_dict["NAME"] == ours != name
            assert not Member.objects.exists()
            assert (settings.DEMO_MODE, settings.SANDBOX_BANK_DIR.parent in list_folders()) == (False, True)
            people.make_member()
            clock.stand_at(eastern(2031, 1, 1))
        assert connection.settings_dict["NAME"] == name
        assert Member.objects.count() == 1
        assert (list_scratch(), list_folders()) == (before, folders)
        assert clock.today() < date(2031, 1, 1)

    def test_it_is_gone_after_a_failure_too(self):
        before = list_scratch()
        with pytest.raises(ZeroDivisionError), scratch_exchange(seed=1):
            raise ZeroDivisionError
        assert list_scratch() == before

    def test_what_a_killed_simulation_left_goes_with_the_next_one(self):
        run_as_owner('CREATE DATABASE "simulation_999999999_abcdef"')
        assert "simulation_999999999_abcdef" in list_scratch()
        with scratch_exchange(seed=1):
            assert "simulation_999999999_abcdef" not in list_scratch()

    @override_settings(DATABASE_OWNER_URL="")
    def test_without_a_login_that_may_make_databases_it_says_so(self):
        with pytest.raises(UnableToMakeScratch, match="DATABASE_OWNER_URL"), scratch_exchange(seed=1):
            pass


class TestTheCheck:
    def test_what_does_not_hold_is_named_with_its_rows(self):
        enrollment = people.make_enrollment()
        issue_missing(today=date(2027, 1, 5), at=people.ENROLLED_AT)
        with helped(tasks={"check": check}) as helper:
            exchange = Exchange(seed=1, homes={}, helper=helper)
            exchange.check(date(2027, 1, 5))
            Enrollment.objects.filter(pk=enrollment.pk).update(coverage_start=date(2027, 5, 1))
            with pytest.raises(UnableToHold, match=r"does not hold after 2027-01-05") as stopped:
                exchange.check(date(2027, 1, 5))
        assert "2027, 5, 1" in str(stopped.value)


class TestTheHelper:
    def test_it_does_what_is_asked_in_order_and_tells_what_came_of_it(self):
        done = []

        def note(*, what: str) -> Counter[str]:
            done.append(what)
            return Counter({"-".join(done): 1})

        with helped(tasks={"note": note}) as helper:
            helper.ask("note", what="a")
            helper.ask("note", what="b")
            assert helper.collect() == {"a": 1, "a-b": 1}
        assert done == []

    def test_its_failure_is_told_with_its_story(self):
        def fail() -> None:
            raise ZeroDivisionError("in the other process")

        with helped(tasks={"fail": fail}) as helper:
            helper.ask("fail")
            with pytest.raises(UnableToHelp, match="ZeroDivisionError: in the other process"):
                helper.collect()

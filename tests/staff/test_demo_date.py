"""The demo date: staff move the business date forward, every job of the days between is run and shown."""

from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from connector_pay import demo_days, demo_pages
from connector_pay.lib import clock
from connector_pay.lib.models import DemoClock, JobRun
from tests import people

pytestmark = pytest.mark.django_db
PAGE = "/admin/demo-date/"


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(
        people.make_staff(is_superuser=False), backend="django.contrib.auth.backends.ModelBackend"
    )
    return client


def test_one_day_forward_runs_the_jobs_and_shows_them(staff):
    today = clock.today()
    page = staff.post(PAGE, {"one_day": "1"}, follow=True)
    assert clock.today() == today + timedelta(days=1)
    words = page.content.decode()
    assert "issue_invoices" in words
    assert "review_overdue" in words
    assert JobRun.objects.filter(finished_at=None).count() == 0


def test_to_a_date(staff):
    day = clock.today() + timedelta(days=3)
    staff.post(PAGE, {"day": day.isoformat(), "to_date": "1"})
    assert clock.today() == day


def test_days_that_do_not_fit_one_page_are_left_for_the_next(staff, monkeypatch):
    monkeypatch.setattr(demo_pages, "SECONDS_OF_A_PAGE", 0.0)
    today = clock.today()
    page = staff.post(PAGE, {"day": (today + timedelta(days=3)).isoformat()}, follow=True)
    assert clock.today() == today
    assert "move on to live the days that are left" in page.content.decode()


@pytest.mark.parametrize("day", ["10000-01-01", "0000-01-01", "2027-02-30", "99999999999999999999"])
def test_a_date_outside_the_calendar_is_refused(staff, day):
    today = clock.today()
    page = staff.post(PAGE, {"day": day, "to_date": "1"})
    assert "Enter a valid date" in page.content.decode()
    assert clock.today() == today


def test_the_end_of_time_is_refused(staff):
    page = staff.post(PAGE, {"day": "9999-12-31", "to_date": "1"})
    assert "at most 400 days ahead" in page.content.decode()


@pytest.mark.parametrize("days", [-1, 0, 401])
def test_a_date_that_is_not_ahead_or_too_far_is_refused(staff, days):
    today = clock.today()
    page = staff.post(PAGE, {"day": (today + timedelta(days=days)).isoformat(), "to_date": "1"})
    assert "Enter a date after today" in page.content.decode()
    assert clock.today() == today


def test_a_finding_of_the_self_check_is_shown_as_failed_on_both_pages(staff):
    at = clock.now()
    JobRun.objects.create(
        job="self_check",
        business_date=clock.today(),
        asked_at=at,
        finished_at=at,
        error="SelfCheckFailed: I1: 2 rows",
    )
    assert "What went wrong" in staff.get(PAGE).content.decode()
    page = staff.get(reverse("admin:lib_jobrun_changelist")).content.decode()
    assert "Failed" in page
    assert "Done" not in page


def test_no_date_is_asked_for(staff):
    assert "Enter the date to move to" in staff.post(PAGE, {"to_date": "1"}).content.decode()


def test_the_admin_leads_to_it_in_demo_mode_only(staff, settings):
    assert PAGE in staff.get(reverse("admin:index")).content.decode()
    settings.DEMO_MODE = False
    assert PAGE not in staff.get(reverse("admin:index")).content.decode()
    assert staff.get(PAGE).status_code == 404
    assert staff.post(PAGE, {"one_day": "1"}).status_code == 404
    assert DemoClock.read_days() == 0


def test_members_and_strangers_may_not_move_it(client):
    assert client.post(PAGE, {"one_day": "1"}).url.startswith("/admin/login/")
    client.force_login(people.make_user(), backend="django.contrib.auth.backends.ModelBackend")
    assert client.post(PAGE, {"one_day": "1"}).status_code == 302
    assert DemoClock.read_days() == 0


def test_another_site_cannot_press_the_button():
    client = Client(enforce_csrf_checks=True)
    client.force_login(people.make_staff(), backend="django.contrib.auth.backends.ModelBackend")
    assert client.post(PAGE, {"one_day": "1"}).status_code == 403


class TestLivingDays:
    def test_the_past_is_refused(self):
        with pytest.raises(demo_days.UnableToMoveDate, match="never goes back"):
            list(demo_days.live_until(day=clock.today() - timedelta(days=1)))

    def test_four_hundred_days_ahead_is_the_furthest(self, monkeypatch):
        monkeypatch.setattr(demo_days, "run_until", lambda **_: iter(()))
        with pytest.raises(demo_days.UnableToMoveDate, match="more than 400 days ahead"):
            list(demo_days.live_until(day=clock.today() + timedelta(days=401)))
        until = clock.today() + timedelta(days=400)
        list(demo_days.live_until(day=until))
        assert clock.today() == until

    def test_real_days_are_not_moved(self, settings):
        settings.DEMO_MODE = False
        with pytest.raises(demo_days.UnableToMoveDate, match="Real days cannot be moved"):
            list(demo_days.live_until(day=clock.today() + timedelta(days=1)))

    def test_every_job_between_runs_once_and_in_order(self):
        until = clock.today() + timedelta(days=9)
        moments = [ran.at for ran in demo_days.live_until(day=until) if ran.job != "send_notices"]
        assert moments == sorted(moments)
        assert moments[-1] <= clock.now()
        runs = JobRun.objects.values_list("job", "business_date")
        assert len(set(runs)) == len(runs) == len(moments)
        assert set(JobRun.objects.filter(job="issue_invoices").values_list("business_date", flat=True)) == {
            date.fromordinal(day)
            for day in range(clock.today().toordinal() - 9, clock.today().toordinal() + 1)
        }

    def test_what_was_lived_is_not_lived_again(self):
        list(demo_days.live_until(day=clock.today() + timedelta(days=2)))
        assert list(demo_days.live_until(day=clock.today())) == []

"""`run_day` and `selfcheck` at the terminal: what they print, and when they end with an error."""

import threading
from datetime import timedelta
from io import StringIO

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection

from connector_pay import demo_days, self_check
from connector_pay.lib import clock
from connector_pay.lib.invariants import Invariant
from connector_pay.lib.jobs import hold_timetable
from connector_pay.lib.models import JobRun
from members import outbox


def run(*words: str) -> list[str]:
    output = StringIO()
    call_command(*words, stdout=output)
    return output.getvalue().splitlines()


@pytest.mark.django_db
class TestRunDay:
    def test_one_day_is_lived_and_each_job_is_one_line(self):
        tomorrow = clock.today() + timedelta(days=1)
        *lines, last = run("run_day")
        assert clock.today() == tomorrow
        assert f"{tomorrow} 00:10  review_overdue" in "\n".join(lines)
        assert {len(line.split("  ")[0]) for line in lines} == {len("2027-01-05 00:01")}
        assert lines == sorted(lines)
        assert last == f"It is now {tomorrow:%A, %B %-d, %Y}."

    def test_it_lives_up_to_a_date(self):
        day = clock.today() + timedelta(days=4)
        run("run_day", day.isoformat())
        assert clock.today() == day
        assert JobRun.objects.filter(finished_at=None).count() == 0

    def test_today_runs_what_is_due_and_moves_nothing(self):
        today = clock.today()
        run("run_day", today.isoformat())
        assert clock.today() == today

    def test_the_past_is_refused_in_words(self):
        with pytest.raises(CommandError, match="never goes back"):
            run("run_day", (clock.today() - timedelta(days=1)).isoformat())

    @pytest.mark.parametrize("day", ["9999-01-01", "9999-12-31"])
    def test_a_date_too_far_ahead_is_refused_with_the_last_that_is_not(self, day):
        today = clock.today()
        last = today + timedelta(days=demo_days.DAYS_AT_MOST)
        with pytest.raises(CommandError, match=f"more than 400 days ahead.*Choose a day up to {last}"):
            run("run_day", day)
        assert clock.today() == today
        assert not JobRun.objects.exists()

    @pytest.mark.parametrize("word", ["tomorrow", "2027-02-30", "23.1.2027", "10000-01-01", "0000-01-01"])
    def test_what_is_no_date_is_refused_in_words(self, word):
        with pytest.raises(CommandError, match="write it as YYYY-MM-DD"):
            run("run_day", word)

    def test_real_days_are_not_moved(self, settings):
        settings.DEMO_MODE = False
        with pytest.raises(CommandError, match="Real days cannot be moved"):
            run("run_day")

    def test_a_failed_job_is_said_and_ends_with_an_error(self, monkeypatch):
        def break_down():
            raise RuntimeError("the books do not balance")

        broken = Invariant(name="I0", rule="never", question=break_down)
        monkeypatch.setattr(self_check, "_collect", lambda: [broken])
        output = StringIO()
        with pytest.raises(CommandError, match="1 jobs failed"):
            call_command("run_day", stdout=output)
        assert "self_check       FAILED: RuntimeError: the books do not balance" in output.getvalue()

    def test_ctrl_c_ends_it_quietly_and_the_next_call_goes_on(self, monkeypatch):
        nights = []

        def press_ctrl_c_in_the_second_night():
            nights.append(clock.today())
            if len(nights) == 2:
                raise KeyboardInterrupt
            return []

        asked = Invariant(name="I0", rule="never", question=press_ctrl_c_in_the_second_night)
        monkeypatch.setattr(self_check, "_collect", lambda: [asked])
        day = clock.today() + timedelta(days=4)
        with pytest.raises(CommandError) as stopped:
            run("run_day", day.isoformat())
        assert str(stopped.value).startswith(f"Stopped on {nights[1]}, before {day} was over.")
        assert stopped.value.returncode == 130
        assert clock.today() == nights[1] < day

        run("run_day", day.isoformat())
        assert clock.today() == day
        assert not JobRun.objects.filter(finished_at=None).exists()

    def test_the_self_checks_finding_is_said_once_for_each_night(self, monkeypatch):
        broken = Invariant(name="I0", rule="never", question="SELECT 1")
        monkeypatch.setattr(self_check, "_collect", lambda: [broken])
        start = clock.today()
        list(demo_days.live_until(day=start + timedelta(days=1)))
        nights = [
            ran for ran in demo_days.live_until(day=start + timedelta(days=4)) if ran.job == "self_check"
        ]
        assert [ran.error for ran in nights] == ["SelfCheckFailed: I0: 1 rows"] * 3
        assert len({ran.day for ran in nights}) == 3


@pytest.mark.django_db
def test_addresses_that_are_refused_hold_up_no_email_of_the_day(settings, monkeypatch):
    settings.EMAIL_BACKEND = "tests.members.test_outbox.ChoosyBackend"
    monkeypatch.setattr(demo_days, "NOTICES_AT_ONCE", 2)
    facts = {"last_four": "6789", "confirmation_number": "ABCDEFGHJK"}
    addresses = ("a@refused.example", "b@refused.example", "c@example.org", "d@example.org")
    outbox.tell(
        tellings=[
            outbox.Telling(event="bank_details_corrected", subject=address, address=address, facts=facts)
            for address in addresses
        ],
        at=clock.now(),
        today=clock.today(),
    )
    (ran,) = demo_days.send_notices()
    assert [email.to[0] for email in mail.outbox] == ["c@example.org", "d@example.org"]
    assert ran.counts == {"sent": 2}
    assert ran.error.startswith("2 of 2 emails could not be sent")


def test_while_another_process_runs_the_jobs_it_waits_then_says_so(committed_db, monkeypatch):
    monkeypatch.setattr(demo_days, "SECONDS_FOR_OTHERS", 0.2)
    monkeypatch.setitem(demo_days.live_until.__kwdefaults__, "wait_seconds", 0.2)
    holds, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with hold_timetable():
                holds.set()
                let_go.wait(30)
        finally:
            connection.close()

    other = threading.Thread(target=hold)
    other.start()
    assert holds.wait(10)
    today = clock.today()
    try:
        with pytest.raises(CommandError, match="Another process is running"):
            run("run_day")
    finally:
        let_go.set()
        other.join()
    assert clock.today() == today


@pytest.mark.django_db
class TestSelfCheck:
    def test_each_invariant_is_a_line(self):
        *lines, last = run("selfcheck")
        assert len(lines) == self_check.count_invariants()
        assert all(line.startswith("ok") for line in lines)
        assert last == f"All {len(lines)} hold."

    def test_a_broken_one_is_shown_with_its_first_rows_and_ends_with_an_error(self, monkeypatch):
        holds = Invariant(name="I1", rule="Nothing is lost.", question="SELECT 1 WHERE false")
        broken = Invariant(
            name="I2", rule="Nothing is odd.", question="SELECT n FROM generate_series(1, 7) AS n"
        )
        monkeypatch.setattr(self_check, "_collect", lambda: [holds, broken])
        output = StringIO()
        with pytest.raises(CommandError, match="1 of what must always hold does not"):
            call_command("selfcheck", stdout=output)
        words = output.getvalue()
        assert "ok      I1" in words
        assert "BROKEN  I2" in words
        assert "and 2 rows more" in words

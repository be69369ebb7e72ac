"""Intake: each event goes in once, in order; a bad line is named and the good ones go in."""

import json
from datetime import date, datetime, timedelta

import pytest
from django.db import connection

from members import intake
from members.models import Carrier, Enrollment, EnrollmentMove, IntakeEvent, Member, Plan, PremiumRate
from tests.members.events import (
    JANUARY_5,
    MEMBER,
    PLAN,
    apply,
    change,
    end,
    enroll,
    reasons,
    tell_of_member,
)

pytestmark = pytest.mark.django_db


def test_an_enrollment_goes_in_with_its_member_plan_carrier_and_price():
    result = apply(enroll())

    assert (result.applied, result.repeated, result.bad) == (1, 0, [])
    enrollment = Enrollment.objects.get(external_id="E1")
    assert enrollment.status == "waiting"
    assert (enrollment.requested_start, enrollment.coverage_start) == (date(2027, 2, 1), date(2027, 2, 1))
    assert enrollment.window_ends == date(2027, 4, 2)
    assert enrollment.subsidized
    assert enrollment.enrolled_at == JANUARY_5
    assert enrollment.member.member_id == "003456789011"
    assert str(enrollment.member.phone) == "+16175550142"
    assert enrollment.plan.carrier.name == "Harborlight Health"
    rate = enrollment.rates.get()
    assert (rate.from_month, rate.net_cents) == (date(2027, 2, 1), 284_17)


def test_the_same_file_again_changes_nothing_and_counts_every_event_as_repeated():
    file = [enroll(), change(), tell_of_member(city="Lowell"), end()]
    apply(*file)

    result = apply(*file)

    assert (result.applied, result.repeated, result.bad) == (0, 4, [])
    assert PremiumRate.objects.count() == 2
    assert IntakeEvent.objects.count() == 4


def test_an_event_twice_in_one_file_goes_in_once():
    event = enroll()
    assert apply(event, event).repeated == 1


def test_spaces_and_the_order_of_names_make_no_other_content():
    event = enroll()
    apply(event)
    assert (
        apply(json.dumps(dict(reversed(event.items())), indent=None, separators=(" ,", ": "))).repeated == 1
    )


def test_an_event_id_with_other_content_is_a_bad_line():
    event = enroll()
    apply(event)

    result = apply(event | {"premium_cents": 1_00, "subsidy_cents": 0}, event)

    assert reasons(result) == [f"line 1: event {event['event_id']} went in before with other content"]
    assert result.repeated == 1


def test_a_bad_line_is_named_by_number_and_the_good_ones_around_it_go_in():
    result = apply(enroll(), "{not json", "", change(enrollment_id="E2"), change())

    assert reasons(result) == ["line 2: is not JSON (JSONDecodeError)", "line 4: enrollment E2 is unknown"]
    assert result.applied == 2


def test_a_bad_event_may_be_sent_again_mended_under_the_same_id():
    event = enroll(requested_start="2027-02-02")
    assert apply(event).bad
    assert apply(event | {"requested_start": "2027-02-01"}).applied == 1


def test_an_enrollment_and_its_change_and_end_in_one_file_go_in_in_order():
    assert apply(enroll(), change(), end()).applied == 3
    assert apply(change(), enroll(enrollment_id="E9")).applied == 2
    enrollment = Enrollment.objects.get(external_id="E1")
    assert enrollment.ends_on == date(2027, 6, 30)
    assert enrollment.rates.count() == 3


def test_a_change_before_its_enrollment_is_a_bad_line():
    result = apply(change(), enroll())
    assert reasons(result) == ["line 1: enrollment E1 is unknown"]
    assert result.applied == 1


def test_the_latest_word_about_a_month_has_the_greatest_id():
    apply(enroll(), change(premium_cents=500_00), change(premium_cents=600_00))
    last = PremiumRate.objects.filter(from_month=date(2027, 4, 1)).latest("pk")
    assert last.premium_cents == 600_00


def test_two_enrollments_of_one_member_share_the_member_and_a_plan_is_made_once():
    dental = PLAN | {"code": "HL-DENTAL", "product": "dental"}
    apply(enroll(), enroll(enrollment_id="E2", plan=dental), enroll(enrollment_id="E3"))

    assert (Member.objects.count(), Plan.objects.count(), Carrier.objects.count()) == (1, 2, 1)


def test_a_member_known_with_another_date_of_birth_is_a_bad_line():
    apply(enroll())
    other = MEMBER | {"date_of_birth": "1986-04-10"}
    result = apply(enroll(enrollment_id="E2", member=other))
    assert reasons(result) == ["line 1: member 003456789011 has another date of birth"]
    assert not Enrollment.objects.filter(external_id="E2").exists()


def test_newer_facts_of_a_known_member_and_plan_replace_the_older():
    apply(enroll())
    apply(
        enroll(
            enrollment_id="E2",
            member=MEMBER | {"street": "1 Elm Street", "paperless": True},
            plan=PLAN | {"remittance_address": "PO Box 2"},
        )
    )
    member = Member.objects.get()
    assert (member.street, member.paperless_bills, member.paperless_notices) == ("1 Elm Street", True, True)
    assert Plan.objects.get().remittance_address == "PO Box 2"


def test_a_member_event_changes_only_what_it_names():
    apply(enroll())
    apply(tell_of_member(street="1 Elm Street", zip_code="01840", phone=""))
    member = Member.objects.get()
    assert (member.street, member.zip_code, str(member.phone)) == ("1 Elm Street", "01840", "")
    assert member.email == "ines@example.org"


def test_a_members_date_of_birth_can_be_corrected_but_not_the_member_id():
    apply(enroll())
    assert apply(tell_of_member(date_of_birth="1968-04-09")).applied == 1
    assert Member.objects.get().date_of_birth == date(1968, 4, 9)
    result = apply(tell_of_member(member_id="000000000001", city="Lynn"))
    assert reasons(result) == ["line 1: member.member_id is not that of enrollment E1"]
    assert Member.objects.get().city == "Boston"


GOLD = PLAN | {"code": "HL-GOLD", "name": "Harborlight Gold 500"}


def read_plan() -> tuple[str, bool]:
    enrollment = Enrollment.objects.select_related("plan").get()
    return enrollment.plan.code, enrollment.subsidized


@pytest.mark.parametrize(
    ("day", "plan"),
    [(date(2027, 3, 31), ("HL-SILVER", True)), (date(2027, 4, 1), ("HL-GOLD", False))],
)
def test_another_plan_and_no_subsidy_from_april_on_wait_for_april(day, plan):
    apply(enroll())
    apply(change(plan=GOLD, subsidy_cents=0))
    assert read_plan() == ("HL-SILVER", True)
    assert [intake.take_up_changes(today=day), intake.take_up_changes(today=day)][1] == 0
    assert read_plan() == plan


def test_a_change_of_the_month_in_which_coverage_starts_holds_at_once():
    apply(enroll(), change(from_month="2027-02-01", plan=GOLD))
    assert read_plan() == ("HL-GOLD", True)


def test_of_two_changes_the_later_month_wins_and_for_one_month_the_later_word():
    apply(enroll(), change(plan=GOLD), change(from_month="2027-03-01", subsidy_cents=0))
    intake.take_up_changes(today=date(2027, 3, 1))
    assert read_plan() == ("HL-SILVER", False)
    intake.take_up_changes(today=date(2027, 4, 1))
    assert read_plan() == ("HL-GOLD", True)
    apply(change(plan=PLAN), at=datetime.fromisoformat("2027-04-02T12:00:00+00:00"))
    assert read_plan() == ("HL-SILVER", True)


def test_a_price_alone_leaves_the_plan_that_a_change_brought():
    apply(enroll(), change(plan=GOLD), change(from_month="2027-05-01", premium_cents=450_00))
    intake.take_up_changes(today=date(2027, 5, 1))
    assert read_plan() == ("HL-GOLD", True)


def test_a_plan_of_another_carrier_or_product_is_a_new_enrollment():
    apply(enroll())
    elsewhere = PLAN | {"code": "X-1", "carrier": {"code": "X", "name": "X Care"}}
    dental = PLAN | {"code": "HL-DENTAL", "product": "dental"}
    assert reasons(apply(change(plan=elsewhere), change(plan=dental))) == [
        "line 1: plan is of another carrier: that is a new enrollment",
        "line 2: plan is of another product: that is a new enrollment",
    ]
    assert Plan.objects.count() == 1


def test_a_plan_keeps_its_product_and_its_carrier():
    apply(enroll())
    result = apply(
        enroll(enrollment_id="E2", plan=PLAN | {"product": "dental"}),
        enroll(enrollment_id="E3", plan=PLAN | {"carrier": {"code": "X", "name": "X"}}),
    )
    assert reasons(result) == [
        "line 1: plan HL-SILVER is a health plan",
        "line 2: plan HL-SILVER is of carrier HARBORLIGHT",
    ]


def test_an_enrollment_is_never_made_twice():
    apply(enroll())
    assert reasons(apply(enroll())) == ["line 1: enrollment E1 is known already"]


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (change(from_month="2027-01-01"), "from_month is before the requested start, 2027-02-01"),
        (change(from_month="2027-07-01"), "from_month is after the end of coverage, 2027-06-30"),
        (end(ends_on="2027-01-31"), "ends_on is before the requested start, 2027-02-01"),
    ],
)
def test_changes_and_ends_lie_within_the_enrollment(event, reason):
    apply(enroll(), end(ends_on="2027-06-30"))
    assert reasons(apply(event)) == [f"line 1: {reason}"]


def test_a_change_for_the_first_and_the_last_month_goes_in():
    apply(enroll(), end(ends_on="2027-06-30"))
    assert apply(change(from_month="2027-02-01"), change(from_month="2027-06-01")).applied == 2


def test_coverage_that_has_ended_is_not_ended_again():
    apply(enroll(), end())
    Enrollment.objects.update(status="ended")
    assert reasons(apply(end(ends_on="2027-07-31"))) == ["line 1: coverage has ended already, on 2027-06-30"]


def test_a_requested_month_that_has_begun_needs_the_due_date_of_its_binder():
    new_year_eastern = datetime.fromisoformat("2027-02-01T05:00:00+00:00")
    just_before = new_year_eastern - timedelta(microseconds=1)
    missing = "line 1: binder_due_date is missing, and the requested month has begun"

    assert reasons(apply(enroll(), at=new_year_eastern)) == [missing]
    assert apply(enroll(binder_due_date="2027-02-23"), at=new_year_eastern).applied == 1
    assert apply(enroll(enrollment_id="E2"), at=just_before).applied == 1
    assert Enrollment.objects.get(external_id="E1").binder_due_date == date(2027, 2, 23)


def test_a_file_sent_again_months_later_was_applied_before_and_is_not_bad():
    event = enroll()
    apply(event)
    again = apply(event, at=datetime.fromisoformat("2027-06-01T12:00:00+00:00"))
    assert (again.applied, again.repeated, again.bad) == (0, 1, [])


def test_the_window_is_what_intake_says_else_counted_from_the_requested_start():
    apply(enroll(window_ends="2027-02-28"))
    intake.apply_events(lines=[json.dumps(enroll(enrollment_id="E2"))], at=JANUARY_5, window_days=30)
    windows = dict(Enrollment.objects.values_list("external_id", "window_ends"))
    assert windows == {"E1": date(2027, 2, 28), "E2": date(2027, 3, 3)}


def test_a_crash_leaves_whole_chunks_and_the_same_file_again_finishes(monkeypatch):
    monkeypatch.setattr(intake, "CHUNK_LINES", 3)
    file = [enroll(enrollment_id=f"E{number}") for number in range(8)]

    def lines():
        for number, event in enumerate(file):
            if number == 4:
                raise ConnectionResetError
            yield json.dumps(event)

    with pytest.raises(ConnectionResetError):
        intake.apply_events(lines=lines(), at=JANUARY_5)
    assert Enrollment.objects.count() == 3

    result = apply(*file)
    assert (result.applied, result.repeated) == (5, 3)


def test_a_crash_while_writing_leaves_nothing_of_the_chunk(monkeypatch):
    def crash(_rows):
        raise OSError

    with monkeypatch.context() as moment:
        moment.setattr(IntakeEvent.objects, "bulk_create", crash)
        with pytest.raises(OSError):  # noqa: PT011  the one raised above
            apply(enroll(), change())
    for model in (Carrier, Plan, Member, Enrollment, PremiumRate, IntakeEvent):
        assert not model.objects.exists(), model


def test_a_change_is_applied_across_chunks(monkeypatch):
    monkeypatch.setattr(intake, "CHUNK_LINES", 1)
    assert apply(enroll(), change(), tell_of_member(city="Lynn"), end()).applied == 4
    assert Member.objects.get().city == "Lynn"


def test_a_chunk_takes_the_same_few_statements_however_many_events(django_assert_max_num_queries):
    def file(size):
        return [
            event
            for number in range(size)
            for event in (
                enroll(
                    enrollment_id=f"{size}-{number}", member=MEMBER | {"member_id": f"{size}{number:09d}"}
                ),
                change(enrollment_id=f"{size}-{number}"),
            )
        ]

    with django_assert_max_num_queries(40):
        apply(*file(200))
    with django_assert_max_num_queries(40):
        apply(*file(249))


def test_intake_makes_no_move_of_its_own():
    apply(enroll(), end())
    assert not EnrollmentMove.objects.exists()


def test_the_portal_can_change_neither_an_event_nor_a_price_once_in():
    apply(enroll())
    for table in (
        "members_intakeevent",
        "members_premiumrate",
        "members_enrollmentmove",
        "members_startmove",
    ):
        with connection.cursor() as cursor:
            for right in ("UPDATE", "DELETE", "TRUNCATE"):
                cursor.execute("SELECT has_table_privilege(%s, %s)", [table, right])
                assert cursor.fetchone() == (False,), (table, right)
            cursor.execute("SELECT has_table_privilege(%s, 'INSERT')", [table])
            assert cursor.fetchone() == (True,)

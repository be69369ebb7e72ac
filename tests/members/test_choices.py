"""What members choose here is kept with its proof, and stays theirs whatever the exchange sends afterwards."""

from datetime import UTC, datetime, timedelta

import pytest

from members.choices import MOST_A_DAY, Act, UnableToChoose, choose_language, keep_choices
from members.models import Member, MemberChoice, User
from tests.members.events import MEMBER, apply, enroll, tell_of_member
from tests.people import make_member, make_staff, make_user

pytestmark = pytest.mark.django_db
AT = datetime(2027, 1, 20, 15, 0, tzinfo=UTC)


def act_of(user: User, *, at: datetime = AT) -> Act:
    return Act(
        by=user, at=at, today=at.date(), language="es", address="203.0.113.9", browser="A browser" * 99
    )


def test_a_choice_is_kept_with_what_it_was_who_made_it_when_and_from_where() -> None:
    user = make_user()
    (choice,) = keep_choices(
        act=act_of(user), values={"language": "es", "paperless_bills": False}, text="Yes."
    )
    assert (choice.what, choice.before, choice.after, choice.text) == ("language", "en", "es", "Yes.")
    assert (choice.by, choice.at, choice.address, choice.language) == (user, AT, "203.0.113.9", "es")
    assert len(choice.browser) == 300
    assert Member.objects.get(pk=user.member_id).language == "es"


def test_the_same_choice_again_changes_nothing_and_is_no_row() -> None:
    user = make_user()
    for _ in range(2):
        choose_language(act=act_of(user), language="es")
    assert MemberChoice.objects.count() == 1


def test_staff_choose_for_nobody() -> None:
    with pytest.raises(UnableToChoose):
        choose_language(act=act_of(make_staff()), language="es")


def test_so_many_choices_in_a_day_are_enough_and_the_next_day_there_are_more() -> None:
    user = make_user()
    for number in range(MOST_A_DAY):
        choose_language(act=act_of(user), language="en" if number % 2 else "es")
    with pytest.raises(UnableToChoose):
        choose_language(act=act_of(user, at=AT + timedelta(hours=23)), language="es")
    assert choose_language(act=act_of(user, at=AT + timedelta(days=1)), language="es")


def test_intake_leaves_alone_what_the_member_chose_here_and_brings_the_rest_up_to_date() -> None:
    apply(enroll())
    member = Member.objects.get(member_id=MEMBER["member_id"])
    user = make_user(member=member)
    keep_choices(act=act_of(user), values={"email": "new@example.org", "paperless_bills": True})
    apply(
        tell_of_member(
            email="exchange@example.org", phone="617-555-0199", street="1 Elm Street", paperless=False
        )
    )
    member.refresh_from_db()
    assert (member.email, member.paperless_bills) == ("new@example.org", True)
    assert (str(member.phone), member.street) == ("+16175550199", "1 Elm Street")
    again = MEMBER | {"email": "exchange@example.org", "language": "en"}
    apply(enroll(enrollment_id="E2", member=again))
    member.refresh_from_db()
    assert (member.email, member.language) == ("new@example.org", "en")


def test_what_one_member_chose_is_no_other_members_choice() -> None:
    other = make_user(member=make_member())
    choose_language(act=act_of(other), language="es")
    apply(enroll())
    apply(tell_of_member(language="en"))
    assert Member.objects.get(member_id=MEMBER["member_id"]).language == "en"

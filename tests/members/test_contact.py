"""A new email address counts once its link was opened by its own person, in time, once; the old one and a letter tell of it."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from members.choices import Act
from members.contact import (
    ASKED_AN_HOUR,
    ASKED_OF_AN_ADDRESS_AN_HOUR,
    LINK_MINUTES,
    UnableToAskAgain,
    UnableToConfirm,
    ask_for_email,
    change_phone,
    confirm_email,
    has_confirmed_email,
)
from members.email_links import read_token, write_link
from members.models import EmailChange, Member, Notice, User
from members.notices import write
from tests.people import make_member, make_user

pytestmark = pytest.mark.django_db
AT = datetime(2027, 1, 20, 15, 0, tzinfo=UTC)
NEW = "new@example.org"


def act_of(user: User, *, minutes: int = 0) -> Act:
    at = AT + timedelta(minutes=minutes)
    return Act(by=user, at=at, today=at.date())


def list_told(event: str) -> list[tuple[str, str]]:
    return sorted(Notice.objects.filter(event=event).values_list("channel", "address"))


def test_nothing_changes_until_the_link_is_opened_then_everything_does_and_the_old_address_is_told() -> None:
    user = make_user(member=make_member(email="old@example.org"), email="signs.in@example.org")
    change = ask_for_email(act=act_of(user), email="New@Example.org")
    assert User.objects.get().email == "signs.in@example.org"
    assert not has_confirmed_email(member=Member.objects.get())
    assert list_told("email_to_confirm") == [("email", NEW)]

    confirm_email(act=act_of(user, minutes=LINK_MINUTES - 1), key=change.key)
    member = Member.objects.get()
    assert (User.objects.get().email, member.email) == (NEW, NEW)
    assert has_confirmed_email(member=member)
    assert list_told("email_changed") == [
        ("email", "old@example.org"),
        ("email", "signs.in@example.org"),
        ("letter", ""),
    ]


def test_the_email_has_the_link_and_neither_name_nor_address_and_the_row_has_no_link() -> None:
    change = ask_for_email(act=act_of(make_user()), email=NEW)
    notice = Notice.objects.get()
    words = write(event=notice.event, language="en", facts=notice.facts)
    link = write_link(str(change.key))
    assert link in words.body
    assert "Alice" not in words.subject + words.body
    assert link.rsplit("/", 2)[1] not in str(notice.facts)
    assert read_token(link.rsplit("/", 2)[1]) == change.key
    assert read_token(str(change.key)) is None
    assert read_token(f"{change.key}.forged") is None


@pytest.mark.parametrize("spoilt", ["used", "too old", "followed by another", "somebody else's", "made up"])
def test_a_link_that_is_used_old_followed_or_anothers_confirms_nothing(spoilt: str) -> None:
    user, other = make_user(), make_user()
    before = user.email
    change = ask_for_email(act=act_of(user), email=NEW)
    minutes = LINK_MINUTES if spoilt == "too old" else 1
    if spoilt == "used":
        confirm_email(act=act_of(user), key=change.key)
        before = NEW
    if spoilt == "followed by another":
        ask_for_email(act=act_of(user, minutes=1), email="newer@example.org")
    actor, key = (
        (other if spoilt == "somebody else's" else user),
        (uuid4() if spoilt == "made up" else change.key),
    )
    with pytest.raises(UnableToConfirm):
        confirm_email(act=act_of(actor, minutes=minutes), key=key)
    user.refresh_from_db()
    assert user.email == before


def test_who_asks_for_anothers_address_learns_nothing_and_its_owner_is_told() -> None:
    owner, user = make_user(), make_user()
    change = ask_for_email(act=act_of(user), email=owner.email.upper())
    assert list_told("email_in_use") == [("email", owner.email)]
    assert list_told("email_to_confirm") == []
    with pytest.raises(UnableToConfirm):
        confirm_email(act=act_of(user), key=change.key)


def test_an_address_that_was_taken_meanwhile_is_not_taken_over() -> None:
    user = make_user()
    change = ask_for_email(act=act_of(user), email=NEW)
    make_user(email=NEW)
    with pytest.raises(UnableToConfirm):
        confirm_email(act=act_of(user), key=change.key)


def test_confirming_the_address_one_has_tells_nobody() -> None:
    user = make_user()
    change = ask_for_email(act=act_of(user), email=user.email)
    confirm_email(act=act_of(user), key=change.key)
    assert has_confirmed_email(member=Member.objects.get())
    assert list_told("email_changed") == []


def test_so_many_links_an_hour_are_sent_for_one_person_and_to_one_address() -> None:
    user = make_user()
    for number in range(ASKED_AN_HOUR):
        ask_for_email(act=act_of(user), email=f"{number}@example.org")
    with pytest.raises(UnableToAskAgain):
        ask_for_email(act=act_of(user, minutes=59), email=NEW)
    ask_for_email(act=act_of(user, minutes=60), email=NEW)
    for _ in range(ASKED_OF_AN_ADDRESS_AN_HOUR - 1):
        ask_for_email(act=act_of(make_user(), minutes=60), email=NEW)
    with pytest.raises(UnableToAskAgain):
        ask_for_email(act=act_of(make_user(), minutes=61), email=NEW)
    assert EmailChange.objects.filter(email=NEW).count() == ASKED_OF_AN_ADDRESS_AN_HOUR


def test_a_new_phone_number_is_told_by_email_and_by_letter_and_the_same_one_by_neither() -> None:
    user = make_user()
    assert change_phone(act=act_of(user), phone="+16175550199")
    assert not change_phone(act=act_of(user), phone="+16175550199")
    assert str(Member.objects.get().phone) == "+16175550199"
    assert list_told("phone_changed") == [("email", user.email), ("letter", "")]
    assert change_phone(act=act_of(user), phone="")
    assert len(list_told("phone_changed")) == 4

"""Without paper only what a member agreed to, at an address that is known to reach them; back to paper at any time."""

from datetime import UTC, datetime

import pytest

from members.choices import Act
from members.contact import ask_for_email, confirm_email
from members.models import Channel, Member, MemberChoice, Notice, User
from members.outbox import Telling, tell
from members.paperless import TEXT_VERSION, UnableToGoPaperless, choose_paperless
from tests.people import make_user

pytestmark = pytest.mark.django_db
AT = datetime(2027, 1, 20, 15, 0, tzinfo=UTC)
BILL = {
    "product": "health",
    "plan_name": "Silver",
    "invoice_number": "1",
    "coverage_month": "2027-03-01",
    "amount_cents": 1,
    "due_date": "2027-02-23",
}


def act_of(user: User) -> Act:
    return Act(by=user, at=AT, today=AT.date(), address="203.0.113.9", browser="A browser")


def confirm(user: User) -> None:
    change = ask_for_email(act=act_of(user), email=user.email)
    confirm_email(act=act_of(user), key=change.key)


def find_channels(subject: str) -> list[str]:
    """By which ways a bill reaches the member as they have chosen."""
    tell(tellings=[Telling("bill_ready", subject, Member.objects.get(), facts=BILL)], at=AT, today=AT.date())
    return list(Notice.objects.filter(subject=subject).values_list("channel", flat=True))


def test_paper_stays_until_the_address_is_confirmed_and_goes_with_a_yes_kept_word_for_word() -> None:
    user = make_user()
    with pytest.raises(UnableToGoPaperless):
        choose_paperless(act=act_of(user), without_paper=["paperless_bills"])
    assert find_channels("invoice:1") == [Channel.LETTER]
    confirm(user)
    choose_paperless(act=act_of(user), without_paper=["paperless_bills"])
    assert find_channels("invoice:2") == [Channel.EMAIL]
    choice = MemberChoice.objects.get()
    assert (choice.what, choice.after, choice.text_version) == ("paperless_bills", "yes", TEXT_VERSION)
    assert choice.text.endswith("Without paper: Bills.")
    for promise in (
        "It is free",
        "by phone, at any time",
        "paper copy",
        "You need an email address",
        "on paper as well",
    ):
        assert promise in choice.text
    told = Notice.objects.filter(event="paperless_on")
    assert sorted(told.values_list("channel", flat=True)) == ["email", "letter"]
    assert told[0].facts["text"] == choice.text


def test_one_kind_is_taken_off_paper_and_another_put_back_in_one_step() -> None:
    user = make_user()
    confirm(user)
    choose_paperless(act=act_of(user), without_paper=["paperless_bills"])
    choose_paperless(act=act_of(user), without_paper=["paperless_notices"])
    member = Member.objects.get()
    assert (member.paperless_bills, member.paperless_notices) == (False, True)
    assert find_channels("invoice:1") == [Channel.LETTER]
    back = MemberChoice.objects.get(what="paperless_bills", after="no")
    assert (back.text, back.by, back.address) == ("", user, "203.0.113.9")
    assert Notice.objects.filter(event="paper_again").count() == 2


def test_paper_comes_back_without_any_address_confirmed() -> None:
    user = make_user()
    Member.objects.update(paperless_bills=True, paperless_notices=True)
    choose_paperless(act=act_of(user), without_paper=["paperless_bills"])
    assert (Member.objects.get().paperless_bills, Member.objects.get().paperless_notices) == (True, False)
    assert MemberChoice.objects.count() == 1

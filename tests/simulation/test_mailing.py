"""Mail in a simulation: each kind of envelope, what staff do with money that names no account, and what the bank returns."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from billing.models import Account, Receipt
from connector_pay.self_check import find_violations
from connector_pay.simulation import mailing
from connector_pay.simulation.chances import roll
from payments.drafts import Chosen
from payments.models import CheckStatus, ReceivedCheck
from tests import people
from tests.payments.checking import bank
from tests.payments.paying import ENROLLED, PREMIUM, TUESDAY, make_account, noon

pytestmark = pytest.mark.usefixtures("books")


@pytest.fixture
def books(db: None) -> Iterator[None]:
    """The database, whose invariants must hold when the test is over."""
    yield
    assert find_violations() == []


@pytest.fixture
def bills(books: None) -> list[Account]:
    """Health and dental of one household."""
    health = make_account()
    return [health, make_account(member=health.enrollment.member, product="dental", premium_cents=31_50)]


def mail(
    monkeypatch: pytest.MonkeyPatch, bills: list[Account], kind: str, *, money_sent_back: int = 0
) -> list[ReceivedCheck]:
    """What is due on both bills, in an envelope of this kind, always read twice."""
    monkeypatch.setattr(mailing, "MAILS", {kind: 1})
    monkeypatch.setattr(mailing, "SENDS_FORM_TWICE", 100)
    monkeypatch.setattr(mailing, "SOMEBODY_ELSE_WRITES", 0)
    monkeypatch.setattr(mailing, "MONEY_SENT_BACK", money_sent_back)
    return mailing.mail_checks(
        member_id=bills[0].enrollment.member.member_id,
        name="Alice Alvarez",
        enrolled_on=ENROLLED,
        chosen=[Chosen(bills[0].pk, PREMIUM), Chosen(bills[1].pk, 31_50)],
        dice=roll(1, "mail"),
        today=TUESDAY,
        at=noon(TUESDAY),
    )


def place() -> int:
    """Staff look at the queue."""
    staff = (people.make_staff(), people.make_staff())
    return mailing.place_money(seed=1, today=TUESDAY, at=noon(TUESDAY), people=staff)


@pytest.mark.parametrize(
    ("kind", "checks", "receipts"),
    [("plain", 2, 2), ("combined", 1, 2), ("no Member ID", 1, 0), ("wrong amount", 1, 0), ("not good", 2, 2)],
)
def test_an_envelope_holds_what_its_kind_says(
    monkeypatch: pytest.MonkeyPatch, bills: list[Account], kind: str, checks: int, receipts: int
) -> None:
    assert len(mail(monkeypatch, bills, kind)) == ReceivedCheck.objects.count() == checks
    assert Receipt.objects.count() == receipts


def test_a_late_one_was_received_before_today_and_not_before_the_household_enrolled(
    monkeypatch: pytest.MonkeyPatch, bills: list[Account]
) -> None:
    assert all(ENROLLED <= check.received_on < TUESDAY for check in mail(monkeypatch, bills, "late"))


def test_staff_put_it_on_its_sender_s_bills(monkeypatch: pytest.MonkeyPatch, bills: list[Account]) -> None:
    mail(monkeypatch, bills, "no Member ID")
    assert (place(), place()) == (1, 0)
    assert sorted(Receipt.objects.values_list("cents", flat=True)) == [31_50, PREMIUM]


def test_or_two_of_them_send_it_back(monkeypatch: pytest.MonkeyPatch, bills: list[Account]) -> None:
    (check,) = mail(monkeypatch, bills, "no Member ID", money_sent_back=100)
    assert place() == 0
    check.refresh_from_db()
    assert check.status == CheckStatus.SENT_BACK


@pytest.mark.parametrize(("days", "count"), [(2, 0), (3, 2)])
def test_what_is_not_good_comes_back_three_days_after_its_deposit(
    monkeypatch: pytest.MonkeyPatch, bills: list[Account], days: int, count: int
) -> None:
    mail(monkeypatch, bills, "not good")
    bank(TUESDAY)
    day: date = TUESDAY + timedelta(days)
    assert mailing.bring_back(today=day, at=noon(day)) == count

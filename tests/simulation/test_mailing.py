"""Mail in a simulation: each kind of envelope, what staff do with money that names no account, and what the bank returns."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from billing.invoices import issue_missing
from billing.models import Account, Receipt
from connector_pay.self_check import find_violations
from connector_pay.simulation import lockbox, mailing
from connector_pay.simulation.chances import roll
from payments.bank_accounts import BankDetails
from payments.checks import return_checks
from payments.drafts import Chosen
from payments.models import CheckStatus, LockboxItem, LockboxReturn, ReceivedCheck
from tests import people
from tests.payments.checking import bank
from tests.payments.paying import ENROLLED, PREMIUM, ROUTING, TUESDAY, make_account, noon

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
    monkeypatch: pytest.MonkeyPatch,
    bills: list[Account],
    kind: str,
    *,
    money_sent_back: int = 0,
    to_lockbox: bool = False,
) -> list[ReceivedCheck]:
    """What is due on both bills, in an envelope of this kind, always read twice."""
    monkeypatch.setattr(mailing, "MAILS", {kind: 1})
    monkeypatch.setattr(mailing, "SENDS_FORM_TWICE", 100)
    monkeypatch.setattr(mailing, "SOMEBODY_ELSE_WRITES", 0)
    monkeypatch.setattr(mailing, "TO_LOCKBOX", 100 if to_lockbox else 0)
    monkeypatch.setattr(mailing, "NO_COUPON", 0)
    monkeypatch.setattr(mailing, "MONEY_SENT_BACK", money_sent_back)
    return mailing.mail_checks(
        member_id=bills[0].enrollment.member.member_id,
        name="Alice Álvarez",
        bank=BankDetails("Alice Álvarez", "checking", ROUTING, "2001234567"),
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


class TestTheLockbox:
    @pytest.fixture(autouse=True)
    def _a_bank_of_its_own(
        self, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path, bills: list[Account]
    ) -> None:
        settings.SANDBOX_BANK_DIR, settings.LOCKBOX_NUMBERS = tmp_path, ["0097006"]
        for name in ("FILE_WAITS", "SCAN_LINE_MISREAD"):
            monkeypatch.setattr(lockbox, name, 0)
        for name in ("FILE_CUT", "FILE_READ_TWICE"):
            monkeypatch.setattr(lockbox, name, 100)
        issue_missing(today=TUESDAY, at=noon(TUESDAY))

    def import_files(self, day: date) -> int:
        """On a day the bank leaves its file, and staff import it: cut first, then whole, then once more."""
        lockbox.leave_file(seed=1, today=day)
        return lockbox.import_files(seed=1, by=people.make_staff(), today=day, at=noon(day))

    @pytest.mark.parametrize(
        ("kind", "ways"),
        [
            ("plain", ["coupon", "coupon"]),
            ("combined", ["coupon"]),
            ("no Member ID", ["queue"]),
            ("wrong amount", ["queue"]),
            ("late", ["coupon", "coupon"]),
        ],
    )
    def test_an_envelope_is_in_the_books_once_the_bank_s_file_is(
        self, monkeypatch: pytest.MonkeyPatch, bills: list[Account], kind: str, ways: list[str]
    ) -> None:
        assert mail(monkeypatch, bills, kind, to_lockbox=True) == []
        assert not ReceivedCheck.objects.exists()
        assert self.import_files(TUESDAY + timedelta(1)) == len(ways)
        assert list(LockboxItem.objects.values_list("way", flat=True)) == ways
        assert self.import_files(TUESDAY + timedelta(2)) == 0

    def test_the_bank_rests_on_days_that_are_no_banking_days(
        self, monkeypatch: pytest.MonkeyPatch, bills: list[Account]
    ) -> None:
        mail(monkeypatch, bills, "plain", to_lockbox=True)
        assert [self.import_files(TUESDAY + timedelta(days)) for days in (4, 5, 6, 7)] == [0, 0, 0, 2]

    def test_a_file_may_lie_for_days(self, monkeypatch: pytest.MonkeyPatch, bills: list[Account]) -> None:
        monkeypatch.setattr(lockbox, "FILE_WAITS", 100)
        monkeypatch.setattr(lockbox, "MOST_DAYS_LATE", 1)
        mail(monkeypatch, bills, "plain", to_lockbox=True)
        assert [self.import_files(TUESDAY + timedelta(days)) for days in (1, 2)] == [0, 2]

    def test_what_is_not_good_stands_in_a_file_three_days_later(
        self, monkeypatch: pytest.MonkeyPatch, bills: list[Account]
    ) -> None:
        mail(monkeypatch, bills, "not good", to_lockbox=True)
        assert [self.import_files(TUESDAY + timedelta(days)) for days in (1, 2, 3)] == [2, 0, 0]
        assert not LockboxReturn.objects.exists()
        assert self.import_files(TUESDAY + timedelta(7)) == 0
        assert set(ReceivedCheck.objects.values_list("status", flat=True)) == {CheckStatus.RETURNED}

    def test_staff_close_what_came_back_and_is_of_no_check_that_stands(
        self, monkeypatch: pytest.MonkeyPatch, bills: list[Account]
    ) -> None:
        mail(monkeypatch, bills, "not good", to_lockbox=True)
        self.import_files(TUESDAY + timedelta(1))
        day = TUESDAY + timedelta(7)
        keys = ReceivedCheck.objects.values_list("pk", flat=True)
        return_checks(check_ids=keys, why="by hand", today=day, at=noon(day))
        self.import_files(day)
        assert lockbox.close_parked(by=people.make_staff(), at=noon(day)) == 2
        assert lockbox.close_parked(by=people.make_staff(), at=noon(day)) == 0

    def test_staff_read_the_sender_on_what_a_machine_cannot(
        self, monkeypatch: pytest.MonkeyPatch, bills: list[Account]
    ) -> None:
        mail(monkeypatch, bills, "no Member ID", to_lockbox=True)
        self.import_files(TUESDAY + timedelta(1))
        assert not Receipt.objects.exists()
        assert place() == 1
        assert sorted(Receipt.objects.values_list("cents", flat=True)) == [31_50, PREMIUM]

    def test_a_file_that_goes_in_where_it_must_not_stops_everything(
        self, monkeypatch: pytest.MonkeyPatch, bills: list[Account]
    ) -> None:
        mail(monkeypatch, bills, "plain", to_lockbox=True)
        monkeypatch.setattr(lockbox, "import_file", lambda **_facts: None)
        with pytest.raises(lockbox.UnableToRefuse, match="was not refused"):
            self.import_files(TUESDAY + timedelta(1))

"""A lockbox file applied: once whatever its name, whole or not at all; every cent on an account or with staff."""

from collections.abc import Iterator
from datetime import date, timedelta
from io import StringIO
from pathlib import Path

import pytest
import time_machine
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.ledger import read_balance
from billing.models import Account, Chart, Invoice, Receipt
from billing.overdue import review
from billing.scan_line import ScanLine, write_scan_line
from members.models import Notice, StartMove
from payments import unmatched
from payments.ach.stored_files import open_file
from payments.channels.lockbox.bai import write_bai
from payments.channels.lockbox.csv_items import write_csv
from payments.channels.lockbox.items import Item, UnableToReadDeposit
from payments.channels.lockbox.posting import AlreadyImported, import_file, preview_file
from payments.checks import Share, bank_due
from payments.models import BankFile, LockboxFile, LockboxItem, LockboxWay, ReceivedCheck
from tests import people
from tests.diary import eastern
from tests.payments.channels.lockbox.depositing import (
    DEPOSITED,
    LOCKBOX,
    import_items,
    make_deposit,
    make_item,
    write_file,
)
from tests.payments.checking import give_back
from tests.payments.incoming_files import read_files
from tests.payments.paying import PREMIUM, make_account, noon

pytestmark = pytest.mark.usefixtures("books")
DENTAL = 31_50
LATER = date(2027, 1, 28)


@pytest.fixture
def health(books: None) -> Account:
    return make_account()


@pytest.fixture
def dental(health: Account) -> Account:
    return make_account(member=health.enrollment.member, product="dental", premium_cents=DENTAL)


def write_coupon(account: Account) -> str:
    """The scan line of the account's latest bill."""
    bill, enrollment = Invoice.objects.filter(account=account).latest("pk"), account.enrollment
    said = ScanLine(enrollment.member.member_id, enrollment.plan.product, bill.number, bill.amount_cents)
    return write_scan_line(line=said)


def list_money() -> list[tuple[int, int]]:
    """What counts on which account."""
    return sorted(Receipt.objects.values_list("account_id", "cents"))


class TestAFileOfTheDay:
    def test_puts_each_check_where_its_paper_says_and_the_rest_with_staff(
        self, health: Account, dental: Account
    ) -> None:
        other = make_account()
        items = [
            make_item(cents=PREMIUM, scan_lines=(write_coupon(other),)),
            make_item(cents=PREMIUM + DENTAL, member_ids=(health.enrollment.member.member_id,)),
            make_item(cents=70_00, remitter="", account_number="77"),
        ]
        file = import_items(*items)
        assert list(LockboxItem.objects.order_by("number").values_list("way", "why")) == [
            ("coupon", ""),
            ("split", ""),
            ("queue", "Nothing on it names an account."),
        ]
        assert list_money() == [(health.pk, PREMIUM), (dental.pk, DENTAL), (other.pk, PREMIUM)]
        assert read_balance(chart=Chart.SUSPENSE) == -70_00
        assert (file.count, file.cents) == (3, 2 * PREMIUM + DENTAL + 70_00)
        waiting = unmatched.find_unmatched().get()
        assert (waiting.payer, waiting.number, waiting.source) == ("Nobody is named", "1042", "lockbox")

    def test_is_stored_sealed_and_holds_no_account_number_in_clear(self, health: Account) -> None:
        data = write_file(make_item(account_number="2001234567"))
        file = import_file(name="day.bai", data=data, by=None, today=DEPOSITED, at=noon(DEPOSITED))
        assert open_file(file=file.file) == data
        check = ReceivedCheck.objects.get()
        assert len(check.remitter_key) == 64
        assert "2001234567" not in repr([vars(check), vars(check.lockbox_item), vars(file), vars(file.file)])

    def test_whatever_its_bytes_and_name_is_applied_once(self, health: Account) -> None:
        clerk, deposit = people.make_staff(), make_deposit(make_item(scan_lines=(write_coupon(health),)))
        moment = {"today": DEPOSITED, "at": noon(DEPOSITED)}
        data = write_bai(deposit=deposit)
        first = import_file(name="a.bai", data=data, by=clerk, **moment)
        for again in (data, data.replace(b"\n", b"\r\n"), write_csv(deposit=deposit)):
            with pytest.raises(AlreadyImported) as refusal:
                import_file(name="b.bai", data=again, by=None, **moment)
            assert refusal.value.file == first
            with pytest.raises(AlreadyImported):
                preview_file(data=again, today=DEPOSITED)
        assert (LockboxFile.objects.count(), BankFile.objects.count(), Receipt.objects.count()) == (1, 1, 1)

    def test_of_the_same_name_another_day_is_another_file(self, books: None) -> None:
        import_items(make_item(), name="day.bai")
        import_items(make_item(check_number="1043"), name="day.bai")
        assert sorted(BankFile.objects.values_list("name", flat=True)) == ["day.bai", "day.bai (2)"]

    def test_shows_before_it_is_applied_what_comes_of_it(self, health: Account, dental: Account) -> None:
        data = write_file(make_item(scan_lines=(write_coupon(health),)), make_item(cents=5_00))
        outcome = preview_file(data=data, today=DEPOSITED)
        assert [(part.way, part.count, part.cents) for part in outcome.parts] == [
            (LockboxWay.COUPON, 1, PREMIUM),
            (LockboxWay.QUEUE, 1, 5_00),
        ]
        assert (outcome.count, outcome.cents) == (2, PREMIUM + 5_00)
        assert not ReceivedCheck.objects.exists()

    @pytest.mark.parametrize("lines", range(1, 12))
    def test_cut_at_any_record_posts_nothing(self, health: Account, lines: int) -> None:
        whole = write_file(
            make_item(scan_lines=(write_coupon(health),)),
            make_item(member_ids=("003400000000",)),
            make_item(),
        )
        cut = b"".join(whole.splitlines(keepends=True)[:lines])
        assert cut != whole
        with pytest.raises(UnableToReadDeposit, match=r"^line \d+, column"):
            import_file(name="cut.bai", data=cut, by=None, today=DEPOSITED, at=noon(DEPOSITED))
        assert not ReceivedCheck.objects.exists()
        assert not BankFile.objects.exists()

    def test_many_checks_take_as_many_statements_as_one(self, health: Account) -> None:
        first, *others = [
            make_item(scan_lines=(write_coupon(account),), account_number=str(account.pk))
            for account in [health, *(make_account() for _ in range(6))]
        ]
        with CaptureQueriesContext(connection) as one:
            import_items(first)
        with CaptureQueriesContext(connection) as six:
            import_items(*others)
        assert len(six) == len(one)

    def test_of_a_strange_lockbox_or_without_one_of_ours_is_refused(
        self, books: None, settings: LazySettings
    ) -> None:
        with pytest.raises(UnableToReadDeposit, match="line 4, column 1, lockbox: is none of ours"):
            import_items(make_item(lockbox="0000001"))
        settings.LOCKBOX_NUMBERS = []
        with pytest.raises(UnableToReadDeposit, match="set LOCKBOX_NUMBERS"):
            import_items(make_item())


class TestACheckReceivedInTime:
    def test_and_imported_after_the_start_was_pushed_restores_it(self, diary_at_pushed: Account) -> None:
        account = diary_at_pushed
        import_items(make_item(member_ids=(account.enrollment.member.member_id,)), today=LATER)
        account.enrollment.refresh_from_db()
        assert account.enrollment.coverage_start == date(2027, 2, 1)
        assert Receipt.objects.get().received_date == DEPOSITED
        assert StartMove.objects.latest("pk").why.startswith("restored")
        assert Notice.objects.filter(event="start_restored").exists()

    @pytest.fixture
    def diary_at_pushed(self, health: Account) -> Account:
        """The 23rd passed, and the nightly review has pushed the start to March."""
        review(account_ids=[health.pk], today=date(2027, 1, 24), at=noon(date(2027, 1, 24)), run="test")
        health.enrollment.refresh_from_db()
        assert health.enrollment.coverage_start == date(2027, 3, 1)
        return health


class TestARemitter:
    @staticmethod
    def place(check: ReceivedCheck, account: Account) -> None:
        """Staff put it on its account."""
        unmatched.match_check(
            check_id=check.pk,
            shares=[Share(account.pk, check.cents)],
            by=people.make_staff(),
            why="the payer called",
            today=DEPOSITED,
            at=noon(DEPOSITED),
        )

    def test_once_matched_is_remembered_by_account_and_name(self, health: Account) -> None:
        import_items(make_item(check_number="1"))
        self.place(ReceivedCheck.objects.get(), health)
        import_items(
            make_item(check_number="2"),
            make_item(check_number="3", remitter="BOB BROWN"),
            make_item(check_number="4", account_number="5"),
            make_item(check_number="5", kind="order"),
        )
        found = LockboxItem.objects.filter(file=LockboxFile.objects.latest("pk")).order_by("number")
        assert [item.way for item in found] == ["remitter", "queue", "queue", "queue"]

    def test_who_paid_for_two_members_is_never_taken_for_one(self, health: Account) -> None:
        other = make_account()
        import_items(make_item(check_number="1"), make_item(check_number="2"))
        for check, account in zip(ReceivedCheck.objects.order_by("pk"), (health, other), strict=True):
            self.place(check, account)
        import_items(make_item(check_number="3"))
        assert LockboxItem.objects.latest("pk").way == "queue"


def test_the_sum_of_accounts_queue_and_what_went_back_stays_the_deposit(health: Account) -> None:
    import_items(make_item(scan_lines=(write_coupon(health),)), make_item(cents=5_00), make_item(cents=6_00))
    bank_due(today=DEPOSITED + timedelta(3), at=noon(DEPOSITED + timedelta(3)))
    assert read_balance(chart=Chart.BANK) == PREMIUM + 11_00
    paid, waits, other = ReceivedCheck.objects.order_by("pk")
    give_back(paid, LATER)
    give_back(waits, LATER)
    assert read_balance(chart=Chart.BANK) == other.cents


def run(path: Path) -> str:
    """The command's words."""
    said = StringIO()
    call_command("import_lockbox", path, stdout=said)
    return said.getvalue()


class TestInTheBanksFolder:
    def test_a_file_is_read_with_the_returns_and_once(self, health: Account) -> None:
        data = write_file(make_item(member_ids=(health.enrollment.member.member_id,)), make_item(cents=5_00))
        files = {"lockbox.bai": data, "cut.bai": data[:-30]}
        assert read_files(files, day=DEPOSITED) == {"files": 2, "checks": 2, "refused": 1}
        assert read_files(files | {"again.bai": data}, day=DEPOSITED) == {"repeated": 1}
        assert read_files({"crlf.bai": data.replace(b"\n", b"\r\n")}, day=DEPOSITED) == {"repeated": 1}
        assert (LockboxFile.objects.count(), Receipt.objects.count()) == (1, 1)
        refused = BankFile.objects.get(status="refused")
        assert (refused.kind, refused.name) == ("lockbox", "cut.bai")
        assert refused.fault.startswith("line ")

    def test_a_file_for_another_day_or_lockbox_is_left_until_it_can_be_taken(
        self, books: None, settings: LazySettings
    ) -> None:
        files = {"lockbox.bai": write_file(make_item())}
        assert read_files(files, day=DEPOSITED - timedelta(1)) == {"refused": 1}
        settings.LOCKBOX_NUMBERS = []
        assert read_files(files, day=DEPOSITED) == {"refused": 1}
        assert not BankFile.objects.exists()
        settings.LOCKBOX_NUMBERS = [LOCKBOX]
        assert read_files(files, day=DEPOSITED) == {"files": 1, "checks": 1}


class TestTheCommand:
    @pytest.fixture(autouse=True)
    def _clock(self, books: None) -> Iterator[None]:
        with time_machine.travel(eastern(2027, 1, 22), tick=False):
            yield

    def test_says_how_much_went_where_and_refuses_the_same_file_again(
        self, health: Account, dental: Account, tmp_path: Path
    ) -> None:
        items: list[Item] = [
            make_item(scan_lines=(write_coupon(health),)),
            make_item(cents=DENTAL, scan_lines=(write_coupon(dental),)),
            make_item(cents=9_00),
        ]
        path = tmp_path / "day.bai"
        path.write_bytes(write_file(*items))
        said = run(path)
        assert "day.bai was applied on January 22, 2027 by the system." in said
        assert "Posted: 2 checks, $315.67" in said
        assert "Split: 0 checks, $0.00" in said
        assert "Waiting for staff: 1 check, $9.00" in said
        assert "In all: 3 checks, $324.67" in said
        path.rename(tmp_path / "again.bai")
        with pytest.raises(CommandError, match="applied before") as refusal:
            run(tmp_path / "again.bai")
        assert "January 22, 2027 by the system" in str(refusal.value)

    def test_names_the_place_of_a_fault_and_posts_nothing(self, books: None, tmp_path: Path) -> None:
        path = tmp_path / "cut.bai"
        path.write_bytes(write_file(make_item())[:100])
        with pytest.raises(CommandError, match=r"line \d+, column.*\nNothing was posted"):
            run(path)
        with pytest.raises(CommandError, match="cannot be read"):
            run(tmp_path / "none.bai")
        assert not ReceivedCheck.objects.exists()

"""Stories of the bank's bad days: returns before and after the start, corrections, files unanswered or answered late."""

from datetime import date, time

import pytest

from billing.ledger import read_balance
from billing.models import Chart
from connector_pay.celery import read_timetable
from connector_pay.lib.jobs import run_until
from members.models import Notice
from payments import tasks
from payments.ach import batching, stored_files
from payments.bank import open_bank
from payments.bank.sandbox import SandboxBank
from payments.bank_accounts import open_account_number
from payments.bank_numbers import UnableToUseBankAccount
from payments.models import BankAccount, BankFile, FileStatus, PaymentStatus, ReturnLine
from tests.diary import Diary, eastern
from tests.journeys.living import (
    CLOSED_ACCOUNT,
    CORRECTED,
    JUST_AFTER_FIVE,
    NO_MONEY,
    NOT_AUTHORIZED,
    NOT_VALID,
    PREMIUM,
    enroll,
    go_to,
    pay,
    read_coverage,
    read_payment,
    see,
)

FEBRUARY, MARCH, APRIL = date(2027, 2, 1), date(2027, 3, 1), date(2027, 4, 1)
pytestmark = [pytest.mark.django_db, pytest.mark.starts(eastern(2027, 1, 11))]


class TestAReturn:
    def test_an_r10_after_coverage_began_leaves_it_active_opens_the_bill_and_says_so(
        self, diary: Diary
    ) -> None:
        account = enroll(diary)
        go_to(diary, date(2027, 1, 22))
        payment = pay(diary, account, number=NOT_AUTHORIZED)
        go_to(diary, date(2027, 2, 3))
        assert (read_payment(payment)[0], read_coverage(account)) == (
            PaymentStatus.POSTED,
            ("active", FEBRUARY),
        )
        assert see(diary, account).due_cents == PREMIUM  # March's bill alone

        go_to(diary, date(2027, 2, 4))
        assert read_payment(payment)[0] == PaymentStatus.RETURNED
        assert read_coverage(account) == ("active", FEBRUARY)
        standing = see(diary, account)
        assert (standing.past_due_cents, standing.this_month_cents) == (PREMIUM, PREMIUM)
        assert read_balance(chart=Chart.BANK) == 0
        told = Notice.objects.filter(event="payment_returned", channel="letter").get()
        assert told.facts["effect"].startswith("You are still covered. Pay $568.34 now.")
        go_to(diary, date(2027, 2, 24))
        assert read_coverage(account) == ("active", FEBRUARY)

    def test_an_r10_after_posting_and_before_the_start_awaits_payment_again(self, diary: Diary) -> None:
        account = enroll(diary)
        pay(diary, account, number=NOT_AUTHORIZED)
        go_to(diary, date(2027, 1, 20))
        assert read_coverage(account) == ("active", FEBRUARY)
        go_to(diary, date(2027, 1, 25))
        assert read_coverage(account) == ("waiting", MARCH)
        assert see(diary, account).due_cents == PREMIUM

    def test_returned_before_posting_though_the_month_has_begun_it_awaits_payment_again(
        self, diary: Diary
    ) -> None:
        account = enroll(diary, requested_start=MARCH)
        go_to(diary, date(2027, 2, 23))
        pay(diary, account, number=NO_MONEY)
        go_to(diary, MARCH, time(6))
        assert read_coverage(account) == ("waiting", MARCH)
        go_to(diary, MARCH, time(9))
        assert read_coverage(account) == ("waiting", APRIL)

    def test_paid_again_the_day_the_return_is_read_starts_when_the_letter_said(self, diary: Diary) -> None:
        account = enroll(diary)
        go_to(diary, date(2027, 1, 21))
        pay(diary, account, number=NO_MONEY)
        go_to(diary, date(2027, 1, 27))
        told = Notice.objects.filter(event="payment_returned", channel="letter").get()
        assert told.facts["effect"] == "Pay today: coverage starts March 1, 2027."
        pay(diary, account)
        go_to(diary, date(2027, 2, 3))
        assert read_coverage(account) == ("active", MARCH)

    def test_a_closed_account_is_not_taken_again_and_another_is(self, diary: Diary) -> None:
        account = enroll(diary)
        pay(diary, account, number=CLOSED_ACCOUNT)
        go_to(diary, date(2027, 1, 15))
        with pytest.raises(UnableToUseBankAccount):
            pay(diary, account, number=CLOSED_ACCOUNT)
        pay(diary, account)
        go_to(diary, date(2027, 1, 24))
        assert read_coverage(account) == ("active", FEBRUARY)

    def test_an_account_that_fails_its_instant_check_leaves_time_to_pay_from_another(
        self, diary: Diary
    ) -> None:
        account = enroll(diary)
        payment = pay(diary, account, number=NOT_VALID)
        go_to(diary, date(2027, 1, 11), JUST_AFTER_FIVE)
        assert read_payment(payment) == (PaymentStatus.RETURNED, None)
        told = Notice.objects.filter(event="payment_returned", channel="letter").get()
        assert told.facts["effect"] == "Pay today: coverage starts February 1, 2027."
        pay(diary, account)
        go_to(diary, date(2027, 1, 24))
        assert read_coverage(account) == ("active", FEBRUARY)


class TestACorrection:
    def test_the_next_payment_from_the_saved_account_goes_to_the_corrected_number(self, diary: Diary) -> None:
        account = enroll(diary)
        first = pay(diary, account, number=CORRECTED)
        go_to(diary, date(2027, 1, 19))
        assert read_payment(first)[0] == PaymentStatus.POSTED
        saved = BankAccount.objects.get(pk=first.bank_account_id)
        second = pay(diary, account, saved=saved)
        go_to(diary, date(2027, 1, 26))
        assert read_payment(second)[0] == PaymentStatus.POSTED
        sent = stored_files.open_file(file=second.entry.file).decode()
        assert "2000000198" in sent
        assert CORRECTED not in sent
        assert ReturnLine.objects.count() == 1

    def test_the_old_number_typed_again_is_corrected_again(self, diary: Diary) -> None:
        account = enroll(diary)
        pay(diary, account, number=CORRECTED)
        go_to(diary, date(2027, 1, 19))
        second = pay(diary, account, number=CORRECTED)
        go_to(diary, date(2027, 1, 26))
        assert read_payment(second)[0] == PaymentStatus.POSTED
        second.bank_account.refresh_from_db()
        assert open_account_number(bank_account=second.bank_account) == "2000000198"

    def test_a_return_of_a_corrected_debit_is_still_known(self, diary: Diary) -> None:
        account = enroll(diary)
        payment = pay(diary, account, number=NOT_AUTHORIZED)
        go_to(diary, date(2027, 1, 20))
        # What a correction leaves: the account's number is another by now.
        from payments.bank_accounts import index_number, seal_number

        sealed = seal_number(account_number="2000000198")
        sealed.save(force_insert=True)
        index = index_number(routing_number="011000015", account_number="2000000198")
        BankAccount.objects.update(sealed=sealed, last_four="0198", blind_index=index)
        go_to(diary, date(2027, 1, 25))
        assert read_payment(payment)[0] == PaymentStatus.RETURNED


class TestTheBanksFiles:
    def test_a_file_never_acknowledged_never_settles_and_shows_in_the_days_counts(
        self, diary: Diary, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        account = enroll(diary)
        payment = pay(diary, account)
        acknowledged = SandboxBank.list_incoming
        monkeypatch.setattr(
            SandboxBank,
            "list_incoming",
            lambda bank: [name for name in acknowledged(bank) if not name.startswith("ACK")],
        )
        go_to(diary, date(2027, 1, 24))
        assert read_payment(payment) == (PaymentStatus.SENT, date(2027, 1, 12))
        assert read_coverage(account) == ("waiting", FEBRUARY)
        assert diary.find_job("settle_due")[-1].counts["unaccepted"] == 1

        monkeypatch.undo()
        go_to(diary, date(2027, 1, 25))
        assert read_payment(payment)[0] == PaymentStatus.POSTED
        assert read_coverage(account) == ("active", FEBRUARY)

    def test_the_acknowledgement_of_a_file_not_yet_known_to_be_sent_says_that_it_was(
        self, diary: Diary
    ) -> None:
        account = enroll(diary)
        payment = pay(diary, account)
        bank = open_bank(at=eastern(2027, 1, 11, 17))
        tasks.validate_bank_accounts([payment.bank_account_id])
        (file,) = batching.build_files(today=diary.today, at=eastern(2027, 1, 11, 17))
        # The process dies between handing the file over and writing that down, and stays away.
        bank.put(name=file.name, data=stored_files.open_file(file=file))
        tasks.read_bank(day=date(2027, 1, 12), at=eastern(2027, 1, 12, 7))
        file.refresh_from_db()
        assert file.status == FileStatus.ACCEPTED
        assert read_payment(payment)[0] == PaymentStatus.SENT
        go_to(diary, date(2027, 1, 20))
        assert read_payment(payment)[0] == PaymentStatus.POSTED
        assert read_coverage(account) == ("active", FEBRUARY)

    def test_a_missing_return_file_holds_the_posting_and_only_the_posting(
        self, diary: Diary, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        account = enroll(diary)
        payment = pay(diary, account)
        left = SandboxBank.list_incoming
        monkeypatch.setattr(
            SandboxBank,
            "list_incoming",
            lambda bank: [name for name in left(bank) if name != "RETURNS-20270114.ach"],
        )
        go_to(diary, date(2027, 1, 22))
        assert (read_payment(payment)[0], see(diary, account).due_cents) == (PaymentStatus.SETTLED, 0)
        assert read_coverage(account) == ("waiting", FEBRUARY)
        monkeypatch.undo()
        go_to(diary, date(2027, 1, 25))
        assert read_coverage(account) == ("active", FEBRUARY)

    def test_a_return_file_left_again_under_another_name_takes_the_money_back_once(
        self, diary: Diary, settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        account = enroll(diary)
        payment = pay(diary, account, number=NO_MONEY)
        go_to(diary, date(2027, 1, 15))
        left = settings.SANDBOX_BANK_DIR / "to_exchange"
        again = left / "RETURNS-20270115.ach"
        assert read_payment(payment)[0] == PaymentStatus.RETURNED
        again.rename(left / "RETURNS-20270115-again.ach")
        names = sorted(path.name for path in left.iterdir() if path.name.startswith("RETURNS"))
        with monkeypatch.context() as patch:
            patch.setattr(SandboxBank, "list_incoming", lambda bank: names)
            counts = tasks.read_bank(day=date(2027, 1, 15), at=diary.moment)
        assert (counts["repeated"], counts["files"], counts["returned"]) == (1, 0, 0)
        assert ReturnLine.objects.filter(applied=True).count() == 1
        assert see(diary, account).due_cents == PREMIUM
        (left / "RETURNS-20270115-again.ach").rename(again)

    def test_the_whole_timetable_asked_for_twice_does_everything_once(self, diary: Diary) -> None:
        account = enroll(diary)
        pay(diary, account)
        go_to(diary, date(2027, 1, 20))
        assert list(run_until(timetable=read_timetable(), moment=diary.moment)) == []
        for job in read_timetable():
            job.run(day=diary.today, at=job.read_moment(diary.today))
        assert BankFile.objects.filter(direction="out").count() == 1
        assert read_coverage(account) == ("active", FEBRUARY)

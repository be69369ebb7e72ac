"""A pause is lifted, a notice goes out again, a file of unknown outcome is answered for: by who may, once, with a reason."""

import time
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import time_machine
from django.urls import reverse

from connector_pay.self_check import find_violations
from members.models import Channel, Notice, NoticeCopy, User
from payments.ach import batching
from payments.bank_accounts import approve
from payments.models import (
    BANK_ACCOUNT_MOVES,
    FILE_MOVES,
    BankAccount,
    BankAccountMove,
    BankAccountStatus,
    BankFile,
    FileAnswer,
    FileMove,
    FileStatus,
    Payment,
)
from tests import people
from tests.diary import eastern
from tests.payments.payers import read
from tests.payments.paying import TUESDAY, make_account, noon, pay
from tests.staff.acts import check_refused, make_clerk, press, press_again

pytestmark = pytest.mark.usefixtures("books")


@pytest.fixture
def books(db: None):
    """Tuesday at five; afterwards everything must hold."""
    with time_machine.travel(eastern(2027, 1, 12, 17), tick=False):
        yield
        assert find_violations() == []


@pytest.fixture
def payment(books: None) -> Payment:
    return pay(make_account())


@pytest.fixture
def file(payment: Payment) -> BankFile:
    """A file that was being handed over when the connection was lost."""
    approve(bank_account=payment.bank_account, at=noon(TUESDAY))
    at = eastern(2027, 1, 12, 17)
    (built,) = batching.build_files(today=TUESDAY, at=at)
    before, after = FileStatus.SENDING, FileStatus.UNKNOWN
    FILE_MOVES.move(model=BankFile, history=FileMove, ids=[built.pk], before=before, after=after, at=at)
    return built


def pause(account: BankAccount) -> None:
    before, after = BankAccountStatus.UNCHECKED, BankAccountStatus.PAUSED
    BANK_ACCOUNT_MOVES.move(
        model=BankAccount,
        history=BankAccountMove,
        ids=[account.pk],
        before=before,
        after=after,
        at=noon(TUESDAY),
    )


class TestLiftingAPause:
    def test_once_with_its_reason(self, payment: Payment) -> None:
        pause(payment.bank_account)
        clerk, key = make_clerk("lift_pause"), payment.bank_account_id
        answer, sent = press(clerk, "payments_bankaccount_lift", key)
        assert "The pause is lifted" in read(answer)
        press_again(clerk, "payments_bankaccount_lift", key, sent=sent)
        move = BankAccountMove.objects.get(after="valid")
        assert move.why.endswith("the member asked for it")

    def test_an_account_that_is_not_paused_says_so(self, payment: Payment) -> None:
        answer, _ = press(make_clerk("lift_pause"), "payments_bankaccount_lift", payment.bank_account_id)
        assert "not paused" in read(answer)

    def test_who_only_sees_lifts_none(self, payment: Payment) -> None:
        check_refused(make_clerk("view_bankaccount"), "payments_bankaccount_lift", payment.bank_account_id)


class TestSendingANoticeAgain:
    def test_a_copy_of_the_same_words_goes_by_the_other_way_once_a_press(self, payment: Payment) -> None:
        first, clerk = Notice.objects.get(event="payment_received"), make_clerk("resend_notice")
        assert first.channel == Channel.LETTER
        answer, sent = press(clerk, "payments_notice_resend", first.pk, channel="email")
        assert "It goes out" in read(answer)
        press_again(clerk, "payments_notice_resend", first.pk, sent=sent)
        row = NoticeCopy.objects.get()
        assert (row.first, row.copy.facts, row.copy.channel) == (first, first.facts, Channel.EMAIL)
        assert (row.copy.address, row.copy.sent_at) == (first.member.email, None)
        press(clerk, "payments_notice_resend", row.copy.pk, channel="letter")
        assert set(NoticeCopy.objects.values_list("first", flat=True)) == {first.pk}

    def test_a_bill_on_paper_is_printed_and_not_copied(self, payment: Payment) -> None:
        bill = Notice.objects.filter(event="bill_ready").first()
        answer, _ = press(make_clerk("resend_notice"), "payments_notice_resend", bill.pk, channel="letter")
        assert "Print the bill itself" in read(answer)
        assert not NoticeCopy.objects.exists()

    def test_who_only_sees_sends_none(self, payment: Payment) -> None:
        check_refused(make_clerk("view_notice"), "payments_notice_resend", Notice.objects.first().pk)


class TestAFileOfUnknownOutcome:
    SAID = {"reference": "REF 77", "why": "Dana at the bank"}

    @pytest.mark.parametrize(("outcome", "status"), [("sent", "sent"), ("not_sent", "sending")])
    def test_it_counts_once_two_people_have_heard_the_same(
        self, file: BankFile, outcome: str, status: str
    ) -> None:
        first, second = make_clerk("resolve_file"), make_clerk("resolve_file")
        answer, sent = press(first, "payments_bankfile_resolve", file.pk, outcome=outcome, **self.SAID)
        assert "It counts once another person has heard the same" in read(answer)
        press_again(first, "payments_bankfile_resolve", file.pk, sent=sent)
        press(first, "payments_bankfile_resolve", file.pk, outcome=outcome, **self.SAID)
        file.refresh_from_db()
        assert (file.status, file.answers.count()) == (FileStatus.UNKNOWN, 2)
        page = read(second.get(reverse("admin:payments_bankfile_resolve", args=[file.pk])))
        assert "says Dana at the bank (REF 77)" in page
        _, sent = press(second, "payments_bankfile_resolve", file.pk, outcome=outcome, **self.SAID)
        press_again(second, "payments_bankfile_resolve", file.pk, sent=sent)
        file.refresh_from_db()
        assert file.status == status
        assert file.moves.count() == 2
        move = file.moves.order_by("-pk").first()
        assert move.why.endswith("Dana at the bank (REF 77)")
        assert all(name in move.why for name in file.answers.values_list("by__username", flat=True))

    def test_two_who_heard_otherwise_change_nothing_until_they_agree(self, file: BankFile) -> None:
        first, second = make_clerk("resolve_file"), make_clerk("resolve_file")
        press(first, "payments_bankfile_resolve", file.pk, outcome="sent", **self.SAID)
        press(second, "payments_bankfile_resolve", file.pk, outcome="not_sent", **self.SAID)
        file.refresh_from_db()
        assert file.status == FileStatus.UNKNOWN
        press(first, "payments_bankfile_resolve", file.pk, outcome="not_sent", **self.SAID)
        file.refresh_from_db()
        assert file.status == FileStatus.SENDING

    def test_what_was_heard_of_an_earlier_doubt_counts_no_more(self, file: BankFile) -> None:
        facts = {"is_sent": True, "reference": "1", "asked": "Dana", "form_key": uuid4()}
        FileAnswer.objects.create(file=file, by=people.make_staff(), at=noon(TUESDAY), **facts)
        press(make_clerk("resolve_file"), "payments_bankfile_resolve", file.pk, outcome="sent", **self.SAID)
        file.refresh_from_db()
        assert file.status == FileStatus.UNKNOWN

    def test_an_account_that_was_just_changed_is_nobody_s_second(self, file: BankFile) -> None:
        clerk = make_clerk("resolve_file")
        moment = datetime.fromtimestamp(time.time(), UTC)
        User.objects.filter(pk=clerk.session["_auth_user_id"]).update(rights_changed_at=moment)
        answer, _ = press(clerk, "payments_bankfile_resolve", file.pk, outcome="sent", **self.SAID)
        assert "another person must decide" in read(answer)
        assert not FileAnswer.objects.exists()

    def test_pressed_without_having_been_shown_it_changes_nothing(self, file: BankFile) -> None:
        clerk = make_clerk("resolve_file")
        typed = {"outcome": "sent", "reference": "1", "why": "Dana", "act": "yes"}
        key = {"form_key": "6f1c2a34-8f5e-4a5f-9c39-0f6a3f3a1b33"}
        press_again(clerk, "payments_bankfile_resolve", file.pk, sent=typed | key)
        file.refresh_from_db()
        assert file.status == FileStatus.UNKNOWN

    def test_who_only_sees_answers_for_none(self, file: BankFile) -> None:
        check_refused(make_clerk("view_bankfile"), "payments_bankfile_resolve", file.pk)

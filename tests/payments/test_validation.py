"""Validation: each method asked in the order of the settings until one decides, many accounts as one, every answer kept."""

import hashlib
from datetime import date, datetime, timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.balances import read_standing
from connector_pay.lib.models import SealedValue
from payments.ach.stored_files import BANK_FILE
from payments.bank_accounts import approve, list_waiting, refuse, register, validate
from payments.canceling import cancel_payment
from payments.models import (
    Authorization,
    BankAccount,
    BankFile,
    FileChunk,
    FileEntry,
    Mandate,
    Payment,
    PaymentMove,
    PaymentStatus,
    Prenote,
    ReturnLine,
    Validation,
)
from payments.returns import PaymentReturn, return_payments, stop_unusable
from payments.settlement import validate_waiting
from payments.statements import expected_clearing_date
from payments.validation import list_methods
from payments.validation.history import SPOILS
from tests.payments.paying import (
    GOOD,
    TUESDAY,
    live,
    make_account,
    make_details,
    make_payer,
    noon,
    pay,
    read,
    send,
    settle,
)
from tests.people import make_user

pytestmark = pytest.mark.usefixtures("books")
AT = noon(TUESDAY)
POSTED = date(2027, 1, 19)
FAILS = "1000000099"
RAW = b"as the bank wrote it\n"


def list_answers(account: BankAccount) -> list[tuple[str, str]]:
    return list(account.validations.order_by("pk").values_list("method", "outcome"))


def type_again(number: str = GOOD, **facts) -> BankAccount:
    """The same account, typed by somebody else."""
    return register(details=make_details(number, **facts), owner=make_user(), at=AT)


def pay_and_post(number: str = GOOD) -> Payment:
    payment = pay(make_account(), 10_00, number=number)
    live(TUESDAY, POSTED)
    payment.refresh_from_db()
    return payment


def count_statements(work) -> int:
    with CaptureQueriesContext(connection) as captured:
        work()
    return len(captured)


class TestOrder:
    def test_the_first_that_knows_decides_and_no_other_is_asked(self, settings) -> None:
        settings.BANK_VALIDATION_METHODS = ["history", "instant", "prenote", "manual"]
        account = type_again()
        assert validate(bank_account=account, at=AT) == "valid"
        assert list_answers(account) == [("history", "pending"), ("instant", "passed")]
        assert account.moves.get().why == "instant"
        assert not Prenote.objects.exists()

    def test_a_failure_decides_as_well(self, settings) -> None:
        settings.BANK_VALIDATION_METHODS = ["instant", "prenote", "manual"]
        account = type_again(FAILS)
        assert validate(bank_account=account, at=AT) == "failed"
        assert list_answers(account) == [("instant", "failed")]

    def test_where_none_knows_all_are_asked_and_the_account_waits(self, settings) -> None:
        settings.BANK_VALIDATION_METHODS = ["prenote", "history", "manual"]
        account = type_again()
        assert validate(bank_account=account, at=AT) == "unchecked"
        assert list_answers(account) == [(name, "pending") for name in settings.BANK_VALIDATION_METHODS]

    def test_waiting_is_written_down_once_however_often_it_is_asked(self, settings) -> None:
        settings.BANK_VALIDATION_METHODS = ["history", "prenote", "manual"]
        account = type_again()
        for days in range(3):
            validate(bank_account=account, at=AT + timedelta(days=days))
        assert len(list_answers(account)) == 3
        assert Prenote.objects.count() == 1

    def test_what_was_decided_meanwhile_stays_and_the_late_answer_is_kept(self, settings) -> None:
        account = type_again()
        late = BankAccount.objects.select_related("sealed").get(pk=account.pk)
        assert refuse(bank_account=account, at=AT, why="not this person's")
        assert validate(bank_account=late, at=AT) == "failed"
        assert list_answers(account)[-1] == ("instant", "passed")
        assert account.moves.count() == 1

    def test_a_method_nobody_knows_is_refused(self, settings) -> None:
        settings.BANK_VALIDATION_METHODS = ["manual", "hope"]
        with pytest.raises(ImproperlyConfigured, match="hope"):
            list_methods()


class TestHistory:
    @pytest.fixture(autouse=True)
    def _history_alone(self, settings) -> None:
        settings.BANK_VALIDATION_METHODS = ["history"]

    @pytest.fixture
    def posted(self, settings) -> Payment:
        settings.BANK_VALIDATION_METHODS = ["instant"]
        payment = pay_and_post()
        assert payment.status == PaymentStatus.POSTED
        settings.BANK_VALIDATION_METHODS = ["history"]
        return payment

    def test_an_account_that_never_paid_waits(self) -> None:
        assert validate(bank_account=type_again(), at=AT) == "unchecked"

    def test_an_account_that_has_paid_passes_whoever_owns_it(self, posted: Payment) -> None:
        guest_s = register(details=make_details(holder_name="Bob Brown"), owner=None, at=AT)
        for account in (type_again(), guest_s):
            assert validate(bank_account=account, at=AT) == "valid"
            assert list_answers(account) == [("history", "passed")]

    def test_another_number_at_the_same_bank_has_not_paid(self, posted: Payment) -> None:
        assert validate(bank_account=type_again("482001234568"), at=AT) == "unchecked"

    def test_a_debit_that_has_settled_but_not_posted_proves_nothing(self, settings) -> None:
        settings.BANK_VALIDATION_METHODS = ["instant"]
        pay(make_account(), 10_00)
        live(TUESDAY, date(2027, 1, 18))
        settings.BANK_VALIDATION_METHODS = ["history"]
        assert validate(bank_account=type_again(), at=AT) == "unchecked"

    def test_the_number_that_was_debited_counts_not_the_one_it_was_corrected_to(
        self, posted: Payment
    ) -> None:
        corrected = register(details=make_details("2000000198"), owner=None, at=AT)
        BankAccount.objects.filter(pk=posted.bank_account_id).update(blind_index=corrected.blind_index)
        assert validate(bank_account=corrected, at=AT) == "unchecked"

    @pytest.mark.parametrize(
        ("code", "status"),
        [("R10", "unchecked"), ("R03", "unchecked"), ("R29", "unchecked"), ("R01", "valid")],
    )
    def test_a_return_since_undoes_it_if_it_says_that_number_or_payer_were_wrong(
        self, posted: Payment, settings, code: str, status: str
    ) -> None:
        later = self._pay_again(settings)
        come_back(later, code, at=noon(date(2027, 1, 22)))
        assert validate(bank_account=type_again(), at=AT) == status

    def test_the_debit_itself_come_back_proves_nothing(self, posted: Payment) -> None:
        come_back(posted, "R10", at=noon(date(2027, 2, 10)))
        assert validate(bank_account=type_again(), at=AT) == "unchecked"

    def test_what_came_back_before_the_debit_posted_does_not_count(self, posted: Payment, settings) -> None:
        later = self._pay_again(settings)
        moment = posted.moves.get(after=PaymentStatus.POSTED).at
        come_back(later, "R03", at=moment - timedelta(seconds=1))
        assert validate(bank_account=type_again(), at=AT) == "valid"

    def test_what_came_back_in_the_same_moment_counts(self, posted: Payment, settings) -> None:
        later = self._pay_again(settings)
        come_back(later, "R03", at=posted.moves.get(after=PaymentStatus.POSTED).at)
        assert validate(bank_account=type_again(), at=AT) == "unchecked"

    def test_every_code_that_blocks_an_account_spoils_its_history(self) -> None:
        assert {"R02", "R03", "R04", "R05", "R07", "R10", "R11", "R16", "R20", "R29"} <= set(SPOILS)
        assert not {"R01", "R09", "R08", "R24"} & set(SPOILS)

    def _pay_again(self, settings) -> Payment:
        settings.BANK_VALIDATION_METHODS = ["instant"]
        day = date(2027, 1, 20)
        payment = pay(make_account(today=day), 10_00, today=day)
        send(day)
        settings.BANK_VALIDATION_METHODS = ["history"]
        return payment


def come_back(payment: Payment, code: str, *, at: datetime) -> None:
    returned = return_payments(returns=[PaymentReturn(payment.pk, code, "returned")], today=at.date(), at=at)
    assert returned == [payment.pk]
    # The self-check asks for the line of the bank's file that said so.
    make_return_line(payment, code, at=at)


def make_return_line(payment: Payment, code: str, *, at: datetime) -> None:
    sealed = SealedValue.make(clear=RAW, purpose=BANK_FILE)
    sealed.save(force_insert=True)
    raw = SealedValue.make(clear=RAW, purpose="return_line")
    raw.save(force_insert=True)
    file = BankFile.objects.create(
        name=f"back-{payment.pk}",
        direction="in",
        kind="returns",
        status="read",
        business_date=at.date(),
        sha256=hashlib.sha256(RAW).hexdigest(),
        line_count=1,
        stored_at=at,
    )
    FileChunk.objects.create(file=file, number=0, sealed=sealed)
    entry = FileEntry.objects.get(payment=payment)
    ReturnLine.objects.create(
        file=file,
        line=1,
        code=code,
        trace=entry.trace,
        amount_cents=entry.amount_cents,
        entry=entry,
        applied=True,
        sealed=raw,
        at=at,
    )


class TestManyAtOnce:
    def test_six_accounts_take_as_many_statements_as_one(self, settings) -> None:
        settings.BANK_VALIDATION_METHODS = ["history", "instant", "prenote", "manual"]
        pay(make_account(), 10_00, number="482001234501")
        alone = count_statements(lambda: validate_waiting(today=TUESDAY, at=AT))
        for place in range(2, 8):
            pay(make_account(), 10_00, number=f"48200123450{place}")
        together = count_statements(lambda: validate_waiting(today=TUESDAY, at=AT))
        assert (alone, together) == (alone, alone)
        assert set(BankAccount.objects.values_list("status", flat=True)) == {"valid"}

    def test_six_that_wait_take_as_many_statements_as_one(self, settings) -> None:
        settings.BANK_VALIDATION_METHODS = ["history", "prenote", "manual"]
        pay(make_account(), 10_00, number="482001234501")
        alone = count_statements(lambda: validate_waiting(today=TUESDAY, at=AT))
        for place in range(2, 8):
            pay(make_account(), 10_00, number=f"48200123450{place}")
        together = count_statements(lambda: validate_waiting(today=TUESDAY, at=AT))
        assert together == alone
        assert Prenote.objects.count() == 7

    def test_more_than_fit_one_go_are_asked_about_in_several(self, settings, monkeypatch) -> None:
        monkeypatch.setattr("payments.bank_accounts.VALIDATED_AT_ONCE", 2)
        for place in range(5):
            pay(make_account(), 10_00, number=f"48200123450{place}")
        pay(make_account(), 10_00, number=FAILS)
        counts = validate_waiting(today=TUESDAY, at=AT)
        assert counts == {"passed": 5, "failed": 1, "returned": 1, "canceled": 0}

    def test_only_the_accounts_named_are_asked_about(self) -> None:
        named, other = pay(make_account(), 10_00), pay(make_account(), 10_00, number="482001234599")
        ids = [named.bank_account_id]
        assert validate_waiting(today=TUESDAY, at=AT, bank_account_ids=ids)["passed"] == 1
        other.bank_account.refresh_from_db()
        assert other.bank_account.status == "unchecked"


class TestWaiting:
    def test_an_account_waits_while_a_recorded_payment_does(self) -> None:
        payment = pay(make_account(), 10_00)
        assert list(list_waiting()) == [payment.bank_account]
        cancel_payment(payment_id=payment.pk, today=TUESDAY, at=AT, why="canceled by the payer")
        assert not list_waiting()

    def test_an_account_that_nothing_waits_for_is_not_asked_about(self) -> None:
        type_again()
        assert not list_waiting()

    def test_an_account_waits_while_autopay_does(self) -> None:
        account = make_account()
        bank_account = register(details=make_details(), owner=make_user(), at=AT)
        proof = Authorization.objects.create(
            account=account,
            bank_account=bank_account,
            channel="web",
            sec_code="WEB",
            recurring=True,
            amount_cents=10_00,
            debit_on_or_after=TUESDAY,
            text="I authorize what is due each month.",
            text_version="1",
            language="en",
            payer_name="Alice Alvarez",
            account_last_four="4567",
            given_at=AT,
        )
        Mandate.objects.create(
            account=account,
            bank_account=bank_account,
            authorization=proof,
            drafts_from=TUESDAY,
            given_at=AT,
        )
        assert list(list_waiting()) == [bank_account]
        assert validate_waiting(today=TUESDAY, at=AT)["passed"] == 1


class TestByHand:
    @pytest.fixture(autouse=True)
    def _by_hand(self, settings) -> None:
        settings.BANK_VALIDATION_METHODS = ["manual"]

    def test_an_approved_account_is_debited_by_the_next_file(self) -> None:
        payment = pay(make_account(), 10_00)
        assert send(TUESDAY)["debits"] == 0
        assert approve(bank_account=payment.bank_account, at=AT, by="staff7")
        assert send(date(2027, 1, 13))["debits"] == 1
        said = Validation.objects.latest("pk")
        assert (said.method, said.outcome, said.detail) == ("manual", "passed", "by staff7")

    def test_a_refused_account_gives_back_what_waited_on_it(self) -> None:
        payment = pay(make_account(), 10_00)
        assert refuse(bank_account=payment.bank_account, at=AT, why="wrong name", by="staff7")
        assert stop_unusable(today=TUESDAY, at=AT)["returned"] == 1
        assert PaymentMove.objects.filter(payment=payment).latest("pk").after == PaymentStatus.RETURNED
        assert payment.bank_account.moves.get().why == "manual by staff7: wrong name"

    def test_decided_once_is_decided(self) -> None:
        account = pay(make_account(), 10_00).bank_account
        assert approve(bank_account=account, at=AT)
        assert not refuse(bank_account=account, at=AT, why="too late")
        assert not approve(bank_account=account, at=AT)
        assert (account.status, account.moves.count(), account.validations.count()) == ("valid", 1, 1)


@pytest.mark.parametrize(
    ("methods", "final"),
    [
        (["history", "instant", "prenote", "manual"], date(2027, 1, 19)),
        (["history", "manual"], date(2027, 1, 21)),
        (["history", "prenote", "manual"], date(2027, 1, 25)),
    ],
)
def test_the_confirmation_counts_the_days_until_an_answer(settings, methods: list[str], final: date) -> None:
    settings.BANK_VALIDATION_METHODS = methods
    told = expected_clearing_date(today=TUESDAY, at=AT, received_date=TUESDAY, validated=False)
    assert told == final
    answered = expected_clearing_date(today=TUESDAY, at=AT, received_date=TUESDAY, validated=True)
    assert answered == date(2027, 1, 19)


def test_whoever_validates_receipt_is_never_delayed(settings) -> None:
    settings.BANK_VALIDATION_METHODS = ["prenote", "manual"]
    account = make_account()
    pay(account, payer=make_payer())
    validate_waiting(today=TUESDAY, at=AT)
    assert read_standing(account_id=account.pk, today=TUESDAY).binder_received


def test_reading_the_bank_leaves_an_account_that_waits(settings) -> None:
    settings.BANK_VALIDATION_METHODS = ["manual"]
    payment = pay(make_account(), 10_00)
    send(TUESDAY)
    read(date(2027, 1, 13))
    settle(date(2027, 1, 13))
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.RECORDED

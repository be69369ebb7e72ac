"""Notifications of change: applied at once to the account as it stands, told, never for another bank's word; and prenotes."""

from datetime import date, datetime, time

import pytest

from billing.balances import read_standing
from members.models import Notice
from payments import settlement, tasks
from payments.ach.corrections import count_late_corrections
from payments.ach.prenote_answers import fail_prenotes
from payments.bank_accounts import index_number, open_account_number, register
from payments.models import (
    BankAccount,
    BankFile,
    FileEntry,
    Payment,
    PaymentStatus,
    Prenote,
    Refund,
    ReturnLine,
    Validation,
)
from payments.returns import stop_unusable
from tests.payments import refunding
from tests.payments.incoming_files import FRIDAY, make_line, read_files, write_incoming
from tests.payments.paying import (
    GOOD,
    ROUTING,
    TUESDAY,
    make_account,
    make_details,
    make_payer,
    noon,
    pay,
    send,
)
from tests.people import make_user
from tests.standing import create_at

OTHER_BANK = "021000021"


@pytest.fixture
def sent(books: None) -> Payment:
    """A signed-in member's payment at the bank."""
    account = make_account()
    payer = make_payer(channel="web", user=make_user(member=account.enrollment.member))
    payment = pay(account, 10_00, payer=payer)
    send(TUESDAY)
    payment.refresh_from_db()
    return payment


def read_account(payment: Payment) -> tuple[str, str, str, bool]:
    account = BankAccount.objects.select_related("sealed").get(pk=payment.bank_account_id)
    number = open_account_number(bank_account=account)
    index = index_number(routing_number=account.routing_number, account_number=number)
    return account.routing_number, number, account.kind, account.blind_index == index


class TestCorrectionsOfDebits:
    def test_two_corrections_of_one_account_in_one_file_are_both_kept(self, sent: Payment) -> None:
        other = pay(make_account(), 20_00, payer=make_payer(channel="web", user=sent.bank_account.owner))
        send(date(2027, 1, 13))
        other.refresh_from_db()
        assert other.bank_account_id == sent.bank_account_id
        lines = (
            make_line(sent.entry, code="C01", data="555666777"),
            make_line(other.entry, code="C02", data=OTHER_BANK),
        )
        assert read_files({"x": write_incoming(*lines)}) == {"files": 1, "corrected": 2}
        assert read_account(sent) == (OTHER_BANK, "555666777", "checking", True)
        assert Notice.objects.filter(event="bank_details_corrected").count() == 2

    @pytest.mark.parametrize(
        ("code", "data", "expected"),
        [
            ("C01", "555 666-777", (ROUTING, "555666777", "checking")),
            ("C02", OTHER_BANK, (OTHER_BANK, GOOD, "checking")),
            ("C03", f"{OTHER_BANK}   555666777", (OTHER_BANK, "555666777", "checking")),
            ("C05", "37", (ROUTING, GOOD, "savings")),
            ("C06", "555666777".ljust(20) + "37", (ROUTING, "555666777", "savings")),
            ("C07", OTHER_BANK + "555666777".ljust(17) + "37", (OTHER_BANK, "555666777", "savings")),
        ],
    )
    def test_each_code_replaces_its_parts_and_no_other(
        self, sent: Payment, code: str, data: str, expected: tuple[str, str, str]
    ) -> None:
        assert (
            read_files({"x": write_incoming(make_line(sent.entry, code=code, data=data))})["corrected"] == 1
        )
        assert read_account(sent) == (*expected, True)

    @pytest.mark.parametrize("data", ["123", "1" * 3 + "_" * 5, "12", "1" * 4 + "    <"])
    def test_a_number_that_no_payer_could_type_is_not_applied(self, sent: Payment, data: str) -> None:
        written = write_incoming(make_line(sent.entry, code="C01", data="987654321"))
        assert read_files({"x": written.replace(b"987654321", data.ljust(9).encode())})["parked"] == 1
        assert read_account(sent)[1] == GOOD

    def test_a_change_for_staff_that_says_nothing_spoils_no_file(self, sent: Payment) -> None:
        written = write_incoming(make_line(sent.entry, code="C13", data="X" * 29), make_line(sent.entry))
        assert read_files({"x": written.replace(b"X" * 29, b" " * 29)}) == {
            "files": 1,
            "parked": 1,
            "returned": 1,
        }

    @pytest.mark.parametrize(
        ("changes", "counts"),
        [
            ({"account": "1234567"}, {"corrected": 1}),  # our number, trace and bank agree
            ({"account": "1234567", "routing": OTHER_BANK}, {"parked": 1}),
            ({"trace": "011000019999999"}, {"corrected": 1}),  # number and account, so the bank too
            ({"trace": "011000019999999", "routing": OTHER_BANK}, {"parked": 1}),
            ({"number": "", "routing": OTHER_BANK}, {"parked": 1}),
        ],
    )
    def test_only_the_bank_that_got_the_entry_corrects_it(
        self, sent: Payment, changes: dict, counts: dict[str, int]
    ) -> None:
        line = make_line(sent.entry, code="C01", data="555666777", **changes)
        assert read_files({"x": write_incoming(line)}) == {"files": 1, **counts}

    @pytest.mark.parametrize(
        ("day", "late"),
        [
            (date(2027, 1, 15), 0),  # parked on Friday the 15th; Monday the 18th is a holiday
            (date(2027, 1, 22), 0),  # the 4th banking day
            (date(2027, 1, 25), 1),  # the 5th
            (date(2027, 3, 16), 1),
            (date(2027, 3, 17), 0),  # two months later nobody is served by one more alarm
        ],
    )
    def test_a_parked_correction_alarms_when_it_is_older_than_four_banking_days(
        self, sent: Payment, day: date, late: int, caplog
    ) -> None:
        read_files({"x": write_incoming(make_line(sent.entry, code="C01", data="1"))})
        assert count_late_corrections(today=day) == late
        assert ("soon late" in caplog.text) == bool(late)

    @pytest.mark.parametrize("settled_by", ["a later correction", "the account is blocked", "a name"])
    def test_one_that_no_longer_matters_does_not_alarm(self, sent: Payment, settled_by: str) -> None:
        code, data = ("C04", "ALICE") if settled_by == "a name" else ("C01", "1")
        read_files({"x": write_incoming(make_line(sent.entry, code=code, data=data))})
        if settled_by == "a later correction":
            read_files({"y": write_incoming(make_line(sent.entry, code="C02", data=OTHER_BANK))})
        if settled_by == "the account is blocked":
            read_files({"y": write_incoming(make_line(sent.entry, code="R02"))})
        assert count_late_corrections(today=date(2027, 1, 25)) == 0

    def test_the_job_counts_late_corrections(self, sent: Payment) -> None:
        read_files({"x": write_incoming(make_line(sent.entry, code="C01", data="1"))})
        assert tasks.read_bank(day=date(2027, 1, 25), at=noon(date(2027, 1, 25)))["late_corrections"] == 1


def put_in_file(*, trace: str = "011000010900001", **thing: object) -> FileEntry:
    """An entry of another kind than a debit, as the file builder leaves it."""
    file = create_at(
        BankFile,
        name=f"CP-{trace}.ach",
        direction="out",
        kind="entries",
        status="sent",
        business_date=TUESDAY,
        origin="1234567890",
        created_on=TUESDAY,
        created_time="1700",
        modifier="Z",
        sha256=trace.rjust(64, "0"),
        line_count=0,
        stored_at=noon(TUESDAY),
    )
    return FileEntry.objects.create(
        file=file,
        line=3,
        trace=trace,
        cycle=0,
        blind_index=index_number(routing_number=ROUTING, account_number=GOOD),
        **thing,
    )


@pytest.fixture
def asked(db: None) -> Prenote:
    """A member's account that a prenote asks about, with a payment waiting on it."""
    account = make_account()
    payer = make_payer(channel="web", user=make_user(member=account.enrollment.member))
    payment = pay(account, 10_00, payer=payer)
    prenote = Prenote.objects.create(
        bank_account=payment.bank_account, asked_at=noon(TUESDAY), effective_date=date(2027, 1, 13)
    )
    put_in_file(kind="prenote", prenote=prenote, amount_cents=0, individual_id="PRE0000001")
    return prenote


class TestPrenotes:
    def test_a_returned_prenote_fails_the_account_and_returns_what_waits_as_not_validated(
        self, asked: Prenote
    ) -> None:
        line = make_line(asked.entry, code="R03")
        assert read_files({"x": write_incoming(line)}) == {"files": 1, "returned": 1}
        asked.refresh_from_db()
        assert (asked.outcome, asked.bank_account.status, asked.decided_at) == (
            "failed",
            "failed",
            noon(FRIDAY),
        )
        assert Validation.objects.get().detail == "R03"
        assert stop_unusable(today=FRIDAY, at=noon(FRIDAY))["returned"] == 1
        payment = Payment.objects.get()
        assert (payment.status, payment.return_code) == (PaymentStatus.RETURNED, "")
        reason = Notice.objects.get(event="payment_returned", channel="letter").facts["reason"]
        assert "could not confirm the bank account" in reason

    def test_a_prenote_that_was_decided_before_is_parked(self, asked: Prenote) -> None:
        Prenote.objects.filter(pk=asked.pk).update(outcome="passed", decided_at=noon(FRIDAY))
        assert read_files({"x": write_incoming(make_line(asked.entry, code="R03"))})["parked"] == 1
        assert ReturnLine.objects.get().parked_because == "the prenote was decided before"
        assert fail_prenotes(codes={asked.pk: "R03"}, at=noon(FRIDAY)) == set()

    def test_a_corrected_prenote_replaces_the_numbers_and_asks_anew(self, asked: Prenote) -> None:
        line = make_line(asked.entry, code="C01", data="555666777")
        assert read_files({"x": write_incoming(line)}) == {"files": 1, "corrected": 1}
        old, new = Prenote.objects.order_by("pk")
        assert (old.outcome, new.outcome, new.asked_at) == ("failed", "", noon(FRIDAY))
        account = BankAccount.objects.get()
        assert (account.status, account.last_four) == ("unchecked", "6777")
        told = Notice.objects.get(event="bank_details_corrected")
        assert "confirmation_number" not in told.facts
        assert settlement.stop_unusable(today=FRIDAY, at=noon(FRIDAY))["returned"] == 0


class TestRefunds:
    SENT_BACK = date(2027, 1, 25)

    @pytest.fixture
    def refund(self, books: None) -> Refund:
        asked = refunding.ask_and_approve(refunding.find_receipt(refunding.overpay()))
        refunding.send(asked)
        return Refund.objects.get()

    def read_back(self, refund: Refund) -> dict[str, int]:
        line = make_line(refund.entry, code="R23")
        created_at = datetime.combine(self.SENT_BACK, time(6, 30))
        return read_files({"x": write_incoming(line, created_at=created_at)}, day=self.SENT_BACK)

    def test_a_refund_that_the_bank_sends_back_is_credit_again(self, refund: Refund) -> None:
        assert self.read_back(refund) == {"files": 1, "returned": 1}
        refund.refresh_from_db()
        assert refund.status == "returned"
        standing = read_standing(account_id=refund.receipt.account_id, today=self.SENT_BACK)
        assert standing.credit_cents == refunding.CREDIT

    def test_a_refund_that_came_back_before_is_parked(self, refund: Refund) -> None:
        refunding.return_refunds(refund, day=self.SENT_BACK)
        assert self.read_back(refund) == {"files": 1, "parked": 1}
        assert ReturnLine.objects.get().parked_because == "the refund is returned by the bank"


def test_a_new_account_is_registered_under_the_corrected_number_and_not_twice(sent: Payment) -> None:
    read_files({"x": write_incoming(make_line(sent.entry, code="C01", data="555666777"))})
    again = register(details=make_details("555666777"), owner=sent.bank_account.owner, at=noon(FRIDAY))
    assert again.pk == sent.bank_account_id

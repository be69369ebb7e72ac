"""What a return brings with it: the bank account, its mandates, its unsent payments, and one notice of it all."""

from datetime import date
from uuid import uuid4

import pytest

from members.models import Notice
from members.notices import write
from payments.ach.return_codes import RETURN_CODES, find_return_code
from payments.bank_accounts import register
from payments.bank_numbers import UnableToUseBankAccount, UnableToUseRoutingNumber
from payments.mandates import Grant, grant_mandates
from payments.models import (
    Authorization,
    BankAccount,
    Mandate,
    Payment,
    PaymentStatus,
    ReturnLine,
    RoutingNumber,
)
from payments.returns import stop_unusable
from tests.payments.incoming_files import FRIDAY, make_line, read_files, write_incoming
from tests.payments.paying import (
    GOOD,
    TUESDAY,
    make_account,
    make_details,
    make_payer,
    noon,
    pay,
    read,
    send,
)
from tests.people import make_user

pytestmark = pytest.mark.usefixtures("books")
WEDNESDAY, SCHEDULED = date(2027, 1, 13), date(2027, 1, 22)
APPLIED = sorted(code for code, row in RETURN_CODES.items() if not row.is_between_banks)


class Household:
    """Alice, signed in: a health payment at the bank, another scheduled, and AutoPay from the same account."""

    def __init__(self, *, number: str = GOOD) -> None:
        self.account = make_account()
        self.member = self.account.enrollment.member
        self.payer = make_payer(channel="web", user=make_user(member=self.member))
        self.sent = pay(self.account, 10_00, number=number, payer=self.payer)
        send(TUESDAY)
        self.waiting = pay(self.account, 20_00, number=number, payer=self.payer, received=SCHEDULED)
        self.mandate = grant_autopay(self.sent)
        self.sent.refresh_from_db()

    def come_back(self, code: str, *, information: str = "") -> None:
        line = make_line(self.sent.entry, code=code, information=information)
        read_files({code: write_incoming(line)})
        for row in (self.sent, self.waiting, self.mandate, self.sent.bank_account):
            row.refresh_from_db()


def grant_autopay(payment: Payment) -> Mandate:
    """AutoPay for the account that a payment paid, from the same bank account."""
    proof = Authorization.objects.create(
        account=payment.account,
        bank_account=payment.bank_account,
        channel="web",
        sec_code="WEB",
        recurring=True,
        amount_cents=1_000_00,
        debit_on_or_after=TUESDAY,
        text="I authorize",
        text_version="test",
        language="en",
        payer_name="Alice",
        account_last_four=payment.bank_account.last_four,
        given_at=noon(TUESDAY),
    )
    (mandate,) = grant_mandates(
        grants=[Grant(proof, drafts_from=SCHEDULED)],
        bank_account=payment.bank_account,
        form_key=uuid4(),
        at=noon(TUESDAY),
    )
    return mandate


@pytest.mark.parametrize("code", APPLIED)
def test_every_code_does_to_account_autopay_and_waiting_payments_what_its_row_says(code: str) -> None:
    home, row = Household(), find_return_code(code=code)
    home.come_back(code)
    shut = row.blocks_account or row.blocks_routing_number
    assert (home.sent.status, home.sent.return_code) == (PaymentStatus.RETURNED, code)
    assert home.sent.bank_account.status == ("blocked" if shut else "valid")
    stays = "suspended" if row.suspends_autopay else "on"
    expected = "stopped" if shut or row.stops_autopay else stays
    assert home.mandate.status == expected
    assert home.waiting.status == ("canceled" if shut else "recorded")
    told = Notice.objects.filter(event="bank_account_stopped")
    assert {notice.channel for notice in told} == ({"email", "letter"} if expected != "on" else set())
    reason = Notice.objects.get(event="payment_returned", channel="letter").facts["reason"]
    assert reason == row.words_for_member


def test_a_blocked_account_is_told_once_with_every_bill_still_to_pay_and_no_other_notice() -> None:
    home = Household()
    grandmother = pay(make_account(), 15_00, payer=home.payer, received=SCHEDULED)
    home.come_back("R02")
    grandmother.refresh_from_db()
    assert grandmother.status == PaymentStatus.CANCELED, "another bill paid from the same account"
    letters = Notice.objects.filter(event="bank_account_stopped", channel="letter")
    assert [notice.member for notice in letters] == [home.member]
    facts = letters.get().facts
    assert (facts["state"], facts["autopay"], facts["canceled"]) == ("blocked", True, 2)
    assert [bill["remaining_cents"] for bill in facts["bills"]] == [284_17, 284_17]
    assert not Notice.objects.filter(event="payment_canceled").exists()
    body = write(event="bank_account_stopped", language="en", facts=facts, name="Alice").body
    assert body.count("$284.17 for February 2027 (health), due January 23, 2027") == 2
    assert "AutoPay from this account has stopped" in body
    stop_unusable(today=FRIDAY, at=noon(FRIDAY))
    assert Notice.objects.filter(event="bank_account_stopped").count() == 2, "email and letter, once"


def test_equal_numbers_of_another_owner_are_left_alone_but_for_the_same_owner_under_another_name_not() -> (
    None
):
    home = Household()
    stranger = make_account()
    other = pay(stranger, 5_00, payer=make_payer(channel="web", user=make_user()), received=SCHEDULED)
    mended = register(details=make_details(holder_name="A. Alvarez"), owner=home.payer.user, at=noon(TUESDAY))
    home.come_back("R10")
    other.refresh_from_db()
    mended.refresh_from_db()
    assert (other.status, other.bank_account.status) == ("recorded", "unchecked")
    assert mended.status == "blocked"


def test_a_guests_account_is_blocked_for_guests_who_are_told_of_the_payment_alone() -> None:
    accounts = [make_account(), make_account()]
    from tests.payments.paying import make_item, pay_items

    first, second = pay_items([make_item(accounts[0], 10_00), make_item(accounts[1], 10_00)])
    send(TUESDAY)
    first.refresh_from_db()
    read_files({"x": write_incoming(make_line(first.entry, code="R02"))})
    second.refresh_from_db()
    assert second.status == PaymentStatus.SENT, "it had gone out with the first"
    assert first.bank_account_id == second.bank_account_id
    assert not Notice.objects.filter(event="bank_account_stopped").exists()
    with pytest.raises(UnableToUseBankAccount):
        register(details=make_details(), owner=None, at=noon(FRIDAY))


def test_questionable_reaches_the_table_through_the_banks_own_words() -> None:
    home = Household()
    home.come_back("R17", information="QUESTIONABLE")
    assert home.mandate.status == "stopped"
    reason = Notice.objects.get(event="payment_returned", channel="letter").facts["reason"]
    assert "questionable" in reason


def test_a_revoked_authorization_takes_its_own_drafts_with_it_and_no_other_payment() -> None:
    home = Household()
    draft = Payment.objects.create(
        confirmation_number="DRAFT00001",
        account=home.account,
        bank_account=home.sent.bank_account,
        authorization=home.mandate.authorization,
        amount_cents=30_00,
        received_date=SCHEDULED,
        channel="web",
        form_key=uuid4(),
        coverage_sentence="",
        recorded_at=noon(TUESDAY),
    )
    home.come_back("R07")
    draft.refresh_from_db()
    assert (draft.status, home.waiting.status) == ("canceled", "recorded")


@pytest.mark.parametrize("code", ["R13", "R28"])
def test_a_routing_number_that_came_back_is_refused_until_a_later_directory_names_it(code: str) -> None:
    home = Household()
    home.come_back(code)
    other = make_details("777888999")
    with pytest.raises(UnableToUseRoutingNumber, match="No bank takes electronic payments"):
        register(details=other, owner=None, at=noon(FRIDAY))
    assert register(
        details=make_details("777888999", routing_number="021000021"), owner=None, at=noon(FRIDAY)
    )
    since = ReturnLine.objects.get().at
    directory = RoutingNumber.objects.create(number="011000015", bank_name="A BANK", imported_at=since)
    with pytest.raises(UnableToUseRoutingNumber):
        register(details=other, owner=None, at=noon(FRIDAY))
    RoutingNumber.objects.filter(pk=directory.pk).update(imported_at=noon(date(2027, 1, 16)))
    assert register(details=other, owner=None, at=noon(date(2027, 1, 16)))


def test_what_was_added_while_the_return_was_read_is_stopped_by_the_next_run() -> None:
    home = Household()
    home.come_back("R01")
    BankAccount.objects.filter(pk=home.sent.bank_account_id).update(status="blocked")
    try:
        assert stop_unusable(today=FRIDAY, at=noon(FRIDAY)) == {"returned": 0, "canceled": 1}
        home.mandate.refresh_from_db()
        assert home.mandate.status == "stopped"
        assert Notice.objects.filter(event="bank_account_stopped", channel="letter").count() == 1
        assert stop_unusable(today=FRIDAY, at=noon(FRIDAY)) == {"returned": 0, "canceled": 0}
    finally:
        BankAccount.objects.filter(pk=home.sent.bank_account_id).update(status="valid")


def test_read_again_nothing_more_is_told() -> None:
    home = Household()
    home.come_back("R02")
    count = Notice.objects.count()
    read(WEDNESDAY)
    assert Notice.objects.filter(event="bank_account_stopped").count() == 2
    assert Notice.objects.count() == count

"""Setting up and turning off: all or none, once a form; an unsent draft follows what the payer wants now."""

from datetime import date, datetime
from uuid import uuid4

import pytest

from billing.balances import read_standings
from billing.models import Account
from billing.overdue import review
from connector_pay.lib.clock import business_date
from members.models import Notice
from members.notices import write
from payments.autopay.drafting import draft_all
from payments.autopay.plans import make_plans
from payments.autopay.setting_up import UnableToSetUp
from payments.autopay.states import State, read_states
from payments.autopay.turning_off import end_with_enrollments, turn_off
from payments.bank_accounts import approve, block
from payments.bank_numbers import UnableToUseBankAccount
from payments.canceling import cancel_payment
from payments.drafts import Chosen
from payments.mandates import stop_mandates, suspend_mandates
from payments.models import Authorization, DraftAnnouncement, Mandate, Payment, PaymentStatus
from payments.payables import make_payables
from payments.recording import UnableToRecord
from tests.diary import eastern
from tests.payments.autopay.granting import make_member_payer, turn_on
from tests.payments.paying import PREMIUM, make_account, make_details, noon, pay
from tests.people import make_member

pytestmark = pytest.mark.usefixtures("books")
SATURDAY, CUT = date(2027, 1, 16), date(2027, 1, 21)
AT, LATE = noon(SATURDAY), eastern(2027, 1, 21, 16, 59, 30)


def draft_of(mandate: Mandate) -> Payment:
    """Its draft of January 22, recorded and not yet in a file."""
    approve(bank_account=mandate.bank_account, at=AT)
    draft_all(today=CUT, at=eastern(2027, 1, 21, 16, 59))
    return Payment.objects.get(channel="autopay", account=mandate.account)


def read_status(payment: Payment) -> str:
    payment.refresh_from_db()
    return payment.status


def test_one_form_turns_it_on_once_and_another_replaces_it() -> None:
    account, key = make_account(), uuid4()
    first = turn_on(account, at=AT, form_key=key)
    assert turn_on(account, at=AT, form_key=key) == first
    assert Authorization.objects.count() == 1
    (second,) = turn_on(account, at=AT, bank=make_details("777888999"))
    assert [mandate.status for mandate in Mandate.objects.order_by("pk")] == ["ended", "on"]
    assert Notice.objects.filter(event="autopay_changed").values_list("subject", flat=True)[0] == (
        f"mandate:{second.pk}"
    )


def test_two_bills_are_set_up_all_or_none() -> None:
    member = make_member()
    health, dental = (make_account(member=member, product=product) for product in ("health", "dental"))

    def refuse(standings: object, live: object) -> list[object]:
        raise UnableToSetUp("changed")

    with pytest.raises(UnableToSetUp):
        turn_on(health, dental, at=AT, prepare=refuse)
    assert not Mandate.objects.exists()
    assert len(turn_on(health, dental, at=AT)) == 2
    assert DraftAnnouncement.objects.count() == 2


def test_another_persons_bank_account_or_a_blocked_one_is_refused_and_nothing_is_kept() -> None:
    account, other = make_account(), make_account()
    theirs = turn_on(other, at=AT)[0].bank_account
    with pytest.raises(UnableToRecord, match="your own"):
        turn_on(account, at=AT, bank=theirs)
    mine = turn_on(account, at=AT, bank=make_details("777888999"))[0].bank_account
    block(bank_account_ids=[mine.pk], at=AT, why="R02")
    with pytest.raises(UnableToUseBankAccount):
        turn_on(account, at=AT, bank=mine)
    assert Authorization.objects.filter(account=account).count() == 1


def test_an_unsent_draft_is_canceled_when_the_bank_account_is_changed() -> None:
    account = make_account()
    (mandate,) = turn_on(account, at=AT)
    draft = draft_of(mandate)
    turn_on(account, at=LATE, bank=make_details("777888999"))
    assert read_status(draft) == PaymentStatus.CANCELED


def test_what_a_draft_that_the_change_ends_was_to_pay_is_said_to_be_missed() -> None:
    account = make_account()
    (mandate,) = turn_on(account, at=AT)
    draft_of(mandate)
    mandate.bank_account.refresh_from_db()
    planned = {"chosen": [Chosen(account.pk, 0)], "live": {account.pk: mandate}, "language": "en", "at": LATE}
    planned["payables"] = {
        item.account_id: item
        for item in make_payables(standings=read_standings(account_ids=[account.pk], today=CUT))
    }
    (stays,) = make_plans(bank=mandate.bank_account, **planned)
    (ends,) = make_plans(bank=make_details("777888999"), **planned)
    assert [item.cents for item in stays.missed] == []
    assert [(item.cents, item.due_date) for item in ends.missed] == [(PREMIUM, date(2027, 1, 23))]


@pytest.mark.parametrize(("limit", "status"), [(PREMIUM, "recorded"), (PREMIUM - 1, "canceled")])
def test_an_unsent_draft_stays_while_the_new_limit_allows_it(limit: int, status: str) -> None:
    account = make_account()
    (mandate,) = turn_on(account, at=AT)
    draft = draft_of(mandate)
    mandate.bank_account.refresh_from_db()
    turn_on(account, at=LATE, bank=mandate.bank_account, ceiling_cents=limit)
    assert read_status(draft) == status


def test_a_new_limit_leaves_no_gap_and_a_suspended_mandate_does() -> None:
    account = make_account()
    (mandate,) = turn_on(account, at=AT)
    approve(bank_account=mandate.bank_account, at=AT)
    bank = mandate.bank_account
    bank.refresh_from_db()
    thursday = noon(CUT)
    (again,) = turn_on(account, at=thursday, bank=bank, ceiling_cents=300_00)
    assert again.drafts_from == date(2027, 1, 22)
    suspend_mandates(mandate_ids=[again.pk], at=thursday, why="R08")
    (anew,) = turn_on(account, at=thursday, bank=bank)
    assert anew.drafts_from == date(2027, 2, 22)


def test_turning_off_what_is_not_on_does_nothing_and_tells_nobody() -> None:
    account = make_account()
    assert turn_off(account_ids=[account.pk], today=SATURDAY, at=AT) == 0
    turn_on(account, at=AT)
    assert turn_off(account_ids=[account.pk], today=SATURDAY, at=AT) == 1
    assert turn_off(account_ids=[account.pk], today=SATURDAY, at=AT) == 0
    assert Notice.objects.filter(event="autopay_off", channel="letter").count() == 1


def test_a_payment_of_ones_own_is_not_canceled_with_autopay() -> None:
    account = make_account()
    (mandate,) = turn_on(account, at=AT)
    mine = pay(account, 20_00, today=SATURDAY, received=date(2027, 1, 22), payer=make_member_payer(account))
    turn_off(account_ids=[account.pk], today=SATURDAY, at=AT)
    assert read_status(mine) == "recorded"


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("limit", [PREMIUM, PREMIUM - 1])
def test_the_copy_says_when_the_first_bill_is_above_the_limit(limit: int, language: str) -> None:
    turn_on(make_account(), at=AT, ceiling_cents=limit)
    told = Notice.objects.get(event="autopay_on", channel="letter")
    body = write(event="autopay_on", language=language, facts=told.facts).body
    words = {"en": "Pay this bill yourself", "es": "Páguela usted"}[language]
    assert (words in body) is (limit < PREMIUM)
    next_payment = {"en": "The next payment is", "es": "El próximo pago es"}[language]
    assert (next_payment in body) is (limit == PREMIUM)


def test_the_nightly_run_ends_what_is_over_and_leaves_what_goes_on() -> None:
    going, over = make_account(), make_account()
    turn_on(going, at=AT)
    (ended,) = turn_on(over, at=AT, bank=make_details("777888999"))
    assert end_with_enrollments(today=SATURDAY, at=AT) == {"ended": 0}
    expire(over)
    assert end_with_enrollments(today=SATURDAY, at=AT) == {"ended": 1}
    assert end_with_enrollments(today=SATURDAY, at=AT) == {"ended": 0}
    ended.refresh_from_db()
    assert ended.status == "ended"
    assert Mandate.objects.get(account=going).status == "on"


def expire(account: Account) -> None:
    """The nightly review of a day after the window finds nothing paid."""
    enrollment = account.enrollment
    enrollment.window_ends = date(2027, 2, 1)
    enrollment.save()
    review(today=date(2027, 1, 24), at=noon(date(2027, 1, 24)), run="a review", account_ids=[account.pk])


class TestStates:
    def see(self, account: Account, at: datetime = AT) -> State:
        standings = read_standings(account_ids=[account.pk], today=business_date(moment=at))
        return read_states(standings=standings, at=at)[account.pk]

    def test_off_on_paused_stopped_each_in_a_word_and_why(self) -> None:
        account = make_account()
        assert (self.see(account).words, self.see(account).next) == ("Off", None)
        (mandate,) = turn_on(account, at=AT)
        assert (self.see(account).words, self.see(account).next.cents) == ("On", PREMIUM)
        suspend_mandates(mandate_ids=[mandate.pk], at=AT, why="after a return: R08")
        assert self.see(account).words == "Paused"
        assert "Call us to go on" in self.see(account).why
        stop_mandates(mandate_ids=[mandate.pk], at=AT, why="after a return: R07")
        assert self.see(account).words == "Stopped"
        assert "A payment came back" in self.see(account).why
        block(bank_account_ids=[mandate.bank_account_id], at=AT, why="R02")
        assert "Set up AutoPay with another account" in self.see(account).why
        assert self.see(account).forecasts == []

    def test_once_it_is_recorded_the_draft_is_no_longer_the_next_one(self) -> None:
        account = make_account()
        (mandate,) = turn_on(account, at=AT)
        draft_of(mandate)
        after = self.see(account, LATE).forecasts
        assert after[0].day.received_date == date(2027, 2, 22)
        assert after[0].cents == PREMIUM

    def test_of_the_next_draft_no_more_is_shown_than_was_announced(self) -> None:
        account = make_account()
        part = pay(account, 200_00, today=date(2027, 1, 15))
        turn_on(account, at=AT, bank=make_details("777888999"))
        cancel_payment(payment_id=part.pk, today=SATURDAY, at=AT, why="")
        assert [item.cents for item in self.see(account).forecasts][:2] == [84_17, 200_00 + PREMIUM]

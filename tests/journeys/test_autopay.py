"""Stories of AutoPay: what is drafted on the 22nd, when its file goes, and what stops it."""

from datetime import date, time

import pytest

from billing.models import Account, Receipt
from connector_pay.lib.money import format_dollars
from members.models import Notice
from members.notices import write
from payments.ach.stored_files import open_file
from payments.autopay.drafting import draft_all
from payments.autopay.turning_off import turn_off
from payments.canceling import UnableToCancel
from payments.models import DraftAnnouncement, FileEntry, Payment, PaymentStatus
from tests.diary import Diary, eastern
from tests.journeys.living import (
    CLOSED_ACCOUNT,
    JUST_AFTER_FIVE,
    JUST_BEFORE_FIVE,
    NO_MONEY,
    PREMIUM,
    cancel,
    enroll,
    go_to,
    pay,
    read_coverage,
    read_payment,
    see,
)
from tests.payments.autopay.granting import turn_on
from tests.payments.paying import make_details

THE_22ND = date(2027, 1, 22)  # a Friday
FEBRUARY, MARCH = date(2027, 2, 1), date(2027, 3, 1)
pytestmark = [pytest.mark.django_db, pytest.mark.starts(eastern(2027, 1, 15))]


def find_draft(account: Account) -> Payment:
    return Payment.objects.get(account=account, channel="autopay")


def list_drafts(account: Account) -> list[tuple[int, date]]:
    drafts = Payment.objects.filter(account=account, channel="autopay").order_by("pk")
    return list(drafts.values_list("amount_cents", "received_date"))


def list_told(event: str) -> list[Notice]:
    return list(Notice.objects.filter(event=event, channel="letter").order_by("pk"))


def test_a_binder_of_the_15th_with_autopay_of_the_16th_is_drafted_on_the_22nd(diary: Diary) -> None:
    account = enroll(diary)
    go_to(diary, date(2027, 1, 16))
    (mandate,) = turn_on(account, at=diary.moment)
    assert mandate.drafts_from == THE_22ND
    (told,) = list_told("autopay_on")
    assert (told.facts["amount_cents"], told.facts["draft_date"]) == (PREMIUM, "2027-01-22")
    assert told.facts["text"] == mandate.authorization.text

    go_to(diary, date(2027, 1, 21), time(16, 58))
    assert not Payment.objects.exists()
    go_to(diary, date(2027, 1, 21), JUST_BEFORE_FIVE)
    draft = find_draft(account)
    assert (draft.amount_cents, draft.received_date, read_payment(draft)[0]) == (
        PREMIUM,
        THE_22ND,
        "recorded",
    )
    assert draft.coverage_sentence == "Received January 22, 2027, your coverage starts February 1, 2027."
    go_to(diary, date(2027, 1, 21), JUST_AFTER_FIVE)
    assert read_payment(draft) == (PaymentStatus.SENT, THE_22ND)
    assert see(diary, account).due_cents == PREMIUM
    go_to(diary, THE_22ND, time(0, 2))
    assert see(diary, account).binder_received
    assert Receipt.objects.get().received_date == THE_22ND
    go_to(diary, date(2027, 1, 28))
    assert read_coverage(account) == ("active", FEBRUARY)


def test_a_one_time_payment_of_the_15th_is_left_out_of_the_draft(diary: Diary) -> None:
    account = enroll(diary, premium_cents=90_00)
    pay(diary, account, 40_00)
    turn_on(account, at=diary.moment)
    go_to(diary, THE_22ND)
    assert list_drafts(account) == [(50_00, THE_22ND)]
    assert see(diary, account).binder_received


def test_where_the_bill_is_scheduled_for_the_23rd_nothing_is_drafted(diary: Diary) -> None:
    account = enroll(diary, premium_cents=90_00)
    turn_on(account, at=diary.moment)
    pay(diary, account, 90_00, on=date(2027, 1, 23))
    go_to(diary, date(2027, 1, 24))
    assert list_drafts(account) == []
    assert see(diary, account).binder_received


@pytest.mark.starts(eastern(2026, 8, 14))
def test_the_22nd_a_saturday_is_filed_on_friday_debited_on_monday_and_on_time(diary: Diary) -> None:
    account = enroll(diary, requested_start=date(2026, 9, 1))
    turn_on(account, at=diary.moment)
    go_to(diary, date(2026, 8, 21), JUST_BEFORE_FIVE)
    draft = find_draft(account)
    go_to(diary, date(2026, 8, 21), JUST_AFTER_FIVE)
    assert read_payment(draft) == (PaymentStatus.SENT, date(2026, 8, 24))
    entry = FileEntry.objects.get(payment=draft)
    assert entry.file.business_date == date(2026, 8, 21)
    go_to(diary, date(2026, 8, 22), time(0, 2))
    assert see(diary, account).binder_received
    assert draft.received_date == date(2026, 8, 22)
    go_to(diary, date(2026, 8, 28))
    assert read_coverage(account) == ("active", date(2026, 9, 1))


@pytest.mark.starts(eastern(2026, 6, 15))
def test_before_juneteenth_the_file_of_the_22nds_draft_is_cut_on_thursday_the_18th(diary: Diary) -> None:
    account = enroll(diary, requested_start=date(2026, 7, 1))
    turn_on(account, at=diary.moment)
    go_to(diary, date(2026, 6, 18), JUST_AFTER_FIVE)
    draft = find_draft(account)
    assert read_payment(draft) == (PaymentStatus.SENT, date(2026, 6, 22))
    assert draft.received_date == date(2026, 6, 22)


def test_it_goes_out_as_a_recurring_entry_on_the_web(diary: Diary) -> None:
    account = enroll(diary)
    turn_on(account, at=diary.moment)
    go_to(diary, date(2027, 1, 21), JUST_AFTER_FIVE)
    file = FileEntry.objects.get(payment=find_draft(account)).file
    lines = open_file(file=file).decode().splitlines()
    assert lines[1][50:53] == "WEB"
    assert lines[2][76] == "R"
    assert lines[1][69:75] == "270122"


def test_turned_off_before_five_the_draft_is_not_sent_and_the_bill_is_told(diary: Diary) -> None:
    account = enroll(diary)
    turn_on(account, at=diary.moment)
    go_to(diary, date(2027, 1, 21), JUST_BEFORE_FIVE)
    draft = find_draft(account)
    turn_off(account_ids=[account.pk], today=diary.today, at=diary.moment)
    go_to(diary, date(2027, 1, 24))
    assert read_payment(draft) == (PaymentStatus.CANCELED, None)
    (told,) = list_told("autopay_off")
    assert (told.facts["canceled_cents"], told.facts["bills"][0]["remaining_cents"]) == (PREMIUM, PREMIUM)
    assert not Notice.objects.filter(event="payment_canceled").exists()
    assert read_coverage(account) == ("waiting", MARCH)


def test_turned_off_after_five_the_draft_in_the_file_still_pays_and_must_not_be_paid_again(
    diary: Diary,
) -> None:
    account = enroll(diary)
    turn_on(account, at=diary.moment)
    go_to(diary, date(2027, 1, 21), JUST_AFTER_FIVE)
    turn_off(account_ids=[account.pk], today=diary.today, at=diary.moment)
    go_to(diary, date(2027, 1, 24))
    assert see(diary, account).binder_received
    (told,) = list_told("autopay_off")
    assert told.facts["canceled_cents"] == 0
    assert (told.facts["bills"], told.facts["at_bank_cents"]) == ([], PREMIUM)
    body = write(event="autopay_off", language="en", facts=told.facts).body
    assert f"A payment of {format_dollars(PREMIUM)} is already at your bank. Do not pay it again." in body
    assert "You still have to pay" not in body


def test_one_draft_can_be_canceled_like_any_payment_and_is_not_made_again(diary: Diary) -> None:
    account = enroll(diary)
    (mandate,) = turn_on(account, at=diary.moment)
    go_to(diary, date(2027, 1, 21), JUST_BEFORE_FIVE)
    draft = find_draft(account)
    cancel(diary, draft)
    draft_all(today=diary.today, at=diary.moment)
    go_to(diary, date(2027, 1, 21), JUST_AFTER_FIVE)
    assert list_drafts(account) == [(PREMIUM, THE_22ND)]
    with pytest.raises(UnableToCancel):
        cancel(diary, draft)
    mandate.refresh_from_db()
    assert mandate.status == "on"


def test_the_next_bill_is_announced_on_the_1st_and_drafted_on_the_next_22nd(diary: Diary) -> None:
    account = enroll(diary)
    turn_on(account, at=diary.moment)
    go_to(diary, date(2027, 2, 1), time(0, 14))
    assert list_told("autopay_coming") == []
    go_to(diary, date(2027, 2, 1), time(0, 16))
    (told,) = list_told("autopay_coming")
    assert (told.facts["amount_cents"], told.facts["draft_date"]) == (PREMIUM, "2027-02-22")
    assert (told.facts["debit_date"], told.facts["cut_date"]) == ("2027-02-22", "2027-02-19")
    go_to(diary, date(2027, 2, 23))
    assert list_drafts(account) == [(PREMIUM, THE_22ND), (PREMIUM, date(2027, 2, 22))]
    assert len(list_told("autopay_coming")) == 1
    assert see(diary, account).due_cents == 0


def test_above_the_ceiling_nothing_is_drafted_and_the_member_is_told_by_email_and_letter(
    diary: Diary,
) -> None:
    account = enroll(diary)
    turn_on(account, at=diary.moment, ceiling_cents=200_00)
    go_to(diary, date(2027, 1, 22))
    assert list_drafts(account) == []
    told = Notice.objects.filter(event="autopay_ceiling")
    assert {notice.channel for notice in told} == {"email", "letter"}
    assert (told[0].facts["amount_cents"], told[0].facts["ceiling_cents"]) == (PREMIUM, 200_00)


def test_a_bank_account_nobody_answered_for_by_the_cut_drafts_nothing_and_the_member_is_told(
    diary: Diary, settings
) -> None:
    settings.BANK_VALIDATION_METHODS = ["manual"]
    account = enroll(diary)
    (mandate,) = turn_on(account, at=diary.moment)
    assert mandate.drafts_from == THE_22ND, "staff have two banking days"
    go_to(diary, THE_22ND)
    assert list_drafts(account) == []
    (told,) = list_told("autopay_waiting")
    assert told.facts["bills"][0]["remaining_cents"] == PREMIUM


def test_a_draft_from_a_closed_account_stops_autopay_and_each_bill_still_to_pay_is_told(diary: Diary) -> None:
    account = enroll(diary)
    (mandate,) = turn_on(account, at=diary.moment, bank=make_details(CLOSED_ACCOUNT))
    go_to(diary, date(2027, 1, 27))
    mandate.refresh_from_db()
    assert (mandate.status, find_draft(account).status) == ("stopped", PaymentStatus.RETURNED)
    (told,) = list_told("bank_account_stopped")
    assert told.facts["autopay"] is True
    assert [bill["remaining_cents"] for bill in told.facts["bills"]] == [PREMIUM]
    assert read_coverage(account) == ("waiting", MARCH)


def test_a_draft_without_funds_leaves_autopay_on(diary: Diary) -> None:
    account = enroll(diary)
    (mandate,) = turn_on(account, at=diary.moment, bank=make_details(NO_MONEY))
    go_to(diary, date(2027, 1, 28))
    mandate.refresh_from_db()
    assert (mandate.status, find_draft(account).status) == ("on", PaymentStatus.RETURNED)


def test_autopay_ends_with_an_enrollment_that_expires(diary: Diary) -> None:
    account = enroll(diary, window_ends=date(2027, 2, 10))
    (mandate,) = turn_on(account, at=diary.moment, ceiling_cents=100_00)
    go_to(diary, date(2027, 1, 24))
    mandate.refresh_from_db()
    assert (read_coverage(account)[0], mandate.status) == ("expired", "ended")
    (told,) = list_told("autopay_off")
    assert told.facts["ended"] is True


def test_turned_on_after_the_19th_the_bill_paid_by_hand_the_next_one_is_drafted(diary: Diary) -> None:
    account = enroll(diary)
    go_to(diary, date(2027, 1, 20), time(0))
    turn_on(account, at=diary.moment)
    pay(diary, account)
    go_to(diary, date(2027, 2, 22))
    assert list_drafts(account) == [(PREMIUM, date(2027, 2, 22))]
    told = DraftAnnouncement.objects.order_by("pk").values_list("announced_on", "amount_cents")
    assert list(told) == [(date(2027, 1, 20), PREMIUM), (date(2027, 2, 1), PREMIUM)]

"""Stories of AutoPay: what is drafted on the 22nd, when its file goes, and what stops it."""

from datetime import date, time

import pytest

from billing.models import Account, Receipt
from members.models import Notice
from payments.models import Payment, PaymentStatus
from tests.diary import Diary, eastern
from tests.journeys.living import (
    JUST_AFTER_FIVE,
    JUST_BEFORE_FIVE,
    PREMIUM,
    enroll,
    go_to,
    read_coverage,
    read_payment,
    see,
)
from tests.payments.autopay.granting import turn_on

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

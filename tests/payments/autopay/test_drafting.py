"""Drafting: for one or for thousands the same statements; once an account and draft day; late, and however often it is asked."""

from datetime import date

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from billing import accounts
from billing.models import Account
from members.models import Notice
from payments import recording, tasks
from payments.autopay import announcing, drafting
from payments.autopay.drafting import draft_all
from payments.bank_accounts import approve, block
from payments.canceling import cancel_payment
from payments.mandates import suspend_mandates
from payments.models import BankAccount, DraftAnnouncement, Mandate, Payment
from tests.billing.correcting import make_override
from tests.diary import eastern
from tests.payments.autopay.granting import make_member_payer, turn_on
from tests.payments.paying import PREMIUM, make_account, make_details, noon, pay

pytestmark = pytest.mark.usefixtures("books")
SATURDAY, CUT, THE_22ND = date(2027, 1, 16), date(2027, 1, 21), date(2027, 1, 22)
AT = eastern(2027, 1, 21, 16, 59)


def make_drafted(count: int = 1, **facts: object) -> list[Mandate]:
    """Accounts with AutoPay on, each from a validated bank account of its own."""
    mandates = []
    for number in range(count):
        details = make_details(f"48200{Account.objects.count()}{number}777")
        mandates += turn_on(make_account(), at=noon(SATURDAY), bank=details, **facts)
        approve(bank_account=mandates[-1].bank_account, at=noon(SATURDAY))
    return mandates


def draft() -> dict[str, int]:
    counts = draft_all(today=CUT, at=AT)
    return {name: count for name, count in counts.items() if count}


def test_a_run_drafts_each_account_once_however_often_it_is_asked() -> None:
    make_drafted(3)
    assert draft() == {"drafted": 3, "drafted_cents": 3 * PREMIUM}
    assert draft() == {}
    assert Payment.objects.filter(channel="autopay", received_date=THE_22ND).count() == 3


def test_on_any_other_day_nothing_is_drafted() -> None:
    make_drafted()
    for day in (date(2027, 1, 20), THE_22ND, date(2027, 1, 25)):
        assert draft_all(today=day, at=noon(day))["drafted"] == 0


def test_three_days_late_it_is_the_same_draft_received_on_its_day() -> None:
    (mandate,) = make_drafted()
    draft_all(today=CUT, at=AT)
    payment = Payment.objects.get()
    assert (payment.received_date, payment.recorded_at) == (THE_22ND, AT)
    assert recording.credit_due(today=date(2027, 1, 24), at=noon(date(2027, 1, 24))) == 1
    assert payment.account.receipts.get().received_date == THE_22ND
    assert mandate.authorization == payment.authorization


def test_drafts_that_a_failed_run_has_held_up_past_their_day_count_at_once(settings) -> None:
    settings.DEMO_MODE = False
    (mandate,) = make_drafted()
    with time_machine.travel(eastern(2027, 1, 25), tick=False):
        tasks.draft_autopay(day=CUT, at=AT)
        tasks.draft_autopay(day=CUT, at=AT)
    assert mandate.account.receipts.get().received_date == THE_22ND


def test_accounts_are_drafted_in_chunks_of_spans_none_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafting, "CHUNK", 2)
    monkeypatch.setattr(accounts, "SPAN", 3)
    make_drafted(8)
    assert draft()["drafted"] == 8


def test_two_hundred_accounts_take_as_many_statements_as_two() -> None:
    counts = []
    for count in (2, 8):
        make_drafted(count)
        with CaptureQueriesContext(connection) as queries:
            assert draft()["drafted"] == count
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_only_a_mandate_that_is_on_for_this_draft_takes_anything() -> None:
    suspended, on, shut = make_drafted(3)
    suspend_mandates(mandate_ids=[suspended.pk], at=AT, why="R08")
    block(bank_account_ids=[shut.bank_account_id], at=AT, why="R02")
    (after,) = turn_on(make_account(), at=noon(date(2027, 1, 20)), bank=make_details("777888999"))
    approve(bank_account=after.bank_account, at=AT)
    assert draft() == {"drafted": 1, "drafted_cents": PREMIUM}
    assert Payment.objects.get().account_id == on.account_id
    assert not Notice.objects.filter(event__in=["autopay_waiting", "autopay_ceiling"]).exists()


def test_at_the_limit_it_is_drafted_and_above_it_the_member_is_told_once() -> None:
    make_drafted(ceiling_cents=PREMIUM)
    make_drafted(ceiling_cents=PREMIUM - 1)
    assert draft() == {"drafted": 1, "drafted_cents": PREMIUM, "above_ceiling": 1}
    draft()
    assert Notice.objects.filter(event="autopay_ceiling", channel="letter").count() == 1


def test_an_account_not_validated_by_now_drafts_nothing_and_the_member_is_told_once() -> None:
    (mandate,) = make_drafted()
    fresh = turn_on(make_account(), at=noon(SATURDAY), bank=make_details("999000111"))[0].bank_account
    assert BankAccount.objects.get(pk=fresh.pk).status == "unchecked"
    assert draft() == {"drafted": 1, "drafted_cents": PREMIUM, "not_validated": 1}
    assert draft() == {"not_validated": 1}
    assert Notice.objects.filter(event="autopay_waiting", channel="letter").count() == 1
    assert Payment.objects.get().account == mandate.account


def test_what_a_guest_pays_in_the_meantime_is_left_out() -> None:
    (mandate,) = make_drafted()
    pay(mandate.account, 100_00, today=date(2027, 1, 20))
    assert draft()["drafted_cents"] == PREMIUM - 100_00


def test_what_comes_back_after_the_amount_was_announced_is_not_drafted() -> None:
    account = make_account()
    part = pay(account, 200_00, today=date(2027, 1, 15))
    (mandate,) = turn_on(account, at=noon(SATURDAY), bank=make_details("777888999"))
    approve(bank_account=mandate.bank_account, at=noon(SATURDAY))
    assert account.draft_announcements.get().amount_cents == 84_17
    cancel_payment(payment_id=part.pk, today=date(2027, 1, 18), at=noon(date(2027, 1, 18)), why="")
    assert draft() == {"drafted": 1, "drafted_cents": 84_17}


def test_the_database_refuses_a_second_draft_of_a_day() -> None:
    make_drafted()
    draft()
    first = Payment.objects.get()
    first.pk, first.confirmation_number = None, "ABCDEFGHJK"
    first.form_key = "6f1c2a34-8f5e-4a5f-9c39-0f6a3f3a1b22"
    with pytest.raises(IntegrityError, match="one_draft_per_draft_day"), transaction.atomic():
        first.save(force_insert=True)


class TestAnnouncing:
    def announce(self, day: date) -> int:
        return announcing.announce_drafts(today=day, at=noon(day))["announced"]

    def make_for_next_month(self) -> Mandate:
        """AutoPay of January 20, which begins on February 22; the bill was paid by hand."""
        (mandate,) = turn_on(make_account(), at=noon(date(2027, 1, 20)))
        return mandate

    def test_what_is_due_is_announced_once_from_the_1st_on(self) -> None:
        mandate = self.make_for_next_month()
        assert self.announce(date(2027, 1, 31)) == 0
        assert self.announce(date(2027, 2, 1)) == 1
        assert self.announce(date(2027, 2, 1)) == self.announce(date(2027, 2, 2)) == 0
        told = Notice.objects.get(event="autopay_coming", channel="letter")
        assert told.facts["amount_cents"] == PREMIUM
        rows = DraftAnnouncement.objects.filter(account=mandate.account, announced_on=date(2027, 2, 1))
        assert rows.get().draft_date == date(2027, 2, 22)

    @pytest.mark.parametrize(
        ("limit", "event"), [(PREMIUM, "autopay_coming"), (PREMIUM - 1, "autopay_ceiling")]
    )
    def test_above_the_limit_the_member_is_told_at_once_to_pay_and_not_again_at_the_draft(
        self, limit: int, event: str
    ) -> None:
        (mandate,) = turn_on(make_account(), at=noon(date(2027, 1, 20)), ceiling_cents=limit)
        approve(bank_account=mandate.bank_account, at=noon(date(2027, 1, 20)))
        assert self.announce(date(2027, 2, 1)) == 1
        assert self.announce(date(2027, 2, 2)) == 0
        told = Notice.objects.filter(event__in=["autopay_coming", "autopay_ceiling"], channel="letter")
        assert [notice.event for notice in told] == [event]
        assert told[0].facts["amount_cents"] == PREMIUM
        cut = date(2027, 2, 19)
        counts = draft_all(today=cut, at=eastern(2027, 2, 19, 16, 59))
        assert (counts["drafted"], counts["above_ceiling"]) == ((1, 0) if limit == PREMIUM else (0, 1))
        assert told.count() == 1

    @pytest.mark.parametrize(("scheduled", "event"), [(84_17, "autopay_coming"), (84_16, "autopay_ceiling")])
    def test_what_is_scheduled_beside_may_bring_the_rest_within_the_limit(
        self, scheduled: int, event: str
    ) -> None:
        (mandate,) = turn_on(make_account(), at=noon(date(2027, 1, 20)), ceiling_cents=200_00)
        moved = {"coverage_month": date(2027, 2, 1), "due_date": date(2027, 2, 20)}
        make_override(reason="storm", recorded_at=noon(date(2027, 1, 20)), **moved)
        payer = make_member_payer(mandate.account)
        pay(mandate.account, scheduled, today=date(2027, 1, 31), received=date(2027, 2, 10), payer=payer)
        self.announce(date(2027, 2, 1))
        told = Notice.objects.get(event__in=["autopay_coming", "autopay_ceiling"], channel="letter")
        assert told.event == event
        rest = {"autopay_coming": 200_00, "autopay_ceiling": PREMIUM - scheduled}[event]
        assert told.facts["amount_cents"] == rest
        if event == "autopay_ceiling":
            assert [bill["remaining_cents"] for bill in told.facts["bills"]] == [rest]
            assert (told.facts["scheduled_cents"], told.facts["at_bank_cents"]) == (scheduled, 0)

    @pytest.mark.parametrize(("day", "count"), [(12, 1), (13, 0)])
    def test_until_ten_days_before_and_no_later(self, day: int, count: int) -> None:
        self.make_for_next_month()
        assert self.announce(date(2027, 2, day)) == count

    def test_what_comes_back_early_in_the_month_is_announced_as_well(self) -> None:
        mandate = self.make_for_next_month()
        part = pay(mandate.account, 200_00, today=date(2027, 1, 20))
        assert self.announce(date(2027, 2, 1)) == 1
        cancel_payment(payment_id=part.pk, today=date(2027, 2, 5), at=noon(date(2027, 2, 5)), why="")
        assert self.announce(date(2027, 2, 6)) == 1
        amounts = DraftAnnouncement.objects.filter(announced_on__gte=date(2027, 2, 1)).order_by("pk")
        assert list(amounts.values_list("amount_cents", flat=True)) == [84_17, PREMIUM]

    def test_a_mandate_that_begins_later_or_is_suspended_announces_nothing(self) -> None:
        mandate = self.make_for_next_month()
        assert self.announce(date(2027, 1, 5)) == 0
        suspend_mandates(mandate_ids=[mandate.pk], at=AT, why="R08")
        assert self.announce(date(2027, 2, 1)) == 0

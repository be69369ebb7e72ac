"""Races around AutoPay in pairs: one draft whoever drafts, never more than is due, and what the payer says last holds."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import uuid4

import pytest

from billing import accounts
from billing.balances import Standing
from billing.models import Account, Receipt
from connector_pay.self_check import find_violations
from payments import recording
from payments.ach import batching
from payments.autopay import announcing, drafting
from payments.autopay.drafting import draft_all
from payments.autopay.turning_off import turn_off
from payments.bank_accounts import approve
from payments.models import DraftAnnouncement, Mandate, Payment, PaymentStatus
from payments.recording import PaymentItem, UnableToRecord, record_as_told
from tests.diary import eastern
from tests.payments.autopay.granting import make_member_payer, turn_on
from tests.payments.paying import PREMIUM, make_account, make_details, make_item, noon, pay
from tests.races.together import run_inside, run_together

SATURDAY, CUT, THE_22ND = date(2027, 1, 16), date(2027, 1, 21), date(2027, 1, 22)
AT = eastern(2027, 1, 21, 16, 59)
pytestmark = pytest.mark.usefixtures("committed_db")


def make_drafted(count: int = 1) -> list[Mandate]:
    mandates = []
    for number in range(count):
        account = make_account()
        mandates += turn_on(account, at=noon(SATURDAY), bank=make_details(f"48200{number}777"))
        approve(bank_account=mandates[-1].bank_account, at=noon(SATURDAY))
    return mandates


def draft() -> int:
    return draft_all(today=CUT, at=AT)["drafted"]


def end(mandate: Mandate) -> int:
    return turn_off(account_ids=[mandate.account_id], today=CUT, at=AT)


def list_broken() -> set[str]:
    return {violation.name for violation in find_violations()}


def lock_nothing(*, account_ids: object) -> list[Account]:
    """The lock taken away."""
    return []


class TestTwoRuns:
    def test_eight_runs_at_once_draft_each_account_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(drafting, "CHUNK", 2)
        make_drafted(5)
        assert sum(run_together(*[draft] * 8)) == 5
        assert Payment.objects.count() == 5
        assert list_broken() == set()

    def test_a_run_of_several_lanes_drafts_and_counts_each_account_once(
        self, monkeypatch: pytest.MonkeyPatch, settings
    ) -> None:
        settings.RUN_LANES = 2
        monkeypatch.setattr(accounts, "SPAN", 2)
        monkeypatch.setattr(recording, "CHUNK", 2)
        make_drafted(5)
        assert len(accounts.split_accounts()) > 2
        assert [draft(), draft()] == [5, 0]
        assert [recording.credit_due(today=THE_22ND, at=eastern(2027, 1, 22, 0, 1)) for _ in range(2)] == [
            5,
            0,
        ]
        assert Payment.objects.count() == Receipt.objects.count() == 5
        assert list_broken() == set()

    def test_a_second_run_waits_for_the_first_and_finds_nothing_left(self) -> None:
        make_drafted()
        assert run_inside(draft, draft, waits=True) == (1, 0)

    def test_without_the_lock_the_unique_key_stops_the_second(self, monkeypatch: pytest.MonkeyPatch) -> None:
        make_drafted()
        monkeypatch.setattr(drafting, "lock_accounts", lock_nothing)
        first, second = run_inside(draft, draft, waits=True)
        assert first == 1
        assert isinstance(second, drafting.AlreadyDrafted)
        assert Payment.objects.count() == 1

    def test_announcing_at_once_tells_once(self) -> None:
        turn_on(make_account(), at=noon(date(2027, 1, 20)))

        def announce() -> int:
            day = date(2027, 2, 1)
            return announcing.announce_drafts(today=day, at=noon(day))["announced"]

        assert sum(run_together(*[announce] * 4)) == 1
        assert DraftAnnouncement.objects.filter(announced_on=date(2027, 2, 1)).count() == 1


class TestTurningOffAgainstDrafting:
    def test_turned_off_first_nothing_is_drafted(self) -> None:
        (mandate,) = make_drafted()
        assert run_inside(lambda: end(mandate), draft, waits=True) == (1, 0)
        assert not Payment.objects.exists()

    def test_drafted_first_the_draft_is_canceled(self) -> None:
        (mandate,) = make_drafted()
        assert run_inside(draft, lambda: end(mandate), waits=True) == (1, 1)
        assert Payment.objects.get().status == PaymentStatus.CANCELED
        assert list_broken() == set()

    def test_in_the_file_first_the_draft_goes_out(self) -> None:
        (mandate,) = make_drafted()
        draft()
        at = eastern(2027, 1, 21, 17)
        (file,), ended = run_inside(
            lambda: batching.build_files(today=CUT, at=at), lambda: end(mandate), waits=True
        )
        assert (file.entry_count, ended) == (1, 1)
        assert Payment.objects.get().status == PaymentStatus.SENDING
        assert list_broken() == set()

    def test_without_the_lock_a_draft_would_outlive_its_mandate(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (mandate,) = make_drafted()
        monkeypatch.setattr(drafting, "lock_accounts", lock_nothing)
        monkeypatch.setattr("payments.autopay.turning_off.lock_accounts", lock_nothing)
        run_inside(draft, lambda: end(mandate), waits=False)
        mandate.refresh_from_db()
        assert (mandate.status, Payment.objects.get().status) == ("ended", PaymentStatus.RECORDED)


class TestPayingAgainstDrafting:
    def test_paid_first_only_the_rest_is_drafted(self) -> None:
        (mandate,) = make_drafted()
        run_inside(lambda: pay(mandate.account, 200_00, today=CUT, number="999000111"), draft, waits=True)
        assert Payment.objects.get(channel="autopay").amount_cents == PREMIUM - 200_00
        assert list_broken() == set()

    def test_drafted_first_the_payer_sees_the_draft_before_it_is_paid_twice(self) -> None:
        (mandate,) = make_drafted()
        item, seen = make_item(mandate.account, PREMIUM, today=CUT), []

        def prepare(
            standings: Mapping[int, Standing], in_progress: Sequence[Payment]
        ) -> Sequence[PaymentItem]:
            seen.extend(payment.channel for payment in in_progress)
            if in_progress:
                raise UnableToRecord("the draft is on its way")
            return [item]

        def pay_now() -> list[Payment]:
            return record_as_told(
                payer=make_member_payer(mandate.account),
                bank=make_details("999000111"),
                account_ids=[mandate.account_id],
                prepare=prepare,
                form_key=uuid4(),
                today=CUT,
                at=AT,
            )

        drafted, refusal = run_inside(draft, pay_now, waits=True)
        assert (drafted, seen) == (1, ["autopay"])
        assert isinstance(refusal, UnableToRecord)

    def test_without_the_lock_both_would_be_taken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        (mandate,) = make_drafted()
        for module in (drafting, recording):
            monkeypatch.setattr(module, "lock_accounts", lock_nothing)
        run_inside(lambda: pay(mandate.account, PREMIUM, today=CUT, number="999000111"), draft, waits=False)
        assert sum(Payment.objects.values_list("amount_cents", flat=True)) == 2 * PREMIUM


class TestSettingUp:
    def test_the_same_form_sent_at_once_turns_it_on_once(self) -> None:
        account, key = make_account(), uuid4()
        payer = make_member_payer(account)

        def send_form() -> list[Mandate]:
            return turn_on(account, at=noon(SATURDAY), form_key=key, payer=payer)

        answers = run_together(*[send_form] * 4)
        assert len({mandate.pk for (mandate,) in answers}) == 1
        assert Mandate.objects.count() == 1

    def test_two_forms_at_once_leave_one_mandate_alive(self) -> None:
        account = make_account()
        payer = make_member_payer(account)
        acts = [
            lambda number=number: turn_on(
                account, at=noon(SATURDAY), payer=payer, bank=make_details(f"48200{number}555")
            )
            for number in range(4)
        ]
        run_together(*acts)
        assert sorted(Mandate.objects.values_list("status", flat=True)) == ["ended"] * 3 + ["on"]
        assert list_broken() == set()

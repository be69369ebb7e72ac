"""Corrections: one person asks, and above the limit another approves; nobody approves their own; each is done once."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from billing.correction_kinds import KINDS, Rule, UnableToFindKind, always, register_kind
from billing.corrections import NewCorrection, UnableToCorrect, decline, list_waiting, preview, withdraw
from billing.models import (
    Account,
    Adjustment,
    Correction,
    CorrectionKind,
    DueDateOverride,
    Receipt,
    StartDecision,
    StartReview,
)
from tests.billing.books import FEBRUARY, MARCH, PREMIUM, make_account, noon, receive, review, see
from tests.billing.correcting import approve, ask, decide, waive
from tests.people import make_staff

pytestmark = pytest.mark.usefixtures("books")
DAY = date(2027, 1, 18)


def adjust(account: Account, cents: int, *, today: date = DAY, **facts: Any) -> Correction:
    return ask(CorrectionKind.ADJUSTMENT, account, month=FEBRUARY, cents=cents, today=today, **facts)


class TestTheLimit:
    @pytest.mark.parametrize(("cents", "status"), [(500_00, "applied"), (500_01, "asked")])
    def test_up_to_it_one_person_suffices_and_a_cent_above_another_must_approve(
        self, cents: int, status: str
    ) -> None:
        account = make_account(premium_cents=900_00)
        assert adjust(account, -cents).status == status
        assert see(account, today=DAY).due_cents == (400_00 if status == "applied" else 900_00)

    def test_what_is_put_on_counts_like_what_is_taken_off(self) -> None:
        assert adjust(make_account(), 500_01).status == "asked"

    def test_in_small_parts_it_is_the_same(self) -> None:
        account, clerk = make_account(premium_cents=900_00), make_staff()
        assert adjust(account, -300_00, by=clerk).status == "applied"
        assert adjust(account, -200_01, by=clerk).status == "asked"
        assert adjust(account, -200_00, by=clerk).status == "applied"
        assert adjust(account, -1, by=clerk, today=DAY + timedelta(days=29)).status == "asked"

    def test_after_thirty_days_and_for_another_account_it_begins_anew(self) -> None:
        account, clerk = make_account(premium_cents=900_00), make_staff()
        adjust(account, -500_00, by=clerk)
        assert adjust(make_account(premium_cents=900_00), -500_00, by=clerk).status == "applied"
        assert waive(account, FEBRUARY, 100_00, by=clerk, today=DAY + timedelta(days=30)).takes_two is False

    def test_a_whole_month_counts_for_what_is_left_of_it(self) -> None:
        account = make_account(premium_cents=900_00)
        asked = ask(CorrectionKind.WAIVER, account, month=FEBRUARY, is_whole=True, today=DAY)
        assert (asked.status, asked.total_cents) == ("asked", 900_00)
        assert approve(asked, today=DAY).status == "applied"
        assert see(account, today=DAY).due_cents == 0

    def test_it_is_a_setting(self, settings) -> None:
        settings.PREMIUM_POLICY = {"alone_limit_cents": 10_00}
        assert adjust(make_account(), -10_01).status == "asked"


class TestDeciding:
    @pytest.fixture
    def asked(self) -> Correction:
        return adjust(make_account(premium_cents=900_00), -600_00, by=make_staff())

    def test_approved_by_another_it_is_done_in_the_name_of_both(self, asked: Correction) -> None:
        supervisor = make_staff()
        done = approve(asked, by=supervisor, today=DAY)
        made = Adjustment.objects.get()
        assert (made.asked_by, made.approved_by, made.correction) == (asked.asked_by, supervisor, done)
        assert (done.status, done.decided_by, done.decided_at) == ("applied", supervisor, noon(DAY))
        assert list(done.moves.values_list("before", "after")) == [("asked", "applied")]

    def test_nobody_approves_or_declines_their_own(self, asked: Correction) -> None:
        for act in (
            lambda: approve(asked, by=asked.asked_by, today=DAY),
            lambda: decline(correction_id=asked.pk, by=asked.asked_by, why="x", today=DAY, at=noon(DAY)),
        ):
            with pytest.raises(UnableToCorrect, match="Another person"):
                act()
        assert list(list_waiting()) == [asked]

    def test_nor_does_the_database_let_them(self, asked: Correction) -> None:
        changes = f"status = 'applied', decided_at = now(), decided_by_id = {asked.asked_by_id}"
        alone = "status = 'applied', decided_at = now()"
        for columns, name in ((changes, "nobody_approves_their_own"), (alone, "correction_takes_two_people")):
            with (
                pytest.raises(IntegrityError, match=name),
                transaction.atomic(),
                connection.cursor() as cursor,
            ):
                cursor.execute(f"UPDATE billing_correction SET {columns} WHERE id = {asked.pk}")

    def test_an_adjustment_without_a_correction_is_refused_by_the_database(self, asked: Correction) -> None:
        with pytest.raises(IntegrityError, match="adjustment_has_its_correction"), transaction.atomic():
            Adjustment.objects.create(
                account=asked.account,
                coverage_month=FEBRUARY,
                cents=-1,
                kind="correction",
                counts_from=DAY,
                reason="by the back door",
                asked_by=asked.asked_by,
                recorded_at=noon(DAY),
                reference="back door",
            )

    def test_declined_or_withdrawn_it_changes_nothing_and_is_over(self, asked: Correction) -> None:
        supervisor, facts = make_staff(), {"why": "not theirs", "today": DAY, "at": noon(DAY)}
        with pytest.raises(UnableToCorrect, match="Another person asked"):
            withdraw(correction_id=asked.pk, by=supervisor, **facts)
        with pytest.raises(UnableToCorrect, match="Say why"):
            decline(correction_id=asked.pk, by=supervisor, **(facts | {"why": " "}))
        assert decline(correction_id=asked.pk, by=supervisor, **facts).status == "declined"
        again = adjust(make_account(premium_cents=900_00), -600_00)
        done = withdraw(correction_id=again.pk, by=again.asked_by, **facts)
        assert (done.status, done.decided_by) == ("withdrawn", None)
        for item in (asked, again):
            with pytest.raises(UnableToCorrect, match="decided before"):
                approve(item, today=DAY)
        assert not Adjustment.objects.exists()

    def test_what_has_become_impossible_is_refused_and_waits_on(self, asked: Correction) -> None:
        waive(asked.account, FEBRUARY, 400_00, today=DAY)
        with pytest.raises(UnableToCorrect, match="does not come to that much"):
            approve(asked, today=DAY)
        asked.refresh_from_db()
        assert (asked.status, asked.moves.count()) == ("asked", 0)


class TestAsking:
    def test_the_same_form_twice_asks_once(self) -> None:
        account = make_account()
        first, second = (adjust(account, -10_00, key="C1") for _ in range(2))
        assert first == second
        assert see(account, today=DAY).due_cents == PREMIUM - 10_00

    def test_what_could_not_be_done_is_not_asked_for(self) -> None:
        account = make_account()
        with pytest.raises(UnableToCorrect, match="does not come to that much"):
            adjust(account, -600_00)
        with pytest.raises(UnableToCorrect, match="Say why"):
            adjust(account, -1, why=" ")
        assert not Correction.objects.exists()

    def test_a_preview_says_what_it_does_and_whether_it_takes_two(self) -> None:
        account = make_account(premium_cents=900_00)
        new = NewCorrection(CorrectionKind.ADJUSTMENT, account_id=account.pk, month=FEBRUARY, cents=-600_00)
        tried = preview(new=new, by=make_staff(), today=DAY, at=noon(DAY))
        assert tried.answer.takes_two
        assert ("Owed in all", "$900.00", "$300.00") in tried.effects[account.pk].list_changes()
        assert not Correction.objects.exists()


class TestAKindOfAnotherApp:
    def test_it_is_applied_by_the_app_that_entered_it_and_unknown_before(self, monkeypatch) -> None:
        monkeypatch.delitem(KINDS, CorrectionKind.RECEIVED_DATE, raising=False)
        account, supervisor = make_account(), make_staff()
        receipt = Receipt.objects.get(reference=receive(account, PREMIUM, on=date(2027, 1, 12)))
        what = {"receipt_id": receipt.pk, "new_date": date(2027, 1, 11), "today": DAY}
        with pytest.raises(UnableToFindKind):
            ask(CorrectionKind.RECEIVED_DATE, account, **what)
        seen = []
        rule = Rule(apply=lambda **facts: seen.append(facts), takes_two=always, refusals=())
        monkeypatch.setitem(KINDS, CorrectionKind.RECEIVED_DATE, rule)
        register_kind(kind=CorrectionKind.RECEIVED_DATE, rule=rule)
        asked = ask(CorrectionKind.RECEIVED_DATE, account, **what)
        seen.clear()
        approve(asked, by=supervisor, today=DAY)
        (facts,) = seen
        assert (facts["correction"], facts["by"], facts["today"]) == (asked, supervisor, DAY)


class TestAStart:
    @pytest.mark.parametrize(
        ("decision", "start"), [(StartDecision.KEEP, MARCH), (StartDecision.MOVE, FEBRUARY)]
    )
    def test_one_person_decides_it_and_says_why(self, decision: StartDecision, start: date) -> None:
        account, day = make_account(), date(2027, 2, 3)
        review(date(2027, 1, 24))
        receive(account, PREMIUM, on=date(2027, 1, 22), today=day)
        done = decide(StartReview.objects.get(), decision, today=day)
        assert (done.status, done.why) == ("applied", "a reason")
        assert see(account, today=day).coverage_start == start
        with pytest.raises(UnableToCorrect, match="decided before"):
            decide(StartReview.objects.get(), decision, today=day)


def test_a_due_date_moved_without_a_correction_is_refused_by_the_database() -> None:
    facts = {"coverage_month": FEBRUARY, "due_date": date(2027, 1, 31), "recorded_at": noon(DAY)}
    for account in (None, make_account()):
        with pytest.raises(IntegrityError, match="override_has_its_correction"), transaction.atomic():
            DueDateOverride.objects.create(account=account, reason="by the back door", **facts)

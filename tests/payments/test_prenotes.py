"""Prenotes: one at a time asks the payer's bank; it passes on the third banking day unless it comes back or nobody can know."""

import hashlib
from datetime import date, timedelta
from itertools import pairwise

import pytest
from django.db import IntegrityError, transaction

from payments.bank_accounts import approve, list_waiting, register, validate
from payments.models import (
    FILE_MOVES,
    BankAccount,
    BankAccountStatus,
    BankFile,
    BankingDayOverride,
    FileEntry,
    FileMove,
    FileStatus,
    Prenote,
)
from payments.validation.prenotes import pass_prenotes
from tests.payments.paying import TUESDAY, make_account, make_details, noon, pay, read, send, settle

pytestmark = pytest.mark.django_db
AT = noon(TUESDAY)
WEDNESDAY, FRIDAY, MONDAY = date(2027, 1, 6), date(2027, 1, 8), date(2027, 1, 11)
SATURDAY = date(2027, 1, 9)


@pytest.fixture(autouse=True)
def _by_prenote(settings) -> None:
    settings.BANK_VALIDATION_METHODS = ["history", "prenote"]


def hand_over(prenote: Prenote, *, effective: date = WEDNESDAY, accepted: bool = True) -> Prenote:
    """The prenote in a bank file of the day before, as the builder of files leaves it."""
    at = noon(effective - timedelta(days=1))
    number = BankFile.objects.count()
    file = BankFile.objects.create(
        name=f"prenote-{number}.ach",
        direction="out",
        kind="entries",
        status=FileStatus.SENDING,
        business_date=at.date(),
        origin="1234567890",
        created_on=at.date(),
        created_time=f"{number:04d}",
        modifier="A",
        sha256=hashlib.sha256(b"").hexdigest(),
        line_count=0,
        entry_count=1,
        stored_at=at,
    )
    FileEntry.objects.create(
        file=file,
        line=3,
        kind=FileEntry.Kind.PRENOTE,
        prenote=prenote,
        trace=f"01100001{number:07d}",
        cycle=0,
        amount_cents=0,
        individual_id=f"P{prenote.pk}",
        blind_index=prenote.bank_account.blind_index,
    )
    steps = (FileStatus.SENDING, FileStatus.SENT, FileStatus.ACCEPTED)[: 3 if accepted else 2]
    for before, after in pairwise(steps):
        FILE_MOVES.move(model=BankFile, history=FileMove, ids=[file.pk], before=before, after=after, at=at)
    Prenote.objects.filter(pk=prenote.pk).update(effective_date=effective)
    return prenote


def ask_by_prenote(number: str = "482001234567") -> Prenote:
    """An account that waits, and its prenote."""
    account = register(details=make_details(number), owner=None, at=AT)
    assert validate(bank_account=account, at=AT) == "unchecked"
    return Prenote.objects.get(bank_account=account)


def read_until(day: date) -> None:
    """The bank's return files of every day up to this one."""
    read(day)


def find_status(prenote: Prenote) -> tuple[str, str]:
    prenote.refresh_from_db()
    return prenote.outcome, BankAccount.objects.get(pk=prenote.bank_account_id).status


def test_a_prenote_passes_on_the_third_banking_day_after_it_settles() -> None:
    prenote = hand_over(ask_by_prenote())
    for day in (WEDNESDAY, FRIDAY, SATURDAY):
        read_until(day)
        assert pass_prenotes(today=day, at=noon(day)) == 0
    assert find_status(prenote) == ("", "unchecked")
    read_until(MONDAY)
    assert pass_prenotes(today=MONDAY, at=noon(MONDAY)) == 1
    assert find_status(prenote) == ("passed", "valid")
    assert prenote.decided_at == noon(MONDAY)
    said = list(prenote.bank_account.validations.order_by("pk").values_list("method", "outcome"))
    assert said == [("history", "pending"), ("prenote", "pending"), ("prenote", "passed")]
    assert prenote.bank_account.moves.get().why == "prenote"


def test_it_passes_once_and_late_too() -> None:
    prenote = hand_over(ask_by_prenote())
    late = MONDAY + timedelta(days=10)
    read_until(late)
    assert [pass_prenotes(today=late, at=noon(late)) for _ in range(2)] == [1, 0]
    assert find_status(prenote) == ("passed", "valid")
    assert prenote.bank_account.moves.count() == 1


def test_a_holiday_that_staff_have_declared_moves_the_day() -> None:
    BankingDayOverride.objects.create(day=FRIDAY, is_open=False, reason="storm", recorded_at=AT)
    hand_over(ask_by_prenote())
    read_until(MONDAY)
    assert pass_prenotes(today=MONDAY, at=noon(MONDAY)) == 0
    read_until(TUESDAY)
    assert pass_prenotes(today=TUESDAY, at=noon(TUESDAY)) == 1


def test_a_return_file_not_read_holds_it() -> None:
    prenote = hand_over(ask_by_prenote())
    read_until(FRIDAY)
    assert pass_prenotes(today=MONDAY, at=noon(MONDAY)) == 0
    assert find_status(prenote) == ("", "unchecked")


def test_a_file_that_the_bank_has_not_accepted_holds_it() -> None:
    hand_over(ask_by_prenote(), accepted=False)
    read_until(MONDAY)
    assert pass_prenotes(today=MONDAY, at=noon(MONDAY)) == 0


def test_one_that_never_went_out_does_not_pass() -> None:
    ask_by_prenote()
    read_until(MONDAY)
    assert pass_prenotes(today=MONDAY, at=noon(MONDAY)) == 0


def test_one_that_came_back_stays_failed() -> None:
    prenote = hand_over(ask_by_prenote())
    Prenote.objects.filter(pk=prenote.pk).update(outcome=Prenote.Outcome.FAILED, decided_at=AT)
    read_until(MONDAY)
    assert pass_prenotes(today=MONDAY, at=noon(MONDAY)) == 0
    assert find_status(prenote) == ("failed", "unchecked")


def test_an_account_blocked_meanwhile_stays_blocked() -> None:
    prenote = hand_over(ask_by_prenote())
    BankAccount.objects.filter(pk=prenote.bank_account_id).update(status=BankAccountStatus.BLOCKED)
    read_until(MONDAY)
    assert pass_prenotes(today=MONDAY, at=noon(MONDAY)) == 1
    assert find_status(prenote) == ("passed", "blocked")


def test_prenotes_of_two_days_pass_each_on_its_own() -> None:
    early = hand_over(ask_by_prenote("482001234501"))
    late = hand_over(ask_by_prenote("482001234502"), effective=date(2027, 1, 7))
    read_until(MONDAY)
    assert pass_prenotes(today=MONDAY, at=noon(MONDAY)) == 1
    assert (find_status(early)[0], find_status(late)[0]) == ("passed", "")


def test_one_prenote_of_an_account_at_a_time() -> None:
    prenote = ask_by_prenote()
    with pytest.raises(IntegrityError), transaction.atomic():
        Prenote.objects.create(bank_account=prenote.bank_account, asked_at=AT)
    assert validate(bank_account=prenote.bank_account, at=AT) == "unchecked"
    assert Prenote.objects.count() == 1


def test_after_one_that_failed_another_may_ask() -> None:
    prenote = ask_by_prenote()
    Prenote.objects.filter(pk=prenote.pk).update(outcome=Prenote.Outcome.FAILED, decided_at=AT)
    validate(bank_account=prenote.bank_account, at=AT)
    assert Prenote.objects.filter(outcome=Prenote.Outcome.WAITING).count() == 1


def test_an_account_decided_on_meanwhile_is_not_asked_about() -> None:
    account = register(details=make_details(), owner=None, at=AT)
    stale = BankAccount.objects.select_related("sealed").get(pk=account.pk)
    approve(bank_account=account, at=AT)
    validate(bank_account=stale, at=AT)
    assert not Prenote.objects.exists()


def test_the_morning_s_job_passes_it_and_the_evening_s_file_takes_the_debit() -> None:
    payment = pay(make_account(today=date(2027, 1, 4)), 10_00, today=date(2027, 1, 5))
    assert list(list_waiting()) == [payment.bank_account]
    told = send(date(2027, 1, 5))
    assert (told["debits"], told["prenotes"]) == (0, 1)
    assert Prenote.objects.get().effective_date == WEDNESDAY
    read_until(MONDAY)
    assert settle(MONDAY)["prenotes"] == 1
    assert send(MONDAY)["debits"] == 1
    payment.refresh_from_db()
    assert payment.effective_date == TUESDAY


def test_a_day_without_prenotes_says_nothing_of_them() -> None:
    assert "prenotes" not in settle(MONDAY)

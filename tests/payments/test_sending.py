"""Handing files over: the same bytes once, an outcome nobody knows waits for a word, and a late file settles later."""

from datetime import date, datetime, time
from pathlib import Path

import pytest
import time_machine
from django.core.management import CommandError, call_command

from connector_pay.lib.clock import eastern_moment
from payments import tasks
from payments.ach import batching, incoming, sending
from payments.ach.stored_files import open_file
from payments.bank import UnableToReachBank, UnableToTellOutcome
from payments.bank.folder import FolderBank
from payments.models import (
    BankFile,
    FileMove,
    Payment,
    PaymentMove,
)
from payments.settlement import validate_waiting
from tests.payments.paying import TUESDAY, make_account, pay, read, settle

pytestmark = pytest.mark.usefixtures("books")
WEDNESDAY, THURSDAY, FRIDAY = date(2027, 1, 13), date(2027, 1, 14), date(2027, 1, 15)
SATURDAY, NEXT_TUESDAY, NEXT_WEDNESDAY = (
    date(2027, 1, 16),
    date(2027, 1, 19),
    date(2027, 1, 20),
)  # the 18th is a holiday


def at_five(day: date = TUESDAY) -> datetime:
    return eastern_moment(day=day, at=time(17))


class LossyBank(FolderBank):
    """A folder bank on a bad line, which takes files away and keeps no record that we could read."""

    def __init__(self, *, folder: Path) -> None:
        super().__init__(folder=folder)
        self.puts: list[str] = []
        self.is_down = False
        self.loses = ""  # "request", "answer"; what is lost of the next handing over
        self.goes_down = False  # with the loss
        self.forgets = False

    def find(self, *, name: str) -> str | None:
        if self.is_down:
            raise UnableToReachBank("no line")
        return None if self.forgets else super().find(name=name)

    def rules_out(self, *, name: str) -> bool:
        return not self.forgets

    def put(self, *, name: str, data: bytes) -> None:
        loss, self.loses = self.loses, ""
        if loss == "line":
            raise UnableToReachBank("the line was lost before the file was whole")
        if loss != "request":
            super().put(name=name, data=data)
            self.puts.append(name)
        self.is_down = self.is_down or bool(loss and self.goes_down)
        if loss:
            raise UnableToTellOutcome("the line was lost")


@pytest.fixture
def bank(tmp_path: Path) -> LossyBank:
    return LossyBank(folder=tmp_path / "bad line")


@pytest.fixture
def file() -> BankFile:
    """A file of Tuesday 17:00 with one debit for Wednesday."""
    pay(make_account())
    return build()


def build(day: date = TUESDAY) -> BankFile:
    validate_waiting(today=day, at=at_five(day))
    (file,) = batching.build_files(today=day, at=at_five(day))
    return file


def stand(file: BankFile) -> tuple[str, str]:
    """Where the file stands, and its debit."""
    file.refresh_from_db()
    return file.status, Payment.objects.get(entry__file=file).status


def list_moves(file: BankFile) -> list[tuple[str, str, str]]:
    return list(FileMove.objects.filter(file=file).order_by("pk").values_list("before", "after", "why"))


def send(bank: LossyBank, at: datetime | None = None) -> int:
    return sending.send_waiting(bank=bank, at=at or at_five())


def test_a_file_is_of_unknown_outcome_while_its_bytes_are_on_the_way(file, bank):
    seen = []
    put = bank.put
    bank.put = lambda **facts: (seen.append(stand(file)), put(**facts))
    assert send(bank) == 1
    assert seen == [("unknown", "sending")]
    assert stand(file) == ("sent", "sent")
    assert (bank.outgoing / file.name).read_bytes() == open_file(file=file)


def test_a_bank_that_cannot_be_reached_leaves_the_file_waiting_and_the_job_to_run_again(file, bank):
    bank.is_down = True
    with pytest.raises(sending.UnableToSendFile, match=f"Bank file {file.pk}: no line"):
        send(bank)
    assert stand(file) == ("sending", "sending")
    assert list_moves(file) == []
    bank.is_down = False
    assert send(bank) == 1
    assert stand(file) == ("sent", "sent")


def test_a_line_lost_before_the_file_was_whole_sends_the_same_bytes_again(file, bank):
    bank.loses = "line"
    with pytest.raises(sending.UnableToSendFile):
        send(bank)
    assert stand(file) == ("sending", "sending")
    assert send(bank) == 1
    assert (bank.outgoing / file.name).read_bytes() == open_file(file=file)


def test_one_file_that_fails_does_not_hold_up_the_others(file, bank):
    (bank.outgoing / file.name).write_bytes(b"another file")
    pay(make_account(), 10_00)
    second = build()
    with pytest.raises(sending.UnableToSendFile, match="The bank has another file named"):
        send(bank)
    assert (stand(file)[0], stand(second)[0]) == ("sending", "sent")


def test_a_file_that_cannot_be_opened_does_not_hold_up_the_others(file, bank, monkeypatch):
    pay(make_account(), 10_00)
    second = build()

    def open_one(*, file: BankFile) -> bytes:
        if file.pk != second.pk:
            raise sending.UnableToOpenFile("changed")
        return open_file(file=file)

    monkeypatch.setattr(sending, "open_file", open_one)
    with pytest.raises(sending.UnableToSendFile, match=f"Bank file {file.pk}: changed"):
        send(bank)
    assert (stand(file)[0], stand(second)[0]) == ("sending", "sent")


def test_a_lost_answer_is_asked_for_at_once_and_the_file_found(file, bank):
    bank.loses = "answer"
    assert send(bank) == 1
    assert stand(file) == ("sent", "sent")
    assert bank.puts == [file.name]


def test_a_lost_answer_of_a_bank_that_stays_away_is_unknown_until_the_bank_is_asked(file, bank):
    bank.loses, bank.goes_down = "answer", True
    with pytest.raises(sending.UnableToSendFile):
        send(bank)
    assert stand(file) == ("unknown", "sending")
    with pytest.raises(sending.UnableToSendFile):
        send(bank)
    bank.is_down = False
    assert send(bank) == 1
    assert stand(file) == ("sent", "sent")
    assert bank.puts == [file.name]


def test_a_lost_request_goes_out_again_where_the_bank_can_rule_the_first_out(file, bank):
    bank.loses = "request"
    with pytest.raises(sending.UnableToSendFile):
        send(bank)
    assert stand(file) == ("sending", "sending")
    assert send(bank) == 1
    assert bank.puts == [file.name]


@pytest.mark.parametrize("loss", ["request", "answer"])
def test_where_the_bank_takes_files_away_nothing_is_sent_again_unasked(file, bank, loss):
    bank.loses, bank.forgets = loss, True
    assert send(bank) == 0
    puts = list(bank.puts)
    assert [send(bank), send(bank)] == [0, 0]
    assert (stand(file), bank.puts) == (("unknown", "sending"), puts)
    assert sending.count_unknown() == 1


def test_a_crash_between_the_hand_over_and_our_note_never_sends_it_twice_where_the_bank_forgets(
    file, bank, monkeypatch
):
    bank.forgets = True
    with monkeypatch.context() as crash:
        crash.setattr(sending, "note_sent", lambda **facts: (_ for _ in ()).throw(MemoryError))
        with pytest.raises(MemoryError):
            send(bank)
    assert send(bank) == 0
    assert bank.puts == [file.name]
    assert stand(file) == ("unknown", "sending")


def test_the_banks_acknowledgement_tells_that_an_unknown_file_was_sent(file, bank):
    bank.loses, bank.forgets = "answer", True
    send(bank)
    word = f'{{"acknowledges": "{file.name}", "sha256": "{file.sha256}", "result": "accepted"}}'
    (bank.incoming / "ACK.json").write_text(word)
    counts = incoming.read_bank(bank=bank, today=WEDNESDAY, at=eastern_moment(day=WEDNESDAY, at=time(7)))
    assert counts["accepted"] == 1
    assert stand(file) == ("accepted", "sent")
    assert Payment.objects.get().effective_date == WEDNESDAY, "it was handed over on Tuesday"
    assert PaymentMove.objects.get(after="sent").at == at_five()


def resolve(file: BankFile, *words: str, why: str = "Ms. Boyd of the bank: not there") -> None:
    call_command("resolve_bank_file", file.name, *words, f"--why={why}")


@pytest.fixture
def unknown(file, bank) -> BankFile:
    bank.loses, bank.forgets = "request", True
    send(bank)
    return file


def test_staff_say_that_it_was_sent(unknown, bank, capsys):
    resolve(unknown, "--sent", why="Ms. Boyd of the bank: there at 17:02")
    assert "counts as sent" in capsys.readouterr().out
    assert stand(unknown) == ("sent", "sent")
    assert list_moves(unknown)[-1] == ("unknown", "sent", "Ms. Boyd of the bank: there at 17:02")
    assert send(bank) == 0


def test_staff_say_that_it_was_not_sent_and_the_same_bytes_go_out(unknown, bank, capsys):
    resolve(unknown, "--not-sent")
    assert "goes out again" in capsys.readouterr().out
    assert stand(unknown) == ("sending", "sending")
    assert list_moves(unknown)[-1] == ("unknown", "sending", "Ms. Boyd of the bank: not there")
    assert send(bank) == 1
    assert (bank.outgoing / unknown.name).read_bytes() == open_file(file=unknown)
    assert stand(unknown) == ("sent", "sent")


@pytest.mark.parametrize("words", ["--sent", "--not-sent"])
def test_only_an_unknown_outcome_is_resolved(file, bank, words):
    with pytest.raises(CommandError, match='is "Being sent": only an unknown outcome'):
        resolve(file, words)
    send(bank)
    with pytest.raises(CommandError, match='is "Sent": only an unknown outcome'):
        resolve(file, words)
    assert stand(file) == ("sent", "sent")


@pytest.mark.parametrize("why", ["", "  ", "x" * 201])
def test_whoever_resolves_says_why_in_a_few_words(unknown, why):
    with pytest.raises(CommandError, match="Say why, in 200 characters"):
        resolve(unknown, "--sent", why=why)
    assert stand(unknown)[0] == "unknown"


def test_a_file_that_does_not_exist_is_named(db):
    with pytest.raises(CommandError, match=r"There is no bank file of ours named CP-1\.ach"):
        call_command("resolve_bank_file", "CP-1.ach", "--sent", "--why=x")


@pytest.mark.parametrize("words", [[], ["--sent", "--not-sent"]])
def test_one_answer_is_needed(unknown, words):
    with pytest.raises(CommandError):
        resolve(unknown, *words)


@pytest.mark.parametrize(
    ("handed_over", "settles"),
    [
        pytest.param(at_five(), WEDNESDAY, id="at once"),
        pytest.param(eastern_moment(day=TUESDAY, at=time(23, 59)), WEDNESDAY, id="the day's last minute"),
        pytest.param(eastern_moment(day=WEDNESDAY, at=time(0)), THURSDAY, id="one minute later"),
        pytest.param(
            eastern_moment(day=FRIDAY, at=time(18)), NEXT_TUESDAY, id="days later, before a holiday"
        ),
        pytest.param(eastern_moment(day=SATURDAY, at=time(0)), NEXT_WEDNESDAY, id="on a weekend"),
    ],
)
def test_what_is_handed_over_late_settles_late(file, bank, handed_over, settles):
    assert send(bank, at=handed_over) == 1
    payment = Payment.objects.get()
    assert (payment.status, payment.effective_date) == ("sent", settles)
    assert PaymentMove.objects.get(after="sent").at == handed_over
    assert sending.find_settlement_day(handed_over_at=handed_over) == settles


def test_a_file_of_friday_evening_handed_over_on_saturday_is_late():
    pay(make_account(), today=FRIDAY)
    build(FRIDAY)
    assert Payment.objects.get().effective_date == NEXT_TUESDAY
    assert sending.find_settlement_day(handed_over_at=at_five(FRIDAY)) == NEXT_TUESDAY
    assert (
        sending.find_settlement_day(handed_over_at=eastern_moment(day=SATURDAY, at=time(0))) == NEXT_WEDNESDAY
    )


def test_a_late_file_posts_three_banking_days_after_it_can_settle(file):
    tasks.send_files(day=FRIDAY, at=eastern_moment(day=FRIDAY, at=time(18)))
    for day in (19, 20, 21):
        read(date(2027, 1, day))
        counts = settle(date(2027, 1, day))
        assert counts["posted"] == 0, day
    assert Payment.objects.get().status == "settled"
    read(date(2027, 1, 22))
    assert settle(date(2027, 1, 22))["posted"] == 1


def test_the_job_builds_todays_file_though_an_older_one_cannot_go(file, settings):
    (Path(settings.SANDBOX_BANK_DIR) / "from_exchange").mkdir(parents=True)
    (Path(settings.SANDBOX_BANK_DIR) / "from_exchange" / file.name).write_bytes(b"another file")
    pay(make_account(), today=WEDNESDAY)
    with pytest.raises(sending.UnableToSendFile):
        tasks.send_files(day=WEDNESDAY, at=at_five(WEDNESDAY))
    assert BankFile.objects.exclude(pk=file.pk).get().status == "sent"


def test_outside_a_demo_a_late_job_hands_over_at_the_real_moment(file, settings):
    settings.DEMO_MODE = False
    friday = eastern_moment(day=FRIDAY, at=time(18))
    with time_machine.travel(friday, tick=False):
        tasks.send_files(day=TUESDAY, at=at_five())
    assert PaymentMove.objects.get(after="sent").at == friday
    assert Payment.objects.get().effective_date == NEXT_TUESDAY


def test_a_file_sent_meanwhile_is_left_alone(file, bank):
    put = bank.put

    def put_and_hear(**facts: object) -> None:
        put(**facts)
        sending.note_sent(file_id=file.pk, at=at_five(), why="the bank acknowledged it")
        raise UnableToReachBank("the line was lost")

    bank.put = put_and_hear
    with pytest.raises(sending.UnableToSendFile):
        send(bank)
    assert stand(file) == ("sent", "sent")

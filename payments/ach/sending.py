"""Handing stored bank files to the bank: the same bytes under the same name, however often it takes, and never twice.

A file is UNKNOWN from before its bytes leave until the bank is known to have them. Whatever dies meanwhile, nothing is sent
again until the bank, or a person who asked the bank, says that it does not have them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime

import structlog
from django.db import connection, models, transaction

from connector_pay.lib.clock import business_date
from connector_pay.lib.sealed import UnableToOpen
from connector_pay.lib.states import StateMachine
from payments.ach.banking_days import FEDERAL_RESERVE, BankingCalendar
from payments.ach.stored_files import UnableToOpenFile, open_file
from payments.bank import Bank, UnableToExchangeFile, UnableToReachBank, UnableToTellOutcome
from payments.banking_calendar import read_calendar
from payments.models import (
    FILE_MOVES,
    PAYMENT_MOVES,
    REFUND_MOVES,
    BankFile,
    FileEntry,
    FileMove,
    FileStatus,
    Payment,
    PaymentMove,
    PaymentStatus,
    Prenote,
    Refund,
    RefundMove,
    RefundStatus,
)

log = structlog.get_logger(__name__)
NOT_KNOWN_SENT = (FileStatus.SENDING, FileStatus.UNKNOWN)
MOVED_AT_ONCE = 10_000
LONGEST_WHY = 200
_LOCK_KEY = 7_336_011
_FAILURES = (UnableToReachBank, UnableToExchangeFile, UnableToTellOutcome, UnableToOpen, UnableToOpenFile)


class UnableToSendFile(Exception):
    """Files still wait to be handed over: the bank could not be reached, or refused them."""


class UnableToResolveFile(Exception):
    """There is no such file, or its outcome is known, or nobody says why."""


class AlreadyHandingOver(Exception):
    """Files are being handed over at this moment."""


def send_waiting(*, bank: Bank, at: datetime) -> int:
    """Hand over every file that waits, oldest first, and ask about those of unknown outcome; returns how many are sent now.

    `at` is the moment of the hand-over, however long ago a file was built. One file's failure does not hold up the others.
    One process does this at a time; another waits for it. Raises UnableToSendFile at the end.
    """
    sent, failures = 0, []
    with _hold_hand_over(wait=True):
        for file_id in _list_waiting():
            try:
                sent += send_file(file_id=file_id, bank=bank, at=at)
            except _FAILURES as error:
                log.error("bank file not handed over", file=file_id, why=str(error))
                failures.append(f"Bank file {file_id}: {error}")
    if failures:
        raise UnableToSendFile("\n".join(failures))
    return sent


def send_file(*, file_id: int, bank: Bank, at: datetime) -> bool:
    """Hand a stored file over, unless the bank already has it; returns whether the bank is known to have it now.

    Safe to run again after a crash anywhere; no transaction is open while the bank is asked. Raises UnableToReachBank,
    UnableToExchangeFile.
    """
    file = BankFile.objects.get(pk=file_id)
    if _ask_bank(file, bank, at=at):
        return True
    if file.status == FileStatus.UNKNOWN and not _take_back(file, bank, at=at):
        return False
    return _hand_over(file, bank, at=at)


def note_sent(*, file_id: int, at: datetime, why: str = "") -> bool:
    """Write down that the bank has the file, and so its entries; a file known to be sent is left as it is.

    What was handed over after its banking day settles later than its lines say: their payments, refunds and prenotes wait for
    the banking day on which the bank can settle them. Returns whether this was news.
    """
    with transaction.atomic():
        moved = [_move_file(file_id, before, FileStatus.SENT, at=at, why=why) for before in NOT_KNOWN_SENT]
        if any(moved):
            handed_over_at = _find_hand_over(file_id) or at
            _put_off(file_id, find_settlement_day(handed_over_at=handed_over_at, calendar=read_calendar()))
            _note_entries(file_id, at=handed_over_at)
    return any(moved)


def resolve_unknown(*, name: str, sent: bool, why: str, at: datetime) -> None:
    """A person's word, after asking the bank, on a file of unknown outcome: it was sent, or it goes out again as it is.

    Raises UnableToResolveFile, AlreadyHandingOver.
    """
    if not 0 < len(why.strip()) <= LONGEST_WHY:
        raise UnableToResolveFile(
            f"Say why, in {LONGEST_WHY} characters at most: what did the bank tell you?"
        )
    with _hold_hand_over(wait=False):
        file = BankFile.objects.filter(direction=BankFile.Direction.OUT, name=name).first()
        if file is None:
            raise UnableToResolveFile(f"There is no bank file of ours named {name}.")
        if file.status != FileStatus.UNKNOWN:
            status = FileStatus(file.status).label
            raise UnableToResolveFile(f'{name} is "{status}": only an unknown outcome can be resolved.')
        if sent:
            note_sent(file_id=file.pk, at=at, why=why.strip())
        else:
            _move_file(file.pk, FileStatus.UNKNOWN, FileStatus.SENDING, at=at, why=why.strip())


def count_unknown() -> int:
    """How many files nobody can say of whether the bank has them."""
    return BankFile.objects.filter(direction=BankFile.Direction.OUT, status=FileStatus.UNKNOWN).count()


def find_settlement_day(*, handed_over_at: datetime, calendar: BankingCalendar = FEDERAL_RESERVE) -> date:
    """The first banking day on which the bank can settle a file: it works on the file on the banking day of the hand-over,
    or on the next one if that was no banking day, and the entries settle one banking day later.
    """
    worked_on = calendar.roll_forward(business_date(moment=handed_over_at))
    return calendar.add(worked_on, 1)


def _list_waiting() -> list[int]:
    waiting = BankFile.objects.filter(direction=BankFile.Direction.OUT, status__in=NOT_KNOWN_SENT)
    return list(waiting.order_by("pk").values_list("pk", flat=True))


def _ask_bank(file: BankFile, bank: Bank, *, at: datetime) -> bool:
    """Note the file as sent if the bank has it. Raises UnableToExchangeFile if that is another file."""
    known = bank.find(name=file.name)
    if known is None:
        return False
    if known != file.sha256:
        raise UnableToExchangeFile(f"The bank has another file named {file.name}.")
    note_sent(file_id=file.pk, at=at, why="the bank has it")
    return True


def _take_back(file: BankFile, bank: Bank, *, at: datetime) -> bool:
    """A file of unknown outcome may go out again only if the bank's side shows that it never arrived."""
    if not bank.rules_out(name=file.name):
        log.error("nobody can say whether the bank has this file", file=file.pk)
        return False
    return _move_file(file.pk, FileStatus.UNKNOWN, FileStatus.SENDING, at=at, why="the bank never had it")


def _hand_over(file: BankFile, bank: Bank, *, at: datetime) -> bool:
    """The file's outcome is unknown before the first byte leaves: no crash can make us send it twice."""
    data = open_file(file=file)
    if not _move_file(file.pk, FileStatus.SENDING, FileStatus.UNKNOWN, at=at, why="being handed over"):
        return False  # somebody knows better by now
    try:
        bank.put(name=file.name, data=data)
    except (UnableToReachBank, UnableToExchangeFile) as error:
        _move_file(file.pk, FileStatus.UNKNOWN, FileStatus.SENDING, at=at, why=str(error)[:LONGEST_WHY])
        raise
    except UnableToTellOutcome as error:
        return _clear_up(file, bank, error=error, at=at)
    note_sent(file_id=file.pk, at=at)
    return True


def _clear_up(file: BankFile, bank: Bank, *, error: UnableToTellOutcome, at: datetime) -> bool:
    """Ask at once what became of the file. If even that fails, it stays unknown, and the next run asks again."""
    log.error("the connection was lost while a bank file changed hands", file=file.pk, why=str(error))
    if _ask_bank(file, bank, at=at):
        return True
    if _take_back(file, bank, at=at):
        raise UnableToReachBank(str(error)) from error
    return False


def _move_file(file_id: int, before: FileStatus, after: FileStatus, *, at: datetime, why: str = "") -> bool:
    moved = FILE_MOVES.move(
        model=BankFile, history=FileMove, ids=[file_id], before=before, after=after, at=at, why=why
    )
    return bool(moved)


def _find_hand_over(file_id: int) -> datetime | None:
    """The moment at which its bytes last left us; none if an acknowledgement or a person speaks of an older way."""
    tries = FileMove.objects.filter(file=file_id, after=FileStatus.UNKNOWN).order_by("-pk")
    return tries.values_list("at", flat=True).first()


def _put_off(file_id: int, day: date) -> None:
    """Whatever was to settle before the day settles on it: the days in which it may come back are counted from there."""
    late = {"entry__file": file_id, "effective_date__lt": day}
    count = sum(
        kind._default_manager.filter(**late).update(effective_date=day) for kind in (Payment, Refund, Prenote)
    )
    if count:
        log.warning("bank file handed over late", file=file_id, entries=count, settles=str(day))


def _note_entries(file_id: int, *, at: datetime) -> None:
    entries = FileEntry.objects.filter(file=file_id)
    payments = entries.filter(payment__isnull=False).order_by("payment").values_list("payment", flat=True)
    refunds = entries.filter(refund__isnull=False).order_by("refund").values_list("refund", flat=True)
    _move_to_sent(PAYMENT_MOVES, Payment, PaymentMove, PaymentStatus, ids=list(payments), at=at)
    _move_to_sent(REFUND_MOVES, Refund, RefundMove, RefundStatus, ids=list(refunds), at=at)


def _move_to_sent(
    moves: StateMachine,
    model: type[models.Model],
    history: type[models.Model],
    status: type[PaymentStatus | RefundStatus],
    *,
    ids: Sequence[int],
    at: datetime,
) -> None:
    for start in range(0, len(ids), MOVED_AT_ONCE):
        part = ids[start : start + MOVED_AT_ONCE]
        moves.move(model=model, history=history, ids=part, before=status.SENDING, after=status.SENT, at=at)


@contextmanager
def _hold_hand_over(*, wait: bool) -> Iterator[None]:
    """One process hands files over at a time: two would write the same unfinished file at the bank. Raises
    AlreadyHandingOver for one that does not wait.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {'pg_advisory_lock' if wait else 'pg_try_advisory_lock'}(%s)", [_LOCK_KEY])
        if cursor.fetchone()[0] is False:
            raise AlreadyHandingOver("Files are being handed over at this moment. Try again in a minute.")
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK_KEY])

"""Bank files coming in: acknowledgements, returns and corrections, each file read once, applied whole or not at all."""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime

import structlog
from django.conf import settings
from django.db import OperationalError, connection, transaction

from connector_pay.lib.jobs import Counts
from payments.ach.applying import apply_lines
from payments.ach.batch_rules import TRANSACTION_CODES
from payments.ach.contents import ReturnedEntry, parse_file_header, parse_return_entries
from payments.ach.layouts import RECORD_LENGTH
from payments.ach.reading import ParsedFile, read_file, split_records
from payments.ach.sending import note_sent
from payments.ach.stored_files import clean_name, find_free_name, store_bytes, take_file_id
from payments.bank import Bank
from payments.channels.lockbox.items import UnableToReadDeposit
from payments.channels.lockbox.posting import AlreadyImported, import_file
from payments.channels.lockbox.reading import UnableToTakeDeposit, is_lockbox
from payments.channels.lockbox.returned import describe_returns
from payments.models import FILE_MOVES, BankFile, FileMove, FileStatus

log = structlog.get_logger(__name__)
FAULTS_KEPT = 20
UNANSWERED = (FileStatus.SENDING, FileStatus.UNKNOWN, FileStatus.SENT)
_LOCK_KEY = 7_336_011


class UnableToReadFiles(Exception):
    """Some files could not even be stored; the others were read. They are asked for again at the next reading."""


@dataclass(frozen=True)
class Acknowledgement:
    """The bank's word on a file of ours."""

    name: str
    sha256: str
    accepted: bool
    reason: str


@dataclass(frozen=True)
class Incoming:
    """A file as the bank left it, and what a strict reading makes of it."""

    name: str
    data: bytes
    sha256: str
    kind: str
    business_date: date
    fault: str = ""
    acknowledgement: Acknowledgement | None = None
    parsed: ParsedFile | None = None
    returns: tuple[ReturnedEntry, ...] = ()


def read_bank(*, bank: Bank, today: date, at: datetime) -> Counts:
    """Read every file the bank has left that was not read before, whatever its name; each by itself, in its own transaction.

    An acknowledgement accepts or rejects a file of ours; checks of a lockbox are put on their accounts. A file of returns is
    applied line by line, once; with any fault it is kept and refused whole, and the next one is read. Returns what was done as
    counts; repeated are files read before under another name. Raises UnableToReadFiles at the end, for what could not be stored.
    """
    counts = Counter(
        files=0, repeated=0, refused=0, accepted=0, rejected=0, returned=0, corrected=0, parked=0
    )
    known = dict(BankFile.objects.filter(direction=BankFile.Direction.IN).values_list("sha256", "name"))
    lost = []
    for name in bank.list_incoming():
        try:
            data = bank.get(name=name)
            digest = hashlib.sha256(data).hexdigest()
            if digest in known:
                counts["repeated"] += known[digest] != clean_name(name)
            elif is_lockbox(data=data):
                counts.update(_read_lockbox(name, data, digest=digest, today=today, at=at))
            else:
                counts.update(_read_once(name, data, digest=digest, today=today, at=at))
        except Exception:
            # One file must never keep the others from being read; staff see this one when the job fails below.
            log.exception("bank file not stored", file=clean_name(name))
            lost.append(clean_name(name))
    if lost:
        raise UnableToReadFiles(f"{len(lost)} files could not be stored, the first: {lost[0]}")
    return dict(counts)


def parse_incoming(*, name: str, data: bytes, today: date) -> Incoming:
    """What a file of the bank's says. Never raises: a file that cannot be understood is one with a fault."""
    digest = hashlib.sha256(data).hexdigest()
    if data.lstrip().startswith(b"{"):
        return _parse_acknowledgement(name, data, digest, today)
    parsed = read_file(source=map(_fit, split_records([data])))
    fault = _describe_faults(parsed) or _find_stranger(parsed)
    if fault:
        return Incoming(name, data, digest, BankFile.Kind.RETURNS, today, fault=fault, parsed=parsed)
    day = parse_file_header(parsed=parsed).created_at.date()
    returns = tuple(parse_return_entries(parsed=parsed))
    return Incoming(name, data, digest, BankFile.Kind.RETURNS, day, parsed=parsed, returns=returns)


def _fit(line: str) -> str:
    """File transfer cuts trailing blanks off a record, or adds some: they say nothing."""
    return line.rstrip(" ").ljust(RECORD_LENGTH) if line else line


def _describe_faults(parsed: ParsedFile) -> str:
    shown = [str(fault) for fault in parsed.faults[:FAULTS_KEPT]]
    more = len(parsed.faults) - len(shown)
    return "\n".join([*shown, f"and {more} more"] if more else shown)


def _find_stranger(parsed: ParsedFile) -> str:
    """Why a sound file is none of our bank's to us, empty if it is: one of another's, or our own sent back as an echo."""
    header = parse_file_header(parsed=parsed)
    if header.immediate_origin.strip() != settings.ACH["immediate_destination"].strip():
        return "line 1, columns 14-23, immediate origin: is not our bank"
    if header.immediate_destination.strip() != settings.ACH["immediate_origin"].strip():
        return "line 1, columns 4-13, immediate destination: is not us"
    for batch in parsed.batches:
        for entry in batch.entries:
            if not TRANSACTION_CODES[entry.record["transaction_code"]].is_return:
                return f"line {entry.record.number}, columns 2-3, transaction code: is no return's"
    return ""


def _parse_acknowledgement(name: str, data: bytes, digest: str, today: date) -> Incoming:
    try:
        said = json.loads(data)
        word = Acknowledgement(
            name=_read_plain(said, "acknowledges"),
            sha256=_read_plain(said, "sha256"),
            accepted=_read_result(said),
            reason=clean_name(str(said.get("reason", "")))[:200],
        )
    except (ValueError, RecursionError) as error:
        fault = f"is no acknowledgement: {_locate(error, data)}"
        return Incoming(name, data, digest, BankFile.Kind.ACKNOWLEDGEMENT, today, fault=fault)
    return Incoming(name, data, digest, BankFile.Kind.ACKNOWLEDGEMENT, today, acknowledgement=word)


def _read_plain(said: dict[str, object], word: str) -> str:
    """Text of plain letters, as our own file names and digests are. Raises ValueError."""
    value = said.get(word)
    if not isinstance(value, str):
        raise ValueError(f"{word} is missing or no text")
    if not (value.isascii() and value.isprintable()):
        raise ValueError(f"{word} has letters that we never write")
    return value


def _read_result(said: dict[str, object]) -> bool:
    """Whether the file was accepted. Raises ValueError."""
    result = _read_plain(said, "result")
    if result not in ("accepted", "rejected"):
        raise ValueError("result is neither accepted nor rejected")
    return result == "accepted"


def _locate(error: ValueError | RecursionError, data: bytes) -> str:
    """What is wrong, by line and column where the error knows its place."""
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}, column {error.colno}: {error.msg}"
    if isinstance(error, UnicodeDecodeError):
        before = data[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        return f"line {line}, column {column}: is no letter of UTF-8"
    return str(error)


def _read_lockbox(name: str, data: bytes, *, digest: str, today: date, at: datetime) -> Counts:
    """Checks of the bank's lockbox, applied as by hand; of a strange lockbox or day the file is left until it can be."""
    try:
        file = import_file(name=name, data=data, by=None, today=today, at=at)
    except AlreadyImported:
        return {"repeated": 1}
    except UnableToTakeDeposit as refusal:
        log.error("lockbox file not taken", file=clean_name(name), fault=str(refusal))
        return {"refused": 1}
    except UnableToReadDeposit as refusal:
        kept = Incoming(name, data, digest, BankFile.Kind.LOCKBOX, today, fault=str(refusal))
        return _store_alone(kept, today=today, at=at)
    back = describe_returns(file=file)
    returned = {"checks_returned": back.count - back.parked_count, "parked": back.parked_count}
    return {"files": 1, "checks": file.count} | {name: count for name, count in returned.items() if count}


def _read_once(name: str, data: bytes, *, digest: str, today: date, at: datetime) -> Counts:
    """Store and apply in one transaction, one reader at a time; what cannot be applied is kept and refused all the same."""
    incoming = parse_incoming(name=name, data=data, today=today)
    try:
        return _store_alone(incoming, today=today, at=at)
    except OperationalError:
        raise  # the database is away or chose us in a deadlock: nothing is wrong with the file
    except Exception as error:
        log.exception("bank file not applied", file=clean_name(name))
        fault = f"could not be applied: {type(error).__name__}"
        kept = replace(incoming, fault=fault, acknowledgement=None, parsed=None, returns=())
        return _store_alone(kept, today=today, at=at)


def _store_alone(incoming: Incoming, *, today: date, at: datetime) -> Counts:
    """A file that another process has read meanwhile is left to it."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK_KEY])
        if BankFile.objects.filter(direction=BankFile.Direction.IN, sha256=incoming.sha256).exists():
            return {}
        return _store(incoming, today=today, at=at)


def _store(incoming: Incoming, *, today: date, at: datetime) -> Counts:
    file = _store_file(incoming, at=at)
    if incoming.fault:
        log.error("bank file refused", file=file.name, fault=incoming.fault)
        return {"files": 1, "refused": 1}
    if incoming.acknowledgement:
        return {"files": 1, **_apply_acknowledgement(incoming.acknowledgement, at=at)}
    return {"files": 1, **apply_lines(file=file, lines=incoming.returns, today=today, at=at)}


def _store_file(incoming: Incoming, *, at: datetime) -> BankFile:
    totals = incoming.parsed.totals if incoming.parsed else None
    sound = totals if totals and not incoming.fault else None
    file = BankFile.objects.create(
        id=take_file_id(),
        name=find_free_name(name=incoming.name),
        direction=BankFile.Direction.IN,
        kind=incoming.kind,
        status=FileStatus.REFUSED if incoming.fault else FileStatus.READ,
        business_date=incoming.business_date,
        sha256=incoming.sha256,
        line_count=totals.line_count if totals else incoming.data.count(b"\n"),
        entry_count=sound.entry_count if sound else 0,
        debit_cents=sound.debit_cents if sound else 0,
        credit_cents=sound.credit_cents if sound else 0,
        fault=incoming.fault,
        stored_at=at,
    )
    store_bytes(file_id=file.pk, data=incoming.data)
    return file


def _apply_acknowledgement(word: Acknowledgement, *, at: datetime) -> Counts:
    """The bank accepts our file or rejects it; a word about no file of ours is logged for staff.

    We may not have known that the file had arrived: the bank's word says that it was sent. The same word again changes nothing.
    """
    after = FileStatus.ACCEPTED if word.accepted else FileStatus.REJECTED
    ours = BankFile.objects.filter(direction=BankFile.Direction.OUT, name=word.name, sha256=word.sha256)
    file = ours.filter(status__in=(*UNANSWERED, after)).first()
    if file is None:
        log.error("acknowledgement of no sent file", name=word.name, accepted=word.accepted)
        return {"parked": 1}
    if file.status == after:
        return {}
    note_sent(file_id=file.pk, at=at, why="the bank acknowledged it")
    FILE_MOVES.move(
        model=BankFile,
        history=FileMove,
        ids=[file.pk],
        before=FileStatus.SENT,
        after=after,
        at=at,
        why=word.reason,
    )
    if not word.accepted:
        log.error("bank file rejected", file=file.name, reason=word.reason)
    return {"accepted" if word.accepted else "rejected": 1}

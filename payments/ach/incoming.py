"""Bank files coming in: acknowledgements, returns and corrections, each file read once, applied whole or not at all."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import structlog
from django.db import IntegrityError, transaction

from connector_pay.lib.jobs import Counts
from payments.ach.applying import apply_lines
from payments.ach.contents import ReturnedEntry, parse_file_header, parse_return_entries
from payments.ach.reading import ParsedFile, read_file
from payments.ach.sending import NOT_KNOWN_SENT, note_sent
from payments.ach.stored_files import LINES_A_CHUNK, store_chunk, take_file_id
from payments.bank import Bank
from payments.models import FILE_MOVES, BankFile, FileMove, FileStatus

log = structlog.get_logger(__name__)
FAULTS_KEPT = 20
ATTEMPTS = 5
TAKEN = ("read_a_file_once", "one_file_of_a_name")  # by another process that reads at the same time


class UnableToReadFile(Exception):
    """Other processes store files of the same name all the while; nothing of this one was stored."""


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
    """Read every file the bank has left that was not read before, whatever its name; each in a transaction of its own.

    An acknowledgement accepts or rejects a file of ours. A file of returns is applied line by line, once; with any fault it is
    kept and refused whole. Returns what was done as counts; repeated are files read before under another name. Raises
    UnableToReadFile.
    """
    counts = Counter(
        files=0, repeated=0, refused=0, accepted=0, rejected=0, returned=0, corrected=0, parked=0
    )
    known = dict(BankFile.objects.filter(direction=BankFile.Direction.IN).values_list("sha256", "name"))
    for name in bank.list_incoming():
        data = bank.get(name=name)
        digest = hashlib.sha256(data).hexdigest()
        if digest in known:
            counts["repeated"] += known[digest] != name
        else:
            counts.update(_read_once(name, data, digest=digest, today=today, at=at))
    return dict(counts)


def parse_incoming(*, name: str, data: bytes, today: date) -> Incoming:
    """What a file of the bank's says. Never raises: a file that cannot be understood is one with a fault."""
    digest = hashlib.sha256(data).hexdigest()
    if data.lstrip().startswith(b"{"):
        return _parse_acknowledgement(name, data, digest, today)
    parsed = read_file(source=data)
    if parsed.faults:
        shown = [str(fault) for fault in parsed.faults[:FAULTS_KEPT]]
        more = len(parsed.faults) - len(shown)
        fault = "\n".join([*shown, f"and {more} more"] if more else shown)
        return Incoming(name, data, digest, BankFile.Kind.RETURNS, today, fault=fault, parsed=parsed)
    day = parse_file_header(parsed=parsed).created_at.date()
    returns = tuple(parse_return_entries(parsed=parsed))
    return Incoming(name, data, digest, BankFile.Kind.RETURNS, day, parsed=parsed, returns=returns)


def _parse_acknowledgement(name: str, data: bytes, digest: str, today: date) -> Incoming:
    try:
        said = json.loads(data)
        word = Acknowledgement(
            name=str(said["acknowledges"]),
            sha256=str(said["sha256"]),
            accepted={"accepted": True, "rejected": False}[said["result"]],
            reason=str(said.get("reason", "")),
        )
    except (ValueError, KeyError, TypeError) as error:
        fault = f"is no acknowledgement: {type(error).__name__}"
        return Incoming(name, data, digest, BankFile.Kind.ACKNOWLEDGEMENT, today, fault=fault)
    return Incoming(name, data, digest, BankFile.Kind.ACKNOWLEDGEMENT, today, acknowledgement=word)


def _read_once(name: str, data: bytes, *, digest: str, today: date, at: datetime) -> Counts:
    """Store and apply in one transaction; a file that another process has read meanwhile is left to it."""
    for _attempt in range(ATTEMPTS):
        if BankFile.objects.filter(direction=BankFile.Direction.IN, sha256=digest).exists():
            return {}
        try:
            with transaction.atomic():
                return _store(parse_incoming(name=name, data=data, today=today), today=today, at=at)
        except IntegrityError as error:
            diagnosis = getattr(error.__cause__, "diag", None)
            if getattr(diagnosis, "constraint_name", None) not in TAKEN:
                raise
    raise UnableToReadFile(f"Others keep storing files named {name}. It is read at the next asking.")


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
        name=_find_free_name(incoming.name),
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
    for number, part in enumerate(_cut(incoming.data)):
        store_chunk(file_id=file.pk, number=number, clear=part)
    return file


def _cut(data: bytes) -> Sequence[bytes]:
    """Pieces of at most as many bytes as a chunk's lines hold, wherever the lines end: a bad file may have none."""
    size = LINES_A_CHUNK * 95
    return [data[start : start + size] for start in range(0, len(data), size)]


def _find_free_name(name: str) -> str:
    """Banks use a name again for another file; ours tells them apart."""
    plain = name[:70]
    taken = set(
        BankFile.objects.filter(direction=BankFile.Direction.IN, name__startswith=plain).values_list(
            "name", flat=True
        )
    )
    number = 1
    candidate = plain
    while candidate in taken:
        number += 1
        candidate = f"{plain} ({number})"
    return candidate


def _apply_acknowledgement(word: Acknowledgement, *, at: datetime) -> Counts:
    """The bank accepts our file or rejects it; a word about no file of ours is logged for staff.

    We may have died between handing the file over and writing that down: the bank's word says that it was sent.
    """
    open_files = BankFile.objects.filter(
        direction=BankFile.Direction.OUT, status__in=(*NOT_KNOWN_SENT, FileStatus.SENT)
    )
    file = open_files.filter(name=word.name, sha256=word.sha256).first()
    if file is None:
        log.error("acknowledgement of no sent file", name=word.name, accepted=word.accepted)
        return {"parked": 1}
    note_sent(file_id=file.pk, at=at, why="the bank acknowledged it")
    after = FileStatus.ACCEPTED if word.accepted else FileStatus.REJECTED
    FILE_MOVES.move(
        model=BankFile,
        history=FileMove,
        ids=[file.pk],
        before=FileStatus.SENT,
        after=after,
        at=at,
        why=word.reason[:200],
    )
    if not word.accepted:
        log.error("bank file rejected", file=file.name, reason=word.reason)
    return {"accepted" if word.accepted else "rejected": 1}

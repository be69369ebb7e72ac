"""Returns and corrections applied: each line to the one entry it names, once, or parked with the reason for a person."""

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import structlog

from billing.rows import insert_all
from connector_pay.lib.jobs import Counts
from connector_pay.lib.models import SealedValue
from payments.ach.change_codes import Correction, UnableToApplyCorrection, parse_correction
from payments.ach.contents import ReturnedEntry
from payments.ach.corrections import CORRECTED_BEFORE, TOLD_TWICE, correct_accounts
from payments.ach.matching import Match, SentEntry, match_lines
from payments.ach.prenote_answers import fail_prenotes
from payments.ach.return_codes import find_return_code
from payments.ach.sending import note_sent
from payments.models import (
    BankFile,
    FileStatus,
    PaymentStatus,
    Prenote,
    RefundStatus,
    ReturnLine,
)
from payments.refunds import return_refunds
from payments.returns import MAY_RETURN, PaymentReturn, return_payments

log = structlog.get_logger(__name__)
RETURN_LINE = "return_line"  # what the raw lines are sealed for
LINE_COLUMNS = (
    "file",
    "line",
    "code",
    "trace",
    "amount_cents",
    "entry",
    "applied",
    "parked_because",
    "sealed",
    "at",
)
LARGEST_AMOUNT = 2**31 - 1  # what the column holds; the raw lines tell the rest
REFUND_MAY_RETURN = (RefundStatus.SENT, RefundStatus.SETTLED)
MOVED_ON = "it moved on while the file was read"


@dataclass(frozen=True)
class Verdict:
    """What becomes of a line: the entry it names, if one does, and why it is parked, if it is."""

    line: ReturnedEntry
    entry: SentEntry | None = None
    parked_because: str = ""
    correction: Correction | None = None

    @property
    def applies(self) -> bool:
        """Whether something is done about it."""
        return self.entry is not None and not self.parked_because


def apply_lines(*, file: BankFile, lines: Sequence[ReturnedEntry], today: date, at: datetime) -> Counts:
    """Apply each line once or park it, and keep it sealed as it came; inside the transaction of the file."""
    verdicts = _judge(_match_sent(lines, at=at))
    verdicts = _return_entries(verdicts, today=today, at=at)
    corrections = {
        verdict.entry.id: verdict.correction
        for verdict in verdicts
        if verdict.entry and verdict.correction and verdict.applies
    }
    if corrections:
        correct_accounts(corrections=corrections, today=today, at=at)
    _keep_lines(verdicts, file=file, at=at)
    parked = [verdict for verdict in verdicts if not verdict.applies]
    for verdict in parked:
        line, why = verdict.line, verdict.parked_because
        log.error("return line parked", file=file.name, line=line.line_number, code=line.code, why=why)
    returned = len(verdicts) - len(parked) - len(corrections)
    return Counter(returned=returned, corrected=len(corrections), parked=len(parked))


def _match_sent(lines: Sequence[ReturnedEntry], *, at: datetime) -> list[Match]:
    """Match the lines; a file of ours that the bank answers to was sent, whatever we had written down."""
    matches = match_lines(lines=lines)
    unsent = {
        match.entry.file_id
        for match in matches
        if match.entry and match.entry.file_status in (FileStatus.SENDING, FileStatus.UNKNOWN)
    }
    for file_id in sorted(unsent):
        note_sent(file_id=file_id, at=at, why="the bank answered to an entry of it")
    return match_lines(lines=lines) if unsent else matches


def _judge(matches: Sequence[Match]) -> list[Verdict]:
    """Decide on each line in the order of the file; the second return of one entry in one file is parked too."""
    verdicts: list[Verdict] = []
    seen: set[tuple[int, str]] = set()
    corrected = _read_corrected(matches)
    for match in matches:
        verdict = _judge_line(match, corrected)
        if verdict.entry and verdict.applies:
            key = (verdict.entry.id, verdict.line.code[0])
            if key in seen:
                verdict = replace(verdict, parked_because=TOLD_TWICE)
            seen.add(key)
        verdicts.append(verdict)
    return verdicts


def _read_corrected(matches: Sequence[Match]) -> set[tuple[int, str]]:
    """The entries that the file corrects and the codes that they were corrected by before."""
    asked = [match.entry.id for match in matches if match.entry and match.line.is_correction]
    before = ReturnLine.objects.filter(entry__in=asked, applied=True)
    return {(key, code) for key, code in before.values_list("entry_id", "code") if key}


def _judge_line(match: Match, corrected: Container[tuple[int, str]]) -> Verdict:
    line, entry = match.line, match.entry
    if not line.is_correction and find_return_code(code=line.code).is_between_banks:
        return Verdict(line, entry, "a dishonored or contested return: staff settle it with our bank")
    if entry is None:
        return Verdict(line, parked_because=match.reason)
    if line.is_correction:
        return _judge_correction(line, entry, corrected)
    return Verdict(line, entry, _find_obstacle(entry))


def _judge_correction(
    line: ReturnedEntry, entry: SentEntry, corrected: Container[tuple[int, str]]
) -> Verdict:
    try:
        correction = parse_correction(code=line.code, corrected_data=line.corrected_data)
    except UnableToApplyCorrection as error:
        return Verdict(line, entry, str(error))
    if (entry.id, line.code) in corrected:
        return Verdict(line, entry, CORRECTED_BEFORE)
    return Verdict(line, entry, correction=correction)


def _find_obstacle(entry: SentEntry) -> str:
    """Why a return of this entry cannot be applied unseen, empty if it can."""
    if entry.payment_status:
        status = PaymentStatus(entry.payment_status)
        if status == PaymentStatus.RETURNED:
            return "the payment was returned before"
        return "" if status in MAY_RETURN else f"the payment is {status.label.lower()}"
    if entry.prenote_id:
        return "" if entry.prenote_outcome == Prenote.Outcome.WAITING else "the prenote was decided before"
    if entry.refund_status and entry.refund_status not in REFUND_MAY_RETURN:
        return f"the refund is {RefundStatus(entry.refund_status).label.lower()}"
    return ""


def _return_entries(verdicts: Sequence[Verdict], *, today: date, at: datetime) -> list[Verdict]:
    """Return debits, prenotes and refunds, each kind as a set; what had moved on meanwhile is parked after all."""
    returned = [verdict for verdict in verdicts if verdict.applies and not verdict.line.is_correction]
    done = _return_debits(returned, today=today, at=at)
    done |= _return_prenotes(returned, at=at)
    done |= _return_refunds(returned, today=today, at=at)
    return [
        replace(verdict, parked_because=MOVED_ON)
        if verdict.entry
        and verdict.applies
        and not verdict.line.is_correction
        and verdict.entry.id not in done
        else verdict
        for verdict in verdicts
    ]


def _return_debits(verdicts: Iterable[Verdict], *, today: date, at: datetime) -> set[int]:
    entries = {}
    returns = []
    for verdict in verdicts:
        if verdict.entry and verdict.entry.payment_id:
            line = verdict.line
            row = find_return_code(code=line.code, addenda_information=line.addenda_information)
            entries[verdict.entry.payment_id] = verdict.entry.id
            returns.append(
                PaymentReturn(verdict.entry.payment_id, line.code, row.title, line.addenda_information)
            )
    moved = return_payments(returns=returns, today=today, at=at) if returns else []
    return {entries[key] for key in moved}


def _return_prenotes(verdicts: Iterable[Verdict], *, at: datetime) -> set[int]:
    asked = {
        verdict.entry.prenote_id: verdict
        for verdict in verdicts
        if verdict.entry and verdict.entry.prenote_id
    }
    codes = {key: verdict.line.code for key, verdict in asked.items()}
    failed = fail_prenotes(codes=codes, at=at) if codes else set()
    return {verdict.entry.id for key, verdict in asked.items() if key in failed and verdict.entry}


def _return_refunds(verdicts: Iterable[Verdict], *, today: date, at: datetime) -> set[int]:
    """Refunds and reversals that came back, by code; the ids of the entries that are done."""
    by_code: dict[str, dict[int, int]] = {}
    for verdict in verdicts:
        if verdict.entry and verdict.entry.refund_id:
            by_code.setdefault(verdict.line.code, {})[verdict.entry.refund_id] = verdict.entry.id
    return {
        entries[key]
        for code, entries in sorted(by_code.items())
        for key in return_refunds(
            refund_ids=sorted(entries), code=code, why=find_return_code(code=code).title, today=today, at=at
        )
    }


def _keep_lines(verdicts: Sequence[Verdict], *, file: BankFile, at: datetime) -> None:
    """Every line as it came, sealed, with what became of it."""
    sealed = [_seal(verdict.line) for verdict in verdicts]
    insert_all(
        model=SealedValue,
        columns=("id", "purpose", "token"),
        rows=[(value.id, value.purpose, value.token) for value in sealed],
    )
    rows = [
        (
            file.pk,
            verdict.line.line_number,
            verdict.line.code,
            verdict.line.original_trace,
            min(verdict.line.amount_cents, LARGEST_AMOUNT),
            verdict.entry.id if verdict.entry else None,
            verdict.applies,
            verdict.parked_because[:200],
            value.id,
            at,
        )
        for verdict, value in zip(verdicts, sealed, strict=True)
    ]
    insert_all(model=ReturnLine, columns=LINE_COLUMNS, rows=rows)


def _seal(line: ReturnedEntry) -> SealedValue:
    raw = "".join(f"{text}\n" for text in line.raw_lines).encode("latin-1")
    return SealedValue.make(clear=raw, purpose=RETURN_LINE)

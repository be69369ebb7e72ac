"""Returns and corrections applied: each line to the one debit it names, once, or parked with the reason for a person."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import structlog

from connector_pay.lib.jobs import Counts
from connector_pay.lib.models import SealedValue
from members.outbox import tell
from payments.ach.change_codes import Correction, UnableToApplyCorrection, parse_correction
from payments.ach.contents import ReturnedEntry
from payments.ach.return_codes import find_return_code
from payments.ach.routing_numbers import compute_check_digit
from payments.bank_accounts import index_number, open_account_number, seal_number
from payments.confirmation import format_number
from payments.models import BankFile, FileEntry, PaymentStatus, ReturnLine
from payments.payment_notices import list_readers
from payments.settlement import MAY_RETURN, PaymentReturn, return_payments

log = structlog.get_logger(__name__)
RETURN_LINE = "return_line"  # what the raw lines are sealed for
# Quarrels between banks about a return: never applied unseen.
BETWEEN_BANKS = frozenset(f"R{number}" for number in (*range(61, 71), *range(71, 78)))


@dataclass(frozen=True)
class Verdict:
    """What becomes of a line: the debit it names, if one does, and why it is parked, if it is."""

    line: ReturnedEntry
    entry: FileEntry | None = None
    parked_because: str = ""
    correction: Correction | None = None


def apply_lines(*, file: BankFile, lines: Sequence[ReturnedEntry], today: date, at: datetime) -> Counts:
    """Apply each line once or park it, and keep it sealed as it came; inside the transaction of the file.

    A return is matched on original trace, bank, amount and account number; failing that on our confirmation number and amount.
    """
    verdicts = _judge(lines)
    returns = {
        verdict.entry.payment_id: PaymentReturn(
            payment_id=verdict.entry.payment_id,
            code=verdict.line.code,
            why=find_return_code(code=verdict.line.code).title,
        )
        for verdict in verdicts
        if verdict.entry and not verdict.parked_because and not verdict.line.is_correction
    }
    returned = set(return_payments(returns=list(returns.values()), today=today, at=at)) if returns else set()
    corrected = 0
    for verdict in verdicts:
        if verdict.entry and verdict.correction:
            _correct(verdict.entry, verdict.correction, today=today, at=at)
            corrected += 1
    kept = [_make_row(verdict, file=file, returned=returned, at=at) for verdict in verdicts]
    SealedValue.objects.bulk_create(row.sealed for row in kept)
    ReturnLine.objects.bulk_create(kept)
    parked = [row for row in kept if not row.applied]
    for row in parked:
        log.error("return line parked", file=file.name, line=row.line, code=row.code, why=row.parked_because)
    return Counter(returned=len(returned), corrected=corrected, parked=len(parked))


def _judge(lines: Sequence[ReturnedEntry]) -> list[Verdict]:
    """Decide on each line in the order of the file; the second return of one debit in one file is parked too."""
    by_trace, by_number = _find_candidates(lines)
    verdicts: list[Verdict] = []
    seen: set[tuple[int, str]] = set()
    for line in lines:
        entry, reason = _match(line, by_trace, by_number)
        verdict = _judge_correction(line, entry) if line.is_correction else _judge_return(line, entry)
        if entry is None:
            verdict = Verdict(line, parked_because=reason)
        elif (entry.pk, line.code[0]) in seen:
            verdict = Verdict(line, entry, "the file tells of this debit twice")
        if entry and not verdict.parked_because:
            seen.add((entry.pk, line.code[0]))
        verdicts.append(verdict)
    return verdicts


def _find_candidates(
    lines: Sequence[ReturnedEntry],
) -> tuple[Mapping[str, list[FileEntry]], Mapping[str, list[FileEntry]]]:
    """Our debits with one of the traces, and those with one of the confirmation numbers."""
    traces = {line.original_trace for line in lines}
    numbers = {line.individual_id for line in lines} - {""}
    # Asked one after the other: both at once would read every debit ever sent.
    keys = {*FileEntry.objects.filter(trace__in=traces).values_list("pk", flat=True)}
    keys.update(
        FileEntry.objects.filter(payment__confirmation_number__in=numbers).values_list("pk", flat=True)
    )
    read = FileEntry.objects.filter(pk__in=keys).select_related(
        "payment__bank_account__sealed",
        "payment__account__enrollment__member",
        "payment__authorization",
    )
    by_trace, by_number = defaultdict(list), defaultdict(list)
    for entry in read.order_by("pk"):
        by_trace[entry.trace].append(entry)
        by_number[entry.payment.confirmation_number].append(entry)
    return by_trace, by_number


def _match(
    line: ReturnedEntry, by_trace: Mapping[str, list[FileEntry]], by_number: Mapping[str, list[FileEntry]]
) -> tuple[FileEntry | None, str]:
    """The one debit that a line names, or why there is none."""
    rdfi = line.original_rdfi_id
    index = index_number(
        routing_number=rdfi + compute_check_digit(digits=rdfi),
        account_number=line.account_number.replace(" ", ""),
    )
    traced = by_trace.get(line.original_trace, [])
    found = [e for e in traced if e.payment.bank_account.blind_index == index and _suits_amount(line, e)]
    # The account number may have been corrected since, or the trace changed on the way.
    numbered = by_number.get(line.individual_id, [])
    found = found or [entry for entry in numbered if _suits_amount(line, entry)]
    if len(found) == 1:
        return found[0], ""
    return None, "more than one debit of ours matches" if found else "no debit of ours matches"


def _suits_amount(line: ReturnedEntry, entry: FileEntry) -> bool:
    return line.is_correction or entry.amount_cents == line.amount_cents


def _judge_return(line: ReturnedEntry, entry: FileEntry | None) -> Verdict:
    if entry is None:
        return Verdict(line)
    status = PaymentStatus(entry.payment.status)
    if line.code in BETWEEN_BANKS:
        return Verdict(line, entry, "a dishonored or contested return: staff settle it with our bank")
    if status == PaymentStatus.RETURNED:
        return Verdict(line, entry, "the payment was returned before")
    if status not in MAY_RETURN:
        return Verdict(line, entry, f"the payment is {status.label.lower()}")
    return Verdict(line, entry)


def _judge_correction(line: ReturnedEntry, entry: FileEntry | None) -> Verdict:
    if entry is None:
        return Verdict(line)
    try:
        correction = parse_correction(code=line.code, corrected_data=line.corrected_data)
    except UnableToApplyCorrection as error:
        return Verdict(line, entry, str(error))
    return Verdict(line, entry, correction=correction)


def _correct(entry: FileEntry, correction: Correction, *, today: date, at: datetime) -> None:
    """Keep the corrected numbers on the bank account, the number sealed anew, and tell its payer; the debit stands."""
    account = entry.payment.bank_account
    number = correction.account_number or open_account_number(bank_account=account)
    if correction.account_number:
        sealed = seal_number(account_number=number)
        sealed.save(force_insert=True)
        account.sealed = sealed
    account.routing_number = correction.routing_number or account.routing_number
    account.kind = correction.account_kind or account.kind
    account.last_four = number[-4:]
    account.blind_index = index_number(routing_number=account.routing_number, account_number=number)
    account.save(update_fields=["sealed", "routing_number", "kind", "last_four", "blind_index"])
    facts = {
        "last_four": account.last_four,
        "confirmation_number": format_number(entry.payment.confirmation_number),
    }
    payers = [reader for reader in list_readers(payment=entry.payment) if reader.is_payer]
    tellings = [payer.make_telling(event="bank_details_corrected", facts=facts) for payer in payers]
    tell(tellings=tellings, today=today, at=at)


def _make_row(verdict: Verdict, *, file: BankFile, returned: set[int], at: datetime) -> ReturnLine:
    line, entry = verdict.line, verdict.entry
    applied = entry is not None and not verdict.parked_because
    reason = verdict.parked_because
    if entry and applied and not line.is_correction and entry.payment_id not in returned:
        applied, reason = False, "the payment moved on while the file was read"
    raw = "".join(f"{text}\n" for text in line.raw_lines).encode("latin-1")
    return ReturnLine(
        file=file,
        line=line.line_number,
        code=line.code,
        trace=line.original_trace,
        amount_cents=line.amount_cents,
        entry=entry,
        applied=applied,
        parked_because=reason[:200],
        sealed=SealedValue.make(clear=raw, purpose=RETURN_LINE),
        at=at,
    )

"""Check batches: checks typed in against a deposit slip, recorded all together once they equal it, or none of them.

A batch that is open waits for as long as it must; nothing of it counts. Each function on one batch locks it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Count, QuerySet, Sum

from billing.accounts import lock_accounts
from connector_pay.lib.money import format_dollars
from members.models import User
from payments.alike_checks import Look, find_alike
from payments.checks import NewCheck, Share, UnableToRecordCheck, record_checks, refuse_wrong
from payments.models import BatchLine, BatchShare, CheckBatch, ReceivedCheck

TYPED = ("kind", "number", "payer", "cents", "received_on", "is_another")


class UnableToBatch(ValueError):
    """The batch cannot be changed or closed so; the text says why, for staff. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Slip:
    """What the deposit slip says, and how the checks came in."""

    cents: int
    count: int
    deposit_on: date
    source: str


@dataclass(frozen=True, slots=True)
class NewLine:
    """A check as it is typed in. `is_another`: the person was asked whether it is one that is known, and said no."""

    kind: str
    number: str
    payer: str
    cents: int
    received_on: date
    form_key: UUID
    shares: tuple[Share, ...] = ()
    is_another: bool = False


@dataclass(frozen=True, slots=True)
class Totals:
    """What was typed in so far, against the slip; what is left is below nothing where too much was typed."""

    count: int
    cents: int
    left_count: int
    left_cents: int

    @property
    def is_equal(self) -> bool:
        """Whether the checks are those of the slip."""
        return self.left_count == self.left_cents == 0


def open_batch(*, slip: Slip, form_key: UUID, by: User, at: datetime) -> CheckBatch:
    """Begin a batch with its slip. A form key used before returns the batch that it began. Raises UnableToBatch."""
    _refuse_empty(slip)
    facts = {
        "slip_cents": slip.cents,
        "slip_count": slip.count,
        "deposit_on": slip.deposit_on,
        "source": slip.source,
        "made_by": by,
        "made_at": at,
    }
    batch, _made = CheckBatch.objects.get_or_create(form_key=form_key, defaults=facts)
    return batch


def change_slip(*, batch_id: int, slip: Slip) -> CheckBatch:
    """Mend what was typed from the slip. Raises UnableToBatch."""
    _refuse_empty(slip)
    with transaction.atomic():
        batch = _lock_open(batch_id)
        if batch.lines.filter(received_on__gt=slip.deposit_on).exists():
            raise UnableToBatch("A check of this batch was received after that day of deposit.")
        batch.slip_cents, batch.slip_count = slip.cents, slip.count
        batch.deposit_on, batch.source = slip.deposit_on, slip.source
        _save(batch, "slip_cents", "slip_count", "deposit_on", "source")
    return batch


def put_line(
    *, batch_id: int, line: NewLine, by: User, today: date, at: datetime, line_id: int | None = None
) -> BatchLine:
    """Type in a check, or mend one that was typed in. A form key used before changes nothing. Raises UnableToBatch."""
    with transaction.atomic():
        batch = _lock_open(batch_id)
        known = BatchLine.objects.filter(form_key=line.form_key).first()
        if known is not None and line_id is None:
            return known
        _refuse_wrong(batch, line, today=today)
        _refuse_alike(batch, line, line_id=line_id, today=today)
        row = _find_line(batch, line_id) if line_id else BatchLine(batch=batch, form_key=line.form_key)
        for name in TYPED:
            setattr(row, name, getattr(line, name))
        row.typed_by, row.typed_at = by, at
        row.save()
        row.shares.all().delete()
        BatchShare.objects.bulk_create(
            BatchShare(line=row, account_id=share.account_id, cents=share.cents) for share in line.shares
        )
        _save(batch)
    return row


def remove_line(*, batch_id: int, line_id: int) -> None:
    """Take a check out that was typed in by mistake; one that is gone stays gone. Raises UnableToBatch."""
    with transaction.atomic():
        batch = _lock_open(batch_id)
        gone, _tables = batch.lines.filter(pk=line_id).delete()
        if gone:
            _save(batch)


def drop_batch(*, batch_id: int, by: User, why: str, at: datetime) -> CheckBatch:
    """Give a batch up: nothing of it was counted, and nothing will be. Raises UnableToBatch."""
    if not why.strip():
        raise UnableToBatch("Say why.")
    with transaction.atomic():
        batch = _lock(batch_id)
        if batch.dropped_at is not None:
            return batch
        _refuse_over(batch)
        batch.dropped_by, batch.dropped_at, batch.drop_reason = by, at, why.strip()[:200]
        _save(batch, "dropped_by", "dropped_at", "drop_reason")
    return batch


def close_batch(*, batch_id: int, version: int, by: User, today: date, at: datetime) -> list[ReceivedCheck]:
    """Record every check of a batch that equals its slip, in the order typed, or none. Closed before, it is left as it is.

    `version` is the batch as the person has seen it: changed meanwhile, it is looked at again. Raises UnableToBatch.
    """
    with transaction.atomic():
        lock_accounts(account_ids=_list_account_ids(batch_id))
        batch = _lock(batch_id)
        if batch.closed_at is not None:
            return list_checks(batch=batch)
        _refuse_over(batch)
        if batch.version != version:
            raise UnableToBatch("This batch was changed meanwhile. Look at it again.")
        lines = list_lines(batch=batch)
        _refuse_unequal(batch, lines)
        _refuse_known(lines, today=today)
        try:
            checks = record_checks(
                checks=[_make_check(batch, line, _list_shares(line)) for line in lines],
                by=by,
                today=today,
                at=at,
            )
        except UnableToRecordCheck as problem:
            raise UnableToBatch(str(problem)) from problem
        batch.closed_by, batch.closed_at = by, at
        _save(batch, "closed_by", "closed_at")
    return checks


def find_open() -> QuerySet[CheckBatch]:
    """The batches that are not closed yet, the oldest first."""
    return CheckBatch.objects.filter(closed_at=None, dropped_at=None).order_by("made_at", "pk")


def list_lines(*, batch: CheckBatch) -> list[BatchLine]:
    """The checks of a batch with their accounts, in the order typed."""
    people = ("shares__account__enrollment__plan", "shares__account__enrollment__member")
    return list(batch.lines.order_by("pk").prefetch_related(*people))


def list_checks(*, batch: CheckBatch) -> list[ReceivedCheck]:
    """What became of a batch's lines once it was closed, in the order typed."""
    keys = list(batch.lines.order_by("pk").values_list("form_key", flat=True))
    found = {check.form_key: check for check in ReceivedCheck.objects.filter(form_key__in=keys)}
    return [found[key] for key in keys if key in found]


def read_totals(*, batch: CheckBatch) -> Totals:
    """How far a batch has come."""
    typed = batch.lines.aggregate(count=Count("pk"), cents=Sum("cents", default=0))
    count, cents = typed["count"], typed["cents"]
    return Totals(count, cents, batch.slip_count - count, batch.slip_cents - cents)


def find_meant(*, check: ReceivedCheck) -> list[Share]:
    """The accounts that whoever typed a check of a batch meant it for; none where it came in otherwise."""
    shares = BatchShare.objects.filter(line__form_key=check.form_key).order_by("pk")
    return [Share(share.account_id, share.cents) for share in shares]


def _make_check(batch: CheckBatch, line: NewLine | BatchLine, shares: tuple[Share, ...]) -> NewCheck:
    """The check as it is recorded."""
    return NewCheck(
        number=line.number,
        payer=line.payer,
        cents=line.cents,
        received_on=line.received_on,
        deposit_on=batch.deposit_on,
        kind=line.kind,
        source=batch.source,
        form_key=line.form_key,
        shares=shares,
    )


def _list_shares(line: BatchLine) -> tuple[Share, ...]:
    return tuple(Share(share.account_id, share.cents) for share in line.shares.all())


def _find_line(batch: CheckBatch, line_id: int) -> BatchLine:
    line = batch.lines.filter(pk=line_id).first()
    if line is None:
        raise UnableToBatch("This check was taken out of the batch meanwhile.")
    return line


def _refuse_empty(slip: Slip) -> None:
    if slip.cents <= 0 or slip.count <= 0:
        raise UnableToBatch("Enter the slip's total and how many checks it lists.")


def _refuse_wrong(batch: CheckBatch, line: NewLine, *, today: date) -> None:
    try:
        refuse_wrong(check=_make_check(batch, line, line.shares), today=today)
    except UnableToRecordCheck as problem:
        raise UnableToBatch(str(problem)) from problem


def _refuse_alike(batch: CheckBatch, line: NewLine, *, line_id: int | None, today: date) -> None:
    if line.is_another:
        return
    beside = [_look_at(other) for other in batch.lines.exclude(pk=line_id or 0)]
    look = Look(line.number, line.payer, line.cents, line.form_key)
    alike = find_alike(looks=[look], beside=beside, today=today)
    if alike:
        raise UnableToBatch(
            f"This looks like {alike[look.form_key]}. Say that it is another one, or leave it out."
        )


def _refuse_known(lines: Collection[BatchLine], *, today: date) -> None:
    """Raises UnableToBatch for one that was recorded elsewhere since it was typed in."""
    asked = [line for line in lines if not line.is_another]
    alike = find_alike(looks=[_look_at(line) for line in asked], today=today)
    for line in asked:
        if line.form_key in alike:
            raise UnableToBatch(
                f"{line} looks like {alike[line.form_key]}. Edit it and say so, or remove it."
            )


def _refuse_unequal(batch: CheckBatch, lines: Collection[BatchLine]) -> None:
    cents = sum(line.cents for line in lines)
    if (len(lines), cents) != (batch.slip_count, batch.slip_cents):
        raise UnableToBatch(
            f"The slip says {batch.slip_count} for {format_dollars(batch.slip_cents)}; "
            f"typed are {len(lines)} for {format_dollars(cents)}. They must be equal."
        )


def _refuse_over(batch: CheckBatch) -> None:
    if not batch.is_open:
        raise UnableToBatch(f"This batch is {batch.state.lower()}. Nothing of it can be changed.")


def _look_at(line: BatchLine) -> Look:
    return Look(line.number, line.payer, line.cents, line.form_key)


def _list_account_ids(batch_id: int) -> set[int]:
    return set(BatchShare.objects.filter(line__batch=batch_id).values_list("account_id", flat=True))


def _lock(batch_id: int) -> CheckBatch:
    batch = CheckBatch.objects.select_for_update(no_key=True).filter(pk=batch_id).first()
    if batch is None:
        raise UnableToBatch(f"There is no batch {batch_id}.")
    return batch


def _lock_open(batch_id: int) -> CheckBatch:
    batch = _lock(batch_id)
    _refuse_over(batch)
    return batch


def _save(batch: CheckBatch, *columns: str) -> None:
    batch.version += 1
    batch.save(update_fields=[*columns, "version"])

"""What staff do with checks that come many at once: a batch with its deposit slip, the bank's lockbox file, what came back."""

from payments.models import CheckBatch, LockboxFile, LockboxReturn
from tests.browser.office import Office
from tests.browser.staff_actions import (
    AUDITOR,
    CASHIER,
    REVIEWER,
    SHOW,
    SUPERVISOR,
    WHY,
    Action,
    Case,
    Typed,
    on,
)
from tests.payments.batching import begin, put
from tests.payments.channels.lockbox.depositing import import_returns, make_item, make_return, write_file

CENTS = 25_00


def open_batch(office: Office) -> CheckBatch:
    """One check on the slip, none typed in yet."""
    return begin(cents=CENTS, count=1, today=office.today)


def fill_batch(office: Office) -> Case:
    """The check of the slip is typed in."""
    batch = open_batch(office)
    line = put(batch, cents=CENTS, number=office.next_number(), today=office.today)
    return Case(batch, (batch.pk, line.pk))


def close_batch(office: Office) -> Case:
    """Equal to its slip."""
    batch = fill_batch(office).record
    return Case(batch, (batch.pk,))


def choose_file(office: Office) -> Case:
    """The bank's file of today."""
    item = make_item(received_on=office.today, check_number=office.next_number())
    return Case(LockboxFile, (), {"File:": write_file(item, deposit_on=office.today)})


def park_return(office: Office) -> LockboxReturn:
    """The bank says that a check came back which we never had."""
    returned = make_return(check_number=office.next_number())
    return import_returns(returned, deposit_on=office.today, today=office.today).returns.get()


def begin_batch(office: Office) -> Case:
    """What the slip says."""
    return Case(CheckBatch, (), {"Total of the slip:": "25.00", "Checks on the slip:": "1"})


SLIP: Typed = {"Checks on the slip:": "2"}
CHECKS = (
    Action(
        "payments_checkbatch_begin",
        *(CASHIER, REVIEWER, begin_batch, "Begin a batch"),
        pressed=("Begin",),
        says="Begun.",
    ),
    Action(
        "payments_checkbatch_slip",
        *(CASHIER, AUDITOR, on(open_batch), "Edit the slip"),
        pressed=("Save the slip",),
        typed=SLIP,
        says="Saved.",
    ),
    Action(
        "payments_checkbatch_mend",
        *(CASHIER, REVIEWER, fill_batch, "Edit Check"),
        pressed=("Save this check",),
        typed={"Amount:": "26.00"},
        says="saved",
    ),
    Action(
        "payments_checkbatch_remove",
        CASHIER,
        AUDITOR,
        fill_batch,
        "Remove",
        says="Removed.",
    ),
    Action(
        "payments_checkbatch_close",
        *(CASHIER, REVIEWER, close_batch, "Close this batch"),
        pressed=("Record all of these checks",),
        says="Closed.",
    ),
    Action(
        "payments_checkbatch_drop",
        *(CASHIER, AUDITOR, on(open_batch), "Drop this batch"),
        pressed=("Drop this batch",),
        typed=WHY,
        says="Dropped.",
    ),
    Action(
        "payments_lockboxfile_import",
        *(CASHIER, REVIEWER, choose_file, "Import a lockbox file"),
        pressed=(SHOW, "Apply this file"),
        says="",
    ),
    Action(
        "payments_lockboxreturn_close",
        *(SUPERVISOR, CASHIER, on(park_return), "Say what was done"),
        typed={"What was done": "Asked the bank"},
        says="Written down.",
    ),
)

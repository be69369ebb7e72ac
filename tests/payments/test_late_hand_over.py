"""What else travels in a late file: refunds and prenotes wait for the bank as its debits do."""

from datetime import date, time
from uuid import uuid4

import pytest

from billing.models import Receipt
from connector_pay.lib.clock import eastern_moment
from payments.ach import batching, sending
from payments.models import BankFile, FileEntry, Payment, Prenote, Refund, RefundStatus
from payments.settlement import validate_waiting
from tests.payments.paying import TUESDAY, make_account, noon, pay
from tests.people import make_user
from tests.standing import create_at

pytestmark = pytest.mark.usefixtures("db")
WEDNESDAY, THURSDAY = date(2027, 1, 13), date(2027, 1, 14)


@pytest.fixture
def file() -> BankFile:
    """A file for Wednesday that also holds a refund and a prenote."""
    payment = pay(make_account())
    validate_waiting(today=TUESDAY, at=noon(TUESDAY))
    (built,) = batching.build_files(today=TUESDAY, at=eastern_moment(day=TUESDAY, at=time(17)))
    refund = make_refund(payment)
    prenote = Prenote.objects.create(
        bank_account=payment.bank_account, asked_at=noon(TUESDAY), effective_date=WEDNESDAY
    )
    add_entry(built, 1, kind="refund", refund=refund, amount_cents=refund.cents)
    add_entry(built, 2, kind="prenote", prenote=prenote, amount_cents=0)
    return built


def make_refund(payment: Payment) -> Refund:
    return create_at(
        Refund,
        receipt=Receipt.objects.get(reference=payment.reference),
        payment=payment,
        bank_account=payment.bank_account,
        method="ach",
        cents=1,
        payee="Alice Alvarez",
        why="paid twice",
        status=RefundStatus.SENDING,
        form_key=uuid4(),
        asked_by=make_user(),
        asked_at=noon(TUESDAY),
        decided_by=make_user(),
        decided_at=noon(TUESDAY),
        effective_date=WEDNESDAY,
    )


def add_entry(file: BankFile, number: int, **facts: object) -> None:
    first = FileEntry.objects.get(payment__isnull=False)
    FileEntry.objects.create(
        file=file,
        line=first.line + number,
        trace=f"0110000188888{number:02}",
        cycle=0,
        individual_id=f"X{number}",
        blind_index="x",
        **facts,
    )


def test_a_refund_and_a_prenote_of_a_file_in_time_keep_their_day(file):
    sending.note_sent(file_id=file.pk, at=eastern_moment(day=TUESDAY, at=time(23, 59)))
    assert (Refund.objects.get().status, Refund.objects.get().effective_date) == ("sent", WEDNESDAY)
    assert Prenote.objects.get().effective_date == WEDNESDAY


def test_a_refund_and_a_prenote_of_a_late_file_wait_as_its_debits_do(file):
    midnight = eastern_moment(day=WEDNESDAY, at=time(0))
    sending.note_sent(file_id=file.pk, at=midnight)
    refund = Refund.objects.get()
    assert (refund.status, refund.effective_date) == ("sent", THURSDAY)
    assert refund.moves.get().at == midnight
    assert Prenote.objects.get().effective_date == THURSDAY
    assert Payment.objects.get().effective_date == THURSDAY

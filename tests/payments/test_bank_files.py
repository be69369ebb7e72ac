"""Bank files going out and coming in: sealed, exact, never sent as another, each read once and applied whole."""

import hashlib
from datetime import date, datetime

import pytest
from django.conf import settings

from connector_pay.lib.models import SealedValue
from payments.ach import batching, incoming, sending, stored_files
from payments.ach.contents import parse_batches
from payments.ach.entries import BatchHeader, Entry, FileHeader, ReturnAddenda
from payments.ach.nacha import write_file
from payments.ach.reading import read_file
from payments.ach.routing_numbers import compute_check_digit
from payments.bank import open_bank
from payments.bank.sandbox import SandboxBank
from payments.models import BankFile, FileStatus, Payment, PaymentStatus, ReturnLine
from tests.payments.paying import (
    GOOD,
    PREMIUM,
    ROUTING,
    TUESDAY,
    make_account,
    make_payer,
    noon,
    pay,
    read,
    send,
    settle,
)

pytestmark = pytest.mark.usefixtures("books")
WEDNESDAY = date(2027, 1, 13)
FIVE = datetime.fromisoformat("2027-01-12T22:00:00+00:00")


class Shelf:
    """A bank that leaves what the test puts on it."""

    def __init__(self, **files: bytes) -> None:
        self.files = files

    def list_incoming(self) -> list[str]:
        return list(self.files)

    def get(self, *, name: str) -> bytes:
        return self.files[name]

    def put(self, *, name: str, data: bytes) -> None:
        raise AssertionError("nothing is sent here")

    def find(self, *, name: str) -> str | None:
        return None


def validate_and_build(day: date = TUESDAY) -> BankFile | None:
    from payments.settlement import validate_waiting

    validate_waiting(today=day, at=FIVE)
    files = batching.build_files(today=day, at=FIVE)
    return files[0] if files else None


def write_return(payment: Payment, *, code: str = "R01", **changes) -> bytes:
    """A return file of one line, with some of its fields changed."""
    entry = payment.entry
    facts = {
        "trace": entry.trace,
        "rdfi": ROUTING[:8],
        "cents": payment.amount_cents,
        "account": GOOD,
        "number": payment.confirmation_number,
        "times": 1,
    } | changes
    odfi = settings.ACH["odfi"]
    entries = [
        Entry(
            transaction_code="26",
            routing_number=odfi + compute_check_digit(digits=odfi),
            account_number=facts["account"],
            amount_cents=facts["cents"],
            individual_id=facts["number"],
            individual_name="ALICE ALVAREZ",
            trace_number=f"{facts['rdfi']}{place:07d}",
            discretionary="S",
            addenda=(
                ReturnAddenda(
                    return_code=code, original_trace=facts["trace"], original_rdfi_id=facts["rdfi"]
                ),
            ),
        )
        for place in range(1, facts["times"] + 1)
    ]
    header = FileHeader(
        immediate_destination=settings.ACH["immediate_origin"],
        immediate_origin=settings.ACH["immediate_destination"],
        created_at=datetime(2027, 1, 15, 6, 30),
        modifier=changes.get("modifier", "A"),
    )
    batch = BatchHeader(
        service_class="225",
        company_name=settings.ACH["company_name"],
        company_id=settings.ACH["company_id"],
        sec_code="WEB",
        entry_description="PREMIUM",
        effective_date=date(2027, 1, 13),
        odfi_id=facts["rdfi"],
        batch_number=1,
        settlement_julian="015",
    )
    return "".join(f"{line}\n" for line in write_file(header=header, batches=[(batch, entries)])).encode()


def read_shelf(**files: bytes) -> dict[str, int]:
    day = date(2027, 1, 15)
    counts = incoming.read_bank(bank=Shelf(**files), today=day, at=noon(day))
    return {name: count for name, count in counts.items() if count}


@pytest.fixture
def sent() -> Payment:
    """A payment at the bank, settled."""
    payment = pay(make_account())
    send(TUESDAY)
    read(WEDNESDAY)
    settle(WEDNESDAY)
    payment.refresh_from_db()
    return payment


def test_a_stored_file_is_a_valid_bank_file_with_one_web_debit_a_payment() -> None:
    payment = pay(make_account())
    file = validate_and_build()
    data = stored_files.open_file(file=file)
    parsed = read_file(source=data)
    assert parsed.faults == []
    ((header, entries),) = [(header, list(entries)) for header, entries in parse_batches(parsed=parsed)]
    assert (header.sec_code, header.service_class, header.effective_date) == ("WEB", "225", WEDNESDAY)
    (entry,) = entries
    assert (entry.transaction_code, entry.routing_number, entry.account_number) == ("27", ROUTING, GOOD)
    assert (entry.amount_cents, entry.individual_id, entry.discretionary) == (
        PREMIUM,
        payment.confirmation_number,
        "S",
    )
    assert entry.trace_number == file.entries.get().trace
    assert hashlib.sha256(data).hexdigest() == file.sha256
    assert len(data) == file.line_count * 95


def test_the_stored_bytes_hold_no_account_number_in_clear() -> None:
    pay(make_account())
    validate_and_build()
    assert SealedValue.objects.filter(purpose="bank_file").exists()
    assert all(GOOD.encode() not in bytes(value.token) for value in SealedValue.objects.all())


def test_nothing_to_send_is_no_file_and_no_file_is_built_on_a_sunday() -> None:
    assert validate_and_build() is None
    pay(make_account())
    assert validate_and_build(date(2027, 1, 17)) is None
    assert validate_and_build(date(2027, 1, 18)) is None, "Martin Luther King Jr. Day"


def test_two_files_of_one_minute_have_different_modifiers() -> None:
    pay(make_account())
    first = validate_and_build()
    pay(make_account())
    second = validate_and_build()
    assert (first.modifier, second.modifier) == ("A", "B")
    assert first.entries.get().trace < second.entries.get().trace
    assert sending.send_waiting(bank=open_bank(at=FIVE), at=FIVE) == 2


def test_a_file_of_more_lines_than_a_chunk_holds_is_stored_in_parts(monkeypatch) -> None:
    monkeypatch.setattr(stored_files, "LINES_A_CHUNK", 7)
    for _ in range(12):
        pay(make_account(), 10_00)
    file = validate_and_build()
    assert file.chunks.count() == 3
    assert read_file(source=stored_files.open_file(file=file)).faults == []
    lines = stored_files.open_file(file=file).decode().splitlines()
    for entry in file.entries.all():
        assert lines[entry.line - 1][79:94] == entry.trace
    sending.send_waiting(bank=open_bank(at=FIVE), at=FIVE)
    assert set(Payment.objects.values_list("status", flat=True)) == {"sent"}


def test_a_file_that_went_out_before_a_crash_is_not_sent_again_only_marked(monkeypatch) -> None:
    pay(make_account())
    file = validate_and_build()
    bank = open_bank(at=FIVE)
    bank.put(name=file.name, data=stored_files.open_file(file=file))
    monkeypatch.setattr(SandboxBank, "put", None)
    assert sending.send_waiting(bank=bank, at=FIVE) == 1
    file.refresh_from_db()
    assert (file.status, Payment.objects.get().status) == (FileStatus.SENT, PaymentStatus.SENT)


def test_another_file_of_the_same_name_at_the_bank_stops_the_sending() -> None:
    pay(make_account())
    file = validate_and_build()
    bank = open_bank(at=FIVE)
    bank.put(name=file.name, data=b"something else")
    with pytest.raises(sending.UnableToSendFile):
        sending.send_waiting(bank=bank, at=FIVE)
    file.refresh_from_db()
    assert file.status == FileStatus.SENDING


def test_a_rejected_file_is_marked_and_its_debits_never_settle(sent: Payment) -> None:
    pay(make_account(), today=WEDNESDAY)
    send(WEDNESDAY)
    file = BankFile.objects.filter(direction="out").latest("pk")
    word = (
        f'{{"acknowledges": "{file.name}", "sha256": "{file.sha256}", "result": "rejected", "reason": "no"}}'
    )
    assert read_shelf(word=word.encode()) == {"files": 1, "rejected": 1}
    assert settle(date(2027, 1, 14))["settled"] == 0


def test_a_return_is_applied_once_however_often_and_under_whatever_name_it_is_left(sent: Payment) -> None:
    data = write_return(sent)
    assert read_shelf(monday=data) == {"files": 1, "returned": 1}
    assert read_shelf(monday=data) == {}
    assert read_shelf(renamed=data) == {"repeated": 1}
    assert ReturnLine.objects.filter(applied=True).count() == 1


def test_the_same_return_in_another_file_is_parked(sent: Payment) -> None:
    read_shelf(first=write_return(sent))
    assert read_shelf(first=write_return(sent, modifier="B")) == {"files": 1, "parked": 1}
    assert ReturnLine.objects.get(applied=False).parked_because == "the payment was returned before"
    assert set(BankFile.objects.filter(kind="returns", entry_count=1).values_list("name", flat=True)) == {
        "first",
        "first (2)",
    }


def test_the_second_return_of_one_debit_in_one_file_is_parked(sent: Payment) -> None:
    assert read_shelf(file=write_return(sent, times=2)) == {"files": 1, "returned": 1, "parked": 1}


@pytest.mark.parametrize(
    "changes", [{"cents": 1}, {"trace": "011000019999999", "number": ""}, {"account": "999", "number": ""}]
)
def test_a_return_that_names_no_debit_of_ours_is_parked_for_a_person(sent: Payment, changes: dict) -> None:
    assert read_shelf(file=write_return(sent, **changes)) == {"files": 1, "parked": 1}
    sent.refresh_from_db()
    assert sent.status == PaymentStatus.SETTLED
    assert ReturnLine.objects.get().parked_because == "no entry of ours matches"


def test_a_return_with_another_trace_is_known_by_the_confirmation_number(sent: Payment) -> None:
    assert read_shelf(file=write_return(sent, trace="011000019999999")) == {"files": 1, "returned": 1}


def test_an_unknown_return_code_takes_the_money_back_too(sent: Payment) -> None:
    assert read_shelf(file=write_return(sent, code="R89")) == {"files": 1, "returned": 1}


def test_a_dishonored_return_waits_for_staff(sent: Payment) -> None:
    assert read_shelf(file=write_return(sent, code="R61")) == {"files": 1, "parked": 1}


def test_a_file_with_a_fault_is_kept_and_refused_whole(sent: Payment) -> None:
    data = write_return(sent)
    bad = data.replace(b"0000028417", b"0000028418", 1)
    assert read_shelf(file=bad) == {"files": 1, "refused": 1}
    file = BankFile.objects.get(status=FileStatus.REFUSED)
    assert b"".join(stored_files.open_chunks(file=file)) == bad
    assert "line" in file.fault
    assert ReturnLine.objects.count() == 0
    sent.refresh_from_db()
    assert sent.status == PaymentStatus.SETTLED


@pytest.mark.parametrize("data", [b"{", b"{}", b'{"result": "maybe"}', b"", b"\xff\xfe", b"hello\n"])
def test_nonsense_is_refused_and_kept(data: bytes) -> None:
    assert read_shelf(file=data) == {"files": 1, "refused": 1}


def test_the_sandbox_leaves_an_empty_return_file_on_a_quiet_banking_day(tmp_path) -> None:
    bank = SandboxBank(folder=tmp_path / "quiet", at=datetime.fromisoformat("2027-01-12T12:00:00+00:00"))
    names = bank.list_incoming()
    assert len(names) == 11
    assert names[-1] == "RETURNS-20270112.ach"
    parsed = read_file(source=bank.get(name=names[-1]))
    assert (parsed.faults, parsed.totals.entry_count) == ([], 0)


def test_the_sandbox_leaves_no_return_file_before_seven(tmp_path) -> None:
    bank = SandboxBank(folder=tmp_path / "early", at=datetime.fromisoformat("2027-01-12T11:59:59+00:00"))
    assert bank.list_incoming()[-1] == "RETURNS-20270111.ach"


def test_the_sandbox_writes_the_same_return_files_again(tmp_path) -> None:
    for number in ("1000000001", "1000000002", "1000000003", "1000000098", GOOD):
        pay(make_account(), 10_00, number=number)
    file = validate_and_build()
    data = stored_files.open_file(file=file)
    later = datetime.fromisoformat("2027-01-29T12:00:00+00:00")
    left = []
    for place in ("one", "two"):
        bank = SandboxBank(folder=tmp_path / place, at=later)
        bank.put(name=file.name, data=data)
        left.append({name: bank.get(name=name) for name in bank.list_incoming()})
    assert left[0] == left[1]
    told = [read_file(source=data) for name, data in left[0].items() if name.startswith("RETURNS")]
    assert all(parsed.faults == [] for parsed in told)
    assert sum(parsed.totals.entry_count for parsed in told) == 4
    assert (tmp_path / "one").stat().st_mode & 0o777 == 0o700


def test_a_debit_blocked_by_a_return_cancels_what_its_owner_still_has_waiting() -> None:
    from tests.people import make_user

    account = make_account()
    payer = make_payer(channel="web", user=make_user(member=account.enrollment.member))
    first = pay(account, 10_00, number="1000000002", payer=payer)
    waiting = pay(account, 20_00, number="1000000002", payer=payer, received=date(2027, 1, 22))
    send(TUESDAY)
    for day in (13, 14, 15):
        read(date(2027, 1, day))
    first.refresh_from_db()
    waiting.refresh_from_db()
    assert (first.status, waiting.status) == (PaymentStatus.RETURNED, PaymentStatus.CANCELED)
    assert first.bank_account == waiting.bank_account

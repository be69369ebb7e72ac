"""Writing bank files: what comes out to the column, and what is refused."""

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from payments.ach.batch_rules import FileTotals
from payments.ach.entries import CorrectionAddenda, Entry, PaymentAddenda, ReturnAddenda
from payments.ach.nacha import (
    UnableToWriteBatch,
    UnableToWriteEntry,
    UnableToWriteFile,
    find_refusals,
    write_file,
)
from payments.ach.reading import read_file
from payments.ach.routing_numbers import compute_check_digit
from tests.payments.ach.bank_files import (
    GOLDEN,
    HEADER,
    OUR_BANK,
    list_forward_batches,
    make_batch,
    make_entry,
    make_returned,
    write_forward,
    write_lines,
    write_returns,
)


def test_the_file_that_goes_out_is_the_golden_one() -> None:
    assert write_forward() == (GOLDEN / "premiums_out.ach").read_text().splitlines()


def test_the_file_that_comes_back_is_the_golden_one() -> None:
    assert write_returns() == (GOLDEN / "returns_in.ach").read_text().splitlines()


def test_the_totals_are_those_of_the_lines() -> None:
    totals = FileTotals()
    lines = list(write_file(header=HEADER, batches=list_forward_batches(), totals=totals))
    assert (totals.batch_count, totals.entry_count, totals.record_count) == (3, 6, 7)
    assert (totals.debit_cents, totals.credit_cents) == (10_000_037_034, 12_345)
    assert totals.line_count == len(lines) == 20
    assert totals.block_count == 2


def test_the_entry_hash_of_the_rules_example() -> None:
    numbers = [digits + compute_check_digit(digits=digits) for digits in ("05600507", "05140225", "11400065")]
    entries = [make_entry(i, routing_number=number) for i, number in enumerate(numbers, 1)]
    lines = write_lines([(make_batch(), entries)])
    assert lines[5][10:20] == "0022140797"
    assert lines[6][21:31] == "0022140797"


def test_an_entry_hash_of_more_than_ten_digits_loses_the_leftmost() -> None:
    count = 1_200
    number = "72999999" + compute_check_digit(digits="72999999")
    lines = write_lines([(make_batch(), [make_entry(i, routing_number=number) for i in range(1, count + 1)])])
    control = next(line for line in lines if line[0] == "8")
    assert control[10:20] == str(72_999_999 * count)[-10:]


@pytest.mark.parametrize("count", range(1, 13))
def test_the_last_block_is_filled_with_nines(count: int) -> None:
    lines = write_lines([(make_batch(), [make_entry(i) for i in range(1, count + 1)])])
    assert len(lines) % 10 == 0
    assert lines.count("9" * 94) == -(count + 4) % 10
    assert {len(line) for line in lines} == {94}


def test_a_name_is_put_in_plain_capitals_and_cut_and_nothing_shifts() -> None:
    lines = write_lines([(make_batch(), [make_entry(individual_name="Ünal Strauß-Ødegård von Ærø\n")])])
    assert lines[2][54:76] == "UNAL STRAUSS-ODEGARD V"
    assert lines[2][76:] == f"R 0{OUR_BANK}0000001"


def test_blanks_inside_an_account_number_are_taken_out() -> None:
    lines = write_lines([(make_batch(), [make_entry(account_number="12 34-5 6")])])
    assert lines[2][12:29] == "1234-56          "


def test_nine_digits_get_a_blank_in_front_and_ten_characters_none() -> None:
    assert write_forward()[0][3:23] == " 0110000151043210987"


BAD_ENTRIES: list[tuple[dict[str, Any], str]] = [
    ({"transaction_code": "99"}, "transaction code"),
    ({"transaction_code": "2"}, "transaction code"),
    ({"transaction_code": "22"}, "transaction code"),
    ({"transaction_code": "29"}, "transaction code"),
    ({"transaction_code": "55"}, "transaction code"),
    ({"routing_number": "076401252"}, "check digit"),
    ({"routing_number": "000000000"}, "routing number"),
    ({"routing_number": "07640125"}, "routing number"),
    ({"routing_number": "0764012510"}, "routing number"),
    ({"account_number": ""}, "account number"),
    ({"account_number": "   "}, "account number"),
    ({"account_number": "1" * 18}, "account number"),
    ({"amount_cents": 0}, "amount"),
    ({"amount_cents": -1}, "amount"),
    ({"amount_cents": 10_000_000_000}, "amount"),
    ({"transaction_code": "28", "amount_cents": 1}, "amount"),
    ({"individual_id": "1" * 16}, "individual identification number"),
    ({"individual_name": ""}, "individual name"),
    ({"individual_name": " 000 "}, "individual name"),
    ({"discretionary": ""}, "payment type code"),
    ({"discretionary": "X"}, "payment type code"),
    ({"discretionary": "REC"}, "payment type code"),
    ({"trace_number": "0110000100001"}, "trace number"),
    ({"trace_number": "011000010000000001"}, "trace number"),
    ({"trace_number": "07640125" + "0000001"}, "trace number"),
    ({"trace_number": OUR_BANK + "000000A"}, "trace number"),
    ({"addenda": (PaymentAddenda(information="A" * 81),)}, "payment related information"),
    ({"addenda": (PaymentAddenda(information="A"),) * 2}, "addenda"),
    (
        {"addenda": (ReturnAddenda(return_code="R01", original_trace="1" * 15, original_rdfi_id="1" * 8),)},
        "addenda type code",
    ),
]


@pytest.mark.parametrize(("changes", "field"), BAD_ENTRIES)
def test_an_entry_that_the_bank_would_refuse_is_refused_by_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(UnableToWriteEntry) as refusal:
        write_lines([(make_batch(), [make_entry(**changes)])])
    assert refusal.value.field == field


@pytest.mark.parametrize("amount", [12.5, Decimal("12.50"), 1.0])
def test_an_amount_that_is_not_whole_cents_never_makes_a_file(amount: Any) -> None:
    with pytest.raises(UnableToWriteFile, match="whole cents"):
        write_lines([(make_batch(), [make_entry(amount_cents=amount)])])


def test_a_refusal_never_quotes_the_account_number() -> None:
    with pytest.raises(UnableToWriteEntry) as refusal:
        write_lines([(make_batch(), [make_entry(account_number="123456789012345678")])])
    assert "123456789" not in str(refusal.value)


@pytest.mark.parametrize(("last", "is_right"), [(4, False), (5, False), (6, True)])
def test_traces_ascend_inside_a_batch(last: int, is_right: bool) -> None:
    batches = [(make_batch(), [make_entry(5), make_entry(last)])]
    if is_right:
        assert read_file(source=iter(write_lines(batches))).faults == []
    else:
        with pytest.raises(UnableToWriteEntry, match="higher"):
            write_lines(batches)


@pytest.mark.parametrize("position", [0, 1, 255, 256, 257, 511, 512, 600])
def test_one_bad_entry_among_many_is_found_wherever_it_stands(position: int) -> None:
    entries = [make_entry(i + 1, account_number="" if i == position else "1") for i in range(700)]
    with pytest.raises(UnableToWriteEntry, match=entries[position].trace_number):
        write_lines([(make_batch(), entries)])


BAD_BATCHES: list[tuple[dict[str, Any], str]] = [
    ({"service_class": "280"}, "service class code"),
    ({"company_name": ""}, "company name"),
    ({"company_name": "0000"}, "company name"),
    ({"company_name": "A" * 17}, "company name"),
    ({"company_id": ""}, "company identification"),
    ({"company_id": "1" * 11}, "company identification"),
    ({"sec_code": "CCD"}, "sec code"),
    ({"entry_description": ""}, "company entry description"),
    ({"entry_description": "PREMIUM FOR"}, "company entry description"),
    ({"settlement_julian": "367"}, "settlement date"),
    ({"originator_status": "3"}, "originator status code"),
    ({"odfi_id": "99999999"}, "originating dfi"),
    ({"odfi_id": "0110000"}, "originating dfi"),
    ({"batch_number": 0}, "batch number"),
    ({"batch_number": 10_000_000}, "batch number"),
]


@pytest.mark.parametrize(("changes", "field"), BAD_BATCHES)
def test_a_batch_that_the_bank_would_refuse_is_refused_by_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(UnableToWriteBatch) as refusal:
        write_lines([(make_batch(**changes), [make_entry()])])
    assert refusal.value.field == field


BAD_HEADERS: list[tuple[dict[str, Any], str]] = [
    ({"immediate_destination": "011000016"}, "immediate destination"),
    ({"immediate_destination": ""}, "immediate destination"),
    ({"immediate_origin": "12345678901"}, "immediate origin"),
    ({"immediate_origin": "0000000000"}, "immediate origin"),
    ({"modifier": "-"}, "file id modifier"),
    ({"modifier": "AB"}, "file id modifier"),
    ({"origin_name": "A" * 24}, "immediate origin name"),
    ({"reference": "A" * 9}, "reference code"),
]


@pytest.mark.parametrize(("changes", "field"), BAD_HEADERS)
def test_a_header_that_the_bank_would_refuse_is_refused_by_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(UnableToWriteFile) as refusal:
        write_lines([(make_batch(), [make_entry()])], replace(HEADER, **changes))
    assert refusal.value.field == field


def test_batch_numbers_ascend() -> None:
    batches = [(make_batch(batch_number=2), [make_entry(1)]), (make_batch(batch_number=2), [make_entry(2)])]
    with pytest.raises(UnableToWriteBatch, match="batch number"):
        write_lines(batches)


@pytest.mark.parametrize(
    ("service_class", "code", "is_right"),
    [("200", "22", True), ("220", "22", True), ("225", "22", False), ("200", "27", True),
     ("220", "27", False), ("225", "27", True), ("200", "55", False)],
)  # fmt: skip
def test_debits_and_credits_stand_only_in_batches_that_allow_them(
    service_class: str, code: str, is_right: bool
) -> None:
    batches = [(make_batch(service_class=service_class, sec_code="PPD"), [make_entry(transaction_code=code)])]
    if is_right:
        assert read_file(source=iter(write_lines(batches))).faults == []
    else:
        with pytest.raises(UnableToWriteEntry, match="transaction code"):
            write_lines(batches)


def test_a_credit_by_phone_stands_only_in_a_reversal() -> None:
    credit = make_entry(transaction_code="22", discretionary="")
    reversal = make_batch(sec_code="TEL", service_class="220", entry_description="Reversal")
    assert write_lines([(reversal, [credit])])[1][53:63] == "REVERSAL  "
    with pytest.raises(UnableToWriteEntry, match="by phone"):
        write_lines([(make_batch(sec_code="TEL", service_class="220"), [credit])])


def test_an_entry_by_phone_takes_no_addenda() -> None:
    entry = make_entry(discretionary="", addenda=(PaymentAddenda(information="X"),))
    with pytest.raises(UnableToWriteEntry, match="TEL takes no addenda"):
        write_lines([(make_batch(sec_code="TEL"), [entry])])


def test_returned_and_forward_entries_never_share_a_batch() -> None:
    with pytest.raises(UnableToWriteEntry, match="mixes"):
        write_lines(
            [(make_batch(), [make_entry(1), replace(make_returned(2), trace_number=OUR_BANK + "0000002")])]
        )


def test_a_return_needs_its_addenda() -> None:
    with pytest.raises(UnableToWriteEntry, match="addenda"):
        write_lines([(make_batch(odfi_id="07640125"), [make_returned(1, addenda=())])])


def test_a_notification_of_change_carries_no_amount() -> None:
    change = CorrectionAddenda(
        change_code="C01",
        original_trace=f"{OUR_BANK}0000001",
        original_rdfi_id="07640125",
        corrected_data="1",
    )
    with pytest.raises(UnableToWriteEntry, match="notification of change"):
        write_lines([(make_batch(odfi_id="07640125", sec_code="COR"), [make_returned(1, addenda=(change,))])])


def test_a_mixed_batch_by_phone_holds_the_credit_that_balances_it() -> None:
    batch = make_batch(sec_code="TEL", service_class="200")
    entries = [make_entry(1, discretionary=""), make_entry(2, transaction_code="22", discretionary="")]
    assert read_file(source=iter(write_lines([(batch, entries)]))).faults == []


def test_each_entry_that_the_bank_would_refuse_is_found_by_its_place() -> None:
    entries = [
        make_entry(1),
        make_entry(2, individual_name="\u0301"),
        make_entry(3, individual_name="Zoë Ångström"),
        make_entry(4, routing_number="076401252"),
        make_entry(5, amount_cents=0),
        make_entry(6),
    ]
    found = find_refusals(header=make_batch(), entries=entries)
    assert {place: refusal.field for place, refusal in found.items()} == {
        1: "individual name",
        3: "check digit",
        4: "amount",
    }
    sound = [entry for place, entry in enumerate(entries) if place not in found]
    assert find_refusals(header=make_batch(), entries=sound) == {}
    assert read_file(source=iter(write_lines([(make_batch(), sound)]))).faults == []


def test_no_entries_have_no_refusals_and_a_bad_header_is_refused_with_none() -> None:
    assert find_refusals(header=make_batch(), entries=[]) == {}
    with pytest.raises(UnableToWriteBatch):
        find_refusals(header=make_batch(company_name=""), entries=[])


def test_four_thousand_entries_take_hardly_more_memory_than_a_thousand() -> None:
    def make_entries(count: int) -> Iterator[Entry]:
        return (make_entry(i) for i in range(1, count + 1))

    def measure(count: int) -> int:
        tracemalloc.start()
        for _ in write_file(header=HEADER, batches=[(make_batch(), make_entries(count))]):
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    measure(100)
    assert measure(4_000) < measure(1_000) * 1.5


def test_midnight_is_written_as_four_zeros() -> None:
    header = replace(HEADER, created_at=datetime(2026, 1, 1, 0, 0))
    assert write_lines([(make_batch(), [make_entry()])], header)[0][23:33] == "2601010000"

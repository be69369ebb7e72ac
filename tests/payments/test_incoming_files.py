"""Files from the bank: each by itself, from our bank or refused whole, each line applied once or parked with a reason."""

from datetime import date, datetime

import pytest
from django.conf import settings

from billing.balances import read_standing
from payments.ach import incoming, stored_files
from payments.ach.incoming import UnableToReadFiles, clean_name, parse_incoming
from payments.bank import folder
from payments.models import (
    BankFile,
    FileStatus,
    Payment,
    PaymentStatus,
    ReturnLine,
)
from payments.settlement import list_missing_return_files
from tests.payments import refunding
from tests.payments.incoming_files import FRIDAY, Shelf, make_line, read_files, write_incoming
from tests.payments.paying import (
    GOOD,
    PREMIUM,
    TUESDAY,
    make_account,
    noon,
    pay,
    read,
    send,
    settle,
)

pytestmark = pytest.mark.usefixtures("books")
WEDNESDAY, THURSDAY = date(2027, 1, 13), date(2027, 1, 14)


def find_reasons() -> list[str]:
    return list(ReturnLine.objects.order_by("pk").values_list("parked_because", flat=True))


def read_fault() -> str:
    return BankFile.objects.get(status=FileStatus.REFUSED).fault


@pytest.fixture
def sent() -> Payment:
    """A payment at the bank, settled."""
    payment = pay(make_account())
    send(TUESDAY)
    read(WEDNESDAY)
    settle(WEDNESDAY)
    payment.refresh_from_db()
    return payment


class TestWhoseFileItIs:
    @pytest.mark.parametrize(
        ("header", "column"),
        [
            ({"immediate_origin": "9876543210"}, "immediate origin"),
            ({"immediate_origin": " 021000021"}, "immediate origin"),
            ({"immediate_destination": "9876543210"}, "immediate destination"),
        ],
    )
    def test_a_file_that_is_not_our_banks_to_us_is_kept_and_refused_whole(
        self, sent: Payment, header: dict[str, str], column: str
    ) -> None:
        assert read_files({"x": write_incoming(make_line(sent.entry), **header)}) == {
            "files": 1,
            "refused": 1,
        }
        assert column in read_fault()
        assert ReturnLine.objects.count() == 0
        sent.refresh_from_db()
        assert sent.status == PaymentStatus.SETTLED

    def test_an_echo_of_our_own_file_is_refused_and_is_not_that_days_return_file(self, sent: Payment) -> None:
        echo = stored_files.open_file(file=sent.entry.file)
        assert read_files({"echo.ach": echo}) == {"files": 1, "refused": 1}
        assert "immediate origin: is not our bank" in read_fault()

    def test_forward_entries_under_our_banks_header_are_refused(self, sent: Payment) -> None:
        ours = stored_files.open_file(file=sent.entry.file)
        origin, destination = settings.ACH["immediate_origin"], settings.ACH["immediate_destination"]
        turned = ours.replace(f"101{destination}{origin}".encode(), f"101{origin}{destination}".encode(), 1)
        assert turned != ours
        assert read_files({"turned.ach": turned})["refused"] == 1
        assert read_fault() == "line 3, columns 2-3, transaction code: is no return's"

    @pytest.mark.parametrize(("origin", "still_missing"), [(None, []), (" 021000021", [THURSDAY])])
    def test_an_empty_file_counts_for_the_posting_only_when_it_is_our_banks(
        self, origin: str | None, still_missing: list[date]
    ) -> None:
        header = {"immediate_origin": origin} if origin else {}
        data = write_incoming(created_at=datetime(2027, 1, 14, 6, 30), **header)
        read_files({"empty": data}, day=THURSDAY)
        assert list_missing_return_files(effective_date=WEDNESDAY, today=THURSDAY) == still_missing

    def test_a_line_of_another_company_is_parked(self, sent: Payment) -> None:
        data = write_incoming(make_line(sent.entry), company_id="9999999999")
        assert read_files({"x": data}) == {"files": 1, "parked": 1}
        assert find_reasons() == ["it names another company"]


class TestWhichEntryALineNames:
    @pytest.mark.parametrize(
        "changes",
        [
            {"trace": "011000019999999"},  # number and account agree
            {"account": "1234567"},  # number and trace agree: the bank cut the account
            {"number": ""},
            {"number": "ZZZZZZZZZZ"},
            {"account": GOOD.ljust(17)[:17]},
        ],
    )
    def test_our_number_holds_where_trace_or_account_agrees(self, sent: Payment, changes: dict) -> None:
        assert read_files({"x": write_incoming(make_line(sent.entry, **changes))})["returned"] == 1

    @pytest.mark.parametrize(
        "changes",
        [
            {"trace": "011000019999999", "account": "1234567"},  # our number alone
            {"trace": "011000019999999", "routing": "021000021"},
            {"cents": PREMIUM + 1},
            {"number": "", "account": "1234567"},
            {"number": "", "routing": "021000021"},
        ],
    )
    def test_our_number_alone_or_another_amount_names_nothing(self, sent: Payment, changes: dict) -> None:
        assert read_files({"x": write_incoming(make_line(sent.entry, **changes))}) == {
            "files": 1,
            "parked": 1,
        }
        assert find_reasons() == ["no entry of ours matches"]

    def test_a_trace_and_a_number_that_name_two_debits_alike_are_for_staff(self, sent: Payment) -> None:
        other = pay(make_account(), today=WEDNESDAY)
        send(WEDNESDAY)
        torn = make_line(sent.entry, trace=other.entry.trace)
        assert read_files({"x": write_incoming(torn)}) == {"files": 1, "parked": 1}
        assert find_reasons() == ["more than one entry of ours matches"]
        assert read_files({"y": write_incoming(make_line(sent.entry))})["returned"] == 1

    def test_an_amount_larger_than_any_of_ours_is_parked_too(self, sent: Payment) -> None:
        line = make_line(sent.entry, cents=99_999_999_99)
        assert read_files({"x": write_incoming(line)}) == {"files": 1, "parked": 1}

    def test_a_return_after_the_account_was_corrected_is_matched_on_what_was_sent(
        self, sent: Payment
    ) -> None:
        correction = make_line(sent.entry, code="C01", data="555666777")
        assert read_files({"a": write_incoming(correction)}) == {"files": 1, "corrected": 1}
        later = write_incoming(make_line(sent.entry, number=""), modifier="B")
        assert read_files({"b": later}) == {"files": 1, "returned": 1}


class TestOnce:
    def test_the_same_file_again_renamed_or_in_another_order_is_applied_once(self, sent: Payment) -> None:
        other = pay(make_account(), today=WEDNESDAY)
        send(WEDNESDAY)
        lines = make_line(sent.entry), make_line(other.entry)
        data = write_incoming(*lines)
        assert read_files({"monday": data}) == {"files": 1, "returned": 2}
        assert read_files({"monday": data, "again": data})["repeated"] == 1
        turned = write_incoming(*reversed(lines))
        assert turned != data
        assert read_files({"turned": turned}) == {"files": 1, "parked": 2}
        assert ReturnLine.objects.filter(applied=True).count() == 2
        assert find_reasons()[2:] == ["the payment was returned before"] * 2

    def test_r_after_r_is_parked_and_nothing_is_taken_twice(self, sent: Payment) -> None:
        read_files({"a": write_incoming(make_line(sent.entry))})
        second = write_incoming(make_line(sent.entry, code="R10"), modifier="B")
        assert read_files({"b": second}) == {"files": 1, "parked": 1}
        sent.refresh_from_db()
        assert sent.return_code == "R01"

    def test_a_correction_and_a_return_of_one_entry_are_both_applied(self, sent: Payment) -> None:
        lines = make_line(sent.entry, code="C01", data="555666777"), make_line(sent.entry)
        assert read_files({"x": write_incoming(*lines)}) == {"files": 1, "corrected": 1, "returned": 1}

    def test_the_same_correction_later_does_not_undo_what_came_between(self, sent: Payment) -> None:
        read_files({"a": write_incoming(make_line(sent.entry, code="C01", data="555666777"))})
        again = write_incoming(make_line(sent.entry, code="C01", data="111222333"), modifier="B")
        assert read_files({"b": again}) == {"files": 1, "parked": 1}
        sent.bank_account.refresh_from_db()
        assert sent.bank_account.last_four == "6777"

    def test_a_return_of_a_file_not_known_to_be_sent_says_that_it_was(self) -> None:
        payment = pay(make_account())
        from tests.payments.test_bank_files import validate_and_build

        file = validate_and_build()
        assert file.status == FileStatus.SENDING
        payment.refresh_from_db()
        assert read_files({"x": write_incoming(make_line(payment.entry))}) == {"files": 1, "returned": 1}
        payment.refresh_from_db()
        file.refresh_from_db()
        assert (payment.status, file.status) == (PaymentStatus.RETURNED, FileStatus.SENT)
        assert list(payment.moves.order_by("pk").values_list("after", flat=True)) == [
            "sending",
            "sent",
            "returned",
        ]

    def test_a_return_before_the_acknowledgement_is_applied_and_the_acknowledgement_too(self) -> None:
        payment = pay(make_account())
        send(TUESDAY)
        assert read_files({"x": write_incoming(make_line(payment.entry))})["returned"] == 1
        assert read(WEDNESDAY)["accepted"] == 1
        assert settle(WEDNESDAY)["settled"] == 0

    @pytest.mark.parametrize("paid_out", [False, True])
    def test_a_return_of_a_refunded_debit_is_applied_for_the_bank_took_the_money(
        self, books: None, paid_out: bool
    ) -> None:
        payment = refunding.overpay()
        refund = refunding.ask_and_approve(refunding.find_receipt(payment))
        if paid_out:
            refunding.send(refund)
        friday = date(2027, 1, 22)
        file = write_incoming(make_line(payment.entry, code="R10"), created_at=datetime(2027, 1, 22, 6, 30))
        assert read_files({"x": file}, day=friday) == {"files": 1, "returned": 1}
        standing = read_standing(account_id=payment.account_id, today=friday)
        assert standing.due_cents == PREMIUM
        assert standing.owed_back_cents == (refunding.CREDIT if paid_out else 0)


class TestOneBadFile:
    POISON = {
        "deep.json": b'{"acknowledges": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        "nul.json": b'{"acknowledges": "a\\u0000b", "sha256": "0", "result": "accepted"}',
        "surrogate.json": b'{"acknowledges": "a\\ud800", "sha256": "0", "result": "accepted"}',
        "list.json": b'{"acknowledges": [], "sha256": "0", "result": "accepted"}',
        "answer.json": b'{"acknowledges": "a", "sha256": "0", "result": []}',
        "bad\udcff\x00name.ach": b"hello",
    }

    def test_each_is_kept_and_refused_with_a_reason_and_the_next_is_read(self, sent: Payment) -> None:
        files = self.POISON | {"good": write_incoming(make_line(sent.entry))}
        assert read_files(files) == {
            "files": len(files),
            "refused": len(self.POISON),
            "returned": 1,
        }
        kept = BankFile.objects.filter(status=FileStatus.REFUSED)
        assert all(file.fault for file in kept)
        assert {file.name for file in kept} >= {"deep.json", r"bad\udcff\x00name.ach"}
        for file in kept:
            assert stored_files.open_file(file=file) in self.POISON.values()
        assert read_files(files) == {}

    def test_a_file_name_that_is_not_utf_8_is_read_from_a_folder(self, tmp_path, sent: Payment) -> None:
        bank = folder.FolderBank(folder=tmp_path)
        (bank.incoming / "a\udcff.ach").write_bytes(b"nonsense")
        (bank.incoming / "b.ach").write_bytes(write_incoming(make_line(sent.entry)))
        counts = incoming.read_bank(bank=bank, today=FRIDAY, at=noon(FRIDAY))
        assert (counts["refused"], counts["returned"]) == (1, 1)

    def test_what_breaks_while_it_is_applied_is_refused_and_the_others_are_read(
        self, sent: Payment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = incoming.apply_lines

        def break_one(*, file: BankFile, **how: object) -> object:
            if file.name == "first":
                raise ZeroDivisionError
            return real(file=file, **how)

        monkeypatch.setattr(incoming, "apply_lines", break_one)
        files = {
            "first": write_incoming(make_line(sent.entry)),
            "second": write_incoming(make_line(sent.entry), modifier="B"),
        }
        assert read_files(files) == {"files": 2, "refused": 1, "returned": 1}
        assert read_fault() == "could not be applied: ZeroDivisionError"

    def test_a_file_that_cannot_be_fetched_fails_the_job_after_the_others_were_read(
        self, sent: Payment
    ) -> None:
        class Torn(Shelf):
            def get(self, *, name: str) -> bytes:
                if name == "torn":
                    raise OSError("gone")
                return super().get(name=name)

        bank = Torn({"torn": b"", "good": write_incoming(make_line(sent.entry))})
        with pytest.raises(UnableToReadFiles, match="1 files could not be stored, the first: torn"):
            incoming.read_bank(bank=bank, today=FRIDAY, at=noon(FRIDAY))
        sent.refresh_from_db()
        assert sent.status == PaymentStatus.RETURNED

    def test_cut_or_flipped_at_any_byte_it_is_refused_or_is_a_file_of_its_one_line(
        self, sent: Payment
    ) -> None:
        data = write_incoming(make_line(sent.entry))
        for place in range(len(data)):
            flipped = data[:place] + bytes([data[place] ^ 0x01]) + data[place + 1 :]
            for broken in (data[:place], flipped):
                parsed = parse_incoming(name="x", data=broken, today=FRIDAY)
                assert parsed.fault or len(parsed.returns) == 1, place

    def test_names_are_kept_in_plain_letters(self) -> None:
        assert clean_name("ok.ach") == "ok.ach"
        assert clean_name("a\ud800\n") == r"a\ud800\n"
        assert len(clean_name("é" * 100)) == 70


class TestWhatBanksVary:
    @pytest.mark.parametrize(
        "vary",
        [
            lambda data: data.replace(b"\n", b"\r\n"),
            lambda data: data.replace(b"\n", b""),
            lambda data: b"\n".join(line.rstrip(b" ") for line in data.split(b"\n")),
            lambda data: data.replace(b"\n", b"  \n"),
            lambda data: data.replace(b"ALICE ALVAREZ", b"Alice Alvarez"),
            lambda data: data.replace(b"270113015", b"270113   "),
        ],
        ids=["crlf", "none", "cut blanks", "more blanks", "lower case", "no settlement date"],
    )
    def test_line_ends_blanks_case_and_a_missing_settlement_date_are_taken(self, sent: Payment, vary) -> None:
        data = write_incoming(make_line(sent.entry))
        assert vary(data) != data
        assert read_files({"x": vary(data)}) == {"files": 1, "returned": 1}

    def test_totals_are_not_taken_leniently(self, sent: Payment) -> None:
        data = write_incoming(make_line(sent.entry)).replace(b"0000028417", b"0000028418", 1)
        assert read_files({"x": data})["refused"] == 1

    def test_an_unknown_code_takes_the_money_back_and_alarms(self, sent: Payment, caplog) -> None:
        assert read_files({"x": write_incoming(make_line(sent.entry, code="R88"))})["returned"] == 1
        assert "return needs staff" in caplog.text

    @pytest.mark.parametrize("code", ["R61", "R69", "R70", "R77"])
    def test_what_banks_say_to_each_other_about_a_return_is_kept_for_staff(
        self, sent: Payment, code: str
    ) -> None:
        data = write_incoming(make_line(sent.entry))
        line = next(line for line in data.split(b"\n") if line.startswith(b"799"))
        # Appendix 4.4: the return's trace, its settlement date and its reason stand where a return has its free text.
        dispute = f"799{code}{sent.entry.trace}XX112901100001   01100001000000101501".encode()
        assert read_files({"x": data.replace(line, dispute.ljust(79) + line[79:])}) == {
            "files": 1,
            "parked": 1,
        }
        assert "staff settle it with our bank" in find_reasons()[0]
        raw = ReturnLine.objects.get().sealed.open(purpose="return_line")
        assert dispute in raw

    def test_a_refused_correction_is_kept_for_staff(self, sent: Payment) -> None:
        data = write_incoming(make_line(sent.entry, code="C01", data="555666777"))
        line = next(line for line in data.split(b"\n") if line.startswith(b"798"))
        refused = b"798C65" + line[6:64] + b"C010000123     " + line[79:]
        assert len(refused) == 94
        assert read_files({"x": data.replace(line, refused)}) == {"files": 1, "parked": 1}
        assert find_reasons() == ["C65: is not applied without staff"]

"""Bank files that go out: what may stand in one batch, in which order, and what is left out, split or balanced."""

import gc
import hashlib
import tracemalloc
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection, transaction
from structlog.testing import capture_logs

from billing.models import Account
from connector_pay.celery import read_timetable
from payments import tasks
from payments.ach import batching, claiming, nacha, preparing, sending, stored_files
from payments.ach.lint import lint_path
from payments.models import BankFile, FileEntry, Payment, PaymentMove, Prenote
from tests.payments.outgoing import (
    NO_PLAIN_LETTER,
    build,
    list_broken,
    make_bank_account,
    make_debit,
    make_nameless_account,
    make_prenote,
    make_refund,
    make_retry,
    move,
    open_batches,
    settle_in_file,
)
from tests.payments.paying import GOOD, PREMIUM, TUESDAY, make_account, noon, send

WEDNESDAY = date(2027, 1, 13)
FRIDAY_BEFORE = date(2027, 1, 8)


@pytest.fixture
def account(db: None):
    """An account to pay on; when the test is over, the files say what was sent."""
    yield make_account()
    assert list_broken() == set()


def list_shapes(file: BankFile) -> list[tuple[str, str, str, list[str]]]:
    """Each batch of a file: SEC code, service class, description, and its transaction codes."""
    return [
        (
            header.sec_code,
            header.service_class,
            header.entry_description,
            [entry.transaction_code for entry in entries],
        )
        for header, entries in open_batches(file)
    ]


def put_everything_in_the_way(account: Account) -> dict[str, object]:
    """One of each kind, the last batch's first."""
    savings = make_bank_account("5550001234", kind="savings")
    debits = [make_debit(account, cents=cents, day=FRIDAY_BEFORE) for cents in (50_00, 60_00, 70_00)]
    by_phone = make_debit(account, sec_code="TEL", cents=80_00, bank=savings, day=FRIDAY_BEFORE)
    settle_in_file([*debits, by_phone], day=FRIDAY_BEFORE)
    move(debits[0], "returned", return_code="R01")
    return {
        "reversal by phone": make_refund(by_phone, method="reversal"),
        "reversal": make_refund(debits[1], method="reversal"),
        "refund": make_refund(debits[2], cents=10_00),
        "prenote": make_prenote(),
        "retry": make_retry(debits[0]),
        "paper": make_debit(account, sec_code="PPD", cents=4_00),
        "phone": make_debit(account, sec_code="TEL", cents=3_00, bank=savings),
        "recurring": make_debit(account, recurring=True, cents=2_00),
        "single": make_debit(account, cents=1_00),
    }


class TestWhatStandsInOneBatch:
    def test_each_kind_has_a_batch_of_its_own_in_the_order_of_the_rules(self, account: Account) -> None:
        put_everything_in_the_way(account)
        (file,) = build()
        assert list_shapes(file) == [
            ("WEB", "225", "PREMIUM", ["27"]),
            ("WEB", "225", "PREMIUM", ["27"]),
            ("TEL", "225", "PREMIUM", ["37"]),
            ("PPD", "225", "PREMIUM", ["27"]),
            ("WEB", "225", "RETRY PYMT", ["27"]),
            ("WEB", "225", "PREMIUM", ["28"]),
            ("PPD", "220", "REFUND", ["22"]),
            ("WEB", "220", "REVERSAL", ["22"]),
            ("TEL", "220", "REVERSAL", ["32"]),
        ]
        headers = [header for header, _ in open_batches(file)]
        company = (django_settings.ACH["company_name"], django_settings.ACH["company_id"])
        assert {(header.company_name, header.company_id) for header in headers} == {company}
        assert {header.effective_date for header in headers} == {WEDNESDAY}
        kinds = [entry.discretionary for _, entries in open_batches(file) for entry in entries]
        assert kinds == ["S", "R", "S", "", "S", "S", "", "S", "S"]
        assert (file.debit_cents, file.credit_cents) == (
            1_00 + 2_00 + 3_00 + 4_00 + 50_00,
            10_00 + 60_00 + 80_00,
        )

    def test_each_entry_bears_our_number_for_it_and_is_known_by_it(self, account: Account) -> None:
        made = put_everything_in_the_way(account)
        (file,) = build()
        written = [entry for _, entries in open_batches(file) for entry in entries]
        kept = list(file.entries.order_by("line"))
        assert [entry.individual_id for entry in written] == [entry.individual_id for entry in kept]
        assert [entry.trace_number for entry in written] == [entry.trace for entry in kept]
        assert [entry.amount_cents for entry in written] == [entry.amount_cents for entry in kept]
        expected = {
            "single": made["single"].confirmation_number,
            "retry": made["retry"].confirmation_number,
            "prenote": f"PN{made['prenote'].pk:013d}",
            "refund": f"RF{made['refund'].pk:013d}",
            "reversal": f"RF{made['reversal'].pk:013d}",
        }
        assert {name: made[name].entry.individual_id for name in expected} == expected
        assert [entry.kind for entry in kept] == [
            "debit", "debit", "debit", "debit", "retry", "prenote", "refund", "reversal", "reversal",
        ]  # fmt: skip
        assert made["refund"].entry.blind_index == made["refund"].bank_account.blind_index

    def test_what_went_into_a_file_is_being_sent_and_then_is_sent_with_it(self, account: Account) -> None:
        made = put_everything_in_the_way(account)
        (file,) = build()
        for row in made.values():
            row.refresh_from_db()
            assert row.effective_date == WEDNESDAY
        moving = [row for row in made.values() if not isinstance(row, Prenote)]
        assert {row.status for row in moving} == {"sending"}
        assert list_broken() == set()
        sending.note_sent(file_id=file.pk, at=noon(TUESDAY))
        for row in moving:
            row.refresh_from_db()
        assert {row.status for row in moving} == {"sent"}
        assert [m.after for m in made["refund"].moves.order_by("pk")] == ["approved", "sending", "sent"]
        assert build(WEDNESDAY) == []

    def test_the_job_says_how_many_debits_credits_and_prenotes_went_out(self, account: Account) -> None:
        put_everything_in_the_way(account)
        counts = send(TUESDAY)
        names = ("files", "debits", "debit_cents", "credits", "credit_cents", "prenotes")
        assert tuple(counts[name] for name in names) == (1, 5, 60_00, 3, 150_00, 1)

    def test_a_retry_is_the_same_debit_apart_from_those_that_go_out_for_the_first_time(
        self, account: Account
    ) -> None:
        first = make_debit(account, recurring=True, day=FRIDAY_BEFORE)
        settle_in_file([first], day=FRIDAY_BEFORE)
        move(first, "returned", return_code="R09")
        make_retry(first)
        make_debit(account, recurring=True)
        (file,) = build()
        assert [header.entry_description for header, _ in open_batches(file)] == ["PREMIUM", "RETRY PYMT"]
        ((_, (once,)), (_, (again,))) = open_batches(file)
        assert (again.amount_cents, again.account_number, again.discretionary) == (PREMIUM, GOOD, "R")
        assert once.individual_id != again.individual_id


class TestPrenotes:
    def test_a_prenote_asks_about_an_account_that_is_not_validated_and_only_once(self, db: None) -> None:
        waiting = make_prenote()
        make_prenote(make_bank_account("5550009999"))
        (file,) = build()
        assert list(file.entries.values_list("prenote_id", "amount_cents")) == [(waiting.pk, 0)]
        waiting.refresh_from_db()
        assert (waiting.effective_date, waiting.outcome) == (WEDNESDAY, "")
        assert build(WEDNESDAY) == []

    def test_a_prenote_goes_out_as_its_debits_will(self, account: Account) -> None:
        bank = make_bank_account("5550008888", valid=False, kind="savings")
        make_debit(account, sec_code="TEL", bank=bank)
        make_prenote(bank)
        (file,) = build()
        assert list_shapes(file) == [("TEL", "225", "PREMIUM", ["38"])]


class TestRefundsThatMayNotGoOut:
    @staticmethod
    def build_and_listen(day: date) -> tuple[list[BankFile], list[tuple[int, str]]]:
        with capture_logs() as logs:
            files = build(day)
        return files, [(line["refund"], line["why"]) for line in logs if "refund" in line]

    @pytest.mark.parametrize(("built_on", "goes"), [(19, True), (20, True), (21, False)])
    def test_a_reversal_reaches_the_bank_by_the_fifth_banking_day_or_is_left_to_staff(
        self, account: Account, built_on: int, goes: bool
    ) -> None:
        payment = make_debit(account)
        settle_in_file([payment])  # settles on the 13th; the 18th is a holiday, so the fifth day is the 21st
        refund = make_refund(payment, method="reversal")
        files, alarms = self.build_and_listen(date(2027, 1, built_on))
        refund.refresh_from_db()
        assert (len(files), refund.status) == ((1, "sending") if goes else (0, "approved"))
        assert [key for key, _ in alarms] == ([] if goes else [refund.pk])

    def test_a_reversal_of_a_part_is_left_to_staff(self, account: Account) -> None:
        payment = make_debit(account)
        settle_in_file([payment])
        refund = make_refund(payment, method="reversal", cents=PREMIUM - 1)
        assert self.build_and_listen(WEDNESDAY) == (
            [],
            [(refund.pk, "a reversal takes back the whole debit")],
        )

    @pytest.mark.parametrize("method", ["ach", "reversal"])
    def test_money_that_the_bank_took_back_is_not_given_back_too(self, account: Account, method: str) -> None:
        payment = make_debit(account)
        settle_in_file([payment])
        refund = make_refund(payment, method=method)
        move(payment, "returned", return_code="R10")
        files, alarms = self.build_and_listen(WEDNESDAY)
        assert (files, alarms) == ([], [(refund.pk, "its debit did not bring the money")])

    def test_a_refund_of_a_debit_that_has_not_settled_is_left_to_staff(self, account: Account) -> None:
        payment = make_debit(account)
        (file,) = build()
        sending.note_sent(file_id=file.pk, at=noon(TUESDAY))
        refund = make_refund(payment)
        assert self.build_and_listen(WEDNESDAY) == ([], [(refund.pk, "its debit has not settled")])

    def test_a_reversal_waits_in_silence_while_nobody_knows_whether_its_debit_went_out(
        self, account: Account
    ) -> None:
        payment = make_debit(account)
        (file,) = build()
        refund = make_refund(payment, method="reversal")
        assert self.build_and_listen(WEDNESDAY) == ([], [])
        sending.note_sent(file_id=file.pk, at=noon(WEDNESDAY))
        (reversal,) = build(WEDNESDAY)
        assert list(reversal.entries.values_list("refund_id", "kind")) == [(refund.pk, "reversal")]

    def test_a_reversal_of_a_debit_in_a_rejected_file_is_left_to_staff(self, account: Account) -> None:
        payment = make_debit(account)
        (file,) = build()
        sending.note_sent(file_id=file.pk, at=noon(TUESDAY))
        BankFile.objects.filter(pk=file.pk).update(status="rejected")
        refund = make_refund(payment, method="reversal")
        assert [key for key, _ in self.build_and_listen(WEDNESDAY)[1]] == [refund.pk]


class TestOneBrokenRow:
    @pytest.mark.parametrize("place", [0, 1, 2])
    def test_what_no_bank_would_take_is_left_out_and_the_rest_goes_out(
        self, account: Account, place: int
    ) -> None:
        banks = [make_bank_account() for _ in range(3)]
        banks[place] = make_nameless_account()
        payments = [make_debit(account, bank=bank) for bank in banks]
        broken = payments[place]
        with capture_logs() as logs:
            (file,) = build()
        assert set(file.entries.values_list("payment_id", flat=True)) == {p.pk for p in payments} - {
            broken.pk
        }
        broken.refresh_from_db()
        assert (broken.status, broken.effective_date) == ("recorded", None)
        assert [(line["log_level"], line["payment"]) for line in logs] == [("error", broken.pk)]
        assert NO_PLAIN_LETTER not in str(logs)
        assert GOOD not in str(logs)

    def test_a_number_that_no_key_opens_stops_nobody_else_and_is_tried_again_the_next_day(
        self, account: Account, settings
    ) -> None:
        broken = make_debit(account)
        ring = settings.SEALING_KEYS
        settings.SEALING_KEYS = {"another": bytes(range(32))}  # the old key was taken out too early
        good = make_debit(account)
        with capture_logs() as logs:
            (file,) = build()
        assert file.entries.get().payment == good
        assert [(line["payment"], line["why"]) for line in logs] == [
            (broken.pk, "the account number cannot be opened")
        ]
        settings.SEALING_KEYS = settings.SEALING_KEYS | ring
        (file,) = build(WEDNESDAY)
        assert file.entries.get().payment == broken

    def test_a_kind_of_entry_that_no_consumer_debit_has_stops_nobody_else(self, account: Account) -> None:
        good, broken = make_debit(account), make_debit(account, sec_code="CCD")
        with capture_logs() as logs:
            (file,) = build()
        assert file.entries.get().payment == good
        assert [line["payment"] for line in logs] == [broken.pk]

    def test_no_empty_batch_is_written_for_what_was_left_out(self, account: Account) -> None:
        nameless = make_nameless_account()
        make_debit(account, bank=nameless)
        make_debit(account, recurring=True)
        (file,) = build()
        assert [len(entries) for _, entries in open_batches(file)] == [1]

    def test_a_setting_that_no_bank_would_take_stops_the_build_and_moves_nothing(
        self, account: Account, settings
    ) -> None:
        payment = make_debit(account)
        settings.ACH = settings.ACH | {"company_name": ""}
        with pytest.raises(Exception, match="company name"):
            build()
        payment.refresh_from_db()
        assert (payment.status, BankFile.objects.count()) == ("recorded", 0)


class TestWhatTheBankWantsOfAFile:
    @pytest.mark.parametrize(("line_end", "mark"), [("lf", b"\n"), ("crlf", b"\r\n")])
    def test_lines_end_as_the_bank_asks(
        self, account: Account, settings, tmp_path: Path, line_end: str, mark: bytes
    ) -> None:
        settings.ACH_LINE_END = line_end
        make_debit(account)
        (file,) = build()
        data = stored_files.open_file(file=file)
        assert data.count(mark) == file.line_count == 10
        assert len(data) == 10 * (94 + len(mark))
        assert hashlib.sha256(data).hexdigest() == file.sha256
        path = tmp_path / file.name
        path.write_bytes(data)
        assert lint_path(path=path) == []

    @pytest.mark.parametrize(("payments", "sizes"), [(5, [5]), (6, [6]), (7, [6, 1]), (13, [6, 6, 1])])
    def test_what_does_not_fit_goes_into_further_files_each_whole(
        self, account: Account, settings, payments: int, sizes: list[int]
    ) -> None:
        settings.ACH_LINES_PER_FILE = (
            10  # a header and a control, of the file and of its batch, and six entries
        )
        for _ in range(payments):
            make_debit(account)
        files = build()
        assert [file.entry_count for file in files] == sizes
        assert {file.line_count for file in files} == {10}
        assert [file.modifier for file in files] == list("ABC")[: len(files)]
        assert [len(open_batches(file)) for file in files] == [1] * len(files)
        assert set(Payment.objects.values_list("status", flat=True)) == {"sending"}

    @pytest.mark.parametrize(("lines", "files"), [(19, 2), (20, 1)])
    def test_a_batch_that_has_no_room_for_an_entry_begins_in_the_next_file(
        self, account: Account, settings, lines: int, files: int
    ) -> None:
        settings.ACH_LINES_PER_FILE = lines  # 19 lines are one block of ten
        for _ in range(5):
            make_debit(account)
        make_debit(account, recurring=True)
        assert len(build()) == files

    def test_room_for_no_entry_at_all_is_said_and_nothing_moves(self, account: Account, settings) -> None:
        settings.ACH_LINES_PER_FILE = 9
        payment = make_debit(account)
        with pytest.raises(batching.UnableToBuildFile, match="ACH_LINES_PER_FILE"):
            build()
        payment.refresh_from_db()
        assert payment.status == "recorded"

    def test_the_thirty_seventh_file_bears_the_next_minute(
        self, account: Account, settings, monkeypatch
    ) -> None:
        monkeypatch.setattr(batching, "MODIFIERS", "AB")
        settings.ACH_LINES_PER_FILE = 10
        for _ in range(13):
            make_debit(account)
        assert [(file.created_time, file.modifier) for file in build()] == [
            ("1700", "A"),
            ("1700", "B"),
            ("1701", "A"),
        ]

    def test_no_batch_is_larger_than_the_rules_allow(self, account: Account, monkeypatch) -> None:
        monkeypatch.setattr(batching, "LARGEST_ENTRY_COUNT", 3)
        for _ in range(7):
            make_debit(account)
        (file,) = build()
        assert [len(entries) for _, entries in open_batches(file)] == [3, 3, 1]

    def test_entries_are_read_some_at_a_time_never_one_by_one(
        self, account: Account, monkeypatch, django_assert_max_num_queries
    ) -> None:
        monkeypatch.setattr(preparing, "READ_AT_ONCE", 5)
        for _ in range(10):
            make_debit(account)
        with django_assert_max_num_queries(100) as few:
            build()
        for _ in range(20):
            make_debit(account)
        with django_assert_max_num_queries(len(few) + 2):
            build()

    @pytest.mark.prove
    def test_four_times_the_payments_take_no_more_memory(self, account: Account, monkeypatch) -> None:
        for module, name in (
            (stored_files, "LINES_A_CHUNK"),
            (preparing, "READ_AT_ONCE"),
            (nacha, "ENTRIES_AT_ONCE"),
        ):
            monkeypatch.setattr(module, name, 20)
        keep = stored_files.store_chunk

        def keep_and_sweep(**part: Any) -> None:
            gc.collect()  # what is only waiting to be swept up is not held
            keep(**part)

        monkeypatch.setattr(stored_files, "store_chunk", keep_and_sweep)
        bank = make_bank_account()

        def measure(payments: int) -> int:
            for _ in range(payments):
                make_debit(account, bank=bank)
            tracemalloc.start()
            (file,) = build()
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert file.entry_count == payments
            return peak

        measure(40)
        few, many = measure(100), measure(400)
        assert many < few * 1.5


class TestBalancedFiles:
    @pytest.fixture(autouse=True)
    def _balanced(self, settings) -> None:
        settings.ACH_OFFSET_ACCOUNT = "011000015:99887766:savings"

    def test_an_entry_of_the_opposite_sign_closes_each_batch_but_that_of_prenotes(
        self, account: Account, settings
    ) -> None:
        put_everything_in_the_way(account)
        (file,) = build()
        assert list_shapes(file) == [
            ("WEB", "200", "PREMIUM", ["27", "32"]),
            ("WEB", "200", "PREMIUM", ["27", "32"]),
            ("TEL", "200", "PREMIUM", ["37", "32"]),
            ("PPD", "200", "PREMIUM", ["27", "32"]),
            ("WEB", "200", "RETRY PYMT", ["27", "32"]),
            ("WEB", "225", "PREMIUM", ["28"]),
            ("PPD", "200", "REFUND", ["22", "37"]),
            ("WEB", "200", "REVERSAL", ["22", "37"]),
            ("TEL", "200", "REVERSAL", ["32", "37"]),
        ]
        for _, entries in open_batches(file):
            *ours, offset = entries
            if ours:
                assert offset.amount_cents == sum(entry.amount_cents for entry in ours)
                assert (offset.account_number, offset.individual_id) == ("99887766", "OFFSET")
        assert file.debit_cents == file.credit_cents == 60_00 + 150_00
        assert (file.entry_count, file.entries.count()) == (17, 9)

    def test_the_offset_of_a_checking_account_is_a_credit_of_checking(
        self, account: Account, settings
    ) -> None:
        settings.ACH_OFFSET_ACCOUNT = "011000015:99887766:checking"
        make_debit(account)
        assert list_shapes(build()[0]) == [("WEB", "200", "PREMIUM", ["27", "22"])]

    def test_no_trace_is_used_twice_not_even_by_an_offset(self, account: Account) -> None:
        for recurring in (False, False, True):
            make_debit(account, recurring=recurring)
        first = build()
        make_debit(account)
        second = build(WEDNESDAY)
        traces = [
            entry.trace_number
            for file in (*first, *second)
            for _, entries in open_batches(file)
            for entry in entries
        ]
        assert len(set(traces)) == len(traces) == 7
        assert traces == sorted(traces)

    def test_a_batch_ends_before_one_entry_can_no_longer_balance_it(
        self, account: Account, monkeypatch
    ) -> None:
        monkeypatch.setattr(batching, "LARGEST_OFFSET_CENTS", 2 * PREMIUM)
        for _ in range(3):
            make_debit(account)
        (file,) = build()
        amounts = [[entry.amount_cents for entry in entries] for _, entries in open_batches(file)]
        assert amounts == [[PREMIUM, PREMIUM, 2 * PREMIUM], [PREMIUM, PREMIUM]]

    @pytest.mark.parametrize(("payments", "sizes"), [(5, [6]), (6, [6, 2])])
    def test_the_offset_has_its_line_in_the_file_that_it_balances(
        self, account: Account, settings, payments: int, sizes: list[int]
    ) -> None:
        settings.ACH_LINES_PER_FILE = 10
        for _ in range(payments):
            make_debit(account)
        files = build()
        assert [file.entry_count for file in files] == sizes
        assert {file.line_count for file in files} == {10}

    def test_the_offset_counts_among_the_entries_of_its_batch(self, account: Account, monkeypatch) -> None:
        monkeypatch.setattr(batching, "LARGEST_ENTRY_COUNT", 3)
        for _ in range(3):
            make_debit(account)
        (file,) = build()
        assert [len(entries) for _, entries in open_batches(file)] == [3, 2]

    def test_the_job_counts_what_is_anybodys_and_no_offset(self, account: Account) -> None:
        make_debit(account)
        counts = send(TUESDAY)
        assert (counts["debits"], counts["debit_cents"], counts["credits"], counts["credit_cents"]) == (
            1,
            PREMIUM,
            0,
            0,
        )


class TestTraces:
    @pytest.mark.parametrize("offset", ["", "011000015:99887766:checking"])
    @pytest.mark.parametrize("start", range(5))
    def test_traces_that_run_out_begin_anew_in_another_batch(
        self, account: Account, settings, monkeypatch, start: int, offset: str
    ) -> None:
        """Wherever in a round of five the build begins."""
        settings.ACH_OFFSET_ACCOUNT = offset
        for module in (batching, claiming):
            monkeypatch.setattr(module, "TRACES_A_CYCLE", 5)
        traces = claiming.Traces(expected=1)
        while traces.peek() % 5 != start:
            traces.take()
        traces.take()
        for _ in range(12):
            make_debit(account)
        (file,) = build()
        for _, entries in open_batches(file):
            assert [entry.transaction_code for entry in entries if offset][-1:] == (["22"] if offset else [])
        kept = list(file.entries.order_by("line").values_list("cycle", "trace"))
        assert (len(kept), kept) == (12, sorted(set(kept)))
        assert len(open_batches(file)) >= 3

    def test_a_build_that_crashed_uses_up_its_traces(self, account: Account) -> None:
        make_debit(account)
        with transaction.atomic():
            (lost,) = build()
            used = lost.entries.get().trace
            transaction.set_rollback(True)
        assert FileEntry.objects.count() == 0
        (file,) = build()
        assert file.entries.get().trace > used

    def test_numbers_are_drawn_some_at_a_time_and_none_is_skipped(self, db: None, monkeypatch) -> None:
        monkeypatch.setattr(claiming, "DRAWN_AT_ONCE", 4)
        traces = claiming.Traces(expected=10)
        with connection.execute_wrapper(self._count):
            taken = [traces.take() for _ in range(12)]
        assert taken == list(range(taken[0], taken[0] + 12))
        assert self.asked == 5, "4, 4, 2, and one at a time beyond what was expected"

    asked = 0

    def _count(self, execute, *args):
        self.asked += 1
        return execute(*args)


class TestTheDaysTimetable:
    @pytest.mark.parametrize(("policy", "moment"), [({}, "17:00"), ({"file_cutoff": "16:30"}, "16:30")])
    def test_files_are_built_at_the_cut_off_of_the_policy(self, settings, policy: dict, moment: str) -> None:
        settings.PREMIUM_POLICY = {name: time.fromisoformat(value) for name, value in policy.items()}
        (job,) = [job for job in read_timetable() if job.name == "send_files"]
        assert f"{job.at:%H:%M}" == moment
        assert job.run is tasks.send_files


def test_each_move_into_a_file_is_in_the_history_of_what_moved(account: Account) -> None:
    payment = make_debit(account)
    build()
    assert list(PaymentMove.objects.filter(payment=payment).values_list("before", "after")) == [
        ("recorded", "sending")
    ]

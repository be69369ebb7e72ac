"""import_enrollments and generate_exchange, as people run them."""

import io
import json
import subprocess
import sys
import time
from datetime import date

import pytest
import time_machine
from django.core.management import CommandError, call_command

from billing.models import Invoice
from members.exchange_generator import generate_events
from members.models import Enrollment
from tests.local.production_environment import ROOT
from tests.members.events import change, enroll

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_january_5")]


@pytest.fixture
def on_january_5():

    with time_machine.travel("2027-01-05T15:00:00+00:00"):
        yield


def write_file(tmp_path, *events):
    file = tmp_path / "events.jsonl"
    lines = [event if isinstance(event, bytes) else json.dumps(event).encode() for event in events]
    file.write_bytes(b"\n".join(lines) + b"\n")
    return str(file)


def run_import(file):
    said, complained = io.StringIO(), io.StringIO()
    code = 0
    try:
        call_command("import_enrollments", file, stdout=said, stderr=complained, no_color=True)
    except SystemExit as stopped:
        code = stopped.code
    except CommandError as error:
        code = error.returncode
        complained.write(str(error))
    return code, said.getvalue(), complained.getvalue()


def test_a_good_file_goes_in_is_billed_and_says_how_many(tmp_path):
    code, said, complained = run_import(write_file(tmp_path, enroll(), change()))

    assert (code, complained) == (0, "")
    assert "Events: applied 2, repeated 0, bad 0" in said
    invoice = Invoice.objects.get()
    assert (invoice.coverage_month, invoice.amount_cents) == (date(2027, 2, 1), 284_17)


def test_bad_lines_are_named_the_good_ones_go_in_and_the_exit_says_so(tmp_path):
    file = write_file(tmp_path, b"{oops", enroll(), change(enrollment_id="E7"), b'{"kind": "\xff"}')

    code, said, complained = run_import(file)

    assert code == 1
    assert "Events: applied 1, repeated 0, bad 3" in said
    assert complained.splitlines() == [
        "line 1: is not JSON (JSONDecodeError)",
        "line 3: enrollment E7 is unknown",
        "line 4: is not UTF-8 text",
    ]
    assert Enrollment.objects.count() == 1
    assert Invoice.objects.count() == 1


def test_the_same_file_again_changes_nothing(tmp_path):
    file = write_file(tmp_path, enroll())
    run_import(file)
    code, said, _ = run_import(file)
    assert code == 0
    assert "Events: applied 0, repeated 1, bad 0" in said
    assert Invoice.objects.count() == 1


def test_a_start_whose_due_date_passed_before_we_heard_of_it_is_pushed_at_once_and_counted(tmp_path):
    with time_machine.travel("2027-01-24T15:00:00+00:00"):
        _, said, _ = run_import(write_file(tmp_path, enroll()))
    assert Enrollment.objects.get().coverage_start == date(2027, 3, 1)
    assert said.splitlines()[-1] == "Bills: accounts 1, invoices 1, pushed 1, restored 0, expired 0"


def test_a_start_already_known_waits_for_the_nightly_review(tmp_path):
    run_import(write_file(tmp_path, enroll()))
    with time_machine.travel("2027-01-24T05:00:20+00:00"):
        _, said, _ = run_import(write_file(tmp_path, change()))
    assert Enrollment.objects.get().coverage_start == date(2027, 2, 1)
    assert said.splitlines()[-1] == "Bills: accounts 0, invoices 0, pushed 0, restored 0, expired 0"


@pytest.mark.parametrize("make", [lambda folder: folder / "missing.jsonl", lambda folder: folder])
def test_a_file_that_cannot_be_read_is_another_exit(tmp_path, make):
    code, _, complained = run_import(str(make(tmp_path)))
    assert code == 2
    assert "cannot be read" in complained


def test_a_mark_at_the_start_and_windows_line_ends_do_no_harm(tmp_path):
    file = tmp_path / "events.jsonl"
    file.write_bytes(
        b"\xef\xbb\xbf" + json.dumps(enroll()).encode() + b"\r\n\r\n" + json.dumps(change()).encode()
    )
    assert run_import(str(file))[0] == 0


def test_the_standard_input_is_read_for_a_hyphen(monkeypatch):
    lines = io.TextIOWrapper(io.BytesIO(json.dumps(enroll()).encode()))
    monkeypatch.setattr("sys.stdin", lines)
    assert run_import("-")[0] == 0
    assert Enrollment.objects.count() == 1


def test_generated_events_are_printed_one_a_line_and_import_whole(tmp_path):
    printed = io.StringIO()
    call_command("generate_exchange", "--households=40", "--seed=7", stdout=printed)
    file = tmp_path / "exchange.jsonl"
    file.write_text(printed.getvalue(), encoding="utf-8")

    code, said, _ = run_import(str(file))

    assert code == 0
    assert f"applied {len(printed.getvalue().splitlines())}, repeated 0, bad 0" in said


def test_the_date_and_the_seed_decide_what_is_generated():
    def generate(*options):
        printed = io.StringIO()
        call_command("generate_exchange", "--households=20", *options, stdout=printed)
        return printed.getvalue()

    assert generate("--seed=1") == generate("--seed=1", "--today=2027-01-05")
    assert generate("--seed=1") != generate("--seed=2")
    assert generate("--seed=1") != generate("--seed=1", "--today=2027-03-05")


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--households=-3", "-3 is not a count: write a whole number from 1"),
        ("--households=0", "0 is not a count"),
        ("--households=many", "many is not a count"),
        ("--today=2027-02-30", "2027-02-30 is not a day: write it as YYYY-MM-DD"),
        ("--today=soon", "soon is not a day"),
    ],
)
def test_what_is_no_count_or_day_is_refused_in_words(option, words):
    with pytest.raises(CommandError, match=words):
        call_command("generate_exchange", option, stdout=io.StringIO())


def test_a_reader_who_has_enough_ends_it_quietly():
    script = (
        "import os, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'connector_pay.settings'; django.setup(); "
        "from django.core.management import call_command; "
        "call_command('generate_exchange', '--households=2000', '--today=2027-01-05')"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    ) as process:
        assert json.loads(process.stdout.readline())["kind"] == "enroll"
        process.stdout.close()
        complained = process.stderr.read().decode()
    assert (process.returncode, complained) == (0, "")


@pytest.mark.prove
def test_ten_thousand_events_go_in_and_are_billed_in_under_thirty_seconds(tmp_path):
    events = list(generate_events(households=7_000, seed=1, today=date(2027, 1, 5)))[:10_000]
    file = write_file(tmp_path, *events)
    started = time.perf_counter()

    code, said, _ = run_import(file)

    assert code == 0
    assert "Events: applied 10,000, repeated 0, bad 0" in said
    assert time.perf_counter() - started < 30

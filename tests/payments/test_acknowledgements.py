"""The bank's word on a file of ours: taken once, about that very file alone, and refused by name of what is wrong with it."""

import json

import pytest

from payments.ach import sending
from payments.models import BankFile, FileStatus, PaymentStatus
from tests.payments.incoming_files import read_files
from tests.payments.paying import TUESDAY, make_account, noon, pay, send
from tests.payments.test_bank_files import validate_and_build

pytestmark = pytest.mark.usefixtures("books")


@pytest.fixture
def file() -> BankFile:
    """A file of ours at the bank, with one payment."""
    payment = pay(make_account())
    send(TUESDAY)
    return payment.entry.file


def acknowledge(file: BankFile, result: str = "accepted", **changes: str) -> bytes:
    said = {"acknowledges": file.name, "sha256": file.sha256, "result": result} | changes
    return json.dumps(said).encode()


@pytest.mark.parametrize("status", [FileStatus.SENDING, FileStatus.SENT])
def test_an_acknowledged_file_was_sent(status: FileStatus) -> None:
    payment = pay(make_account())
    file = validate_and_build()
    if status == FileStatus.SENT:
        sending.note_sent(file_id=file.pk, at=noon(TUESDAY))
    assert read_files({"ack": acknowledge(file)}) == {"files": 1, "accepted": 1}
    file.refresh_from_db()
    payment.refresh_from_db()
    assert (file.status, payment.status) == (FileStatus.ACCEPTED, PaymentStatus.SENT)


def test_the_same_word_in_other_bytes_changes_nothing_and_the_contrary_is_for_staff(
    file: BankFile, caplog
) -> None:
    assert read_files({"word": acknowledge(file)}) == {"files": 1, "accepted": 1}
    assert read_files({"again": acknowledge(file, reason="once more")}) == {"files": 1}
    assert read_files({"no": acknowledge(file, "rejected")}) == {"files": 1, "parked": 1}
    assert "acknowledgement of no sent file" in caplog.text


@pytest.mark.parametrize("changes", [{"sha256": "0" * 64}, {"acknowledges": "CP-other.ach"}])
def test_a_word_about_other_bytes_or_another_name_is_for_staff(
    file: BankFile, changes: dict[str, str]
) -> None:
    assert read_files({"x": acknowledge(file, **changes)}) == {"files": 1, "parked": 1}


def test_a_rejected_file_alarms(file: BankFile, caplog) -> None:
    assert read_files({"x": acknowledge(file, "rejected")})["rejected"] == 1
    assert "bank file rejected" in caplog.text


@pytest.mark.parametrize(
    ("word", "says"),
    [
        (b'{"acknowledges": "a",\n "sha256": }', "line 2, column 12: Expecting value"),
        (b'{\n"acknowledges": "\xe9"}', "line 2, column 18: is no letter of UTF-8"),
        (b'{"acknowledges": "a", "result": "accepted"}', "sha256 is missing or no text"),
        (b'{"acknowledges": "a\\n"}', "acknowledges has letters that we never write"),
        (
            b'{"acknowledges": "a", "sha256": "0", "result": "acepted"}',
            "result is neither accepted nor rejected",
        ),
    ],
)
def test_what_is_wrong_with_a_word_is_named(word: bytes, says: str) -> None:
    assert read_files({"word": word}) == {"files": 1, "refused": 1}
    assert BankFile.objects.get(status=FileStatus.REFUSED).fault == f"is no acknowledgement: {says}"


@pytest.mark.parametrize("reason", ["\\u0000", "\\ud800", "x" * 5_000])
def test_whatever_the_reason_says_the_word_is_read(file: BankFile, reason: str) -> None:
    word = (
        f'{{"acknowledges": "{file.name}", "sha256": "{file.sha256}", '
        f'"result": "rejected", "reason": "{reason}"}}'
    )
    assert read_files({"word": word.encode()}) == {"files": 1, "rejected": 1}

"""The folder bank: whole files or none, the same file once, and nothing outside the folder."""

import hashlib
from pathlib import Path

import pytest

from payments.bank import open_bank
from payments.bank.folder import FolderBank, UnableToExchangeFile

DATA = b"101 011000015 ...\n"
DIGEST = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def bank(tmp_path: Path) -> FolderBank:
    return FolderBank(folder=tmp_path)


def test_a_file_handed_over_waits_whole_for_the_bank(bank):
    bank.put(name="debits.ach", data=DATA)
    assert [path.name for path in bank.outgoing.iterdir()] == ["debits.ach"]
    assert (bank.outgoing / "debits.ach").read_bytes() == DATA
    assert bank.find(name="debits.ach") == DIGEST


def test_a_file_the_bank_has_fetched_is_still_known(bank):
    bank.put(name="debits.ach", data=DATA)
    (bank.outgoing / "debits.ach").unlink()
    assert bank.find(name="debits.ach") == DIGEST
    bank.put(name="debits.ach", data=DATA)
    assert list(bank.outgoing.iterdir()) == []


def test_another_file_of_the_same_name_is_refused(bank):
    bank.put(name="debits.ach", data=DATA)
    with pytest.raises(UnableToExchangeFile):
        bank.put(name="debits.ach", data=DATA + b"more")
    assert (bank.outgoing / "debits.ach").read_bytes() == DATA


def test_a_file_never_handed_over_is_not_known(bank):
    assert bank.find(name="debits.ach") is None


def test_what_the_bank_left_is_listed_by_name_without_what_it_is_still_writing(bank):
    for name in ("b.ach", "a.ach", ".c.ach.unfinished"):
        (bank.incoming / name).write_bytes(DATA)
    assert bank.list_incoming() == ["a.ach", "b.ach"]
    assert bank.get(name="a.ach") == DATA


@pytest.mark.parametrize("name", ["../secrets", "a/b", "", ".", "..", ".hidden"])
def test_a_name_that_leads_out_of_the_folder_is_refused(bank, name):
    with pytest.raises(UnableToExchangeFile):
        bank.get(name=name)
    with pytest.raises(UnableToExchangeFile):
        bank.put(name=name, data=DATA)


def test_a_file_the_bank_did_not_leave_is_named(bank):
    with pytest.raises(UnableToExchangeFile, match=r"missing\.ach"):
        bank.get(name="missing.ach")


def test_the_setting_opens_it(settings, tmp_path):
    from datetime import UTC, datetime

    settings.BANK_DRIVER, settings.BANK_FOLDER = "folder", str(tmp_path)
    assert isinstance(open_bank(at=datetime(2027, 1, 4, tzinfo=UTC)), FolderBank)

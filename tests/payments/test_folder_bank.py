"""The folder bank: whole files or none, the same file once, and nothing outside the folder."""

import hashlib
from pathlib import Path

import pytest

from payments.bank import UnableToExchangeFile, UnableToReachBank, UnableToTellOutcome, open_bank
from payments.bank.folder import FolderBank

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


@pytest.mark.parametrize("name", ["../secrets", "a/b", "a\\b", "", ".", "..", ".hidden", "a\0", "x" * 201])
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


def die_at(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """The process ends before this file comes in sight."""
    from payments.bank import folder

    show = folder._show

    def show_or_die(wanted: Path) -> None:
        if wanted == path:
            raise KeyboardInterrupt
        show(wanted)

    monkeypatch.setattr(folder, "_show", show_or_die)


@pytest.mark.parametrize("place", ["outgoing/debits.ach", "handed_over/debits.ach.sha256"])
def test_a_crash_before_the_file_is_in_sight_is_known_as_not_handed_over(bank, tmp_path, monkeypatch, place):
    with monkeypatch.context() as crash:
        die_at(crash, tmp_path / place)
        with pytest.raises(KeyboardInterrupt):
            bank.put(name="debits.ach", data=DATA)
    assert (bank.find(name="debits.ach"), bank.rules_out(name="debits.ach")) == (None, True)
    bank.put(name="debits.ach", data=DATA)
    assert bank.find(name="debits.ach") == DIGEST
    assert [path.name for path in bank.outgoing.iterdir()] == ["debits.ach"]


def test_a_file_fetched_at_once_is_known_though_we_died_right_after_it_was_in_sight(
    bank, tmp_path, monkeypatch
):
    from payments.bank import folder

    def fetch_and_die(place: Path) -> None:
        if place == bank.outgoing and (bank.outgoing / "debits.ach").exists():
            (bank.outgoing / "debits.ach").unlink()
            raise KeyboardInterrupt

    with monkeypatch.context() as crash:
        crash.setattr(folder, "_keep", fetch_and_die)
        with pytest.raises(KeyboardInterrupt):
            bank.put(name="debits.ach", data=DATA)
    assert bank.find(name="debits.ach") == DIGEST


def test_a_folder_that_is_no_folder_is_a_bank_out_of_reach(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UnableToReachBank, match="Not a directory"):
        FolderBank(folder=tmp_path / "file")


def test_a_folder_that_fails_before_the_file_is_in_sight_is_a_bank_out_of_reach(bank):
    bank.handed_over.rmdir()
    with pytest.raises(UnableToReachBank, match="No such file or directory"):
        bank.put(name="debits.ach", data=DATA)


def test_a_folder_that_fails_at_the_last_moment_leaves_the_outcome_to_be_asked_for(bank, monkeypatch):
    from payments.bank import folder

    def fail(place: Path) -> None:
        if place == bank.outgoing and (bank.outgoing / "debits.ach").exists():
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(folder, "_keep", fail)
    with pytest.raises(UnableToTellOutcome, match="Input/output error"):
        bank.put(name="debits.ach", data=DATA)
    assert bank.find(name="debits.ach") == DIGEST

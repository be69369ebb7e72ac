"""Handing files over to a real SFTP server: whatever line breaks, the bank gets the same bytes, and gets them once."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, time
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings

from connector_pay.lib.clock import eastern_moment
from payments import tasks
from payments.ach import sending
from payments.ach.stored_files import open_file
from payments.models import BankFile, Payment
from payments.settlement import validate_waiting
from tests.payments.paying import TUESDAY, make_account, pay, read
from tests.payments.sftp_server import PASSWORD, USER, BankServer, make_key, serve, write_line

pytestmark = pytest.mark.usefixtures("books")
AT_FIVE = eastern_moment(day=TUESDAY, at=time(17))
WEDNESDAY = date(2027, 1, 13)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[BankServer]:
    """The bank, which takes files away when a test says so."""
    with serve(BankServer(folder=tmp_path / "bank")) as served:
        yield served


@contextmanager
def banking_with(server: BankServer, **changes: object) -> Iterator[None]:
    """The portal's settings name this bank."""
    facts = {
        "host": "127.0.0.1",
        "port": server.port,
        "user": USER,
        "password": PASSWORD,
        "host_key": write_line(server.key),
    }
    login = {**settings.SFTP, **facts, **changes}
    with override_settings(BANK_DRIVER="sftp", SFTP=login, BANK_VALIDATION_METHODS=["manual"]):
        yield


def send(server: BankServer, **changes: object) -> dict[str, int]:
    """17:00, the bank accounts validated before."""
    validate_waiting(today=TUESDAY, at=AT_FIVE)
    with banking_with(server, **changes):
        return dict(tasks.send_files(day=TUESDAY, at=AT_FIVE))


def read_answer(server: BankServer) -> dict[str, int]:
    """07:00 on Wednesday, when the bank has said that it has the file."""
    file = find_file()
    word = f'{{"acknowledges": "{file.name}", "sha256": "{file.sha256}", "result": "accepted"}}'
    (server.folder / "incoming" / "ACK.json").write_text(word)
    with banking_with(server):
        return read(WEDNESDAY)


def find_file() -> BankFile:
    return BankFile.objects.get(direction="out")


def check_handed_over_once(server: BankServer) -> None:
    """The bank has, or had, exactly the stored bytes, one time."""
    server.take_away()
    file = find_file()
    assert server.taken == [(file.name, open_file(file=file))]


def test_a_file_goes_to_the_server_and_its_answer_is_read(server):
    pay(make_account())
    assert send(server)["files"] == 1
    file = find_file()
    check_handed_over_once(server)
    assert read_answer(server)["accepted"] == 1
    file.refresh_from_db()
    assert (file.status, Payment.objects.get().status) == ("accepted", "sent")


def test_a_line_broken_in_mid_file_hands_the_same_bytes_over_whole_at_the_next_run(server):
    pay(make_account())
    server.breaks_at = "write"
    with pytest.raises(sending.UnableToSendFile):
        send(server)
    file = find_file()
    (left,) = (server.folder / "outgoing").iterdir()
    assert (file.status, left.name[0]) == ("sending", ".")
    assert 0 < left.stat().st_size < len(open_file(file=file))
    assert send(server)["files"] == 1
    check_handed_over_once(server)


def test_a_lost_rename_is_done_at_the_next_run(server):
    pay(make_account())
    server.breaks_at = "rename"
    with pytest.raises(sending.UnableToSendFile):
        send(server)
    assert find_file().status == "sending"
    assert send(server)["files"] == 1
    check_handed_over_once(server)


def test_a_lost_answer_is_found_as_sent_in_the_same_run(server):
    pay(make_account())
    server.breaks_at = "renamed"
    assert send(server)["files"] == 1
    assert find_file().status == "sent"
    assert send(server)["files"] == 0
    check_handed_over_once(server)


def test_a_lost_answer_of_a_bank_that_took_the_file_away_is_unknown_until_the_bank_speaks(server):
    pay(make_account())
    server.breaks_at, server.takes_away = "renamed", True
    for counts in (send(server), send(server)):
        assert (counts["files"], counts["unknown"]) == (0, 1)
    file = find_file()
    assert (file.status, Payment.objects.get().status) == ("unknown", "sending")
    read_answer(server)
    assert (find_file().status, Payment.objects.get().status) == ("accepted", "sent")
    check_handed_over_once(server)


def test_a_server_with_another_key_gets_nothing_and_the_job_says_so(server):
    pay(make_account())
    with pytest.raises(sending.UnableToSendFile, match="The server's key is not SFTP_HOST_KEY"):
        send(server, host_key=write_line(make_key()))
    assert find_file().status == "sending"
    assert server.signed_in == []

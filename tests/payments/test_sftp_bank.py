"""The SFTP bank, against a real SSH server: whole files or none, once, and only to the server whose key we pinned."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import paramiko
import pytest

from payments.bank import UnableToExchangeFile, UnableToReachBank, UnableToTellOutcome, open_bank, sftp
from payments.bank.sftp import Server, SftpBank, UnableToReadKey, read_host_key, read_private_key
from tests.payments.sftp_server import (
    PASSWORD,
    USER,
    BankServer,
    make_key,
    serve,
    write_line,
    write_private,
)

NAME = "CP-20270112-1700-A.ach"
DATA = b"101 011000015 ...\n" * 5_000  # some blocks
DIGEST = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[BankServer]:
    with serve(BankServer(folder=tmp_path / "bank")) as served:
        yield served


@pytest.fixture
def bank(server: BankServer) -> SftpBank:
    return open_client(server)


def open_client(server: BankServer, **changes: object) -> SftpBank:
    facts = {
        "host": "127.0.0.1",
        "port": server.port,
        "user": USER,
        "host_key": write_line(server.key),
        "key": "",
        "password": PASSWORD,
        "outgoing": "outgoing",
        "incoming": "incoming",
        "timeout_seconds": 5,
        "files_stay": False,
    }
    return SftpBank(server=Server(**facts | changes))


def list_outgoing(server: BankServer) -> list[str]:
    return sorted(path.name for path in (server.folder / "outgoing").iterdir())


def test_a_file_handed_over_stands_there_whole_under_its_name(bank, server):
    bank.put(name=NAME, data=DATA)
    assert list_outgoing(server) == [NAME]
    assert (server.folder / "outgoing" / NAME).read_bytes() == DATA
    assert bank.find(name=NAME) == DIGEST


def test_the_same_file_again_changes_nothing_and_another_is_refused(bank, server):
    bank.put(name=NAME, data=DATA)
    bank.put(name=NAME, data=DATA)
    with pytest.raises(UnableToExchangeFile, match="another file named"):
        bank.put(name=NAME, data=DATA + b"more")
    assert (server.folder / "outgoing" / NAME).read_bytes() == DATA
    assert list_outgoing(server) == [NAME]


def test_a_file_of_five_megabytes(bank, server):
    data = os.urandom(5_000_000)
    bank.put(name=NAME, data=data)
    assert bank.find(name=NAME) == hashlib.sha256(data).hexdigest()
    (server.folder / "incoming" / "returns.ach").write_bytes(data)
    assert bank.get(name="returns.ach") == data


def test_an_empty_file_is_a_file(bank):
    bank.put(name=NAME, data=b"")
    assert bank.find(name=NAME) == hashlib.sha256(b"").hexdigest()


def test_a_line_broken_in_mid_file_leaves_nothing_in_sight_and_the_next_try_hands_it_over_whole(bank, server):
    server.breaks_at = "write"
    with pytest.raises(UnableToReachBank, match="while a file was written"):
        bank.put(name=NAME, data=DATA)
    assert list_outgoing(server) == [f".{NAME}.unfinished"]
    assert (bank.find(name=NAME), bank.rules_out(name=NAME)) == (None, True)
    bank.put(name=NAME, data=DATA)
    assert list_outgoing(server) == [NAME]
    assert bank.find(name=NAME) == DIGEST


def test_a_leftover_longer_than_the_file_is_overwritten(bank, server):
    (server.folder / "outgoing" / f".{NAME}.unfinished").write_bytes(DATA + b"of a crash")
    bank.put(name=NAME, data=DATA)
    assert bank.find(name=NAME) == DIGEST


def test_a_lost_rename_is_known_not_to_have_happened(bank, server):
    server.breaks_at = "rename"
    with pytest.raises(UnableToTellOutcome):
        bank.put(name=NAME, data=DATA)
    assert (bank.find(name=NAME), bank.rules_out(name=NAME)) == (None, True)
    bank.put(name=NAME, data=DATA)
    assert bank.find(name=NAME) == DIGEST


def test_a_lost_answer_to_the_rename_is_found_as_handed_over(bank, server):
    server.breaks_at = "renamed"
    with pytest.raises(UnableToTellOutcome):
        bank.put(name=NAME, data=DATA)
    assert bank.find(name=NAME) == DIGEST


def test_a_file_the_bank_took_away_after_a_lost_answer_cannot_be_ruled_out(bank, server):
    server.breaks_at, server.takes_away = "renamed", True
    with pytest.raises(UnableToTellOutcome):
        bank.put(name=NAME, data=DATA)
    assert server.taken == [(NAME, DATA)]
    assert (bank.find(name=NAME), bank.rules_out(name=NAME)) == (None, False)


def test_where_files_stay_one_that_is_not_there_was_never_handed_over(server):
    assert open_client(server, files_stay=True).rules_out(name=NAME) is True
    assert open_client(server).rules_out(name=NAME) is False


def test_a_server_that_keeps_fewer_bytes_is_not_handed_the_file(bank, server, monkeypatch):
    from tests.payments.sftp_server import Files

    monkeypatch.setattr(
        Files, "stat", lambda self, path: paramiko.SFTPAttributes.from_stat(os.stat(os.devnull))
    )
    with pytest.raises(UnableToReachBank, match=r"kept 0 of \d+ bytes"):
        bank.put(name=NAME, data=DATA)
    assert list_outgoing(server) == [f".{NAME}.unfinished"]


def test_a_directory_that_is_not_there_is_said_before_anything_is_handed_over(server):
    with pytest.raises(UnableToReachBank, match="FileNotFoundError"):
        open_client(server, outgoing="elsewhere").put(name=NAME, data=DATA)


def test_a_server_with_another_key_learns_no_password(server):
    impostor = open_client(server, host_key=write_line(make_key()))
    with pytest.raises(UnableToReachBank, match="The server's key is not SFTP_HOST_KEY"):
        impostor.put(name=NAME, data=DATA)
    assert (server.signed_in, list_outgoing(server)) == ([], [])


def test_a_server_with_a_key_of_another_kind_learns_no_password(server):
    pinned = write_line(paramiko.RSAKey.generate(2048))
    with pytest.raises(UnableToReachBank):
        open_client(server, host_key=pinned).find(name=NAME)
    assert server.signed_in == []


def test_a_server_with_an_rsa_key_is_known_by_it(tmp_path):
    with serve(BankServer(folder=tmp_path / "rsa", key=paramiko.RSAKey.generate(2048))) as server:
        open_client(server).put(name=NAME, data=DATA)
        assert list_outgoing(server) == [NAME]


def test_a_wrong_password_hands_over_nothing(server):
    with pytest.raises(UnableToReachBank, match="before it let us in"):
        open_client(server, password="wrong").put(name=NAME, data=DATA)
    assert list_outgoing(server) == []


def test_a_key_signs_in_and_the_password_is_not_told(server):
    server.client_key = make_key()
    open_client(server, key=write_private(server.client_key)).put(name=NAME, data=DATA)
    assert set(server.signed_in) == {"key"}


def test_a_wrong_key_is_refused_and_the_password_is_not_tried_instead(server):
    server.client_key = make_key()
    with pytest.raises(UnableToReachBank, match="before it let us in"):
        open_client(server, key=write_private(make_key())).find(name=NAME)
    assert "password" not in server.signed_in


def test_a_bank_that_asks_for_both_gets_both(server):
    server.client_key, server.asks_for_both = make_key(), True
    key = write_private(server.client_key)
    open_client(server, key=key).put(name=NAME, data=DATA)
    with pytest.raises(UnableToReachBank, match="asks for more"):
        open_client(server, key=key, password="").find(name=NAME)


def test_a_bank_that_does_not_answer_is_given_up(tmp_path):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        silent = BankServer(folder=tmp_path, port=port)
        with pytest.raises(UnableToReachBank):
            open_client(silent, timeout_seconds=1).find(name=NAME)
    with pytest.raises(UnableToReachBank, match="ConnectionRefusedError"):
        open_client(silent).find(name=NAME)


def test_what_the_bank_left_is_listed_by_name_without_what_it_is_still_writing(bank, server):
    incoming = server.folder / "incoming"
    for name in ("b.ach", "a.ach", ".c.ach", "d.ach.filepart", "e.TMP"):
        (incoming / name).write_bytes(DATA)
    (incoming / "archive").mkdir()
    assert bank.list_incoming() == ["a.ach", "b.ach"]
    assert bank.get(name="a.ach") == DATA


def test_a_file_the_bank_did_not_leave_is_named(bank):
    with pytest.raises(UnableToExchangeFile, match=r"missing\.ach"):
        bank.get(name="missing.ach")


def test_a_file_larger_than_any_bank_leaves_is_refused(bank, server, monkeypatch):
    (server.folder / "incoming" / "huge.ach").write_bytes(DATA)
    monkeypatch.setattr(sftp, "MOST_BYTES", len(DATA))
    assert bank.get(name="huge.ach") == DATA
    monkeypatch.setattr(sftp, "MOST_BYTES", len(DATA) - 1)
    with pytest.raises(UnableToExchangeFile, match="more than"):
        bank.get(name="huge.ach")


@pytest.mark.parametrize("name", ["../secrets", "a/b", "", ".", "..", ".hidden", "a\0", "x" * 256])
def test_a_name_that_leads_elsewhere_is_refused_without_asking_the_bank(bank, server, name):
    for ask in (bank.get, bank.find, bank.rules_out):
        with pytest.raises(UnableToExchangeFile):
            ask(name=name)
    with pytest.raises(UnableToExchangeFile):
        bank.put(name=name, data=DATA)
    assert server.signed_in == []


@pytest.mark.parametrize("line", ["", "ssh-ed25519", "ssh-ed25519 !!!", "ssh-ed25519 AAAA", "ssh-dss AAAA"])
def test_a_host_key_that_is_none_is_said(line):
    with pytest.raises(UnableToReadKey):
        read_host_key(line)


def test_a_host_key_is_read_with_or_without_what_stands_around_it():
    key = make_key()
    for line in (write_line(key), f"bank.example {write_line(key)}", f"{write_line(key)} the bank's, 2027\n"):
        assert read_host_key(line) == key


def test_a_private_key_is_read_however_it_was_written():
    for key in (make_key(), paramiko.RSAKey.generate(2048)):
        assert read_private_key(write_private(key)) == key
    with pytest.raises(UnableToReadKey):
        read_private_key("-----BEGIN OPENSSH PRIVATE KEY-----\nnonsense\n-----END OPENSSH PRIVATE KEY-----")


def test_no_secret_shows_in_what_is_printed_of_the_server(bank):
    shown = repr(replace(bank.server, key="my private key"))
    assert PASSWORD not in shown
    assert "my private key" not in shown


def test_the_settings_open_it(settings):
    settings.BANK_DRIVER = "sftp"
    assert isinstance(open_bank(at=datetime(2027, 1, 4, tzinfo=UTC)), SftpBank)

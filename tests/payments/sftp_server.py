"""A bank's SFTP server on loopback: a real SSH server over a folder, on a line that breaks where a test says so.

`python -m tests.payments.sftp_server FOLDER` serves a folder until its standard input ends, for tests that fork.
"""

import io
import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paramiko
from paramiko import (
    AUTH_FAILED,
    AUTH_PARTIALLY_SUCCESSFUL,
    AUTH_SUCCESSFUL,
    OPEN_SUCCEEDED,
    SFTP_FAILURE,
    SFTP_OK,
    SFTPAttributes,
    SFTPHandle,
    SFTPServer,
)

USER, PASSWORD = "exchange", "correct horse"


def make_key() -> paramiko.PKey:
    return paramiko.ECDSAKey.generate()


def write_line(key: paramiko.PKey) -> str:
    """The public key as one line of a file of authorized keys."""
    return f"{key.get_name()} {key.get_base64()}"


def write_private(key: paramiko.PKey) -> str:
    text = io.StringIO()
    key.write_private_key(text)
    return text.getvalue()


@dataclass
class BankServer:
    """The bank's side: its folder, its key, whom it lets in, and what goes wrong next."""

    folder: Path
    key: paramiko.PKey = field(default_factory=make_key)
    client_key: paramiko.PKey | None = None
    asks_for_both: bool = False
    breaks_at: str = ""  # "write", "rename", "renamed"; once
    takes_away: bool = False  # whatever comes in sight, at once
    signed_in: list[str] = field(default_factory=list)
    taken: list[tuple[str, bytes]] = field(default_factory=list)
    port: int = 0
    lines: list[paramiko.Transport] = field(default_factory=list)

    def break_line(self) -> None:
        """Every connection that stands now ends without a word; who calls again meanwhile is let in."""
        self.breaks_at = ""
        for line in tuple(self.lines):
            line.close()

    def take_away(self) -> None:
        """The bank fetches what is in sight."""
        for path in sorted((self.folder / "outgoing").iterdir()):
            if not path.name.startswith("."):
                self.taken.append((path.name, path.read_bytes()))
                path.unlink()


class Door(paramiko.ServerInterface):
    """Who is let in."""

    def __init__(self, bank: BankServer) -> None:
        self.bank = bank
        self.has_key = False

    def get_allowed_auths(self, username: str) -> str:
        return "publickey,password"

    def check_auth_password(self, username: str, password: str) -> int:
        self.bank.signed_in.append("password")
        allowed = (self.has_key or not self.bank.asks_for_both) and (username, password) == (USER, PASSWORD)
        return AUTH_SUCCESSFUL if allowed else AUTH_FAILED

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self.bank.signed_in.append("key")
        self.has_key = username == USER and key == self.bank.client_key
        if not self.has_key:
            return AUTH_FAILED
        return AUTH_PARTIALLY_SUCCESSFUL if self.bank.asks_for_both else AUTH_SUCCESSFUL

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return OPEN_SUCCEEDED


class Handle(SFTPHandle):
    """An open file."""

    def __init__(self, flags: int, bank: BankServer, file: Any) -> None:
        super().__init__(flags)
        self.bank, self.readfile, self.writefile = bank, file, file

    def write(self, offset: int, data: bytes) -> int:
        breaks = self.bank.breaks_at == "write"
        result = super().write(offset, data[: len(data) // 2] if breaks else data)
        self.writefile.flush()
        if breaks:
            self.bank.break_line()
        return result


class Files(paramiko.SFTPServerInterface):
    """The folder, as the protocol sees it."""

    def __init__(self, server: Door, *args: Any, **kwargs: Any) -> None:
        super().__init__(server)
        self.bank = server.bank

    def _find(self, path: str) -> Path:
        return self.bank.folder / self.canonicalize(path).lstrip("/")

    def list_folder(self, path: str) -> Any:
        try:
            return [
                SFTPAttributes.from_stat(item.stat(), filename=item.name)
                for item in self._find(path).iterdir()
            ]
        except OSError as error:
            return SFTPServer.convert_errno(error.errno)

    def stat(self, path: str) -> Any:
        try:
            return SFTPAttributes.from_stat(self._find(path).stat())
        except OSError as error:
            return SFTPServer.convert_errno(error.errno)

    lstat = stat

    def open(self, path: str, flags: int, attr: Any) -> Any:
        mode = "wb" if flags & os.O_TRUNC else "r+b" if flags & os.O_WRONLY else "rb"
        try:
            return Handle(flags, self.bank, self._find(path).open(mode))
        except OSError as error:
            return SFTPServer.convert_errno(error.errno)

    def rename(self, oldpath: str, newpath: str) -> int:
        if self.bank.breaks_at == "rename":
            self.bank.break_line()
            return SFTP_FAILURE
        if self._find(newpath).exists():
            return SFTP_FAILURE
        try:
            self._find(oldpath).rename(self._find(newpath))
        except OSError as error:
            return SFTPServer.convert_errno(error.errno)
        if self.bank.takes_away:
            self.bank.take_away()
        if self.bank.breaks_at == "renamed":
            self.bank.break_line()
        return SFTP_OK


@contextmanager
def serve(bank: BankServer) -> Iterator[BankServer]:
    """Let clients in, each on a line of its own, as long as the block lasts."""
    for name in ("outgoing", "incoming"):
        (bank.folder / name).mkdir(parents=True, exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        bank.port = listener.getsockname()[1]
        waiting = threading.Thread(target=_let_in, args=(bank, listener), daemon=True)
        waiting.start()
        yield bank
        listener.shutdown(socket.SHUT_RDWR)
        waiting.join(10)
        for line in bank.lines:
            line.close()


def _let_in(bank: BankServer, listener: socket.socket) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = paramiko.Transport(connection)
        line.add_server_key(bank.key)
        line.set_subsystem_handler("sftp", SFTPServer, Files)
        bank.lines.append(line)
        try:
            line.start_server(server=Door(bank), event=threading.Event())
        except (paramiko.SSHException, EOFError, OSError):
            line.close()


if __name__ == "__main__":
    with serve(BankServer(folder=Path(sys.argv[1]))) as served:
        sys.stdout.write(f"{served.port} {write_line(served.key)}\n")
        sys.stdout.flush()
        sys.stdin.read()

"""The SFTP bank: files change hands in two directories of the bank's server, which proves itself by the key we pinned.

A file is written under a hidden name and renamed when it is whole, so the bank never fetches half of one. Nobody else
renames or removes the hidden one: as long as it is there, the file was not handed over.
"""

import base64
import hashlib
import socket
import stat
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from io import StringIO
from itertools import pairwise

from paramiko import PKey, SFTPClient, SFTPFile, SSHException, Transport, key_classes
from paramiko.pkey import UnknownKeyType
from paramiko.sftp import CMD_EXTENDED
from paramiko.sftp_attr import SFTPAttributes

from payments.bank import (
    HIDDEN,
    UnableToExchangeFile,
    UnableToReachBank,
    UnableToTellOutcome,
    refuse_path,
    refuse_way_out,
)

BLOCK = 32_768  # what one request carries
MOST_BYTES = 100_000_000  # a million lines; no bank leaves more
UNFINISHED = (
    ".tmp",
    ".temp",
    ".part",
    ".filepart",
    ".unfinished",
)  # what banks call files still being written
_FAILURES = (OSError, EOFError, SSHException)


class UnableToReadKey(Exception):
    """A key in the settings is none that we can read."""


@dataclass(frozen=True)
class Server:
    """The bank's server and how to sign in there; `files_stay` where the bank leaves our files in place."""

    host: str
    port: int
    user: str
    host_key: str
    key: str = field(repr=False)
    password: str = field(repr=False)
    outgoing: str
    incoming: str
    timeout_seconds: int
    files_stay: bool


class SftpBank:
    """A bank behind an SFTP server: a connection of its own for each question, no shell, no agent, no guessed key."""

    def __init__(self, *, server: Server) -> None:
        self.server = server

    def put(self, *, name: str, data: bytes) -> None:
        """Hand a file over, whole or not at all; the same file again changes nothing.

        Raises UnableToExchangeFile, UnableToReachBank, UnableToTellOutcome.
        """
        path, hidden = self._find_path(name), self._find_hidden(name)
        with self._open_session() as sftp:
            with _reaching("while a file was written"):
                known = _hash(sftp, path)
                if known is None:
                    _write(sftp, hidden, data)
            if known is None:
                _show(sftp, hidden, path)
            elif known != hashlib.sha256(data).hexdigest():
                raise UnableToExchangeFile(f"The bank has another file named {name}.")

    def find(self, *, name: str) -> str | None:
        """The sha256 of the file that stands there under this name, read back; None if none does, or no longer does."""
        path = self._find_path(name)
        with self._open_session() as sftp, _reaching("while a file was read back"):
            return _hash(sftp, path)

    def rules_out(self, *, name: str) -> bool:
        """Only where files stay, or while the hidden file is still there; else the bank may have taken it away."""
        hidden = self._find_hidden(name)
        if self.server.files_stay:
            return True
        with self._open_session() as sftp, _reaching("while a file was looked for"):
            return _exists(sftp, hidden)

    def list_incoming(self) -> list[str]:
        """The names of the files the bank has left, in order of name, without those it is still writing."""
        with self._open_session() as sftp, _reaching("while files were listed"):
            found = sftp.listdir_attr(self.server.incoming)
        return sorted(item.filename for item in found if _is_whole(item))

    def get(self, *, name: str) -> bytes:
        """A file the bank has left. Raises UnableToExchangeFile."""
        path = f"{self.server.incoming}/{refuse_way_out(name)}"
        with self._open_session() as sftp, _reaching("while a file was read"):
            data = _read(sftp, path)
        if data is None:
            raise UnableToExchangeFile(f"The bank left no file named {name}.")
        return data

    def _find_path(self, name: str) -> str:
        return f"{self.server.outgoing}/{refuse_path(name)}"

    def _find_hidden(self, name: str) -> str:
        return f"{self.server.outgoing}/{HIDDEN}{refuse_path(name)}.unfinished"

    @contextmanager
    def _open_session(self) -> Iterator[SFTPClient]:
        """A session with the server that holds the pinned key, closed at the end. Raises UnableToReachBank."""
        server, pinned = self.server, read_host_key(self.server.host_key)
        with ExitStack() as stack:
            with _reaching("before it let us in"):
                line = socket.create_connection((server.host, server.port), timeout=server.timeout_seconds)
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or every block waits 40 ms
                transport = stack.enter_context(closing(Transport(stack.enter_context(line))))
                self._meet(transport, pinned)
                self._sign_in(transport)
                channel = transport.open_session(timeout=server.timeout_seconds)
                channel.settimeout(server.timeout_seconds)
                channel.invoke_subsystem("sftp")
                sftp = SFTPClient(channel)
            yield sftp

    def _meet(self, transport: Transport, pinned: PKey) -> None:
        """Nothing is said to a server with another key, no password least of all."""
        seconds = self.server.timeout_seconds
        transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = seconds
        is_rsa = pinned.get_name() == "ssh-rsa"
        kinds = ("rsa-sha2-512", "rsa-sha2-256") if is_rsa else (pinned.get_name(),)
        transport.get_security_options().key_types = kinds
        transport.start_client(timeout=seconds)
        if transport.get_remote_server_key().asbytes() != pinned.asbytes():
            raise UnableToReachBank("The server's key is not SFTP_HOST_KEY: it may not be the bank's server.")

    def _sign_in(self, transport: Transport) -> None:
        """By key, by password, or by one after the other where the bank asks for both."""
        server = self.server
        if server.key:
            transport.auth_publickey(server.user, read_private_key(server.key))
        if server.password and not transport.is_authenticated():
            transport.auth_password(server.user, server.password)
        if not transport.is_authenticated():
            raise UnableToReachBank("The bank's server asks for more than SFTP_KEY and SFTP_PASSWORD.")


def read_host_key(line: str) -> PKey:
    """The server's public key as one line, like "ssh-ed25519 AAAA..."; what else stands in it is left out. Raises
    UnableToReadKey.
    """
    words = line.split()
    for kind, encoded in pairwise(words):
        if kind.startswith(("ssh-", "ecdsa-")):
            try:
                return PKey.from_type_string(kind, base64.b64decode(encoded, validate=True))
            except (SSHException, UnknownKeyType, ValueError, IndexError) as error:
                raise UnableToReadKey(
                    f"The key of the kind {kind} is damaged, or we do not know it."
                ) from error
    raise UnableToReadKey('There is no key in it like "ssh-ed25519 AAAA...".')


def read_private_key(text: str) -> PKey:
    """Our own key, as ssh-keygen writes it, without a passphrase. Raises UnableToReadKey."""
    for kind in key_classes:
        try:
            return kind.from_private_key(StringIO(text.strip() + "\n"))
        except (SSHException, ValueError, IndexError):
            continue
    raise UnableToReadKey(
        "It is no private key that we can read: an OpenSSH or PEM file without a passphrase."
    )


@contextmanager
def _reaching(when: str) -> Iterator[None]:
    """Whatever fails before the last rename leaves nothing behind that the bank would fetch."""
    try:
        yield
    except _FAILURES as error:
        raise UnableToReachBank(f"The bank's server failed {when}: {_describe(error)}") from error


def _describe(error: BaseException) -> str:
    """On one line that can be kept, whatever the server wrote."""
    words = f"{type(error).__name__} {error}"
    return "".join(sign for sign in words if sign.isprintable()).strip()


def _hash(sftp: SFTPClient, path: str) -> str | None:
    digest = hashlib.sha256()
    try:
        with sftp.open(path, "rb") as file:
            for block in _list_blocks(file):
                digest.update(block)
    except FileNotFoundError:
        return None
    return digest.hexdigest()


def _read(sftp: SFTPClient, path: str) -> bytes | None:
    data = bytearray()
    try:
        with sftp.open(path, "rb") as file:
            for block in _list_blocks(file):
                data += block
                if len(data) > MOST_BYTES:
                    raise UnableToExchangeFile(f"The bank left a file of more than {MOST_BYTES:,} bytes.")
    except FileNotFoundError:
        return None
    return bytes(data)


def _list_blocks(file: SFTPFile) -> Iterator[bytes]:
    while block := file.read(BLOCK):
        yield block


def _exists(sftp: SFTPClient, path: str) -> bool:
    try:
        sftp.lstat(path)
    except FileNotFoundError:
        return False
    return True


def _is_whole(item: SFTPAttributes) -> bool:
    is_file = item.st_mode is None or stat.S_ISREG(item.st_mode)
    return is_file and not item.filename.startswith(HIDDEN) and not item.filename.lower().endswith(UNFINISHED)


def _write(sftp: SFTPClient, path: str, data: bytes) -> None:
    """Each block is answered for before the next, and the server has counted as many bytes as we sent."""
    with sftp.open(path, "wb") as file:
        for start in range(0, len(data), BLOCK):
            file.write(data[start : start + BLOCK])
        file.flush()
        _sync(sftp, file)
    size = sftp.stat(path).st_size
    if size != len(data):
        raise UnableToReachBank(f"The bank's server kept {size} of {len(data)} bytes.")


def _sync(sftp: SFTPClient, file: SFTPFile) -> None:
    """To the server's disk, where it offers that; one that does not says so."""
    try:
        sftp._request(CMD_EXTENDED, "fsync@openssh.com", file.handle)  # type: ignore[attr-defined]
    except (TimeoutError, ConnectionError):
        raise
    except OSError:
        return


def _show(sftp: SFTPClient, hidden: str, path: str) -> None:
    """The whole file appears at once; a server does not rename over another file."""
    try:
        sftp.rename(hidden, path)
    except _FAILURES as error:
        raise UnableToTellOutcome(
            f"The bank's server did not answer for the file: {_describe(error)}"
        ) from error

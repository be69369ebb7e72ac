"""The embedded Redis-protocol server: Valkey, reached by a Unix socket only, and empty at any moment."""

import signal
import socket
from dataclasses import dataclass
from pathlib import Path

from connector_pay.local.processes import find_process, start_apart, stop_process, wait_until_ready
from connector_pay.local.programs import find_valkey


@dataclass(frozen=True)
class Valkey:
    """One embedded Redis-protocol server."""

    data: Path
    sockets: Path
    log: Path
    durable: bool = True

    @property
    def socket(self) -> Path:
        return self.sockets / "redis.sock"

    @property
    def url(self) -> str:
        """Return the server's address: `unix:///socket/folder/redis.sock?db=0`."""
        return f"unix://{self.socket}?db=0"

    def find(self) -> int | None:
        """Return the server's pid while it runs."""
        return find_process(pid_file=self.sockets / "redis.pid", words=("valkey-server", str(self.socket)))

    def is_ready(self) -> bool:
        """Tell whether the server answers; it does not while it loads what it had kept."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(2)
            try:
                probe.connect(str(self.socket))
                probe.sendall(b"PING\r\n")
                return probe.recv(64).startswith(b"+PONG") and self.find() is not None
            except OSError:
                return False

    def start(self, *options: str) -> None:
        """Start the server; `options` are its own (`--maxmemory 1mb`). Raises `UnableToStartServer`."""
        self.stop()
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        keep = ("--save", "300 1") if self.durable else ("--save", "")
        where = ("--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700")
        files = ("--dir", str(self.data), "--pidfile", str(self.sockets / "redis.pid"))
        command = [str(find_valkey()), *where, *files, *keep, *options]
        process = start_apart(command, log=self.log)
        wait_until_ready(self.is_ready, process=process, name="The Redis-protocol server", log=self.log)

    def stop(self) -> None:
        """Stop the server in order."""
        stop_process(self.find, how=signal.SIGTERM)

    def kill(self) -> None:
        """Kill the server without a chance to tidy up."""
        stop_process(self.find, how=signal.SIGKILL)

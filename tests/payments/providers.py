"""A provider of instant validation on a socket of the machine: answers as it is told to, and keeps what it was asked."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "token-of-the-provider"
Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Provider:
    """What it answers next, and what it has heard: path, headers and body of each call."""

    url: str = ""
    answer: Answer = lambda call: None
    heard: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)


@contextmanager
def run_provider() -> Iterator[Provider]:
    """Serve until the test is over; threads that still dawdle are not waited for."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            provider.heard.append((self.path, dict(self.headers), json.loads(body)))
            try:
                provider.answer(self)
            except OSError:
                self.close_connection = True  # the caller has hung up

        def log_message(self, *args: Any) -> None:
            """Tests print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        provider.url = f"http://127.0.0.1:{server.server_address[1]}/accounts"
        yield provider
        server.shutdown()


def say(body: bytes | dict[str, Any], *, status: int = 200, **headers: str) -> Answer:
    """An ordinary answer."""

    def answer(call: BaseHTTPRequestHandler) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        call.send_response(status)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in {"Content-Length": str(len(data)), **named}.items():
            call.send_header(name, value)
        call.end_headers()
        call.wfile.write(data)

    return answer


def wait(seconds: float) -> Answer:
    """Nothing for some time."""
    return lambda call: time.sleep(seconds)


def drip(seconds: float, *, before_the_body: bool) -> Answer:
    """A byte every now and then, each soon enough for any time-out between two bytes."""

    def answer(call: BaseHTTPRequestHandler) -> None:
        if before_the_body:
            call.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        else:
            call.send_response(200)
            call.send_header("Content-Length", "10000")
            call.end_headers()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            call.wfile.write(b"a")
            call.wfile.flush()
            time.sleep(0.02)

    return answer


def hang_up(call: BaseHTTPRequestHandler) -> None:
    """The connection is gone without an answer."""
    call.connection.close()
    call.close_connection = True

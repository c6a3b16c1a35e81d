"""Servers that answer as a test wants them to: rightly, slowly, wrongly, or not at all."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeAlias
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Reply:
    """What to answer, after so many seconds; `body` None closes the connection without a word."""

    status: int = 200
    body: bytes | None = b"success"
    after: float = 0.0


@dataclass(frozen=True)
class Request:
    path: str
    query: dict[str, str]
    body: bytes
    headers: dict[str, str]
    connection: int


@dataclass
class Door:
    """A running server, and what it received."""

    url: str = ""
    requests: list[Request] = field(default_factory=list)


Answer: TypeAlias = Callable[[int, Request], Reply]


@contextmanager
def open_door(answer: Answer) -> Iterator[Door]:
    """A server on a free port; `answer` is asked with the number of the request, from 1."""
    door, lock = Door(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"]))
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            request = Request(parts.path, query, body, dict(self.headers), id(self.connection))
            with lock:
                door.requests.append(request)
                number = len(door.requests)
            self._send(answer(number, request))

        def _send(self, reply: Reply) -> None:
            time.sleep(reply.after)
            if reply.body is None:
                self.close_connection = True
                return
            self.send_response(reply.status)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass  # clients that hang up are what these tests are about

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        door.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield door
        finally:
            server.shutdown()
            thread.join()


def always(reply: Reply) -> Answer:
    return lambda _number, _request: reply


def in_turn(*replies: Reply) -> Answer:
    """One after the other, then the last for ever."""
    return lambda number, _request: replies[min(number, len(replies)) - 1]

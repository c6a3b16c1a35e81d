"""A server that answers whatever it is told to: what no WeChat, simulated or real, would say."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


@contextmanager
def answering(answer: Callable[[socket.socket, bytes], object]) -> Iterator[str]:
    """The URL of a server that hands each connection, with the request it has read, to `answer`, and closes it then."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, answer), daemon=True)
        thread.start()
        host, port = listener.getsockname()
        yield f"http://{host}:{port}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def reply(body: bytes, status: str = "200 OK", content_type: str = "text/plain", *more: str) -> bytes:
    """The bytes of an answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *more, "", ""]
    return "\r\n".join(lines).encode() + body


def _serve(listener: socket.socket, answer: Callable[[socket.socket, bytes], object]) -> None:
    while True:
        try:
            connection, _address = listener.accept()
        except OSError:
            return
        with connection, suppress(OSError):  # whoever asked has gone
            answer(connection, _request(connection))


def _request(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head, _blank, body = received.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if b"content-length" in line), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body

"""A load of pushes on keep-alive connections, light enough for one core: `python -m tests.benchmarks.load`.

Prints one line of JSON: answers by status, how many of them are replies, seconds, and the latencies in microseconds at
a thousand quantiles.
"""

import argparse
import base64
import hashlib
import json
import os
import selectors
import socket
import time
from collections.abc import Iterator

from wechat.crypto import encrypt, signature

TOKEN = "benchmarkToken"
AES_KEY = bytes(range(32))
AES_KEY_TEXT = base64.b64encode(AES_KEY).decode().rstrip("=")  # all letters and digits, as an EncodingAESKey is
APP_ID = "wx0123456789abcdef"
PREPARED = 2000  # requests that are made before the clock starts, and sent in turn


class Connection:
    """One request in flight at a time, the next as soon as the answer is there."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent_at = 0
        self.received = b""

    def send(self, request: bytes) -> None:
        self.received = b""
        self.sent_at = time.perf_counter_ns()
        self.socket.sendall(request)

    def is_answered(self) -> bool:
        """Read what has come; whether the answer is whole."""
        self.received += self.socket.recv(65536)
        head, separator, body = self.received.partition(b"\r\n\r\n")
        if not separator:
            return False
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        return len(body) >= int(length or 0)


def requests(path: str, mode: str) -> Iterator[bytes]:
    """Taps of many followers, as the whole request each."""
    now = int(time.time())
    for number in range(PREPARED):
        follower = "o" + hashlib.sha1(str(number % 700).encode()).hexdigest()[:27]
        body = (
            f"<xml><ToUserName><![CDATA[gh_0a1b2c3d4e5f]]></ToUserName>\n<FromUserName><![CDATA[{follower}]]>"
            f"</FromUserName>\n<CreateTime>{now - number}</CreateTime>\n<MsgType><![CDATA[event]]></MsgType>\n"
            f"<Event><![CDATA[CLICK]]></Event>\n<EventKey><![CDATA[MENU_{number % 13}]]></EventKey>\n</xml>"
        ).encode()
        nonce = str(100_000_000 + number)
        query = f"signature={signature(TOKEN, str(now), nonce)}&timestamp={now}&nonce={nonce}&openid={follower}"
        if mode == "encrypted":
            text = encrypt(body, AES_KEY, APP_ID)
            query += f"&encrypt_type=aes&msg_signature={signature(TOKEN, str(now), nonce, text)}"
            body = f"<xml><ToUserName>gh_0a1b2c3d4e5f</ToUserName><Encrypt><![CDATA[{text}]]></Encrypt></xml>".encode()
        head = (
            f"POST {path}?{query} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}"
        )
        yield f"{head}\r\n\r\n".encode() + body


def run(port: int, path: str, mode: str, connections: int, seconds: float) -> dict[str, object]:
    """Load for so many seconds, after a tenth of them as a warm-up."""
    prepared = list(requests(path, mode))
    selector = selectors.DefaultSelector()
    latencies: list[int] = []
    statuses: dict[str, int] = {}
    replies = 0
    for _ in range(connections):
        connection = Connection(port)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.send(prepared[len(latencies) % PREPARED])
    begin = time.perf_counter()
    warm, end = begin + seconds / 10, begin + seconds * 1.1
    count, started, in_flight = 0, 0.0, connections
    while in_flight:
        for key, _events in selector.select():
            connection = key.data
            if not connection.is_answered():
                continue
            now = time.perf_counter_ns()
            status = connection.received[9:12].decode()
            statuses[status] = statuses.get(status, 0) + 1
            replies += connection.received.endswith(b"</xml>")
            if now / 1e9 >= warm:
                started = started or now / 1e9
                latencies.append((now - connection.sent_at) // 1000)
            count += 1
            if now / 1e9 < end:
                connection.send(prepared[count % PREPARED])
            else:
                in_flight -= 1
    latencies.sort()
    measured = time.perf_counter() - started
    quantiles = [latencies[min(len(latencies) - 1, len(latencies) * part // 1000)] for part in range(1000)]
    return {
        "statuses": statuses,
        "replies": replies,
        "measured": len(latencies),
        "seconds": measured,
        "quantiles": quantiles,
    }


def main() -> None:
    """Parse the arguments, pin to a core, load, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("path")
    parser.add_argument("--mode", default="plain")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--core", type=int)
    arguments = parser.parse_args()
    if arguments.core is not None:
        os.sched_setaffinity(0, {arguments.core})
    result = run(arguments.port, arguments.path, arguments.mode, arguments.connections, arguments.seconds)
    print(json.dumps(result))


if __name__ == "__main__":
    main()

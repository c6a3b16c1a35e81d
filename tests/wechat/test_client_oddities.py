"""Answers that are none: each a clear error that tells whether WeChat may have done what it was asked."""

import os
import socket
import struct
import time

import pytest
from pydantic import SecretStr

from tests.servers import free_port
from tests.wechat.answering import answering, reply
from wechat import exchange
from wechat.client import Client
from wechat.errcodes import Invalid, TokenRejected, Unreachable

TOKEN = SecretStr("ACCESS_TOKEN")


def asked(answer: bytes) -> tuple[str, ...]:
    """What the client makes of an answer to getcallbackip."""
    with answering(lambda connection, _request: connection.sendall(answer)) as url, Client(url) as client:
        return client.callback_addresses(TOKEN)


@pytest.mark.parametrize("content_type", ["text/plain", "text/html; charset=gbk", "application/octet-stream", "?"])
def test_an_answer_is_read_whatever_its_content_type(content_type: str) -> None:
    assert ("::1",) == asked(reply(b'{"ip_list":["::1"]}', content_type=content_type))


@pytest.mark.parametrize(
    "body",
    [
        b'\xef\xbb\xbf{"ip_list":["::1"]}',
        b'\r\n{"errcode":0,"errmsg":"ok","ip_list":["::1"]}\n',
        b'{"errcode":"0","ip_list":["::1"]}',
        b'{"errcode":null,"ip_list":["::1"],"nickname":"\x02\x1d"}',
    ],
)
def test_an_answer_that_is_slightly_off_is_read(body: bytes) -> None:
    assert ("::1",) == asked(reply(body))


@pytest.mark.parametrize(
    "answer",
    [
        reply(b"<html>nginx</html>", "502 Bad Gateway", "text/html"),
        reply(b""),
        reply(b"null"),
        reply(b"[]"),
        reply(b'"ok"'),
        reply(b'{"ip_list":["::1"]'),
        reply('{"ip_list":["地址"]}'.encode("gbk")),
        reply(b'{"errcode":"forty","ip_list":[]}'),
        reply(b'{"errcode":0,"errmsg":"ok"}'),
        reply(b'{"ip_list":7}'),
        reply(b"[" * 100_000),
        reply(b'{"ip_list":["::1"]}', "503 Service Unavailable"),
        reply(b"", "302 Found", "text/html", "Location: http://127.0.0.1:1/"),
        reply(b"not gzip", "200 OK", "text/plain", "Content-Encoding: gzip"),
        reply(b" " * (exchange.MOST_BYTES + 1)),
    ],
    ids=range(15),
)
def test_garbage_is_told_as_garbage(answer: bytes) -> None:
    with pytest.raises(Unreachable) as raised:
        asked(answer)

    assert ("garbled", True) == (raised.value.reason, raised.value.sent)
    assert len(str(raised.value)) < 300


def test_an_error_code_counts_whatever_the_status() -> None:
    with pytest.raises(TokenRejected):
        asked(reply(b'{"errcode":42001,"errmsg":"access_token expired"}', "401 Unauthorized"))


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", b"\x16\x03\x01\x00\x02\x02(\r\n\r\n"]
)
def test_a_dropped_connection_may_have_done_it(answer: bytes) -> None:
    with pytest.raises(Unreachable) as raised:
        asked(answer)

    assert ("dropped", True) == (raised.value.reason, raised.value.sent)


def test_a_reset_connection_may_have_done_it() -> None:
    def reset(connection: socket.socket, _request: bytes) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with answering(reset) as url, Client(url) as client, pytest.raises(Unreachable) as raised:
        client.callback_addresses(TOKEN)

    assert ("dropped", True) == (raised.value.reason, raised.value.sent)


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}", "http://no-such-name.invalid", "127.0.0.1", "http://[", ""])
def test_without_a_connection_nothing_was_done(url: str) -> None:
    with Client(url.format(port=free_port())) as client, pytest.raises(Unreachable) as raised:
        client.callback_addresses(TOKEN)

    assert ("connect_failed", False) == (raised.value.reason, raised.value.sent)
    assert "api_base_url" in str(raised.value)


def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "READ_SECONDS", 0.2)

    def be_silent(_connection: socket.socket, _request: bytes) -> None:
        time.sleep(0.5)

    with answering(be_silent) as url, Client(url) as client, pytest.raises(Unreachable) as raised:
        client.callback_addresses(TOKEN)

    assert ("timeout", True) == (raised.value.reason, raised.value.sent)


def test_a_server_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "WHOLE_SECONDS", 0.3)

    def drip(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        for _ in range(100):
            connection.sendall(b" ")
            time.sleep(0.02)

    with answering(drip) as url, Client(url) as client, pytest.raises(Unreachable) as raised:
        client.callback_addresses(TOKEN)

    assert ("timeout", True) == (raised.value.reason, raised.value.sent)


def test_a_server_that_takes_no_connection_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "CONNECT_SECONDS", 0.2)

    with (
        socket.create_server(("127.0.0.1", 0), backlog=0) as full,
        socket.create_connection(full.getsockname()),
        Client(f"http://127.0.0.1:{full.getsockname()[1]}") as client,
        pytest.raises(Unreachable) as raised,
    ):
        client.callback_addresses(TOKEN)

    assert ("timeout", False) == (raised.value.reason, raised.value.sent)


def test_text_that_is_no_utf8_is_not_sent() -> None:
    with Client("http://127.0.0.1:1") as client, pytest.raises(Invalid) as raised:
        client.create_menu(TOKEN, {"button": [{"name": "\ud800"}]})

    assert 65318 == raised.value.errcode


def test_a_fork_has_connections_of_its_own() -> None:
    pids: list[bytes] = []

    def answer(connection: socket.socket, request: bytes) -> None:
        pids.append(request)
        connection.sendall(reply(b'{"ip_list":[]}'))

    with answering(answer) as url, Client(url) as client:
        client.callback_addresses(TOKEN)
        mine = client._exchange._opened()
        child = os.fork()
        if not child:
            os._exit(0 if client._exchange._opened() is not mine else 1)
        _pid, status = os.waitpid(child, 0)

    assert 0 == os.waitstatus_to_exitcode(status)

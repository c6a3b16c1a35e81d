"""No token and no AppSecret gets into logs, errors, what errors are chained to, or what is printed of an object."""

import logging
import socket
import traceback
from collections.abc import Callable, Iterator

import pytest
from pydantic import SecretStr

from tests.platforms import SHOP, Platform
from tests.servers import free_port
from tests.wechat.answering import answering, reply
from wechat.client import Client
from wechat.errcodes import WeChatError
from wechat.exchange import Question

TOKEN = SecretStr("57_SECRETTOKEN-of-the-account")
SECRET = SecretStr("5ecret0fTheAccount5ecret0fTheApp")
HIDDEN = [TOKEN.get_secret_value(), SECRET.get_secret_value()]

CALLS: list[Callable[[Client], object]] = [
    lambda client: client.token("wx1", SECRET),
    lambda client: client.stable_token("wx1", SECRET),
    lambda client: client.clear_quota_by_secret("wx1", SECRET),
    lambda client: client.get_menu(TOKEN),
    lambda client: client.create_menu(TOKEN, {"button": []}),
]
each_call = pytest.mark.parametrize("call", CALLS, ids=range(len(CALLS)))


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Everything that anybody logs, httpx2 and httpcore2 included."""
    for name in ("", "httpx2", "httpcore2"):
        caplog.set_level(logging.DEBUG, logger=name or None)
    return caplog


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def told(error: WeChatError) -> str:
    """All that can be said of an error."""
    parts = [text for one in chain(error) for text in (str(one), repr(one), repr(one.args), repr(vars(one)))]
    return "\n".join([*parts, *traceback.format_exception(error), repr(error.record()), error.explained("zh")])


def failed(call: Callable[[Client], object], url: str) -> WeChatError:
    with Client(url) as client, pytest.raises(WeChatError) as raised:
        call(client)
    return raised.value


def assert_hidden(text: str) -> None:
    assert [] == [secret for secret in HIDDEN if secret in text]


def echo(connection: socket.socket, request: bytes) -> None:
    """An error message that repeats what it was given, as some gateways do."""
    given = " or ".join(secret for secret in HIDDEN if secret.encode() in request)
    words = f"bad access_token={given}, or is it {given}?"
    connection.sendall(reply(f'{{"errcode":40001,"errmsg":"{words}"}}'.encode()))


def garbage(connection: socket.socket, _request: bytes) -> None:
    connection.sendall(reply(f"<html>{HIDDEN} is no JSON</html>".encode(), "502 Bad Gateway"))


def silence(_connection: socket.socket, _request: bytes) -> None:
    pass


def redirect(connection: socket.socket, _request: bytes) -> None:
    connection.sendall(reply(b"", "302 Found", "text/html", "Location: http://127.0.0.1:1/?access_token=" + HIDDEN[0]))


@each_call
@pytest.mark.parametrize("answer", [echo, garbage, silence, redirect])
def test_no_failure_tells_a_secret(
    log: pytest.LogCaptureFixture, call: Callable[[Client], object], answer: Callable[[socket.socket, bytes], None]
) -> None:
    with answering(answer) as url:
        error = failed(call, url)

    assert_hidden(told(error))
    assert_hidden(log.text)


@each_call
@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}", "ftp://wechat", "http://a b:1x"])
def test_no_missing_connection_tells_a_secret(
    log: pytest.LogCaptureFixture, call: Callable[[Client], object], url: str
) -> None:
    error = failed(call, url.format(port=free_port()))

    assert [error] == list(chain(error))
    assert_hidden(told(error))
    assert_hidden(log.text)


def test_what_httpx_logs_is_masked_and_no_more(log: pytest.LogCaptureFixture, platform: Platform) -> None:
    assert SHOP.app_secret
    with Client(platform.url) as client:
        token = client.token(SHOP.app_id, SecretStr(SHOP.app_secret)).value
        client.get_menu(token)

    lines = [record.getMessage() for record in log.records if record.name == "httpx2"]

    assert 2 == len(lines)
    assert "secret=***" in lines[0]
    assert "/cgi-bin/menu/get?access_token=***" in lines[1]
    assert '200 OK"' in lines[1]
    assert token.get_secret_value() not in log.text
    assert SHOP.app_secret not in log.text


def test_nothing_prints_its_secrets() -> None:
    question = Question("/cgi-bin/menu/get", {"access_token": HIDDEN[0]}, {"secret": HIDDEN[1]}, (HIDDEN[0],))

    assert_hidden(f"{question} {question!r}")

"""How a body may come in: how large, in which pieces, and cut short by a client that went away."""

import io
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app
from werkzeug.wrappers import Response

from ingest.push import MAX_BYTES
from tests.ingest.conftest import Gate, signed
from tests.pushes import push


class Trickle(io.RawIOBase):
    """A body that arrives in pieces, and never has more than that to give at once."""

    def __init__(self, content: bytes, piece: int) -> None:
        self._rest = content
        self._piece = piece
        self.taken = 0

    def read(self, size: int = -1) -> bytes:
        given, self._rest = self._rest[: min(size, self._piece)], self._rest[min(size, self._piece) :]
        self.taken += len(given)
        return given


def sent(gate: Gate, stream: Any, length: str | None, **environ: object) -> Response:
    """A POST whose body and Content-Length need not fit."""
    builder = EnvironBuilder("/wechat/shop", method="POST", query_string=signed())
    environment = builder.get_environ() | {"wsgi.input": stream} | environ
    environment.pop("CONTENT_LENGTH", None)
    if length is not None:
        environment["CONTENT_LENGTH"] = length
    return Response(*run_wsgi_app(gate.app, environment))


def test_an_oversized_push_is_refused_unread(gate: Gate) -> None:
    stream = Trickle(b"x" * (MAX_BYTES + 1), 1 << 20)

    answer = sent(gate, stream, str(MAX_BYTES + 1))

    assert (413, b"too_large", [], 0) == (answer.status_code, answer.data, gate.entries(), stream.taken)
    assert b"success" == gate.push(push()).data


@pytest.mark.parametrize("size", [MAX_BYTES + 1, 10 * MAX_BYTES])
def test_an_oversized_chunked_push_is_refused_after_its_first_64_kibibytes(gate: Gate, size: int) -> None:
    stream = Trickle(b"x" * size, 4096)

    answer = sent(gate, stream, None, **{"wsgi.input_terminated": True})

    assert (413, b"too_large", []) == (answer.status_code, answer.data, gate.entries())
    assert MAX_BYTES + 1 == stream.taken


@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
@pytest.mark.parametrize("is_chunked", [True, False])
def test_a_push_in_pieces_is_read_whole(gate: Gate, is_chunked: bool, piece: int) -> None:
    length = None if is_chunked else str(len(push()))

    answer = sent(gate, Trickle(push(), piece), length, **{"wsgi.input_terminated": True})

    assert (b"success", "menu") == (answer.data, gate.event().event_key)


def test_what_follows_the_declared_length_is_not_the_push(gate: Gate) -> None:
    answer = sent(gate, io.BytesIO(push() + b"POST / HTTP/1.1"), str(len(push())))

    assert (b"success", "menu") == (answer.data, gate.event().event_key)


@pytest.mark.parametrize("arrived", [0, 10])
def test_a_push_cut_short_is_not_acknowledged(gate: Gate, arrived: int, caplog: pytest.LogCaptureFixture) -> None:
    answer = sent(gate, io.BytesIO(push()[:arrived]), str(len(push())))

    assert (400, b"cut_short", []) == (answer.status_code, answer.data, gate.entries())
    assert 'outcome="cut_short"' in gate.client.get("/metrics").text
    assert ["cut_short"] == [record.__dict__["reason"] for record in caplog.records if "reason" in record.__dict__]
    assert b"success" == gate.push(push()).data


@pytest.mark.parametrize("length", ["-1", "1e3", "0x10", "²", "9" * 30, " 5", "5, 5"])
def test_an_impossible_length_is_refused(gate: Gate, length: str) -> None:
    answer = sent(gate, io.BytesIO(push()), length)

    assert (413, []) == (answer.status_code, gate.entries())


def test_a_server_that_cannot_tell_the_end_of_a_body_gives_none(gate: Gate) -> None:
    answer = sent(gate, Trickle(push(), 4096), None, **{"wsgi.input_terminated": False})

    assert (200, b"", "empty_body") == (answer.status_code, answer.data, gate.unreadable().reason)


@pytest.mark.parametrize(
    "content_type", ["text/xml", "application/json", "multipart/form-data", "", "菜/单", "x" * 999]
)
def test_the_content_type_is_not_asked_for(gate: Gate, content_type: str) -> None:
    answer = sent(gate, io.BytesIO(push()), str(len(push())), CONTENT_TYPE=content_type)

    assert b"success" == answer.data

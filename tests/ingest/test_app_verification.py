"""WeChat's one GET, when the URL is entered in its console."""

import pytest
from werkzeug.test import TestResponse

from tests.ingest.conftest import Gate, OpenGate, signed
from tests.wechat.test_crypto import Vector, vectors


def verify(gate: Gate, query: dict[str, str], account: str = "shop") -> TestResponse:
    return gate.client.get(f"/wechat/{account}", query_string=query)


@vectors("signatures")
def test_every_vector_is_verified_or_refused(open_gate: OpenGate, vector: Vector) -> None:
    query = {name: vector[name] for name in ("signature", "timestamp", "nonce")}

    answer = verify(open_gate(token=vector["token"]), query | {"echostr": "4375120948345356249"})

    expected = (200, b"4375120948345356249") if vector["outcome"] == "accept" else (403, b"bad_signature")
    assert expected == (answer.status_code, answer.data)


@pytest.mark.parametrize("echostr", ["4375120948345356249", "0012", "", "<script>&amp;", "菜单 😀"])
def test_the_echostr_comes_back_unchanged_as_text(gate: Gate, echostr: str) -> None:
    answer = verify(gate, signed() | {"echostr": echostr})

    assert (200, echostr) == (answer.status_code, answer.text)
    assert "text/plain; charset=utf-8" == answer.content_type
    assert "nosniff" == answer.headers["X-Content-Type-Options"]
    assert [] == gate.entries()


def test_an_old_timestamp_is_no_reason_to_refuse_the_verification(gate: Gate) -> None:
    answer = verify(gate, signed(timestamp="1714036504") | {"echostr": "1"})

    assert 200 == answer.status_code


@pytest.mark.parametrize("missing", ["signature", "timestamp", "nonce"])
def test_a_verification_without_its_parameters_is_refused(gate: Gate, missing: str) -> None:
    query = signed() | {"echostr": "1"}
    del query[missing]

    assert 403 == verify(gate, query).status_code


def test_a_verification_without_echostr_is_answered_with_nothing(gate: Gate) -> None:
    answer = verify(gate, signed())

    assert (200, b"") == (answer.status_code, answer.data)


def test_the_previous_token_is_verified_too(open_gate: OpenGate) -> None:
    gate = open_gate(previous_token="oldTok2023")

    assert 200 == verify(gate, signed(token="oldTok2023")).status_code


@pytest.mark.parametrize("account", ["nobody", "SHOP", "商店", "shop%00", "."])
def test_an_unknown_account_is_not_found(gate: Gate, account: str) -> None:
    assert 404 == verify(gate, signed() | {"echostr": "1"}, account).status_code


@pytest.mark.parametrize("query", ["", "signature", "signature=%ff%fe&timestamp=%00&nonce=%ED%A0%80", "&&==&;"])
def test_a_mangled_query_is_refused(gate: Gate, query: str) -> None:
    assert 403 == gate.client.get(f"/wechat/shop?{query}").status_code

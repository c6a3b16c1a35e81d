"""While tokens and keys are changed, pushes under way carry the previous ones."""

import pytest

from tests.ingest.conftest import AES_KEY, TOKEN, Gate, OpenGate, around, sealed
from tests.pushes import push

OLD_TOKEN = "menuTok2023"
OLD_KEY = "ZD0H8vOLdnMuwEjr94gykECPfuOJyNZo1d2cWXMkKpB"
UNKNOWN_KEY = "A" * 43


@pytest.fixture
def changing(open_gate: OpenGate) -> Gate:
    return open_gate(previous_token=OLD_TOKEN, previous_aes_key=OLD_KEY)


@pytest.mark.parametrize("token", [TOKEN, OLD_TOKEN])
@pytest.mark.parametrize("mode", ["plain", "compatible", "security", "json"])
def test_both_tokens_are_accepted_in_every_mode(changing: Gate, mode: str, token: str) -> None:
    answer = changing.push(push(), mode, token=token)

    assert (b"success", "oUser") == (answer.data, changing.event().open_id)


@pytest.mark.parametrize("key", [AES_KEY, OLD_KEY])
def test_both_keys_are_read_and_give_one_id(changing: Gate, key: str) -> None:
    ciphertext = changing.encrypted(push(), key)

    answers = [changing.send(sealed(ciphertext), around(ciphertext)), changing.push(push())]

    assert [b"success"] * 2 == [answer.data for answer in answers]
    assert 1 == len({entry.id for entry in changing.entries()})


def test_two_signatures_of_one_push_may_be_of_different_tokens(changing: Gate) -> None:
    ciphertext = changing.encrypted(push())
    query = sealed(ciphertext) | {"signature": sealed(ciphertext, token=OLD_TOKEN)["signature"]}

    assert b"success" == changing.send(query, around(ciphertext)).data


def test_a_third_key_is_none_of_ours(changing: Gate) -> None:
    ciphertext = changing.encrypted(push(), UNKNOWN_KEY)

    answer = changing.send(sealed(ciphertext), around(ciphertext))

    assert (200, b"") == (answer.status_code, answer.data)
    assert changing.unreadable().reason in {"bad_padding", "bad_length_field"}


def test_a_third_token_is_none_of_ours(changing: Gate) -> None:
    assert 403 == changing.push(push(), token="menuTok2022").status_code


def test_the_previous_ones_are_refused_once_they_are_not_configured(gate: Gate) -> None:
    ciphertext = gate.encrypted(push(), OLD_KEY)

    answers = [gate.push(push(), token=OLD_TOKEN), gate.send(sealed(ciphertext), around(ciphertext))]

    assert [(403, b"bad_signature"), (200, b"")] == [(answer.status_code, answer.data) for answer in answers]


def test_a_previous_key_alone_is_enough_to_read(open_gate: OpenGate) -> None:
    gate = open_gate(aes_key=None, previous_aes_key=OLD_KEY)
    ciphertext = gate.encrypted(push(), OLD_KEY)

    assert b"success" == gate.send(sealed(ciphertext), around(ciphertext)).data

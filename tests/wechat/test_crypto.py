"""Every vector of crypto_vectors.json, and what they do not say."""

import base64
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from hypothesis import given
from hypothesis import strategies as st

from wechat.crypto import PADDING_BLOCK, UndecryptableError, decode_key, decrypt, encrypt, is_signed, signature
from wechat.parse import UnreadableError, parse

VECTORS = json.loads(Path(__file__).with_name("crypto_vectors.json").read_text(encoding="utf-8"))
REASONS = {
    "not base64": "bad_base64",
    "ciphertext length is not a multiple of 16": "bad_block_length",
    "padding": "bad_padding",
    "length field beyond the end": "bad_length_field",
    "appid mismatch": "wrong_app_id",
    "utf-8": "not_utf8",
}
KEY = decode_key("5YTZWhHanluh8NlyUjOeOXQ0BuFej0DPAYUxQvVDNM7")

Vector = dict[str, Any]


def vectors(part: str, **wanted: object) -> pytest.MarkDecorator:
    chosen = [vector for vector in VECTORS[part] if wanted.items() <= vector.items()]
    return pytest.mark.parametrize("vector", chosen, ids=lambda vector: vector.get("id", vector["why"]))


def signed(vector: Vector) -> bool:
    return is_signed(vector["msg_signature"], vector["token"], vector["timestamp"], vector["nonce"], vector["encrypt"])


@vectors("signatures")
def test_a_signature_is_accepted_or_refused(vector: Vector) -> None:
    verdict = is_signed(vector["signature"], vector["token"], vector["timestamp"], vector["nonce"])

    assert (vector["outcome"] == "accept") == verdict


@vectors("decrypt", outcome="accept")
def test_a_good_ciphertext_is_read(vector: Vector) -> None:
    key = decode_key(vector.get("matching_key") or vector["encoding_aes_key"])

    assert signed(vector)
    assert vector["plaintext"] == decrypt(vector["encrypt"], key, vector["appid"]).decode()


@pytest.mark.parametrize("vector", [v for v in VECTORS["decrypt"] if "first_failure" in v], ids=lambda v: v["id"])
def test_a_bad_ciphertext_fails_at_the_first_check(vector: Vector) -> None:
    with pytest.raises(UndecryptableError) as caught:
        decrypt(vector["encrypt"], decode_key(vector["encoding_aes_key"]), vector["appid"])

    assert signed(vector)
    assert REASONS[vector["first_failure"]] == caught.value.reason


@pytest.mark.parametrize("name", ["wrong-msg-signature", "signature-instead-of-msg-signature"])
def test_a_body_that_was_altered_is_not_signed(name: str) -> None:
    vector = next(vector for vector in VECTORS["decrypt"] if vector["id"] == name)

    assert not signed(vector)


def test_a_dtd_inside_is_refused() -> None:
    vector = next(vector for vector in VECTORS["decrypt"] if vector["id"] == "inner-doctype")
    message = decrypt(vector["encrypt"], decode_key(vector["encoding_aes_key"]), vector["appid"])

    with pytest.raises(UnreadableError, match="dtd_refused"):
        parse(message)


def test_the_previous_key_alone_reads_what_it_encrypted() -> None:
    vector = next(vector for vector in VECTORS["decrypt"] if vector["id"] == "rotated-key")
    current = next(key for key in vector["candidate_keys"] if key != vector["matching_key"])

    with pytest.raises(UndecryptableError):
        decrypt(vector["encrypt"], decode_key(current), vector["appid"])


def test_every_rejected_vector_is_tested() -> None:
    others = {v["id"] for v in VECTORS["decrypt"] if v["outcome"] == "reject" and "first_failure" not in v}

    assert {"wrong-msg-signature", "signature-instead-of-msg-signature", "inner-doctype"} == others


@vectors("encrypt")
def test_a_known_random_block_gives_the_known_ciphertext(vector: Vector) -> None:
    key = decode_key(vector["encoding_aes_key"])
    made = encrypt(vector["message"].encode(), key, vector["appid"], vector["random16"].encode())

    assert vector["encrypt"] == made
    assert vector["msg_signature"] == signature(vector["token"], vector["timestamp"], vector["nonce"], made)


@vectors("keys", outcome="accept")
def test_a_key_is_decoded(vector: Vector) -> None:
    key = decode_key(vector["encoding_aes_key"])

    assert 32 == len(key)
    assert vector.get("key_hex", key.hex()) == key.hex()


@vectors("keys", outcome="reject")
def test_a_malformed_key_is_refused(vector: Vector) -> None:
    with pytest.raises(ValueError, match="43"):
        decode_key(vector["encoding_aes_key"])


@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_what_is_encrypted_is_read_back(text: str) -> None:
    assert text == decrypt(encrypt(text.encode(), KEY, "wx1"), KEY, "wx1").decode()


@given(st.binary(max_size=200))
def test_any_ciphertext_is_read_or_refused_with_a_reason(ciphertext: bytes) -> None:
    try:
        decrypt(ciphertext.decode("latin-1"), KEY, "wx1")
    except UndecryptableError as error:
        assert error.reason  # noqa: PT017


@given(st.lists(st.tuples(st.binary(min_size=16, max_size=16), st.text(st.characters(codec="utf-8"), max_size=100))))
def test_no_message_depends_on_those_before_it(messages: list[tuple[bytes, str]]) -> None:
    for random16, text in messages:
        message = text.encode()
        ciphertext = encrypt(message, KEY, "wx1", random16)

        decryptor = Cipher(AES(KEY), CBC(KEY[:16])).decryptor()
        content = decryptor.update(base64.b64decode(ciphertext)) + decryptor.finalize()
        assert random16 + len(message).to_bytes(4, "big") + message + b"wx1" == content[: -content[-1]]
        assert message == decrypt(ciphertext, KEY, "wx1")


def test_a_process_and_its_child_take_different_random_blocks() -> None:
    code = (
        "import os; from wechat.crypto import _random16; _random16(); child = os.fork(); "
        "os.write(1, _random16()); child and os.wait()"
    )
    blocks = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout

    assert 32 == len(blocks)
    assert blocks[:16] != blocks[16:]


def test_the_same_message_is_encrypted_differently_each_time() -> None:
    assert encrypt(b"<xml/>", KEY, "wx1") != encrypt(b"<xml/>", KEY, "wx1")
    assert 32 == PADDING_BLOCK


def test_threads_share_a_key_without_mixing_their_messages() -> None:
    messages = [str(number).encode() * 2000 for number in range(400)]

    with ThreadPoolExecutor(8) as threads:
        ciphertexts = list(threads.map(lambda message: encrypt(message, KEY, "wx1"), messages))
        read = list(threads.map(lambda ciphertext: decrypt(ciphertext, KEY, "wx1"), ciphertexts))

    assert messages == read


def test_a_lone_surrogate_in_a_signature_does_not_raise() -> None:
    assert not is_signed("\ud800", "token", "1", "2")
    assert not is_signed("a", "token", "\ud800", "2")

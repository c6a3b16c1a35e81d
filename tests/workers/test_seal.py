"""Tokens at rest are opened with the key they were sealed with, for the account they are of."""

import pytest
from pydantic import SecretStr

from workers.seal import Seal

KEY = SecretStr("a secret key")
TOKEN = SecretStr("57_" + "t" * 600)
SEAL = Seal(KEY, "wx1")


def test_what_was_sealed_is_opened() -> None:
    sealed = SEAL.close(TOKEN)

    assert TOKEN == Seal(KEY, "wx1").open(sealed)
    assert "tttt" not in sealed


def test_the_same_token_is_sealed_in_other_words_each_time() -> None:
    assert SEAL.close(TOKEN) != SEAL.close(TOKEN)


@pytest.mark.parametrize("other", [Seal(SecretStr("another key"), "wx1"), Seal(KEY, "wx2")])
def test_nobody_else_opens_it(other: Seal) -> None:
    assert other.open(SEAL.close(TOKEN)) is None


@pytest.mark.parametrize("text", ["", "1.", "1.!", "1.AAAA", "2.AAAA", "57_token", "1." + "A" * 400, "1.é"])
def test_what_is_no_seal_is_not_opened(text: str) -> None:
    assert SEAL.open(text) is None


def test_what_was_altered_is_not_opened() -> None:
    sealed = SEAL.close(TOKEN)

    assert SEAL.open(sealed[:50] + ("A" if sealed[50] != "A" else "B") + sealed[51:]) is None
    assert SEAL.open(sealed[:-8]) is None

"""`caidan simulate`: pushes, a ledger, and exit codes."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from console import i18n
from console.cli import caidan
from tests.wechat.simulator.doors import Reply, always, open_door
from wechat.simulator.ledger import read

ONE_ACCOUNT = """
[[accounts]]
name = "shop"
app_id = "wx1234567890abcdef"
token = "token"
"""
TWO_ACCOUNTS = f"""
{ONE_ACCOUNT}
[[accounts]]
name = "cafe"
app_id = "wxfedcba0987654321"
token = "another"
aes_key = "5YTZWhHanluh8NlyUjOeOXQ0BuFej0DPAYUxQvVDNM7"
"""


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LANGUAGE", "en")
    monkeypatch.delenv("CAIDAN_CONFIG", raising=False)
    configure(ONE_ACCOUNT)
    yield
    i18n.choose("en")


def configure(text: str) -> None:
    Path("caidan.toml").write_text(text)


def simulate(*arguments: str) -> Result:
    return CliRunner().invoke(caidan, ["simulate", *arguments], prog_name="caidan")


def test_the_ledger_has_a_line_for_every_push() -> None:
    with open_door(always(Reply())) as door:
        done = simulate(door.url, "--count", "30", "--ledger", "ledger.ndjson", "--json")

    assert 0 == done.exit_code, done.output
    assert 30 == json.loads(done.stdout)["sent"] == len(list(read(Path("ledger.ndjson"))))
    assert "/wechat/shop" == door.requests[0].path


def test_the_result_is_told_in_words() -> None:
    with open_door(always(Reply())) as door:
        done = simulate(door.url, "--count", "5", "--since", "7d")

    assert ["sent", "5"] == done.stdout.splitlines()[0].split()
    assert "p99 (ms)" in done.stdout


def test_a_push_that_is_not_acknowledged_ends_with_1() -> None:
    with open_door(always(Reply(503))) as door:
        assert 1 == simulate(door.url, "--count", "2").exit_code


def test_one_of_several_accounts_is_named() -> None:
    configure(TWO_ACCOUNTS)
    with open_door(always(Reply())) as door:
        done = simulate(door.url, "--count", "2", "--account", "cafe", "--mode", "security")

    assert 0 == done.exit_code, done.output
    assert {"/wechat/cafe"} == {request.path for request in door.requests}
    assert all("msg_signature" in request.query for request in door.requests)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["http://example.com"], 4, "this machine"),
        (["http://127.0.0.1:1", "--since", "2999-01-01"], 4, "past"),
        (["http://127.0.0.1:1", "--since", "whenever"], 4, "whenever"),
        (["http://127.0.0.1:1", "--repeat", "2"], 4, "--repeat"),
        (["http://127.0.0.1:1", "--account", "nobody"], 3, "nobody"),
        (["http://127.0.0.1:1", "--mode", "security"], 2, "aes_key"),
        (["http://127.0.0.1:1", "--ledger", "no/such/folder/ledger"], 2, "No such file"),
    ],
)
def test_what_cannot_be_done_is_explained(arguments: list[str], code: int, words: str) -> None:
    refused = simulate(*arguments)

    assert code == refused.exit_code
    assert words in refused.stderr


def test_with_several_accounts_one_has_to_be_named() -> None:
    configure(TWO_ACCOUNTS)
    refused = simulate("http://127.0.0.1:1")

    assert 4 == refused.exit_code
    assert "shop, cafe" in refused.stderr

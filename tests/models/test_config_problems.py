"""A configuration with errors tells all of them at once, a sentence each, and never a secret."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from models.config import Config, ConfigError, DoorConfig, load

pytestmark = pytest.mark.usefixtures("folder")
SECRETS = ("hunter2token", "hunter2secret", "hunter2key", "hunter2broker", "hunter2database", "hunter2aes")
ACCOUNT = '[[accounts]]\nname = "shop"\napp_id = "wx1"\ntoken = "hunter2token"\n'


def problems(toml: str | None = None, kind: type[DoorConfig] = Config) -> list[str]:
    if toml is not None:
        Path("caidan.toml").write_text(toml)
    with pytest.raises(ConfigError) as caught:
        load(kind)
    assert "; ".join(caught.value.problems) == str(caught.value)
    return caught.value.problems


def test_every_problem_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAIDAN_LOG_LEVL", "debug")
    monkeypatch.setenv("CAIDAN_WORKER_PROCESSES", "many")
    told = problems(
        "replay_window = -1\nbrokr_url = 'hunter2broker'\nbind = 'x'\nsecret_key_file = 'missing'\n"
        + ACCOUNT.replace("token", "tokn").replace('"shop"', '"Shop!"')
        + "aes_key = 'hunter2aes'\ntimezone = 'Mars'\n"
        + ACCOUNT
    )

    starts = {problem.partition(":")[0]: problem for problem in told}
    assert "CAIDAN_LOG_LEVL: unknown variable; did you mean CAIDAN_LOG_LEVEL?" == starts.pop("CAIDAN_LOG_LEVL")
    assert "brokr_url: unknown key; did you mean broker_url?" == starts.pop("brokr_url")
    assert "accounts[0].tokn: unknown key; did you mean token?" == starts.pop("accounts[0].tokn")
    assert "secret_key_file: missing: No such file or directory" == starts.pop("secret_key_file")
    assert "accounts[0].timezone: 'Mars' is no time zone; give one like Asia/Shanghai" == starts["accounts[0].timezone"]
    assert {
        *("accounts[0].aes_key", "accounts[0].name", "accounts[0].timezone", "accounts[0].token"),
        *("bind", "replay_window", "worker_processes"),
    } == set(starts)
    assert not [secret for secret in SECRETS if secret in str(told)]


@pytest.mark.parametrize(
    ("slip", "meant"),
    [("data_dri", "data_dir"), ("secret_kye", "secret_key"), ("account", "accounts"), ("database_ulr", "database_url")],
)
def test_an_unknown_key_is_an_error(slip: str, meant: str) -> None:
    (told,) = problems(f"{slip} = 'hunter2secret'\n" + ACCOUNT)

    assert told.endswith(f"unknown key; did you mean {meant}?")
    assert "hunter2secret" not in told


@pytest.mark.parametrize("kind", [Config, DoorConfig])
def test_an_unknown_key_of_an_account_is_an_error(kind: type[DoorConfig]) -> None:
    told = problems(ACCOUNT + "tokenn_file = 'hunter2secret'\nappsecret = 'hunter2secret'\n", kind)

    assert [
        "accounts[0].appsecret: unknown key; did you mean app_secret?",
        "accounts[0].tokenn: unknown key; did you mean token?",
    ] == sorted(told)


@pytest.mark.parametrize("wrong", ["5", "'text'", "true", "{name = 'shop'}"])
def test_accounts_must_be_tables(wrong: str) -> None:
    assert ["accounts: must be [[accounts]] tables, or a JSON list in CAIDAN_ACCOUNTS"] == problems(
        f"accounts = {wrong}"
    )


@pytest.mark.parametrize("wrong", ["nonsense hunter2token", '{"name": "shop"}', "5", '[{"token": "hunter2token"'])
def test_accounts_in_the_environment_must_be_a_json_list(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("CAIDAN_ACCOUNTS", wrong)

    assert ["accounts: must be [[accounts]] tables, or a JSON list in CAIDAN_ACCOUNTS"] == problems()


@pytest.mark.parametrize("wrong", ["[1]", "[[]]", "['text']"])
def test_an_account_must_be_a_table(wrong: str) -> None:
    (told,) = problems(f"accounts = {wrong}")

    assert told.startswith("accounts[0]: ")


@pytest.mark.parametrize("empty", ["", "accounts = []\n"])
def test_a_file_needs_an_account(empty: str) -> None:
    assert ["accounts: at least one [[accounts]] table is needed"] == problems(empty)


@pytest.mark.parametrize(("key", "value"), [("name", "shop"), ("app_id", "wx1")])
def test_two_accounts_must_differ(key: str, value: str) -> None:
    other = {"name": "cafe", "app_id": "wx2"} | {key: value}

    told = problems(ACCOUNT + f"[[accounts]]\nname = '{other['name']}'\napp_id = '{other['app_id']}'\ntoken = 't'\n")

    assert [f"accounts: two accounts have the {key} {value}"] == told


@pytest.mark.parametrize("name", ["", "-shop", "Shop", "a b", "a/b", "a" * 33, "商店", "shop\\n"])
def test_an_account_that_no_url_can_name_is_refused(name: str) -> None:
    (told,) = problems(ACCOUNT.replace("shop", name))

    assert told.startswith("accounts[0].name: ")


@pytest.mark.parametrize("key", ["", "a" * 42, "a" * 44, "a" * 42 + "=", "a" * 42 + "-", "é" * 43])
@pytest.mark.parametrize("field", ["aes_key", "previous_aes_key"])
def test_an_aes_key_is_43_letters_and_digits(field: str, key: str) -> None:
    told = problems(ACCOUNT + f"{field} = '{key}'\n")

    assert [f"accounts[0].{field}: an EncodingAESKey is exactly 43 letters and digits"] == told


@pytest.mark.parametrize(
    "line", ["bind = 5", "data_dir = 5", "ingest_threads = 1.5", "log_level = 'loud'", "bind = []"]
)
def test_a_value_of_the_wrong_type_is_told_by_its_key(line: str) -> None:
    (told,) = problems(f"{line}\n{ACCOUNT}")

    assert told.startswith(line.partition(" ")[0] + ": ")


@pytest.mark.parametrize("text", ["bind = 'hunter2token", "= 1", "bind 'x'", "a = 1\na = 2", "\x00"])
def test_a_file_that_is_no_toml_is_told_with_its_place(text: str) -> None:
    told = problems(text)

    assert told[0].startswith("caidan.toml: ")
    assert " (at " in told[0]
    assert "hunter2token" not in str(told)


def test_a_file_that_is_not_utf8_or_none_at_all_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "caidan.toml").write_bytes(b"bind = '\xff'")
    (folder / "directory").mkdir()

    first = problems()
    monkeypatch.setenv("CAIDAN_CONFIG", "directory")

    assert first[0].startswith("caidan.toml: 'utf-8' codec")
    assert "Is a directory" in problems()[0]


def test_a_file_that_is_named_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAIDAN_CONFIG", "nowhere.toml")

    assert "nowhere.toml: no such file (CAIDAN_CONFIG names it)" in problems()


def test_a_secret_of_an_unreadable_file_is_told_by_key_and_path(folder: Path) -> None:
    (folder / "binary").write_bytes(b"\xff\xfe")

    told = problems("secret_key_file = 'binary'\nbroker_url_file = '.'\n" + ACCOUNT + "aes_key_file = 'missing'\n")

    assert "secret_key_file: binary: not UTF-8" in told
    assert "broker_url_file: .: Is a directory" in told
    assert "accounts[0].aes_key_file: missing: No such file or directory" in told


def test_secrets_show_neither_in_a_configuration_nor_in_what_is_wrong_with_it(folder: Path) -> None:
    lines = "broker_url = 'redis://:hunter2broker@h'\ndatabase_url = 'mysql://:hunter2database@h'\n"
    account = ACCOUNT + "app_secret = 'hunter2secret'\n"
    (folder / "caidan.toml").write_text(lines + "secret_key = 'hunter2key'\n" + account)

    config: BaseModel = load(Config)
    told = problems(lines + "secret_key = 'hunter2key'\n" + account + "aes_key = 'hunter2aes'\n[[accounts]]\n")

    for shown in (repr(config), str(config), str(config.model_dump()), config.model_dump_json(), str(told)):
        assert not [secret for secret in SECRETS if secret in shown]

"""Where values come from: the file, the environment over it, files of their own for secrets, and defaults."""

import json
from pathlib import Path

import pytest

from models.config import Config, DoorConfig, explain, load

pytestmark = pytest.mark.usefixtures("folder")
ACCOUNT = '[[accounts]]\nname = "shop"\napp_id = "wx1"\ntoken = "tokenOfTheFile"\n'
EMPTY = "secret_key = 'key'\n" + ACCOUNT


def test_an_installation_without_a_file_has_defaults() -> None:
    config, sources = explain(Config)

    assert ("127.0.0.1:8000", 86400, Path("var")) == (config.bind, config.replay_window, config.data_dir)
    assert "caidan+sqlite:///var/broker.db" == config.broker_url.get_secret_value()
    assert "sqlite:///var/caidan.db" == config.database_url.get_secret_value()
    assert Path("var/journal") == config.journal_dir
    assert {"default"} == {source for name, source in sources.items() if name not in ("accounts", "secret_key")}


def test_the_file_of_the_folder_is_read(folder: Path) -> None:
    (folder / "caidan.toml").write_text("replay_window = 0\ndata_dir = 'elsewhere'\n" + EMPTY)

    config, sources = explain(Config)

    assert (0, "caidan.toml") == (config.replay_window, sources["replay_window"])
    assert "sqlite:///elsewhere/caidan.db" == config.database_url.get_secret_value()
    assert "tokenOfTheFile" == config.accounts[0].token.get_secret_value()


def test_a_file_may_be_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "caidan.toml").write_text("an error, were it read")
    (folder / "other.toml").write_text("bind = '127.0.0.1:1'\n" + EMPTY)
    monkeypatch.setenv("CAIDAN_CONFIG", "other.toml")

    assert "127.0.0.1:1" == load(Config).bind


def test_a_file_saved_by_notepad_is_read(folder: Path) -> None:
    (folder / "caidan.toml").write_text(EMPTY, encoding="utf-8-sig")

    assert "shop" == load(Config).accounts[0].name


def test_variables_win_over_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "caidan.toml").write_text("ingest_threads = 3\nlog_level = 'error'\n" + EMPTY)
    monkeypatch.setenv("CAIDAN_INGEST_THREADS", "5")

    config, sources = explain(Config)

    assert (5, "CAIDAN_INGEST_THREADS") == (config.ingest_threads, sources["ingest_threads"])
    assert ("error", "caidan.toml") == (config.log_level, sources["log_level"])


def test_an_empty_variable_counts_as_unset(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "caidan.toml").write_text("bind = '127.0.0.1:1'\n" + EMPTY)
    for name in ("BIND", "CONFIG", "BROKER_URL", "ACCOUNTS", "SECRET_KEY_FILE"):
        monkeypatch.setenv(f"CAIDAN_{name}", "")

    config = load(Config)

    assert ("127.0.0.1:1", "key") == (config.bind, config.secret_key.get_secret_value())
    assert config.broker_url.get_secret_value().startswith("caidan+sqlite:")


def test_variables_of_others_under_our_name_do_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAIDAN_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("CAIDAN_PORT_8000_TCP", "tcp://10.0.0.1:8000")

    assert load(Config).bind


def test_accounts_may_be_given_as_json(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    (folder / "token").write_text("tokenOfItsFile\n")
    accounts = [{"name": "cafe", "app_id": "wx2", "token_file": "token", "app_secret": "s"}]
    monkeypatch.setenv("CAIDAN_ACCOUNTS", json.dumps(accounts))

    config, sources = explain(Config)

    assert ("cafe", "CAIDAN_ACCOUNTS") == (config.accounts[0].name, sources["accounts"])
    assert "tokenOfItsFile" == config.accounts[0].token.get_secret_value()
    assert "cafe" == load(DoorConfig).accounts[0].name


def test_every_secret_may_lie_in_a_file_of_its_own(folder: Path) -> None:
    fields = ("broker_url", "database_url", "secret_key")
    of_account = ("token", "previous_token", "aes_key", "previous_aes_key", "app_secret")
    for field in fields + of_account:
        (folder / field).write_text(f" {field.replace('_', ''):a<43}\n")
    lines = [f"{field}_file = '{field}'" for field in fields] + ["[[accounts]]", "name = 'shop'", "app_id = 'wx1'"]
    (folder / "caidan.toml").write_text("\n".join(lines + [f"{field}_file = '{field}'" for field in of_account]))

    config, sources = explain(Config)

    read = [getattr(config, field) for field in fields] + [getattr(config.accounts[0], field) for field in of_account]
    expected = [f"{field.replace('_', ''):a<43}" for field in fields + of_account]
    assert expected == [secret.get_secret_value() for secret in read]
    assert "caidan.toml → secret_key" == sources["secret_key"]


@pytest.mark.parametrize(("variable", "value"), [("CAIDAN_SECRET_KEY", "ours"), ("CAIDAN_SECRET_KEY_FILE", "two")])
@pytest.mark.parametrize("in_file", ["secret_key = 'theirs'\n", "secret_key_file = 'one'\n"])
def test_a_variable_wins_in_whichever_way_a_secret_is_given(
    folder: Path, monkeypatch: pytest.MonkeyPatch, in_file: str, variable: str, value: str
) -> None:
    (folder / "one").write_text("theirs")
    (folder / "two").write_text("ours")
    (folder / "caidan.toml").write_text(in_file + ACCOUNT)
    monkeypatch.setenv(variable, value)

    config, sources = explain(Config)

    assert "ours" == config.secret_key.get_secret_value()
    assert sources["secret_key"].startswith(variable)

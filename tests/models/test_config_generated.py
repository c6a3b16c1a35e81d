"""What embedded defaults generate: a demo account without a file, and a secret key; each made once."""

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from models.config import Config, ConfigError, DoorConfig, explain, load

pytestmark = pytest.mark.usefixtures("folder")
ROOT = Path(__file__).parents[2]
ACCOUNT = '[[accounts]]\nname = "shop"\napp_id = "wx1"\ntoken = "t"\n'
PRODUCTION = "broker_url = 'redis://h'\ndatabase_url = 'postgresql+psycopg://h/d'\n"


def problems(kind: type[DoorConfig] = Config) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(kind)
    return caught.value.problems


def test_without_a_file_there_is_a_demo_account_that_stays_the_same() -> None:
    first, sources = explain(Config)
    second = load(Config)

    (account,) = first.accounts
    assert ("demo", "generated → var/demo.json") == (account.name, sources["accounts"])
    assert account.token.get_secret_value()
    assert account.app_secret
    assert account.aes_key
    assert first == second


def test_wechat_is_not_asked_about_an_account_that_was_made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    config = load(Config)
    monkeypatch.setenv("CAIDAN_API_BASE_URL", "http://127.0.0.1:8001")
    elsewhere = load(Config)

    assert not config.may_ask_about(config.accounts[0])
    assert elsewhere.may_ask_about(elsewhere.accounts[0])


def test_door_and_workers_have_the_same_demo_account() -> None:
    door, workers = load(DoorConfig).accounts[0], load(Config).accounts[0]

    assert (door.app_id, door.token, door.aes_key) == (workers.app_id, workers.token, workers.aes_key)


@pytest.mark.parametrize("name", ["secret.key", "demo.json"])
def test_what_is_generated_is_its_owners_alone(folder: Path, name: str) -> None:
    load(Config)

    assert 0o600 == stat.S_IMODE((folder / "var" / name).stat().st_mode)
    assert {"demo.json", "secret.key"} == {path.name for path in (folder / "var").iterdir()}


def test_a_secret_key_is_generated_beside_accounts_of_a_file(folder: Path) -> None:
    (folder / "caidan.toml").write_text(ACCOUNT)

    config, sources = explain(Config)

    assert (folder / "var" / "secret.key").read_text() == config.secret_key.get_secret_value()
    assert len(config.secret_key.get_secret_value()) >= 32
    assert "generated → var/secret.key" == sources["secret_key"]
    assert not (folder / "var" / "demo.json").exists()


def test_a_secret_key_that_is_given_is_not_generated(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAIDAN_SECRET_KEY", "given")

    assert "given" == load(Config).secret_key.get_secret_value()
    assert not (folder / "var" / "secret.key").exists()


@pytest.mark.parametrize("line", PRODUCTION.splitlines())
def test_elsewhere_a_missing_key_is_an_error_and_nothing_is_generated(folder: Path, line: str) -> None:
    (folder / "caidan.toml").write_text(f"{line}\n{ACCOUNT}")

    assert ["secret_key: missing; give CAIDAN_SECRET_KEY or secret_key_file"] == problems()
    assert not (folder / "var").exists()


@pytest.mark.parametrize("kind", [Config, DoorConfig])
def test_elsewhere_there_is_no_demo_account(
    kind: type[DoorConfig], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAIDAN_BROKER_URL", "redis://h")
    monkeypatch.setenv("CAIDAN_SECRET_KEY", "given")

    assert ["accounts: at least one [[accounts]] table is needed"] == problems(kind)
    assert not (folder / "var").exists()


def test_the_door_takes_accounts_from_a_file_where_the_database_is_elsewhere(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAIDAN_DATABASE_URL_FILE", "not for the door")

    assert ["accounts: at least one [[accounts]] table is needed"] == problems(DoorConfig)


def test_a_data_directory_that_cannot_be_one_is_told(folder: Path) -> None:
    (folder / "var").touch()

    (told,) = problems()

    assert told.startswith("var: what is generated there cannot be read or written: ")


def test_a_damaged_demo_account_is_told(folder: Path) -> None:
    (folder / "var").mkdir()
    (folder / "var" / "demo.json").write_text('{"token": "hunter2tok')

    (told,) = problems()

    assert told.startswith("var: what is generated there cannot be read or written: ")
    assert "hunter2tok" not in told


def test_processes_that_start_at_once_agree(folder: Path) -> None:
    script = (
        "from models.config import Config, load; config = load(Config); (account,) = config.accounts; "
        "print(config.secret_key.get_secret_value(), account.app_id, account.token.get_secret_value())"
    )
    environment = {"PYTHONPATH": str(ROOT)}
    started = [
        subprocess.Popen([sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]

    said = [process.communicate(timeout=60)[0] for process in started]

    assert [0] * 4 == [process.returncode for process in started]
    assert 1 == len(set(said))
    assert {"demo.json", "secret.key"} == {path.name for path in (folder / "var").iterdir()}
    assert "demo" == json.loads((folder / "var" / "demo.json").read_text())["name"]

"""The example files are configurations that load."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from models.config import Config, DoorConfig, load

DEPLOY = Path(__file__).parents[2] / "deploy"
SECRETS = {
    "broker_url": "amqp://caidan:x@rabbitmq:5672//",
    "database_url": "postgresql+psycopg://caidan:x@postgres/caidan",
    "secret_key": "long and random",
    "shop_token": "a token",
    "shop_aes_key": "k" * 43,
    "shop_app_secret": "an app secret",
}


Use: TypeAlias = Callable[[str], None]


@pytest.fixture
def use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Use:
    """Make an example the configuration of this process, with secrets where it looks for them."""

    def use_example(name: str) -> None:
        text = (DEPLOY / name).read_text().replace("/etc/caidan/secrets", str(tmp_path))
        (tmp_path / "caidan.toml").write_text(text)
        for secret in re.findall(rf'"{tmp_path}/(\w+)"', text):
            (tmp_path / secret).write_text(SECRETS[secret] + "\n")
        monkeypatch.setenv("CAIDAN_CONFIG", str(tmp_path / "caidan.toml"))

    return use_example


def test_the_example_of_the_workers_loads(use: Use) -> None:
    use("caidan.example.toml")

    config = load(Config)

    assert SECRETS["database_url"] == config.database_url.get_secret_value()
    assert SECRETS["secret_key"] == config.secret_key.get_secret_value()
    assert config.accounts[0].app_secret is not None


def test_the_example_of_the_ingress_loads(use: Use) -> None:
    use("ingress.example.toml")

    config = load(DoorConfig)

    assert SECRETS["broker_url"] == config.broker_url.get_secret_value()
    assert ["shop"] == [account.name for account in config.accounts]


def test_the_example_of_the_ingress_says_nothing_that_the_door_must_not_know() -> None:
    text = (DEPLOY / "ingress.example.toml").read_text()
    said = tomllib.loads(text)

    keys = {key.removesuffix("_file") for key in said}

    assert set() == keys - DoorConfig.model_fields.keys()
    assert all("app_secret_file" not in account for account in said["accounts"])


def test_both_examples_describe_the_same_accounts() -> None:
    ours, doors = (tomllib.loads((DEPLOY / f"{name}.example.toml").read_text()) for name in ("caidan", "ingress"))

    for account in ours["accounts"]:
        del account["app_secret_file"]

    assert ours["accounts"] == doors["accounts"]

"""An installation that the doctor looks at, and what it says."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.console.runner import run
from tests.platforms import SHOP, Platform

FILE = f"""
secret_key = "a secret key"

[[accounts]]
name = "shop"
app_id = "{SHOP.app_id}"
app_secret = "{SHOP.app_secret}"
token = "{SHOP.token}"
aes_key = "{SHOP.aes_key}"
original_id = "{SHOP.original_id}"
"""
MENU = {"button": [{"type": "click", "name": "a", "key": "A"}, {"type": "view", "name": "b", "url": "https://e.cn/"}]}


class Told:
    """What the doctor said."""

    def __init__(self, *arguments: str) -> None:
        ended = run("doctor", "--json", *arguments)
        self.exit_code, self.output = ended.exit_code, ended.output
        self.lines: list[dict[str, Any]] = json.loads(ended.stdout)

    def levels(self, check: str) -> list[str]:
        return [line["level"] for line in self.lines if line["check"] == check]

    def of(self, check: str, level: str) -> list[str]:
        """The messages, with the advice."""
        lines = [line for line in self.lines if (line["check"], line["level"]) == (check, level)]
        return [f"{line['message']} {line['advice']}".strip() for line in lines]

    def failures(self) -> set[str]:
        return {line["check"] for line in self.lines if line["level"] == "failure"}


def install(platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Platform:
    """The platform, and an installation with a database that asks it."""
    (tmp_path / "caidan.toml").write_text(FILE)
    (tmp_path / "caidan.toml").chmod(0o600)
    monkeypatch.setenv("CAIDAN_API_BASE_URL", platform.url)
    assert 0 == run("db", "upgrade").exit_code
    return platform

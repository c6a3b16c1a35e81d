"""`retention_days`: days by kind, from a table of the file or from JSON in the variable."""

import json
from pathlib import Path

import pytest

from models.config import Config, ConfigError, DoorConfig, explain, load

pytestmark = pytest.mark.usefixtures("folder")
ACCOUNT = '[[accounts]]\nname = "shop"\napp_id = "wx1"\ntoken = "t"\n'
SHAPE = "retention_days: must be a [retention_days] table, or a JSON object in CAIDAN_RETENTION_DAYS"


def write(lines: str) -> None:
    Path("caidan.toml").write_text(f"secret_key = 'key'\n{lines}\n{ACCOUNT}")


def problems() -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(Config)
    return caught.value.problems


def test_without_it_everything_is_kept() -> None:
    write("")

    assert {} == load(Config).retention_days


def test_days_are_given_by_kind() -> None:
    write("[retention_days]\ndefault = 1095\nlocation_report = 90\nquarantine = 36500\nsome_new_kind = 1")

    days = {"default": 1095, "location_report": 90, "quarantine": 36500, "some_new_kind": 1}
    assert days == load(Config).retention_days


def test_the_variable_has_json_and_takes_the_place_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    write("[retention_days]\ndefault = 1095")
    monkeypatch.setenv("CAIDAN_RETENTION_DAYS", json.dumps({"click": 30}))

    config, sources = explain(Config)

    assert ({"click": 30}, "CAIDAN_RETENTION_DAYS") == (config.retention_days, sources["retention_days"])


@pytest.mark.parametrize("line", ["retention_days = 90", "retention_days = '90'", "retention_days = [90]"])
def test_days_without_kinds_are_refused(line: str) -> None:
    write(line)

    assert [SHAPE] == problems()


@pytest.mark.parametrize("value", ["90", "default=90", '["default", 90]', '{"default": 90'])
def test_a_variable_that_is_no_object_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    write("")
    monkeypatch.setenv("CAIDAN_RETENTION_DAYS", value)

    assert [SHAPE] == problems()


@pytest.mark.parametrize("days", ["0", "-1", "36501", "1.5", "true", "'90'", "[]"])
def test_days_are_a_number_of_them(days: str) -> None:
    write(f"[retention_days]\ndefault = {days}\nclick = 30")

    (told,) = problems()

    assert told.startswith("retention_days.default: ")


@pytest.mark.parametrize(
    ("kind", "meant"), [("CLICK", "click"), ("LOCATION", "location_report"), ("SCAN", "qrcode_scan"), ("View", "view")]
)
def test_a_kind_in_wechats_spelling_is_refused(kind: str, meant: str) -> None:
    write(f"[retention_days]\n{kind} = 30")

    assert [f"retention_days.{kind}: kinds are written in lower case; did you mean {meant}?"] == problems()


def test_the_door_does_not_know_of_it() -> None:
    write("[retention_days]\nCLICK = 0")

    assert "retention_days" not in load(DoorConfig).model_dump()

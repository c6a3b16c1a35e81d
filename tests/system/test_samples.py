"""Every sample push, in each mode, through a running installation into rows."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.system.conftest import Installation, wait_until
from tests.system.wire import AES_KEY, PUSHES, SAMPLES, TOKEN, push

MODES = ["plain", "compatible", "security"]
YEAR_2011 = 1293840000  # what came before it, as the times of some samples did, is absurd


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Events by account and kind, from one installation with an account for each mode."""
    installed = Installation(tmp_path_factory.mktemp("samples"))
    (installed.directory / "caidan.toml").write_text("".join(_account(mode) for mode in MODES))
    try:
        installed.start()
        for mode in MODES:
            for sample in SAMPLES:
                message = (PUSHES / sample["file"]).read_bytes()
                assert b"success" == push(f"{installed.url}/wechat/{mode}", f"wx{mode}", mode, message)
        wait_until(installed.is_settled, 30)
        yield installed
    finally:
        code = installed.stop()
    assert code == 0


def _account(mode: str) -> str:
    return f'[[accounts]]\nname = "{mode}"\napp_id = "wx{mode}"\ntoken = "{TOKEN}"\naes_key = "{AES_KEY}"\n'


@pytest.mark.parametrize("mode", MODES)
def test_every_sample_is_an_event_with_the_values_expected(stored: Installation, mode: str) -> None:
    rows = stored.json("event", "list", "--account", mode, "--limit", "1000")

    assert sorted(_expected(sample["expected"]) for sample in SAMPLES) == sorted(_shown(row) for row in rows)


def _expected(values: dict[str, Any]) -> tuple[str, ...]:
    created = max(values["create_time"], YEAR_2011)
    return tuple(
        repr(value)
        for value in (
            datetime.fromtimestamp(created, UTC).isoformat(),
            values["from_user"],
            values["event_key"],
            values["menu_id"],
            values["msg_id"],
        )
    )


def _shown(row: dict[str, Any]) -> tuple[str, ...]:
    created = datetime.fromisoformat(row["created_at"]).astimezone(UTC).isoformat()
    return tuple(
        repr(value) for value in (created, row["open_id"], row["event_key"], row["wechat_menu_id"], row["msg_id"])
    )


@pytest.mark.parametrize("mode", MODES)
def test_scans_photos_and_places_are_rows_of_their_own(stored: Installation, mode: str) -> None:
    expected = [sample["expected"] for sample in SAMPLES]

    assert sorted((e["scan"]["type"], e["scan"]["result"]) for e in expected if "scan" in e) == sorted(
        stored.rows(_of(mode, "SELECT scan_type, scan_result FROM scan"))
    )
    assert sorted(md5 for e in expected if "pics" in e for md5 in e["pics"]["md5"]) == sorted(
        md5 for (md5,) in stored.rows(_of(mode, "SELECT md5 FROM photo"))
    )
    places = [e["location"] for e in expected if "location" in e]
    assert sorted((p["x_lat"], p["y_lon"], p["label"]) for p in places) == sorted(
        stored.rows(_of(mode, "SELECT latitude, longitude, location.label FROM location", "kind != 'location_report'"))
    )


def _of(mode: str, query: str, condition: str = "1") -> str:
    return (
        f"{query} JOIN event ON event.id = event_id JOIN account ON account.id = account_id "
        f"WHERE account.name = '{mode}' AND {condition}"
    )


def test_the_same_push_in_another_mode_is_the_same_event(stored: Installation, tmp_path: Path) -> None:
    before = stored.rows("SELECT count(*) FROM event")
    message = (PUSHES / "event_CLICK.xml").read_bytes()

    for mode in MODES:
        assert b"success" == push(f"{stored.url}/wechat/plain", "wxplain", mode, message)

    wait_until(stored.is_settled, 30)
    assert before == stored.rows("SELECT count(*) FROM event")

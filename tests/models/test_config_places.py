"""`places_at_least`: how many people it takes for a place to be told of."""

from pathlib import Path

import pytest

from models.config import Config, ConfigError, load

pytestmark = pytest.mark.usefixtures("folder")
FILE = "secret_key = 'key'\n{}\n[[accounts]]\nname = 'shop'\napp_id = 'wx1'\ntoken = 't'\n"


def test_it_is_five_unless_given(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("caidan.toml").write_text(FILE.format(""))
    by_default = load(Config).places_at_least
    monkeypatch.setenv("CAIDAN_PLACES_AT_LEAST", "12")

    assert (5, 12) == (by_default, load(Config).places_at_least)


@pytest.mark.parametrize("number", ["0", "-1", "1.5", "'few'"])
def test_less_than_one_person_is_refused(number: str) -> None:
    Path("caidan.toml").write_text(FILE.format(f"places_at_least = {number}"))

    with pytest.raises(ConfigError) as caught:
        load(Config)

    assert [True] == [problem.startswith("places_at_least: ") for problem in caught.value.problems]

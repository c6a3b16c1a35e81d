"""Which proxies are trusted, and what becomes of pushes from elsewhere."""

from pathlib import Path

import pytest

from models.config import ConfigError, DoorConfig, load

pytestmark = pytest.mark.usefixtures("folder")
ACCOUNT = '[[accounts]]\nname = "shop"\napp_id = "wx1"\ntoken = "t"\n'


def configured(line: str) -> DoorConfig:
    Path("caidan.toml").write_text(f"{line}\n{ACCOUNT}")
    return load(DoorConfig)


def problems(line: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        configured(line)
    return caught.value.problems


def test_nobody_is_trusted_and_pushes_are_counted_unless_told_otherwise() -> None:
    config = configured("")

    assert ((), "count") == (config.trusted_proxies, config.foreign_pushes)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("trusted_proxies = []", ()),
        (
            'trusted_proxies = ["127.0.0.1", "10.0.0.0/8", "::1", "fd00::/8"]',
            ("127.0.0.1", "10.0.0.0/8", "::1", "fd00::/8"),
        ),
        ('trusted_proxies = "127.0.0.1"', ("127.0.0.1",)),
    ],
)
def test_proxies_are_addresses_and_blocks(line: str, expected: tuple[str, ...]) -> None:
    assert expected == configured(line).trusted_proxies


@pytest.mark.parametrize("value", ["10.0.0.0/8,::1", " 10.0.0.0/8 , ::1 ", '["10.0.0.0/8", "::1"]'])
def test_a_variable_has_commas_between_them_or_is_json(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CAIDAN_TRUSTED_PROXIES", value)

    assert ("10.0.0.0/8", "::1") == configured("").trusted_proxies


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            'trusted_proxies = ["::1", "nginx"]',
            "trusted_proxies[1]: 'nginx' is no address or block; give one like 10.0.0.1, 10.0.0.0/8 or ::1",
        ),
        (
            'trusted_proxies = ["10.0.0.5/8"]',
            "trusted_proxies[0]: '10.0.0.5/8' is an address inside of a block; did you mean 10.0.0.0/8?",
        ),
        (
            'trusted_proxies = ["10.0.0.1:80"]',
            "trusted_proxies[0]: '10.0.0.1:80' is no address or block; give one like 10.0.0.1, 10.0.0.0/8 or ::1",
        ),
        ("trusted_proxies = 5", "trusted_proxies: must be a list of addresses and blocks"),
        ("trusted_proxies = true", "trusted_proxies: must be a list of addresses and blocks"),
        ("trusted_proxies = [5]", "trusted_proxies[0]: Input should be a valid string"),
        ('foreign_pushes = "block"', "foreign_pushes: Input should be 'count', 'log' or 'refuse'"),
        ("trusted_proxy = []", "trusted_proxy: unknown key; did you mean trusted_proxies?"),
    ],
)
def test_what_is_wrong_is_told(line: str, told: str) -> None:
    assert [told] == problems(line)


def test_a_variable_that_is_wrong_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAIDAN_TRUSTED_PROXIES", "10.0.0.0/8 ::1")

    assert problems("")[0].startswith("trusted_proxies[0]: '10.0.0.0/8 ::1' is no address or block")

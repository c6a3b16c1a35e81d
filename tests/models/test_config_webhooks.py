"""`[[webhooks]]`: servers that are told of events."""

import json
from pathlib import Path

import pytest

from models.config import Config, ConfigError, DoorConfig, explain, load

pytestmark = pytest.mark.usefixtures("folder")
ACCOUNT = '[[accounts]]\nname = "shop"\napp_id = "wx1"\ntoken = "t"\n'
SECRET = "whsec_" + "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHNlYw=="
GOOD = {"name": "crm", "url": "https://example.com/hook?a=1", "secret": SECRET}


def write(**fields: object) -> None:
    lines = [f"{name} = {json.dumps(value)}" for name, value in fields.items() if value is not None]
    Path("caidan.toml").write_text("\n".join(["secret_key = 'key'", ACCOUNT, "[[webhooks]]", *lines]))


def problems(**changes: object) -> list[str]:
    write(**GOOD | changes)
    with pytest.raises(ConfigError) as caught:
        load(Config)
    return caught.value.problems


def test_one_is_given_by_name_address_and_secret() -> None:
    write(**GOOD)
    [webhook] = load(Config).webhooks

    assert ("crm", "https://example.com/hook?a=1", ("*",), ()) == (
        webhook.name,
        webhook.url,
        webhook.kinds,
        webhook.accounts,
    )
    assert SECRET == webhook.secret.get_secret_value()
    assert SECRET not in repr(load(Config))


def test_the_secret_may_be_in_a_file() -> None:
    Path("secret").write_text(SECRET + "\n")
    write(**GOOD | {"secret": None}, secret_file="secret")

    assert SECRET == load(Config).webhooks[0].secret.get_secret_value()


def test_the_variable_has_json(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("caidan.toml").write_text(f"secret_key = 'key'\n{ACCOUNT}")
    monkeypatch.setenv("CAIDAN_WEBHOOKS", json.dumps([GOOD]))

    config, sources = explain(Config)

    assert ("crm", "CAIDAN_WEBHOOKS") == (config.webhooks[0].name, sources["webhooks"])


def test_the_door_knows_of_none_and_reads_no_file_of_theirs() -> None:
    write(**GOOD | {"secret": None}, secret_file="not there")

    assert not hasattr(load(DoorConfig), "webhooks")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"url": "http://example.com/"}, "webhooks[0].url: events of followers go over https, unless the server is on"),
        ({"url": "ftp://example.com/"}, "webhooks[0].url: no address of a server"),
        ({"url": "https://"}, "webhooks[0].url: no address of a server"),
        ({"url": "https://x.cn:port/"}, "webhooks[0].url: no address of a server"),
        ({"url": "https://me:pass@x.cn/"}, "webhooks[0].url: names and passwords do not belong here"),
        ({"secret": "password"}, "webhooks[0].secret: a secret is whsec_ and 24 to 64 bytes"),
        ({"secret": "whsec_c2VjcmV0"}, "webhooks[0].secret: a secret is whsec_ and 24 to 64 bytes"),
        ({"secret": None}, "webhooks[0].secret: Field required"),
        ({"kinds": ["CLICK"]}, "webhooks[0].kinds[0]: kinds are written in lower case"),
        ({"kinds": []}, "webhooks[0].kinds: "),
        ({"accounts": ["cafe"]}, "webhooks: there is no account cafe"),
        ({"name": "C R M"}, "webhooks[0].name: "),
        ({"timeout": 0}, "webhooks[0].timeout: "),
        ({"rate": "many"}, "webhooks[0].rate: no rate; give one like 10/s"),
        ({"timout": 3}, "webhooks[0].timout: unknown key; did you mean timeout?"),
    ],
)
def test_what_makes_no_sense_is_told(changes: dict[str, object], problem: str) -> None:
    told, *others = problems(**changes)

    assert [] == others
    assert told.startswith(problem)
    assert "pass@" not in told
    assert "password" not in told.partition(":")[2] or "names and passwords" in told


@pytest.mark.parametrize("url", ["http://localhost:8080/", "http://127.0.0.1/hook", "http://[::1]:9/"])
def test_on_this_machine_http_will_do(url: str) -> None:
    write(**GOOD | {"url": url})

    assert url == load(Config).webhooks[0].url


def test_two_have_different_names(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("caidan.toml").write_text(f"secret_key = 'key'\n{ACCOUNT}")
    monkeypatch.setenv("CAIDAN_WEBHOOKS", json.dumps([GOOD, GOOD]))

    with pytest.raises(ConfigError, match="two webhooks have the name crm"):
        load(Config)

"""callback/check tells what carriers see of the callback."""

import socket
from typing import Any

import pytest

from tests.platforms import Platform
from tests.wechat.simulator.doors import Reply, always, open_door


def check(platform: Platform, action: object = "all", operator: object = "DEFAULT") -> Any:
    body = {"action": action, "check_operator": operator}
    return platform.call("callback/check", body, token=platform.token())


def test_an_account_without_callback_is_told_so(platform: Platform) -> None:
    assert 40201 == check(platform)["errcode"]


@pytest.mark.parametrize(("given", "code"), [(("traceroute", "CAP"), 40202), (("dns", "MOBILE"), 40203)])
def test_unknown_words_are_refused(platform: Platform, given: tuple[str, str], code: int) -> None:
    platform.push_to("http://127.0.0.1:1")

    assert code == check(platform, *given)["errcode"]


def test_the_callback_is_tried(platform: Platform) -> None:
    with open_door(always(Reply())) as door:
        platform.push_to(door.url)
        found = check(platform, operator="CAP")

    assert [{"ip": "127.0.0.1", "real_operator": "CAP"}] == found["dns"]
    assert ("127.0.0.1", "CAP", "0%") == tuple(found["ping"][0].values())[:3]
    assert found["ping"][0]["time"].endswith("ms")


def test_a_callback_that_is_down_loses_all(platform: Platform) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        platform.push_to(f"http://127.0.0.1:{unused.getsockname()[1]}")

        assert "100%" == check(platform, "ping")["ping"][0]["package_loss"]


def test_only_what_is_asked_is_answered(platform: Platform) -> None:
    platform.holdings(callback_url="http://127.0.0.1", lines=[{"ip": "1.2.3.4", "operator": "UNICOM", "loss": True}])

    assert {"dns"} == check(platform, "dns").keys()
    assert {"ping"} == check(platform, "ping").keys()
    assert "100%" == check(platform, "ping")["ping"][0]["package_loss"]


def test_addresses_may_be_blocks(platform: Platform) -> None:
    platform.load(platform.state() | {"callback_ips": ["101.226.103.0/25", "::1"], "api_ips": []})
    token = platform.token()

    assert {"ip_list": ["101.226.103.0/25", "::1"]} == platform.call("getcallbackip", token=token)
    assert {"ip_list": []} == platform.call("get_api_domain_ip", token=token)

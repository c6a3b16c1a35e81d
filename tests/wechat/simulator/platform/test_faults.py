"""Calls go wrong as they are told to."""

import json
import time
import urllib.error
from http.client import RemoteDisconnected
from typing import Any

import pytest

from tests.platforms import Platform
from wechat.simulator.platform.faults import FaultError, parse
from wechat.simulator.platform.state import Fault

MENU = {"button": [{"type": "click", "name": "a", "key": "k"}]}


@pytest.fixture
def token(platform: Platform) -> str:
    return platform.token()


def create(platform: Platform, token: str) -> Any:
    return platform.call("menu/create", MENU, token=token)


def exists(platform: Platform, token: str) -> bool:
    return "menu" in platform.call("menu/get", token=token)


def test_a_code_is_answered_so_many_times(platform: Platform, token: str) -> None:
    platform.fault("menu/create", errcode=-1, times=2)

    assert [-1, -1] == [create(platform, token)["errcode"] for _ in range(2)]
    assert not exists(platform, token)
    assert 0 == create(platform, token)["errcode"]
    assert [-1, -1, 0] == platform.calls("menu/create")


def test_a_dropped_call_is_not_carried_out(platform: Platform, token: str) -> None:
    platform.fault("menu/create", drop=True, times=1)

    with pytest.raises(RemoteDisconnected):
        create(platform, token)
    assert not exists(platform, token)
    assert ["dropped"] == platform.calls("menu/create")


def test_an_answer_gets_lost_after_the_call_was_carried_out(platform: Platform, token: str) -> None:
    platform.fault("menu/create", drop=True, after=True, times=1)

    with pytest.raises(RemoteDisconnected):
        create(platform, token)
    assert exists(platform, token)


def test_garbage_is_no_json(platform: Platform, token: str) -> None:
    platform.fault("menu/*", garbage=True, times=1)
    with pytest.raises(json.JSONDecodeError):
        create(platform, token)

    platform.fault("/cgi-bin/menu/*", status=502, times=1)
    with pytest.raises(urllib.error.HTTPError, match="502"):
        create(platform, token)
    assert ["garbage", "garbage"] == platform.calls("menu/create")


def test_a_call_is_slow(platform: Platform, token: str) -> None:
    platform.fault("*", delay=0.2)
    begun = time.monotonic()

    assert 0 == create(platform, token)["errcode"]
    assert time.monotonic() - begun > 0.2


def test_tokens_die_at_random(platform: Platform, token: str) -> None:
    platform.fault("menu/get", void=True, probability=0.5)
    codes = []
    for _ in range(60):
        codes.append(platform.call("menu/get", token=platform.token())["errcode"])

    assert {40001, 46003} == set(codes)


def test_faults_add_up_and_end(platform: Platform, token: str) -> None:
    platform.fault("menu/get", errcode=45009)
    platform.fault("menu/get", errcode=-1)
    platform.fault("menu/get", void=True, times=1)

    assert 45009 == platform.call("menu/get", token=token)["errcode"]

    platform.heal()

    assert 40001 == platform.call("menu/get", token=token)["errcode"]
    assert 46003 == platform.call("menu/get", token=platform.token())["errcode"]


def test_a_fault_meets_all_calls_for_a_token_too(platform: Platform) -> None:
    platform.fault("*", errcode=40001, errmsg="stale")
    given = {"grant_type": "client_credential"}
    answer = platform.call("stable_token", given)

    assert (40001, True) == (answer["errcode"], answer["errmsg"].startswith("stale rid: "))


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("menu/create:errcode=-1:times=3", Fault("menu/create", errcode=-1, times=3)),
        ("*:drop:after:probability=0.25", Fault("*", drop=True, after=True, probability=0.25)),
        (":delay=1.5:errmsg=busy", Fault("*", delay=1.5, errmsg="busy")),
        ("stable_token:void=true:garbage:status=502", Fault("stable_token", void=True, garbage=True, status=502)),
    ],
)
def test_a_fault_can_be_written(written: str, fault: Fault) -> None:
    assert fault == parse(written)


@pytest.mark.parametrize("written", ["*:explode", "*:times=often", "*:errcode", "*:drop=perhaps", "*:delay"])
def test_what_is_no_fault_is_refused(written: str) -> None:
    with pytest.raises(FaultError):
        parse(written)

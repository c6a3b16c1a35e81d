"""Requests are signed and encrypted as WeChat's are; what is damaged is damaged as announced."""

import time
from datetime import UTC, datetime
from random import Random
from typing import Any
from urllib.parse import parse_qsl

import pytest

from tests.wechat.simulator.accounts import DEMO
from wechat import crypto
from wechat.event import unreadable_id
from wechat.parse import UnreadableError, parse
from wechat.simulator.account import Account
from wechat.simulator.deliveries import Delivery, Faults, deliveries
from wechat.simulator.pushes import Push, pushes
from wechat.simulator.request import MODES, Damage, Mode, make_request

OCTOBER = (datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
each_mode = pytest.mark.parametrize("mode", MODES)
encrypted_modes = pytest.mark.parametrize("mode", ["compatible", "security"])
each_form = pytest.mark.parametrize("form", ["xml", "json"])


def some(count: int, **settings: Any) -> list[Push]:
    return list(pushes(DEMO, count, period=OCTOBER, **settings))


def sent(mode: Mode, form: str = "xml", damage: Damage | None = None) -> tuple[dict[str, str], bytes, Push]:
    [push] = some(1, form=form)
    request = make_request(
        DEMO, push.message, push.open_id, mode=mode, timestamp=1795233600, random=Random(1), damage=damage
    )
    return dict(parse_qsl(request.query)), request.body, push


@each_mode
def test_the_query_is_signed_with_the_time_of_delivery(mode: Mode) -> None:
    query, _, push = sent(mode)

    assert "1795233600" == query["timestamp"]
    assert 8 <= len(query["nonce"]) <= 10
    assert push.open_id == query["openid"]
    assert crypto.is_signed(query["signature"], DEMO.token, query["timestamp"], query["nonce"])


def test_plain_mode_sends_the_message_itself() -> None:
    query, body, push = sent("plain")

    assert push.message == body
    assert {"signature", "timestamp", "nonce", "openid"} == query.keys()


@each_form
@encrypted_modes
def test_the_message_is_inside_and_signed(mode: Mode, form: str) -> None:
    query, body, push = sent(mode, form)
    encrypt = parse(body)[0]["Encrypt"]

    assert "aes" == query["encrypt_type"]
    assert crypto.is_signed(query["msg_signature"], DEMO.token, query["timestamp"], query["nonce"], encrypt)
    assert push.message == crypto.decrypt(encrypt, DEMO.key, DEMO.app_id)


@each_form
def test_security_mode_shows_the_addressee_only(form: str) -> None:
    assert {"ToUserName", "Encrypt"} == parse(sent("security", form)[1])[0].keys()


@each_form
def test_compatible_mode_shows_everything(form: str) -> None:
    _, body, push = sent("compatible", form)
    outer, _ = parse(body)
    outer.pop("Encrypt")

    assert parse(push.message)[0] == outer


@pytest.mark.parametrize("damage", ["truncated", "garbage"])
@each_mode
def test_a_damaged_push_is_signed_but_cannot_be_read(mode: Mode, damage: Damage) -> None:
    query, body, _ = sent(mode, damage=damage)
    if mode == "plain":
        with pytest.raises(UnreadableError):
            parse(body)
    else:
        encrypt = parse(body)[0]["Encrypt"]
        with pytest.raises(crypto.UndecryptableError):
            crypto.decrypt(encrypt, DEMO.key, DEMO.app_id)
        assert crypto.is_signed(query["msg_signature"], DEMO.token, query["timestamp"], query["nonce"], encrypt)

    assert crypto.is_signed(query["signature"], DEMO.token, query["timestamp"], query["nonce"])


@each_mode
def test_a_wrong_signature_is_wrong(mode: Mode) -> None:
    query, _, _ = sent(mode, damage="wrong_signature")

    assert not crypto.is_signed(query["signature"], DEMO.token, query["timestamp"], query["nonce"])


def test_an_account_without_a_key_cannot_encrypt() -> None:
    with pytest.raises(ValueError, match="no aes_key"):
        _ = Account("demo", "wx1", "token").key


def test_deliveries_are_the_pushes_signed_now() -> None:
    source = some(20)
    made = list(deliveries(source, DEMO))

    assert [push.id for push in source] == [delivery.id for delivery in made]
    assert all(abs(time.time() - int(dict(parse_qsl(each.request.query))["timestamp"])) <= 60 for each in made)


def test_a_repeat_is_the_same_request() -> None:
    made = list(deliveries(some(200), DEMO, "security", Faults(repeat=0.5)))
    firsts = {delivery.id: delivery.request for delivery in made if not delivery.repeat}
    repeats = [delivery for delivery in made if delivery.repeat]

    assert 200 == len(firsts)
    assert 60 < len(repeats) < 140
    assert all(firsts[repeat.id] == repeat.request for repeat in repeats)
    assert len(repeats) == len({repeat.id for repeat in repeats})


def test_reordering_moves_pushes_and_loses_none() -> None:
    source = some(100)
    made = [delivery.id for delivery in deliveries(source, DEMO, faults=Faults(reorder=10))]

    assert [push.id for push in source] != made
    assert {push.id for push in source} == set(made)


@each_mode
def test_damaged_pushes_have_the_id_of_quarantine_or_none(mode: Mode) -> None:
    made = [each for each in deliveries(some(300), DEMO, mode, Faults(corrupt=0.5)) if each.damage]

    assert {"truncated", "garbage", "wrong_signature"} == {each.damage for each in made}
    assert all(each.id == _expected(each) for each in made)
    assert sum(each.id is not None for each in made) == len({each.id for each in made} - {None})


def _expected(delivery: Delivery) -> str | None:
    if delivery.damage == "wrong_signature":
        return None
    return str(unreadable_id(DEMO.app_id, delivery.request.body))

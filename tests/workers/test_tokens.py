"""One token for all processes: fetched when needed, renewed ahead of its end, never fought over."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from pydantic import SecretStr
from sqlalchemy import Engine, update

from models.config import Config
from models.db import connect, transaction
from models.token import AccessToken
from tests.platforms import CAFE, Platform, platform_of
from tests.platforms import SHOP as SIMULATED
from tests.workers.shop import KEY, SHOP, configured
from wechat.client import Client
from wechat.errcodes import STABLE_TOKEN, TOKEN, NotConfigured, RateLimited, TokenRejected, Unreachable
from wechat.quota import FORCE_REFRESH
from workers import token_row
from workers.held import Held
from workers.tokens import Tokens, refresh_due

ROOT = Path(__file__).parents[2]

WHOLE = "2026-10-01T04:00:00+00:00"  # noon in Beijing


@pytest.fixture
def client(platform: Platform) -> Iterator[Client]:
    with Client(platform.url) as client:
        yield client


@pytest.fixture
def database(sqlite_database_url: str) -> Iterator[Engine]:
    """One kind is enough for what is decided; tests/workers/test_token_row.py has all."""
    engine = connect(sqlite_database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def tokens(database: Engine, client: Client) -> Tokens:
    return Tokens(database, client, SHOP, KEY)


def held(tokens: Tokens) -> Held:
    found = tokens.look()
    assert found is not None
    return found


def used(tokens: Tokens) -> dict[str, int]:
    return {use.call: use.count for use in tokens.uses(held(tokens), datetime.now(UTC))}


def calls_for_tokens(platform: Platform) -> int:
    return len(platform.calls("stable_token") + platform.calls("token"))


def test_a_token_that_dies_is_replaced_once(
    database: Engine, platform: Platform, client: Client, tokens: Tokens
) -> None:
    dead = tokens.current()
    platform.void()

    replaced = tokens.replace(dead)
    late = Tokens(database, client, SHOP, KEY).replace(dead)

    assert replaced != dead
    assert replaced == late == tokens.current()
    assert [0, 0] == platform.calls("stable_token")


def test_a_token_that_wechat_rejects_and_gives_out_again_is_refreshed_by_force(
    platform: Platform, tokens: Tokens
) -> None:
    first = tokens.current()

    second = tokens.replace(first)

    assert second != first
    assert {STABLE_TOKEN: 2, FORCE_REFRESH: 1} == used(tokens)
    assert 0 == held(tokens).foreign_count


def test_force_is_not_repeated_within_half_a_minute_and_nobody_asks_again_meanwhile(
    platform: Platform, tokens: Tokens
) -> None:
    second = tokens.replace(tokens.current())
    with pytest.raises(TokenRejected) as rejected:
        tokens.replace(second)
    calls = calls_for_tokens(platform)
    with pytest.raises(TokenRejected) as again:
        tokens.replace(second)

    assert str(rejected.value) == str(again.value)
    assert calls == calls_for_tokens(platform)
    assert 1 == used(tokens)[FORCE_REFRESH]
    assert second == tokens.current()


def test_force_is_used_twenty_times_a_day(platform: Platform, tokens: Tokens) -> None:
    with time_machine.travel(WHOLE) as clock:
        tokens.current()
        for _ in range(20):
            clock.shift(40)
            tokens.refresh(force=True)
        clock.shift(40)
        with pytest.raises(RateLimited):
            tokens.refresh(force=True)
        clock.shift(timedelta(days=1))
        tokens.refresh(force=True)

    assert 22 == len(platform.calls("stable_token"))


def test_without_stable_token_the_other_call_serves(platform: Platform, tokens: Tokens) -> None:
    platform.fault("stable_token", errcode=48001)

    first = tokens.current()
    second = tokens.replace(first)

    assert second != first
    assert TOKEN == held(tokens).source
    assert {STABLE_TOKEN: 2, TOKEN: 2} == used(tokens)
    assert 1 == held(tokens).foreign_count  # somebody else must have called it


def test_other_refusals_of_stable_token_do_not_try_the_other_call(platform: Platform, tokens: Tokens) -> None:
    platform.fault("stable_token", errcode=50002)

    with pytest.raises(Exception, match="50002"):
        tokens.current()

    assert [] == platform.calls("token")


def test_the_tick_renews_ahead_of_the_end(platform: Platform, tokens: Tokens) -> None:
    with time_machine.travel(WHOLE) as clock:
        tokens.refresh_if_due()

        assert [] == platform.calls()  # nobody asked for a token yet

        first, served = tokens.current(), []
        for _minute in range(130):
            clock.shift(60)
            tokens.refresh_if_due()
            served.append(tokens.current())
        renewed = len(set(served))

    # One look after an hour, and one renewal in the last minutes.
    assert 2 == renewed
    assert first == served[114]
    assert first != served[117]
    assert 3 == len(platform.calls("stable_token"))
    assert 0 == held(tokens).foreign_count


def test_the_old_token_serves_while_wechat_is_down_and_refresh_resumes(
    platform: Platform, tokens: Tokens, caplog: pytest.LogCaptureFixture
) -> None:
    with time_machine.travel(WHOLE) as clock:
        first = tokens.current()
        clock.shift(timedelta(minutes=90))
        platform.fault("*", drop=True)
        for _minute in range(29):
            clock.shift(60)
            tokens.refresh_if_due()

            assert first == tokens.current()
        asked = calls_for_tokens(platform)
        for _minute in range(31):
            clock.shift(60)
            tokens.refresh_if_due()
            with pytest.raises(Unreachable):
                tokens.current()
        clock.shift(timedelta(minutes=10))  # longer than anybody waits
        platform.heal()
        tokens.refresh_if_due()
        last = tokens.current()

    assert last != first
    assert 3 <= asked <= 18  # not with every tick
    assert calls_for_tokens(platform) < 25  # not once a minute and once a call
    assert "timeout" not in caplog.text
    assert {"dropped"} == {record.__dict__["reason"] for record in caplog.records if record.levelname == "WARNING"}
    assert 0 == held(tokens).failures
    assert 0 == held(tokens).foreign_count


def test_whoever_comes_after_a_failure_is_told_the_same_at_once(
    database: Engine, platform: Platform, client: Client, tokens: Tokens
) -> None:
    platform.holdings(allowed_ips=["10.0.0.1"])
    with pytest.raises(NotConfigured) as first:
        tokens.current()
    with pytest.raises(NotConfigured) as second:
        Tokens(database, client, SHOP, KEY).current()

    assert str(first.value) == str(second.value)
    assert "127.0.0.1" == second.value.ip
    assert [40164] == platform.calls("stable_token")


def test_a_wrong_secret_is_not_tried_again_and_again(database: Engine, platform: Platform, client: Client) -> None:
    tokens = Tokens(database, client, configured(SIMULATED, app_secret="0" * 32), KEY)
    for _ in range(3):
        with pytest.raises(NotConfigured, match="app_secret"):
            tokens.current()

    assert [40001] == platform.calls("stable_token")


def test_an_account_without_a_secret_says_so(database: Engine, platform: Platform, client: Client) -> None:
    tokens = Tokens(database, client, configured(SIMULATED, app_secret=None), KEY)

    with pytest.raises(NotConfigured, match="the account shop has no app_secret") as missing:
        tokens.current()

    assert "app_secret" in missing.value.explained("zh")
    assert [] == platform.calls()


def test_another_secret_key_means_no_token_and_is_said_once(
    database: Engine, platform: Platform, client: Client, tokens: Tokens, caplog: pytest.LogCaptureFixture
) -> None:
    token = tokens.current()
    token_row._unopenable.clear()
    other = Tokens(database, client, SHOP, SecretStr("another key"))

    assert (None, True) == (held(other).token, held(other).sealed is not None)
    assert token == other.current()
    assert [0, 0] == platform.calls("stable_token")
    assert 0 == held(other).foreign_count
    assert ["secret_key_changed"] == [
        record.__dict__["reason"] for record in caplog.records if record.name == token_row.__name__
    ]


def test_a_foreign_refresher_is_named_when_a_living_token_is_rejected(
    platform: Platform, tokens: Tokens, caplog: pytest.LogCaptureFixture
) -> None:
    dead = tokens.current()
    platform.token(force_refresh=True)  # somebody else's program
    tokens.replace(dead)

    found = [record.__dict__ for record in caplog.records if record.levelno == logging.WARNING]
    assert [("foreign_refresher", "shop", 1)] == [(each["reason"], each["account"], each["count"]) for each in found]
    assert 1 == held(tokens).foreign_count
    assert held(tokens).foreign_at is not None


def test_a_foreign_refresher_is_named_by_the_hourly_look_before_any_call_fails(
    platform: Platform, tokens: Tokens
) -> None:
    with time_machine.travel(WHOLE) as clock:
        dead = tokens.current()
        clock.shift(timedelta(minutes=50))
        other = platform.token(force_refresh=True)
        clock.shift(timedelta(minutes=11))
        tokens.refresh_if_due()

        assert other == tokens.current().get_secret_value() != dead.get_secret_value()
        assert 1 == held(tokens).foreign_count


def test_two_installations_on_one_app_id_agree(
    sqlite_database_url: str, postgresql_database_url: str, platform: Platform, client: Client
) -> None:
    engines = [connect(url) for url in (sqlite_database_url, postgresql_database_url)]
    here, there = (Tokens(engine, client, SHOP, SecretStr(f"key {engine.name}")) for engine in engines)
    with time_machine.travel(WHOLE) as clock:
        assert here.current() == there.current()

        platform.void()
        dead = here.current()

        assert here.replace(dead) == there.replace(dead) == here.current() != dead

        for _minute in range(240):
            clock.shift(60)
            here.refresh_if_due()
            there.refresh_if_due()

            assert "errcode" not in platform.call("getcallbackip", token=here.current().get_secret_value())
            assert "errcode" not in platform.call("getcallbackip", token=there.current().get_secret_value())

        assert FORCE_REFRESH not in used(here) | used(there)
        assert calls_for_tokens(platform) <= 20
        assert (1, 1) == (held(here).foreign_count, held(there).foreign_count)  # the one that was voided
    for engine in engines:
        engine.dispose()


def test_only_what_reached_wechat_is_counted(database: Engine, platform: Platform, tokens: Tokens) -> None:
    with Client("http://127.0.0.1:1") as nowhere, pytest.raises(Unreachable):
        Tokens(database, nowhere, SHOP, KEY).current()

    assert {} == used(tokens)

    platform.fault("stable_token", drop=True, after=True, times=1)
    with pytest.raises(Unreachable):
        tokens.refresh()

    assert {STABLE_TOKEN: 1} == used(tokens)


def test_the_tick_sees_to_every_account_whatever_happens_to_another(database: Engine) -> None:
    with platform_of(SIMULATED, CAFE) as platform, Client(platform.url) as client, time_machine.travel(WHOLE) as clock:
        config = Config(accounts=(SHOP, configured(CAFE)), secret_key=KEY)
        shop, cafe = (Tokens(database, client, account, KEY) for account in config.accounts)
        before = (shop.current(), cafe.current())
        clock.shift(timedelta(minutes=117))
        platform.fault("stable_token", errcode=-1, times=1)
        refresh_due(database, client, config)

        assert before[0] == shop.current()
        assert before[1] != cafe.current()

        clock.shift(60)
        refresh_due(database, client, config)

        assert before[0] != shop.current()


def test_the_task_refreshes(sqlite_database_url: str, database: Engine, platform: Platform, tokens: Tokens) -> None:
    first = tokens.current()
    with transaction(database) as connection:
        soon = datetime.now(UTC) + timedelta(minutes=2)
        connection.execute(update(AccessToken).values(expires_at=soon))
    platform.advance(7080)

    account = {"name": "shop", "app_id": SHOP.app_id, "token": "t", "app_secret": SIMULATED.app_secret}
    environment = {
        "CAIDAN_API_BASE_URL": platform.url,
        "CAIDAN_DATABASE_URL": sqlite_database_url,
        "CAIDAN_BROKER_URL": "memory://",
        "CAIDAN_SECRET_KEY": KEY.get_secret_value(),
        "CAIDAN_ACCOUNTS": json.dumps([account]),
    }
    script = "from workers.tasks import app, refresh_tokens; refresh_tokens()\n"
    script += "assert refresh_tokens.name in [entry['task'] for entry in app.conf.beat_schedule.values()]"
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=os.environ | environment, check=True, timeout=60)

    assert first != tokens.current()
    assert [0, 0] == platform.calls("stable_token")

"""The row of a token, on each kind of database: one of any number fetches, and the newer token stays."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, select, text, update

from models.db import transaction
from models.token import AccessToken
from tests.platforms import Platform
from tests.workers.shop import KEY, SHOP
from wechat.client import Client
from wechat.errcodes import STABLE_TOKEN
from workers.held import LEASE
from workers.token_row import TokenRow
from workers.tokens import Tokens


@pytest.fixture
def client(platform: Platform) -> Iterator[Client]:
    with Client(platform.url) as client:
        yield client


@pytest.fixture
def tokens(database: Engine, client: Client) -> Tokens:
    return Tokens(database, client, SHOP, KEY)


@pytest.fixture
def row(database: Engine) -> TokenRow:
    return TokenRow(database, SHOP, KEY)


def test_the_first_use_fetches_a_token_and_all_others_read_it(
    database: Engine, platform: Platform, client: Client, tokens: Tokens, row: TokenRow
) -> None:
    assert tokens.look() is None

    token = tokens.current()
    others = [Tokens(database, client, SHOP, KEY).current() for _ in range(3)]

    assert platform.token() == token.get_secret_value()
    assert [token] * 3 == others
    assert (STABLE_TOKEN, None) == (row.held().source, row.held().lease_until)
    assert [(STABLE_TOKEN, 1)] == [(use.call, use.count) for use in row.uses(row.held(), datetime.now(UTC))]
    with database.connect() as connection:
        assert token.get_secret_value() not in str(connection.execute(select(AccessToken)).one())


def test_others_wait_for_whoever_fetches(database: Engine, platform: Platform, client: Client, row: TokenRow) -> None:
    platform.fault("stable_token", delay=0.5)
    found: list[SecretStr] = []
    threads = [
        threading.Thread(target=lambda: found.append(Tokens(database, client, SHOP, KEY).current())) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    while (seen := row.look()) is None or seen.lease_until is None:
        time.sleep(0.01)
    with transaction(database) as connection:  # nobody holds a transaction while WeChat is asked
        connection.execute(text("UPDATE account SET timezone = 'UTC'"))

    assert row.held().lease_until is not None

    for thread in threads:
        thread.join()

    assert [0] == platform.calls("stable_token")
    assert 4 == len(found)
    assert 1 == len(set(found))


def test_a_killed_holder_is_not_waited_for_longer_than_its_lease(
    platform: Platform, tokens: Tokens, row: TokenRow
) -> None:
    now = datetime.now(UTC)
    assert row.claim(row.held(), now - LEASE + timedelta(seconds=0.3))
    assert row.claim(row.held(), now) is None

    tokens.current()

    assert [0] == platform.calls("stable_token")


def test_what_comes_after_the_lease_does_not_overwrite_the_newer(
    tokens: Tokens, row: TokenRow, caplog: pytest.LogCaptureFixture
) -> None:
    now = datetime.now(UTC)
    seen = row.held()
    slow = row.claim(seen, now - LEASE)
    quick = row.claim(seen, now)
    assert slow
    assert quick

    row.end(quick, seen, token=SecretStr("newer"), expires_at=now + timedelta(hours=2))
    row.end(slow, seen, token=SecretStr("older"), expires_at=now + timedelta(hours=2))

    assert "newer" == tokens.current().get_secret_value()
    assert "lease_lost" == caplog.records[-1].__dict__["reason"]


def test_a_claim_fails_where_somebody_has_fetched_or_failed_meanwhile(database: Engine, row: TokenRow) -> None:
    now = datetime.now(UTC)
    before = row.held()
    lease = row.claim(before, now)
    assert lease
    row.end(lease, before, token=SecretStr("one"), expires_at=now + timedelta(hours=2))

    assert row.claim(before, now) is None

    before = row.held()
    with transaction(database) as connection:
        connection.execute(update(AccessToken).values(failures=1))

    assert row.claim(before, now) is None
    assert row.claim(row.held(), now)

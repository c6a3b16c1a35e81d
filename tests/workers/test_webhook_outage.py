"""A webhook whose server is down for long: nothing is lost, and no other waits for it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, insert, select, update

from models.base import table_of
from models.config import Config
from models.db import connect, transaction
from models.handling import Choice, HandlerRow, Handling, failed, replay
from models.webhooks import Webhook
from tests.pushes import batch_of, event_of, push
from tests.wechat.simulator.doors import Answer, Reply, always, in_turn, open_door
from tests.workers.shop import KEY, SHOP
from workers.dispatch import claim
from workers.handlers import Handler
from workers.handling import handle
from workers.record import record
from workers.webhook import handler_of

CONFIG = Config(accounts=(SHOP,), secret_key=KEY)
SECRET = SecretStr("whsec_c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHNlYw==")


@pytest.fixture
def engine(sqlite_database_url: str) -> Iterator[Engine]:
    engine = connect(sqlite_database_url)
    yield engine
    engine.dispose()


def told(engine: Engine, handler: Handler) -> None:
    """As the worker of handlers tells of it."""
    now = datetime.now(UTC)
    row = {"name": handler.name, "kinds": list(handler.kinds), "accounts": list(handler.accounts)}
    with transaction(engine) as connection:
        connection.execute(
            insert(table_of(HandlerRow)).values(**row, is_ordered=False, free_at=now, seen_at=now, event_key=None)
        )


def again(engine: Engine, handler: Handler) -> Any:
    """Whatever waits is due now, and is called; what its row says then."""
    with transaction(engine) as connection:
        past = datetime.now(UTC) - timedelta(seconds=1)
        connection.execute(update(Handling).where(Handling.state == "pending").values(due_at=past))
        calls = claim(connection, handler, handler.concurrency, datetime.now(UTC))
    for call in calls:
        handle(engine, CONFIG, handler, call, handler.concurrency, lambda _calls: None)
    with engine.connect() as connection:
        return connection.execute(select(*table_of(Handling).columns)).one()


def run(engine: Engine, answer: Answer, times: int, **settings: Any) -> tuple[list[Any], list[Any]]:
    """The rows after each of so many calls, and what the server was sent."""
    with open_door(answer) as door:
        handler = handler_of(Webhook(**{"name": "crm", "url": door.url, "secret": SECRET} | settings))
        told(engine, handler)
        record(engine, batch_of(event_of(push(key="STOCK"))))
        return [again(engine, handler) for _ in range(times)], list(door.requests)


def test_500_for_an_hour_is_waited_out(engine: Engine) -> None:
    """An hour is seven attempts of the twelve, by the waits between them."""
    rows, requests = run(engine, in_turn(*[Reply(500)] * 7, Reply(204, b"")), 8)

    assert ["pending"] * 7 + ["done"] == [row.state for row in rows]
    assert {"status_500"} == {row.reason for row in rows[:7]}
    assert sum(handler_waits(7)) > 3600
    assert 8 == len(requests)
    assert 1 == len({request.headers["webhook-id"] for request in requests})
    assert 1 == len({json.dumps(json.loads(request.body), sort_keys=True) for request in requests})


def handler_waits(count: int) -> list[float]:
    handler = handler_of(Webhook(name="crm", url="https://x.cn/", secret=SECRET))
    return [handler.wait(attempt) for attempt in range(1, count + 1)]


def test_after_the_last_attempt_it_is_listed_and_can_be_sent_anew(engine: Engine) -> None:
    rows, requests = run(engine, always(Reply(503)), 4, retries=2)

    assert (["pending", "pending", "failed", "failed"], 3) == ([row.state for row in rows], len(requests))

    with transaction(engine) as connection:
        [one] = failed(connection, Choice(), 10)
        assert ("webhook.crm", "status_503") == (one.handler, one.reason)
        replay(connection, Choice(reason="status_503"), datetime.now(UTC))
    with open_door(always(Reply())) as door:
        back = handler_of(Webhook(name="crm", url=door.url, secret=SECRET))

        assert "done" == again(engine, back).state
        assert 1 == len(door.requests)


def test_what_is_gone_is_not_sent_again(engine: Engine) -> None:
    rows, requests = run(engine, always(Reply(410)), 2)

    assert (["failed", "failed"], {"status_410"}, 1) == (
        [row.state for row in rows],
        {row.reason for row in rows},
        len(requests),
    )


@pytest.mark.parametrize(
    ("accounts", "kinds", "count"),
    [(("cafe",), ("*",), 0), ((), ("view", "scan*"), 0), (("cafe", "shop"), ("view", "cl*"), 1)],
)
def test_only_what_was_asked_for_is_posted(
    engine: Engine, accounts: tuple[str, ...], kinds: tuple[str, ...], count: int
) -> None:
    told(engine, handler_of(Webhook(name="crm", url="https://x.cn/", secret=SECRET, accounts=accounts, kinds=kinds)))
    record(engine, batch_of(event_of(push(key="STOCK"))))
    with engine.connect() as connection:
        assert count == len(connection.execute(select(Handling.event_id)).all())

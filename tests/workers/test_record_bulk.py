"""Recording by the batch: a few statements whatever its size, and events that another worker records meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, event, func, select

from models.base import Base
from models.db import connect
from models.event import Event, Location, Message, Photo, PhotoSend, Scan
from tests.pushes import batch_of, event_of, push, sample
from wechat.event import Batch
from workers.record import record

PHOTO = "<SendPicsInfo><Count>1</Count><PicList><item><PicMd5Sum>aa</PicMd5Sum></item></PicList></SendPicsInfo>"
NAMES = ("event_scancode_waitmsg.xml", "event_location_select.xml", "message_link.xml", "event_CLICK.xml")
EVENTS = [event_of(sample(name)) for name in NAMES] + [event_of(push("pic_sysphoto", more=PHOTO))]
TABLES: tuple[type[Base], ...] = (Event, Scan, PhotoSend, Photo, Location, Message)


def batch(times: int, start: int = 0) -> Batch:
    """Events for every table, so many times."""
    first = 8 << 76 | 2 << 62 | start
    copies = [replace(one, id=UUID(int=first + number)) for number, one in enumerate(EVENTS * times)]
    return batch_of(*copies)


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def counts(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        return [connection.scalar(select(func.count()).select_from(model)) or 0 for model in TABLES]


def test_a_batch_takes_the_same_few_statements_whatever_its_size(database: Engine) -> None:
    record(database, batch(1))
    with statements(database) as of_few:
        record(database, batch(2, start=100))
    with statements(database) as of_many:
        record(database, batch(200, start=1000))

    assert len(of_few) == len(of_many)
    assert len(of_many) < 3 * len(TABLES)
    assert [1015, 203, 203, 203, 203, 203] == counts(database)


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_events_that_another_worker_records_at_the_same_moment_are_stored_once(
    request: pytest.FixtureRequest, kind: str
) -> None:
    """Both have looked, and seen that the events are not there yet. On SQLite nobody looks while another writes."""
    ours, others = (connect(request.getfixturevalue(f"{kind}_database_url")) for _ in range(2))
    record(others, batch(1, start=1000))  # the account has its row
    overtaken: list[Any] = []

    def overtake(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not overtaken and statement.startswith("INSERT INTO event"):
            overtaken.append(record(others, batch(10)))

    event.listen(ours, "before_cursor_execute", overtake)
    record(ours, batch(20))

    stored = counts(ours)
    for engine in (ours, others):
        engine.dispose()

    assert 50 == overtaken[0].stored
    assert [105, 21, 21, 21, 21, 21] == stored

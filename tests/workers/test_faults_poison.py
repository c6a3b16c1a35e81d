"""Events that a database itself refuses, as real ones do: each goes to quarantine alone, and its batch is stored."""

from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from models.event import Event
from models.quarantine import Quarantine
from tests.pushes import RECEIVED_AT, SHOP, batch_of, event_of, push
from wechat.event import decode_entry, encode, read
from workers.record import Recorded, record

GOOD = [event_of(push(user=f"o{number}", at=1_790_000_000 + number)) for number in range(40)]


def nested(levels: int) -> Any:
    return {"a": nested(levels - 1)} if levels else "x"


# Fields of a push, and which databases refuse them. The door lets none of this through; another version's might.
POISONS = {
    "NUL in a key": ({"EventKey": "a\0b"}, {"postgresql"}),
    "NUL in the body": ({"Odd": "a\0b"}, {"postgresql"}),
    "a long key": ({"EventKey": "k" * 70_000}, {"mysql"}),
    "a wide key": ({"EventKey": "😀" * 17_000}, {"mysql"}),
    "a deep body": ({"Odd": nested(40)}, {"mysql"}),
}


@pytest.mark.parametrize("name", POISONS)
def test_what_a_database_refuses_goes_to_quarantine_alone(name: str, database: Engine) -> None:
    fields, refusing = POISONS[name]
    push = {"FromUserName": "oBad", "MsgType": "event", "Event": "CLICK", "CreateTime": "1790000020"}
    poison = decode_entry(encode(read(push | fields, SHOP, RECEIVED_AT)))
    is_refused = database.dialect.name in refusing

    done = record(database, batch_of(*GOOD[:17], poison, *GOOD[17:]))

    with database.connect() as connection:
        stored = set(connection.scalars(select(Event.id)))
        quarantined = connection.execute(select(Quarantine.id, Quarantine.reason, Quarantine.raw)).all()
    good = {event.id for event in GOOD}
    assert Recorded(stored=40 + (not is_refused), repeated=0, quarantined=int(is_refused), forgotten=0) == done
    assert (good if is_refused else good | {poison.id}) == stored
    assert ([(poison.id, "row_refused", encode(poison))] if is_refused else []) == quarantined


@pytest.mark.parametrize("times", [1, 2])
def test_a_batch_with_poison_may_come_again(times: int, database: Engine) -> None:
    poisons = [read({"FromUserName": f"o{number}", "EventKey": "k" * 70_000}, SHOP, RECEIVED_AT) for number in range(3)]
    for _ in range(times):
        record(database, batch_of(*GOOD, *poisons))

    with database.connect() as connection:
        counts = [connection.scalar(select(func.count()).select_from(table)) for table in (Event, Quarantine)]
    assert [40, 3] == counts if database.dialect.name == "mysql" else [43, 0] == counts

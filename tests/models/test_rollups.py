"""Questions to the rollups, beside the same asked of the events one by one."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, insert, select, update

from models.account import Account
from models.base import table_of
from models.db import transaction
from models.event import MENU_KINDS, Event
from models.menu import Menu, Publication
from models.rollup import Button
from models.rollups import By, Of, spans, taps, widened
from tests.pushes import batch_of, event_of, push
from workers.marks import mark
from workers.record import record
from workers.rollup import roll_up

ZONE = ZoneInfo("America/New_York")
FIRST, LAST = date(2026, 10, 7), date(2026, 12, 5)  # a Wednesday, a Saturday; on 1 November clocks are set back
NOW = datetime(2026, 12, 6, 12, tzinfo=UTC)
PERIODS = {
    "hour": lambda local: local.replace(minute=0, second=0, microsecond=0).astimezone(UTC),
    "day": lambda local: local.date(),
    "week": lambda local: local.date() - timedelta(days=local.weekday()),
    "month": lambda local: local.date().replace(day=1),
}
QUESTIONS: list[tuple[By, Of]] = [
    ("hour", "account"),
    ("hour", "button"),
    ("day", "button"),
    ("day", "version"),
    ("week", "kind"),
    ("week", "wechat_menu_id"),
    ("month", "publication"),
    ("month", "button"),
    ("total", "account"),
    ("total", "button"),
]
AROUND: list[tuple[By, Of]] = [
    ("week", "button"),
    ("month", "publication"),
    ("total", "button"),
    ("total", "version"),
]


def _fill(engine: Engine) -> None:
    """A hundred events and more of the days asked for and of those around, under two versions of a menu."""
    random = Random(7)
    begin = datetime(2026, 10, 5, tzinfo=UTC).timestamp()
    record(engine, batch_of(event_of(push(at=int(begin)))))
    with transaction(engine) as connection:
        connection.execute(update(Account).values(timezone=str(ZONE)))
    roll_up(engine, None, NOW)  # from now on, hours are counted of which something is recorded, and no others
    kinds, menus = ("CLICK", "VIEW", "pic_weixin", "subscribe"), ("", "<MenuId>412</MenuId>")
    record(
        engine,
        batch_of(
            *(
                event_of(
                    push(
                        random.choice(kinds),
                        key=random.choice("ab"),
                        user=f"o{random.randrange(40)}",
                        at=int(begin + random.random() ** 2 * 62 * 86400),
                        more=random.choice(menus),
                    )
                )
                for _ in range(160)
            )
        ),
    )
    with transaction(engine) as connection:
        account_id = connection.scalar(select(Account.id))
        saved = {"account_id": account_id, "digest": "", "definition": {}, "created_at": NOW}
        connection.execute(insert(Menu), [{**saved, "version": version} for version in (1, 2)])
        menu_ids = connection.scalars(select(Menu.id).order_by(Menu.version)).all()
        made = [
            {"account_id": account_id, "menu_id": menu_id, "cause": "test", "started_at": NOW}
            for menu_id in (menu_ids[0], menu_ids[1], menu_ids[0])
        ]
        connection.execute(insert(Publication), made)
        for number, publication_id in enumerate(connection.scalars(select(Publication.id)).all()):
            mine = Event.created_at >= datetime(2026, 10, 10, tzinfo=UTC) + timedelta(days=number)
            connection.execute(update(Event).where(mine).values(publication_id=publication_id))
        mark(connection, [tuple(row) for row in connection.execute(select(Event.account_id, Event.created_at))])
    assert roll_up(engine, None, NOW, 250)


@dataclass
class Stored:
    """An event, by the clock of its account."""

    at: datetime
    kind: str
    key: str | None
    open_id: str | None
    whats: dict[Of, Any]


def _stored(engine: Engine) -> list[Stored]:
    found = []
    with engine.connect() as connection:
        ids = {(row.kind, row.event_key): row.id for row in connection.execute(select(*table_of(Button).columns))}
        versions = dict(
            tuple(row)
            for row in connection.execute(
                select(Publication.id, Menu.version).join(Menu, Menu.id == Publication.menu_id)
            )
        )
        for event in connection.execute(select(*table_of(Event).columns)):
            whats: dict[Of, Any] = {
                "button": ids[event.kind, event.event_key if event.kind in MENU_KINDS else None],
                "kind": event.kind,
                "publication": event.publication_id or 0,
                "version": versions.get(event.publication_id),
                "wechat_menu_id": event.wechat_menu_id or "",
                "account": event.account_id,
            }
            at = event.created_at.astimezone(ZONE)
            found.append(Stored(at, event.kind, event.event_key, event.open_id, whats))
    return found


def _expected(
    stored: list[Stored], since: date, until: date, by: By, of: Of, only: set[str] | None = None
) -> dict[tuple[Any, Any], tuple[int, int]]:
    users = defaultdict[tuple[Any, Any], list[str | None]](list)
    for event in stored:
        is_asked_for = (event.kind in MENU_KINDS or of == "kind") and (only is None or event.key in only)
        if is_asked_for and since <= event.at.date() <= until:
            period = since if by == "total" else PERIODS[by](event.at)
            users[period, event.whats[of]].append(event.open_id)
    return {group: (len(openids), len(set(openids))) for group, openids in users.items()}


def test_every_answer_is_what_the_events_say(database: Engine) -> None:
    _fill(database)
    stored = _stored(database)
    with database.connect() as connection:
        account_id = connection.scalar(select(Account.id))
        assert account_id
        of_a = list(connection.scalars(select(Button.id).where(Button.event_key == "a")))
        for by, of in QUESTIONS:
            for buttons, only in ((None, None), (of_a, {"a"})):
                if only and of == "kind":
                    continue
                found = taps(connection, account_id, FIRST, LAST, by, of, buttons)

                assert _expected(stored, FIRST, LAST, by, of, only) == {
                    (row.period, row.what): (row.taps, row.users) for row in found
                }, (by, of, only)
                assert [row.period for row in found] == sorted(row.period for row in found)

        # A time within a week is read by its days.
        (whole,) = taps(connection, account_id, date(2026, 10, 13), date(2026, 10, 15))
        days = taps(connection, account_id, date(2026, 10, 13), date(2026, 10, 15), "day")

        assert sum(row.taps for row in days) == whole.taps
        assert max(row.users for row in days) <= whole.users <= sum(row.users for row in days)


def test_a_time_is_read_with_those_days_around_it_that_nothing_happened_on(database: Engine) -> None:
    _fill(database)
    stored, random = _stored(database), Random(11)
    days = {event.at.date() for event in stored}
    with database.connect() as connection:
        account_id = connection.scalar(select(Account.id))
        assert account_id
        for _ in range(30):
            since, until = sorted(date(2026, 9, 28) + timedelta(days=random.randrange(75)) for _ in range(2))
            for by, of in AROUND:
                first, last = widened(connection, account_id, since, until, by)
                assert first <= since <= until <= last
                assert not {day for day in days if first <= day < since or until < day <= last}

                found = taps(connection, account_id, since, until, by, of)

                told = {(row.period, row.what): (row.taps, row.users) for row in found}
                assert _expected(stored, since, until, by, of) == told, (since, until, by, of)

        # Of the whole there is nothing before and after: so it is read in months alone.
        assert spans(*widened(connection, account_id, min(days), max(days)), "total").keys() == {"month"}

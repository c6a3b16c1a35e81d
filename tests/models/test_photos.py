"""Photos: as counted one by one."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from sqlalchemy import Connection, Engine

from models import photos
from models.event import Photo, PhotoSend
from models.photos import ButtonRow, SharedPicture, SizeRow
from tests.models.heard import KEYS, START, USERS, Heard, drawn, thrown, told

SENT: tuple[tuple[int | None, tuple[str | None, ...]], ...] = (
    (0, ()),
    (None, ()),
    (1, ("aa",)),
    (3, ("aa", "aa")),
    (2, ("aa", "bb")),
    (None, ("bb", None)),
    (1, ("",)),
)
DETAILS = tuple(
    (
        (PhotoSend, {"declared_count": declared, "listed_count": len(pictures)}),
        *((Photo, {"position": place, "md5": md5}) for place, md5 in enumerate(pictures)),
    )
    for declared, pictures in SENT
)
CHOICES: dict[str, Sequence[Any]] = {
    "seconds": (-1, 0, 3599, 3600),
    "kind": ("pic_weixin", "pic_sysphoto"),
    "key": KEYS,
    "user": USERS,
    "account": (1, 1, 2),
    "details": DETAILS,
}
SINCE, UNTIL = START, START + timedelta(hours=1)


def sent(one: Heard) -> tuple[int | None, tuple[str | None, ...]]:
    return next(it for it, details in zip(SENT, DETAILS, strict=True) if details is one.details)


def check(connection: Connection, events: list[Heard]) -> None:
    asked = [one for one in events if SINCE <= one.at < UNTIL and one.account == 1]
    pictures = [(md5, one) for one in asked for md5 in sent(one)[1] if md5]

    assert {button(*what, those) for what, those in grouped((one.what, one) for one in asked).items()} == set(
        photos.by_button(connection, 1, SINCE, UNTIL)
    )
    sizes = grouped((len(sent(one)[1]), one) for one in asked)
    assert [SizeRow(size, len(sizes[size]), users(sizes[size])) for size in sorted(sizes)] == photos.per_send(
        connection, 1, SINCE, UNTIL
    )
    for at_least in (1, 2, 3):
        expected = {
            SharedPicture(md5, users(those), len(those), min(one.at for one in those), max(one.at for one in those))
            for md5, those in grouped(pictures).items()
            if users(those) >= at_least
        }
        assert expected == set(photos.shared(connection, 1, SINCE, UNTIL, at_least))


def button(kind: str, key: str | None, those: list[Heard]) -> ButtonRow:
    counts = [(declared, len(pictures)) for declared, pictures in map(sent, those)]
    return ButtonRow(
        kind,
        key,
        len(those),
        users(those),
        declared=sum(declared or 0 for declared, _ in counts),
        listed=sum(listed for _, listed in counts),
        differing=sum(declared not in (None, listed) for declared, listed in counts),
        empty=sum(listed == 0 for _, listed in counts),
    )


def grouped(pairs: Any) -> dict[Any, list[Heard]]:
    found = defaultdict(list)
    for what, one in pairs:
        found[what].append(one)
    return found


def users(events: list[Heard]) -> int:
    return len({one.user for one in events if one.user})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(events=drawn(**CHOICES))
def test_photos_are_counted_by_button_send_and_picture(sqlite_database: Engine, events: list[Heard]) -> None:
    with told(sqlite_database, events) as connection:
        check(connection, events)


def test_all_databases_count_the_same_photos(database: Engine) -> None:
    events = thrown(400, **CHOICES)
    with told(database, events) as connection:
        check(connection, events)


def test_pictures_of_most_people_come_first(sqlite_database: Engine) -> None:
    one, both = DETAILS[2], DETAILS[4]
    events = [Heard(0, "pic_weixin", user="oA", details=one), Heard(1, "pic_weixin", user="oB", details=both)]
    with told(sqlite_database, events) as connection:
        assert ["aa", "bb"] == [row.md5 for row in photos.shared(connection, 1, SINCE, UNTIL, at_least=1)]
        assert ["aa"] == [row.md5 for row in photos.shared(connection, 1, SINCE, UNTIL, at_least=1, top=1)]
        assert [1.5] == [row.per_send for row in photos.by_button(connection, 1, SINCE, UNTIL)]

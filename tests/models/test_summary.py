from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Connection, Engine

from models import queries, summary
from models.summary import ButtonCount, KindCount, PhotoTotals, PlaceCount, ScanCount, Scope
from tests.pushes import batch_of, event_of, push
from wechat.event import Addressee
from workers.record import record

SCAN = "<ScanCodeInfo><ScanType>{}</ScanType><ScanResult>{}</ScanResult></ScanCodeInfo>"
PHOTOS = "<SendPicsInfo><Count>{}</Count><PicList>{}</PicList></SendPicsInfo>"
PLACE = (
    "<SendLocationInfo><Location_X>23.5</Location_X><Location_Y>113</Location_Y><Scale>15</Scale>"
    "<Label>{}</Label><Poiname>{}</Poiname></SendLocationInfo>"
)
ITEM = "<item><PicMd5Sum>aa</PicMd5Sum></item>"
START = 1_790_000_000


@pytest.fixture
def filled(database: Engine) -> Iterator[Connection]:
    """A small day of one account, and one tap of another."""
    pushes = [
        *(push(key="hot", at=START + n) for n in range(3)),
        push(key="cold", at=START + 3),
        push("subscribe", key="", at=START + 4),
        *(push("scancode_push", more=SCAN.format("barcode", "EAN_13,690"), at=START + n) for n in range(5, 7)),
        push("scancode_waitmsg", more=SCAN.format("qrcode", "http://a,b"), at=START + 7),
        push("pic_weixin", more=PHOTOS.format(3, ITEM * 2), at=START + 8),
        push("pic_sysphoto", more=PHOTOS.format("", ITEM), at=START + 9),
        *(push("location_select", more=PLACE.format("广州 路", "店"), at=START + n) for n in range(10, 12)),
        push("location_select", more=PLACE.format("", ""), at=START + 12),
    ]
    other = event_of(push(key="hot", at=START + 13), Addressee("news", "wx_news"))
    record(database, batch_of(*map(event_of, pushes), other))
    with database.connect() as connection:
        yield connection


def test_events_are_counted_by_kind(filled: Connection) -> None:
    counted = summary.events_by_kind(filled)

    assert [KindCount("click", 5), KindCount("location_select", 3), KindCount("scancode_push", 2)] == counted[:3]
    assert sum(row.count for row in counted) == 14


def test_buttons_are_counted_and_follows_are_none(filled: Connection) -> None:
    counted = summary.top_buttons(filled, limit=2)

    assert [ButtonCount("click", "hot", 4), ButtonCount("location_select", "menu", 3)] == counted
    assert "subscribe" not in {row.kind for row in summary.top_buttons(filled, limit=50)}


def test_scans_are_counted_by_what_was_scanned(filled: Connection) -> None:
    assert [ScanCount("EAN_13", "690", 2), ScanCount(None, "http://a,b", 1)] == summary.top_scans(filled)


def test_long_codes_that_begin_alike_are_not_one(database: Engine) -> None:
    codes = [f"http://a/{'x' * 1100}{number}" for number in range(2)]
    more = [SCAN.format("qrcode", code) for code in codes]
    record(database, batch_of(*(event_of(push("scancode_push", more=one, at=START)) for one in more)))
    with database.connect() as connection:
        assert [ScanCount(None, code, 1) for code in codes] == summary.top_scans(connection)


def test_photos_are_added_up_as_declared_and_as_listed(filled: Connection) -> None:
    assert PhotoTotals(sends=2, declared=3, listed=3) == summary.photo_totals(filled)


def test_places_are_counted_by_their_names(filled: Connection) -> None:
    place = PlaceCount("广州 路", "店", Decimal("23.5"), Decimal(113), 2)

    assert [place] == summary.top_places(filled)


def test_a_scope_chooses_account_and_time(filled: Connection) -> None:
    news = Scope(account_id=queries.account_id(filled, "news"))
    ahead = Scope(since=event_of(push(at=START + 13)).created_at)
    empty = Scope(until=event_of(push(at=START)).created_at - timedelta(seconds=1))

    assert [KindCount("click", 1)] == summary.events_by_kind(filled, news) == summary.events_by_kind(filled, ahead)
    assert [ButtonCount("click", "hot", 1)] == summary.top_buttons(filled, 5, news)
    assert ([], PhotoTotals(0, 0, 0), []) == (
        summary.top_scans(filled, 5, news),
        summary.photo_totals(filled, empty),
        summary.top_places(filled, 5, empty),
    )

"""An installation of which it is known who did what, for the questions to be asked about.

It is Monday, 23 November 2026, 9:00 in Shanghai. `shop` has had two menus: version 1 since the 9th, version 2 since
Friday, the 20th, 11:00, by a rotation. `cafe` has none, and one tap.
"""

import csv
import io
import json
from datetime import datetime, timedelta
from typing import Any

from click.testing import Result
from sqlalchemy import Connection

from models import menu_versions, publications
from models.account import account_ids
from models.db import connect, transaction
from models.rotations import Draft, add_rotation
from tests.console.rotating import NOW
from tests.console.runner import run
from tests.pushes import batch_of, push
from wechat.event import Addressee, Event
from wechat.event import read as read_event
from wechat.menu import digest, read, write
from wechat.parse import parse
from workers.record import record
from workers.rollup import roll_up

SHOP, CAFE = Addressee("shop", "wx1234567890abcdef"), Addressee("cafe", "wxfedcba0987654321")
FILE = """
secret_key = "a secret key"
places_at_least = 2

[[accounts]]
name = "shop"
app_id = "wx1234567890abcdef"
token = "token"

[[accounts]]
name = "cafe"
app_id = "wxfedcba0987654321"
token = "another"
"""

URL = "https://shop.example.com/"
MENUS = (
    [
        {"name": "今日菜单", "type": "click", "key": "TODAY"},
        {
            "name": "更多",
            "sub_button": [
                {"name": "官网", "type": "view", "url": URL},
                {"name": "扫一扫", "type": "scancode_waitmsg", "key": "SCAN"},
                {"name": "拍照", "type": "pic_sysphoto", "key": "PHOTO"},
                {"name": "附近", "type": "location_select", "key": "NEAR"},
            ],
        },
    ],
    [
        {"name": "每日推荐", "type": "click", "key": "TODAY"},
        {"name": "优惠券", "type": "click", "key": "COUPON"},
        {"name": "扫码", "type": "scancode_waitmsg", "key": "SCAN"},
        {"name": "附近", "type": "location_select", "key": "NEAR"},
    ],
)
_SCAN = "<ScanCodeInfo><ScanType>{}</ScanType><ScanResult>{}</ScanResult></ScanCodeInfo>"
_EAN, _LINK = _SCAN.format("barcode", "EAN_13,6901234567892"), _SCAN.format("qrcode", "https://example.com/a")
_PHOTOS = "<SendPicsInfo><Count>{}</Count><PicList><item><PicMd5Sum>{}</PicMd5Sum></item></PicList></SendPicsInfo>"
_PLACE = (
    "<SendLocationInfo><Location_X>23.1</Location_X><Location_Y>113.3</Location_Y><Scale>15</Scale>"
    "<Label>人民南路1号</Label><Poiname>{}</Poiname></SendLocationInfo>"
)

# Who did what, and when by the clock of Shanghai; in the seven days that end today, and in the seven before.
SHOP_DID = (
    ("11-12 09:00", "C", "subscribe", "", ""),
    ("11-12 09:05", "C", "CLICK", "TODAY", ""),
    ("11-16 10:00", "A", "CLICK", "TODAY", ""),
    ("11-16 10:01", "B", "CLICK", "TODAY", ""),
    ("11-16 12:00", "A", "VIEW", URL, ""),
    ("11-18 09:00", "D", "subscribe", "", ""),
    ("11-18 09:02", "D", "CLICK", "TODAY", ""),
    ("11-18 09:05", "D", "scancode_waitmsg", "SCAN", _EAN),
    ("11-18 09:10", "D", "location_select", "NEAR", _PLACE.format("一号店")),
    ("11-19 10:00", "A", "CLICK", "TODAY", "<MenuId>100</MenuId>"),
    ("11-19 10:01", "A", "VIEW", URL, ""),
    ("11-19 10:02", "B", "scancode_waitmsg", "SCAN", _LINK),
    ("11-19 10:03", "B", "pic_sysphoto", "PHOTO", _PHOTOS.format(3, "0" * 32)),
    ("11-20 12:00", "A", "CLICK", "COUPON", ""),
    ("11-20 12:01", "A", "CLICK", "COUPON", ""),
    ("11-20 12:02", "B", "CLICK", "COUPON", ""),
    ("11-20 12:03", "C", "location_select", "NEAR", _PLACE.format("一号店")),
    ("11-20 12:04", "B", "location_select", "NEAR", _PLACE.format("二号店")),
    ("11-21 10:30", "A", "pic_sysphoto", "PHOTO", _PHOTOS.format(1, "0" * 32)),
    ("11-21 12:00", "E", "CLICK", "OLD", ""),
    ("11-23 08:30", "B", "CLICK", "TODAY", ""),
)
# On four Mondays many came to `cafe` after seven, and before nine; this Monday nobody has come yet.
CAFE_DID = (
    ("11-22 20:00", "Z", "CLICK", "TEA", ""),
    *(
        (f"{day} {time}", f"Y{number}", "subscribe", "", "")
        for day in ("10-26", "11-02", "11-09", "11-16")
        for time in ("07:10", "08:50")
        for number in range(10)
    ),
)


def fill(url: str) -> None:
    """A database without rows."""
    engine = connect(url)
    with transaction(engine) as connection:
        _put_up(connection, account_ids(connection, {SHOP.app_id: SHOP.name})[SHOP.app_id])
    for account, done in ((SHOP, SHOP_DID), (CAFE, CAFE_DID)):
        record(engine, batch_of(*(_event(account, *one) for one in done)))
    while roll_up(engine, None, NOW):  # it takes a few seconds at a time, and a busy machine does little in these
        pass
    engine.dispose()


def clock(text: str) -> datetime:
    """A moment of this year by the clock of Shanghai."""
    return datetime.fromisoformat(f"2026-{text}+08:00")


def stats(*arguments: str) -> Result:
    return run("stats", *arguments)


def told(*arguments: str) -> Any:
    """What the answer is as JSON, of an account where none is named."""
    done = stats(*arguments, "--json", *(() if "--account" in arguments else ("--account", "shop")))
    assert 0 == done.exit_code, done.output
    return json.loads(done.stdout)


def cells(*arguments: str) -> list[list[str]]:
    """The lines of the answer as CSV."""
    done = stats(*arguments, "--csv", "--account", "shop")
    assert 0 == done.exit_code, done.output
    return list(csv.reader(io.StringIO(done.stdout, newline="")))


def _event(account: Addressee, at: str, who: str, event: str, key: str, more: str) -> Event:
    """It comes to the door in two seconds."""
    fields, _ = parse(push(event, key=key, user=f"o{who}", at=int(clock(at).timestamp()), more=more))
    return read_event(fields, account, clock(at) + timedelta(seconds=2))


def _put_up(connection: Connection, account_id: int) -> None:
    """The first menu by hand, the second by a rotation."""
    for number, (buttons, at) in enumerate(zip(MENUS, ("11-09 08:00", "11-20 11:00"), strict=True), 1):
        menu = read({"menu": {"button": buttons}})
        menu_versions.save_version(connection, account_id, write(menu), digest(menu), now=clock("11-01 08:00"))
        saved = menu_versions.version(connection, account_id, number)
        assert saved
        rotation_id = None
        if number == 2:
            draft = Draft(account_id=account_id, menu_id=saved.id, starts_at=clock(at), ends_at=clock("12-01 00:00"))
            rotation_id = add_rotation(connection, draft)
        cause = "publish" if rotation_id is None else "rotation"
        claimed = publications.claim(connection, account_id, saved.id, cause, clock(at), rotation_id)
        assert publications.finish(connection, claimed, {0: f"{number}00"}, clock(at))

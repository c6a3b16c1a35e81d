"""Buttons that taps tell of, by place."""

from models.alignment import PlacedButton
from wechat.menu import read
from workers.placed_buttons import placed_buttons

DEFINITION = {
    "menu": {
        "button": [
            {"name": "店", "sub_button": [{"type": "view", "name": "网", "url": "http://a", "sub_button": []}]},
            {"type": "media_id", "name": "图", "media_id": "m"},
            {"type": "miniprogram", "name": "小", "url": "http://b", "appid": "wx1", "pagepath": "pages/a"},
        ]
    },
    "conditionalmenu": [{"button": [{"type": "click", "name": "点", "key": "k"}], "matchrule": {"tag_id": "2"}}],
}


def test_buttons_come_with_menu_and_place_and_without_those_that_push_nothing() -> None:
    assert [
        PlacedButton(0, (0, 0), "网", "view", "http://a"),
        PlacedButton(0, (2,), "小", "view_miniprogram", "pages/a"),
        PlacedButton(1, (0,), "点", "click", "k"),
    ] == placed_buttons(read(DEFINITION))


def test_what_has_no_key_is_left_out() -> None:
    assert [] == placed_buttons(read({"menu": {"button": [{"type": "click", "name": "a", "key": 5}]}}))

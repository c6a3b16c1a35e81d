import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wechat import reply
from wechat.parse import parse
from wechat.reply import Article, Image, Music, News, Nothing, Reply, Text, Transfer, Video, Voice, passive
from wechat.simulator.platform.openings import _ALLOWED, _EVENTS

API = Path(__file__).parents[1] / "api"
ARTICLE = Article("Happy Day", "Is Really A Happy Day", "https://cdn.cn/a.png", "https://shop.cn/a")
EACH: tuple[Reply, ...] = (
    Text("您好\n再见"),
    Image("MEDIA_ID"),
    Voice("MEDIA_ID"),
    Video("MEDIA_ID", "TITLE", "DESCRIPTION", "MEDIA_ID"),
    Music("THUMB_MEDIA_ID", "MUSIC_TITLE", "MUSIC_DESCRIPTION", "https://cdn.cn/a.mp3", "https://cdn.cn/b.mp3"),
    News((ARTICLE,)),
    Transfer("test1@test"),
    Nothing(),
)
each = pytest.mark.parametrize("one", EACH, ids=lambda one: type(one).__name__)


@each
def test_it_comes_back_from_json(one: Reply) -> None:
    assert one == msgspec.json.decode(msgspec.json.encode(one), type=Reply)


def test_a_text_is_as_the_platform_prints_it() -> None:
    expected = (
        "<xml>\n"
        "<ToUserName><![CDATA[oFollower]]></ToUserName>\n"
        "<FromUserName><![CDATA[gh_account]]></FromUserName>\n"
        "<CreateTime>1795406400</CreateTime>\n"
        "<MsgType><![CDATA[text]]></MsgType>\n"
        "<Content><![CDATA[您好]]></Content>\n"
        "</xml>"
    )

    assert expected.encode() == passive(Text("您好"), "oFollower", "gh_account", 1795406400, "click")


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (Image("M-1"), {"MsgType": "image", "Image": {"MediaId": "M-1"}}),
        (Voice("M-1"), {"MsgType": "voice", "Voice": {"MediaId": "M-1"}}),
        (Video("M-1"), {"MsgType": "video", "Video": {"MediaId": "M-1"}}),
        (Video("M", "T", "D", "X"), {"MsgType": "video", "Video": {"MediaId": "M", "Title": "T", "Description": "D"}}),
        (Music("T-1"), {"MsgType": "music", "Music": {"ThumbMediaId": "T-1"}}),
        (
            Music("T-1", "T", "D", "https://a.cn/1"),
            {
                "MsgType": "music",
                "Music": {
                    "Title": "T",
                    "Description": "D",
                    "MusicUrl": "https://a.cn/1",
                    "HQMusicUrl": "https://a.cn/1",
                    "ThumbMediaId": "T-1",
                },
            },
        ),
        (Transfer(), {"MsgType": "transfer_customer_service"}),
        (Transfer("a@b"), {"MsgType": "transfer_customer_service", "TransInfo": {"KfAccount": "a@b"}}),
    ],
)
def test_each_has_its_elements(one: Reply, expected: dict[str, Any]) -> None:
    read = parse(passive(one, "oFollower", "gh_account", 1795406400, "click"))[0]

    assert {"ToUserName": "oFollower", "FromUserName": "gh_account", "CreateTime": "1795406400", **expected} == read


@pytest.mark.parametrize(("kind", "most"), [("click", 8), ("subscribe", 8), ("message_text", 1), ("message_link", 1)])
def test_surplus_articles_are_dropped(kind: str, most: int) -> None:
    read = parse(passive(News((ARTICLE,) * 9), "oFollower", "gh_account", 1, kind))[0]

    assert str(most) == read["ArticleCount"]
    assert most == len(read["Articles"]["item"])
    assert {"Title", "Description", "PicUrl", "Url"} == read["Articles"]["item"][0].keys()


@given(st.text(max_size=50).map(lambda text: text.replace("a", "]]>")), st.text(max_size=10))
def test_whatever_a_text_holds_the_answer_is_one_message(text: str, name: str) -> None:
    read = parse(passive(Text(text), name, "gh_account", 1, "click"))[0]

    assert {"ToUserName", "FromUserName", "CreateTime", "MsgType", "Content"} == read.keys()
    assert reply.cut(text).replace("\r\n", "\n").replace("\r", "\n") == read["Content"]


@given(st.text(max_size=3000) | st.text("岁月🙂a", max_size=3000))
def test_a_text_is_cut_between_signs(text: str) -> None:
    whole = reply.cut(text, 1 << 20)
    kept = reply.cut(text)

    assert whole.startswith(kept)
    assert len(kept.encode()) <= 2048
    assert kept == whole or len(whole[: len(kept) + 1].encode()) > 2048


def test_nothing_has_no_message_of_any_kind() -> None:
    with pytest.raises(ValueError, match="success"):
        passive(Nothing(), "o", "gh", 1, "click")
    for one in (Nothing(), Transfer()):
        with pytest.raises(ValueError, match="no customer-service message"):
            reply.message(one, "o")


@pytest.mark.parametrize("name", ["image", "voice", "video", "music", "news"])
def test_customer_service_messages_have_the_shape_of_the_samples(name: str) -> None:
    sample = json.loads((API / f"message_custom_send_{name}.request.json").read_text())["body"]
    one = next(one for one in EACH if type(one).__name__.lower() == name)

    def shape(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: shape(inner) for key, inner in value.items()}
        return [shape(inner) for inner in value] if isinstance(value, list) else None

    assert shape(sample) == shape(reply.message(one, "OPENID"))
    assert ("OPENID", name) == (sample["touser"], sample["msgtype"])


@each
def test_each_that_is_right_has_no_problems(one: Reply) -> None:
    assert [] == reply.problems(one)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (Text(" "), [("content", "empty")]),
        (Text("汉" * 683), [("content", "too_long")]),
        (Text("a\x02"), [("content", "forbidden_sign")]),
        (Image(""), [("media_id", "empty")]),
        (Voice("图片.png"), [("media_id", "no_media_id")]),
        (Video("M", thumb_media_id="a b"), [("thumb_media_id", "no_media_id")]),
        (Music("", music_url="www.shop.cn"), [("thumb_media_id", "empty"), ("music_url", "no_url")]),
        (News(()), [("articles", "empty")]),
        (News((ARTICLE,) * 9), [("articles", "too_many")]),
        (News((Article(""),)), [("articles[0].title", "empty"), ("articles[0].url", "empty")]),
        (News((Article("T", url="shop.cn"),)), [("articles[0].url", "no_url")]),
        (Transfer("anna"), [("kf_account", "no_kf_account")]),
    ],
)
def test_what_wechat_would_not_take_is_told(one: Reply, expected: list[tuple[str, str]]) -> None:
    assert expected == [found[:2] for found in reply.problems(one)]


@pytest.mark.parametrize(
    "kind", ["view", "view_miniprogram", "location_report", "unsubscribe", "kf_create_session", ""]
)
def test_other_kinds_may_not_be_answered(kind: str) -> None:
    assert not reply.may_answer(kind)
    assert reply.window(kind) is None


def test_windows_are_those_that_the_simulated_platform_opens() -> None:
    kinds = {"CLICK": "click", "SCAN": "qrcode_scan"}

    assert {kinds.get(name, name) for name in _EVENTS} == reply.WINDOWS.keys()
    for name, opening in _EVENTS.items():
        most, seconds = _ALLOWED[opening]
        assert (seconds, most) == reply.window(kinds.get(name, name))
    assert tuple(reversed(_ALLOWED["message"])) == reply.window("message_voice")
    assert reply.window("pic_weixin") is None

"""Followers of the simulated WeChat talk to a server that runs: every kind of push, in every mode, and every reply."""

from collections.abc import Iterator

import pytest

from tests.ingest.conftest import AES_KEY, SHOP, TOKEN
from tests.ingest.replying import default, hand
from tests.ingest.serving import Serving, serving
from tests.platforms import Platform, platform_of
from tests.pushes import SAMPLES, event_of, sample
from wechat.parse import Fields, parse
from wechat.reply import Article, Image, Music, News, Nothing, Reply, Text, Transfer, Video, Voice
from wechat.reply_rules import Match, Menus, Rule
from wechat.simulator import passive
from wechat.simulator.account import Account
from wechat.simulator.request import MODES, Mode

APP_ID = "wxshop"
SIMULATED = Account("shop", APP_ID, TOKEN, AES_KEY, SHOP["original_id"])
ME = "oConversing"
ENVELOPE = ("ToUserName", "FromUserName", "CreateTime", "MsgId")
PUSHES: dict[str, Fields] = {
    one["file"]: {name: value for name, value in parse(sample(one["file"]))[0].items() if name not in ENVELOPE}
    for one in SAMPLES
    if one["file"].endswith(".xml")
}
EIGHT = tuple(
    Article(f"第{number}篇", "摘要", f"http://mmbiz.qpic.cn/{number}", "http://a/b?c=d&e") for number in range(8)
)
REPLIES: dict[str, tuple[Reply, str]] = {
    "text": (Text("你好 <b> ]]> & {content}"), "你好 <b> ]]> & text-it"),
    "image": (Image("abc_-1"), "abc_-1"),
    "voice": (Voice("voice-1"), "voice-1"),
    "video": (Video("video-1", "片名", "简介"), "video-1 · 片名 · 简介"),
    "music": (
        Music("thumb-1", "歌", "唱", "http://a/1.mp3", "http://a/2.mp3"),
        "歌 · 唱 · http://a/1.mp3 · http://a/2.mp3 · thumb-1",
    ),
    "news": (News(EIGHT), "第0篇 · 摘要 · http://a/b?c=d&e"),
    "transfer_customer_service": (Transfer("kf1@shop"), "kf1@shop"),
    "nobody": (Transfer(), ""),
    "nothing": (Nothing(), ""),
}
RULES = (
    default(Text("{kind} 收到")),
    Rule(id=1, name="stock", kinds=("scancode_waitmsg",), reply=Text("{code}: 有货")),
    Rule(id=2, name="photos", kinds=("pic_sysphoto",), reply=Text("{count} 张照片")),
    Rule(id=3, name="eight", kinds=("click",), key=Match("ARTICLES"), reply=News(EIGHT)),
    Rule(id=4, name="live", kinds=("click",), key=Match("MENU"), menu_version=7, reply=Text("第 7 版菜单")),
    Rule(id=5, name="member", kinds=("click",), key=Match("MEMBERS"), tag_id="101", reply=Text("会员您好")),
    *(
        Rule(id=number, name=name, keyword=Match(f"{name}-it"), reply=reply)
        for number, (name, (reply, _)) in enumerate(REPLIES.items(), start=10)
    ),
)
MENUS = Menus(live_version=7, tag_by_key={"MEMBERS": "101"})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("conversations")
    (folder / "var").mkdir()
    hand(folder / "var", *RULES, menus=MENUS, app_id=APP_ID)
    with serving(folder) as running:
        yield running


@pytest.fixture(params=MODES)
def wechat(request: pytest.FixtureRequest, server: Serving) -> Iterator[Platform]:
    mode: Mode = request.param
    with platform_of(SIMULATED, followers=0) as platform:
        platform.push_to(f"http://127.0.0.1:{server.port}", mode)
        platform.followers({"open_id": ME})
        yield platform


def told(platform: Platform) -> list[tuple[str, str]]:
    """What the account has said, by type."""
    return [(turn["kind"], turn["text"]) for turn in platform.conversation(ME)["turns"] if turn["by"] == "account"]


def says(platform: Platform, **fields: object) -> tuple[str, str]:
    """How WeChat took the answer."""
    [pushed] = platform.push(ME, **fields)
    return pushed["answer"], pushed["detail"]


def test_every_kind_is_replied_to_or_must_get_success(wechat: Platform) -> None:
    taken = {file: says(wechat, **fields) for file, fields in PUSHES.items()}

    may = {file for file, fields in PUSHES.items() if fields.get("Event", "") in {"", *passive.ANSWERABLE}}
    assert {file: ("reply" if file in may else "success", "") for file in PUSHES} == taken
    texts = [text for _, text in told(wechat)]
    assert len(may) == len(texts) > 15
    kinds = {event_of(sample(file)).kind for file in may} - {"scancode_waitmsg", "pic_sysphoto"}
    assert {f"{kind} 收到" for kind in kinds} <= set(texts)
    assert [] == [turn for turn in wechat.conversation(ME)["turns"] if turn["kind"] == "outage"]


@pytest.mark.parametrize("name", REPLIES)
def test_every_reply_is_understood(name: str, wechat: Platform) -> None:
    _, text = REPLIES[name]
    taken = says(wechat, MsgType="text", Content=f"{name}-it")

    if name == "nothing":
        assert (("success", ""), []) == (taken, told(wechat))
    else:
        kind = "transfer_customer_service" if name == "nobody" else name
        assert (("reply", ""), [(kind, text)]) == (taken, told(wechat))


def test_a_tap_is_told_of_eight_articles_and_a_message_of_one(wechat: Platform) -> None:
    says(wechat, MsgType="event", Event="CLICK", EventKey="ARTICLES")
    says(wechat, MsgType="text", Content="news-it")

    tapped, written = (text for _, text in told(wechat))
    assert (8, 1) == (tapped.count("摘要"), written.count("摘要"))


def test_whoever_scans_and_waits_is_told(wechat: Platform) -> None:
    barcode = {"ScanType": "barcode", "ScanResult": "EAN_13,6911316223400"}
    says(wechat, MsgType="event", Event="scancode_waitmsg", EventKey="STOCK", ScanCodeInfo=barcode)

    assert [("text", "6911316223400: 有货")] == told(wechat)
    assert not wechat.conversation(ME)["is_waiting"]


def test_menus_and_tags_are_known(wechat: Platform) -> None:
    for key in ("MENU", "MEMBERS"):
        says(wechat, MsgType="event", Event="CLICK", EventKey=key)

    assert [("text", "第 7 版菜单"), ("text", "会员您好")] == told(wechat)

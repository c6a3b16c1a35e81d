from datetime import timedelta
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wechat.rules import NOON, captured, event, rule, said, scanned, tap
from wechat.event import Event
from wechat.reply import Nothing, Text, may_answer
from wechat.reply_rules import NO_MENUS, Menus, Rule, Rulebook, precedence


def answer(*rules: Rule, to: Event, menus: Menus = NO_MENUS, at: Any = NOON) -> int | None:
    choice = Rulebook(rules).answer(to, at, menus)
    return None if choice is None else choice.rule.id


def reason(one: Rule, to: Event, menus: Menus = NO_MENUS, at: Any = NOON) -> str:
    return Rulebook([one]).why(to, at, menus)[0][1]


@pytest.mark.parametrize(
    ("asked", "of", "expected"),
    [
        ({}, tap("A"), "answers"),
        ({"kinds": ("click",)}, tap("A"), "answers"),
        ({"kinds": ("subscribe", "qrcode_scan")}, tap("A"), "other_kind"),
        ({"key": "A"}, tap("A"), "answers"),
        ({"key": "a"}, tap("A"), "other_key"),
        ({"key": ("prefix", "MENU_")}, tap("MENU_1"), "answers"),
        ({"key": ("prefix", "MENU_")}, tap("MENU"), "other_key"),
        ({"key": ("pattern", "*_1")}, tap("MENU_1"), "answers"),
        ({"key": ("pattern", "*_1")}, tap("MENU_2"), "other_key"),
        ({"key": "A"}, said("A"), "other_key"),
        ({"key": "123123"}, captured("event_subscribe_qrscene"), "answers"),
        ({"key": "qrscene_123123"}, captured("event_subscribe_qrscene"), "answers"),
        ({"key": "0"}, event("SCAN", EventKey="0"), "answers"),
        ({"scan_code": "6911316223400"}, scanned("EAN_13,6911316223400", "barcode"), "answers"),
        ({"scan_code": "EAN_13,6911316223400"}, scanned("EAN_13,6911316223400", "barcode"), "answers"),
        ({"scan_code": ("prefix", "https://shop.cn/")}, scanned("https://shop.cn/a"), "answers"),
        ({"scan_code": "x"}, tap("A"), "other_scan_code"),
        ({"scan_code": "x"}, event("scancode_waitmsg", EventKey="SCAN"), "other_scan_code"),
        ({"keyword": "你好"}, said(" 你好\n"), "answers"),
        ({"keyword": "HELP"}, said("ｈｅｌｐ"), "answers"),
        ({"keyword": ("contains", "退款")}, said("我要退款!"), "answers"),
        ({"keyword": ("contains", "退款")}, said("发票"), "other_keyword"),
        ({"keyword": ("prefix", "查")}, said("查快递"), "answers"),
        ({"keyword": ("pattern", "查*快递")}, said("查我的快递"), "answers"),
        ({"keyword": ("contains", "腾讯微信")}, captured("message_voice_recognition"), "answers"),
        ({"keyword": "x"}, tap("x"), "other_keyword"),
        ({"starts_at": NOON}, tap("A"), "answers"),
        ({"starts_at": NOON + timedelta(seconds=1)}, tap("A"), "not_yet"),
        ({"ends_at": NOON}, tap("A"), "over"),
        ({"ends_at": NOON + timedelta(seconds=1)}, tap("A"), "answers"),
        ({"weekdays": "1"}, tap("A"), "answers"),
        ({"weekdays": "2,7"}, tap("A"), "other_hours"),
        ({"hours": "09:00-12:00"}, tap("A"), "other_hours"),
        ({"hours": "12:00-12:01"}, tap("A"), "answers"),
        ({"hours": "09:00-12:00", "timezone": "Europe/Paris"}, tap("A"), "other_hours"),
        ({"hours": "05:00-05:01", "timezone": "Europe/Paris"}, tap("A"), "answers"),
        ({"weekdays": "7", "hours": "22:00-12:01"}, tap("A"), "answers"),  # since Sunday night
        ({"weekdays": "1", "hours": "22:00-12:01"}, tap("A"), "other_hours"),
    ],
)
def test_a_rule_matches_what_it_asks_for(asked: dict[str, Any], of: Event, expected: str) -> None:
    assert expected == reason(rule(**asked), of)
    assert (1 if expected == "answers" else None) == answer(rule(**asked), to=of)


MENUS = Menus(live_version=3, by_wechat_menu_id={"77": (2, "100")}, tag_by_key={"VIP": "100"})


@pytest.mark.parametrize(
    ("asked", "of", "expected"),
    [
        ({"menu_version": 3}, tap("A"), "answers"),
        ({"menu_version": 2}, tap("A"), "other_menu_version"),
        ({"menu_version": 2}, tap("A", MenuId="77"), "answers"),
        ({"menu_version": 3}, tap("A", MenuId="78"), "answers"),
        ({"menu_version": 3}, event("subscribe"), "other_menu_version"),
        ({"tag_id": "100"}, tap("VIP"), "answers"),
        ({"tag_id": "100"}, tap("A"), "unknown_tag"),
        ({"tag_id": "2"}, tap("VIP"), "other_tag"),
        ({"tag_id": "100"}, tap("A", MenuId="77"), "answers"),
        ({"tag_id": "100"}, said("VIP"), "unknown_tag"),
    ],
)
def test_version_and_tag_are_those_of_the_menu_that_was_tapped(asked: dict[str, Any], of: Event, expected: str) -> None:
    assert expected == reason(rule(**asked), of, MENUS)


@pytest.mark.parametrize("name", ["event_VIEW", "event_LOCATION", "event_unsubscribe", "event_view_miniprogram"])
def test_what_must_get_success_gets_no_reply(name: str) -> None:
    everything = rule()

    assert answer(everything, to=captured(name)) is None
    assert [(everything, "must_get_success")] == Rulebook([everything]).why(captured(name), NOON)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([rule(1), rule(2, priority=1)], [2, 1]),
        ([rule(1, key=("prefix", "A")), rule(2, key="A")], [2, 1]),
        ([rule(1, key=("prefix", "A")), rule(2, key=("prefix", "AB"))], [2, 1]),
        ([rule(1, key=("pattern", "*A*")), rule(2, key=("pattern", "*AB"))], [2, 1]),
        ([rule(1, keyword=("contains", "退款退款")), rule(2, keyword=("prefix", "退"))], [2, 1]),
        ([rule(1, key="A"), rule(2, key="A", hours="09:00-18:00")], [2, 1]),
        ([rule(1, key="A"), rule(2, kinds=("click",))], [1, 2]),
        ([rule(2, key="A"), rule(1, key="A")], [1, 2]),
        ([rule(1, is_default=True, priority=1000, key="A"), rule(2)], [2, 1]),
        ([rule(1, is_default=True), rule(2, is_default=True, priority=1)], [2, 1]),
    ],
)
def test_the_order_is_by_priority_then_by_how_specific_then_by_age(rules: list[Rule], expected: list[int]) -> None:
    assert expected == [one.id for one in sorted(rules, key=precedence)]


def test_one_answers_and_the_others_that_match_are_outranked() -> None:
    rules = [rule(1), rule(2, key="A"), rule(3, key="B"), rule(4, is_default=True)]

    told = [(one.id, why) for one, why in Rulebook(rules).why(tap("A"), NOON)]

    assert [(2, "answers"), (3, "other_key"), (1, "outranked"), (4, "outranked")] == told


def test_the_reply_has_the_fields_of_the_event() -> None:
    choice = Rulebook([rule(reply=Text("{event_key}"), timezone="Europe/Paris")]).answer(tap("A"), NOON)

    assert choice is not None
    assert Text("A") == choice.reply


def test_a_reply_may_be_nothing() -> None:
    choice = Rulebook([rule(reply=Nothing()), rule(2, is_default=True)]).answer(tap("A"), NOON)

    assert choice is not None
    assert Nothing() == choice.reply


@pytest.mark.parametrize("asked", [{"timezone": "Mars/Olympus"}, {"hours": "noon"}, {"reply": Text("{x}")}])
def test_a_rule_that_cannot_be_used_here_does_not_hold_up_the_others(asked: dict[str, Any]) -> None:
    book = Rulebook([rule(1, **asked), rule(2, is_default=True)])

    assert (1,) == book.unfit
    assert 1 == len(book)
    assert (choice := book.answer(tap("A"), NOON)) is not None
    assert 2 == choice.rule.id


def test_rules_and_menus_come_back_from_json() -> None:
    one = rule(key=("prefix", "A"), kinds=("click",), starts_at=NOON, hours="09:00-12:00")

    assert one == msgspec.json.decode(msgspec.json.encode(one), type=Rule)
    assert MENUS == msgspec.json.decode(msgspec.json.encode(MENUS), type=Menus)
    assert NO_MENUS == msgspec.json.decode(b"{}", type=Menus)


WORDS = st.text("AB", max_size=3)
ASKED = st.none() | WORDS | st.tuples(st.sampled_from(["prefix", "contains"]), WORDS)
ASKED |= st.tuples(st.just("pattern"), st.text("A*", max_size=3))
RULES = st.lists(
    st.fixed_dictionaries(
        {
            "priority": st.integers(0, 1),
            "is_default": st.booleans(),
            "kinds": st.sampled_from([(), ("click",), ("scancode_waitmsg", "message_text"), ("view",)]),
            "key": ASKED,
            "scan_code": st.none() | ASKED,
            "keyword": st.none() | ASKED,
            "menu_version": st.sampled_from([None, None, 3, 4]),
            "hours": st.sampled_from([None, None, "11:00-13:00", "13:00-14:00"]),
        }
    ),
    max_size=12,
)
EVENTS = st.one_of(
    WORDS.map(tap),
    WORDS.map(said),
    st.tuples(WORDS, st.sampled_from(["qrcode", "barcode"]), WORDS).map(lambda parts: scanned(*parts)),
    WORDS.map(lambda key: tap(key, "VIEW")),
)


@given(RULES, EVENTS)
def test_the_book_finds_what_going_through_all_rules_finds(given_rules: list[dict[str, Any]], to: Event) -> None:
    rules = [rule(number, **asked) for number, asked in enumerate(given_rules)]
    in_order = sorted(rules, key=precedence)
    matching = [one.id for one in in_order if reason(one, to, MENUS) == "answers"] if may_answer(to.kind) else []
    book = Rulebook(Random(len(rules)).sample(rules, len(rules)))

    choice = book.answer(to, NOON, MENUS)

    assert (matching[0] if matching else None) == (choice.rule.id if choice else None)
    told = book.why(to, NOON, MENUS)
    assert in_order == [one for one, _why in told]
    assert matching == [one.id for one, why in told if why in ("answers", "outranked")]

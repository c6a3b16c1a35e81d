from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given

from tests.wechat.rules import NOON, rule
from tests.wechat.test_reply_rules import EVENTS, RULES, reason
from wechat import rule_check
from wechat.event import Event
from wechat.reply import Article, Image, News, Text
from wechat.reply_rules import Rule
from wechat.rule_check import Book


def told(one: Rule) -> list[tuple[str, str]]:
    return [found[:2] for found in rule_check.problems(one)]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"kinds": ("view",)}, ("kinds", "must_get_success")),
        ({"kinds": ("clik",)}, ("kinds", "must_get_success")),
        ({"key": ""}, ("key", "empty")),
        ({"keyword": " "}, ("keyword", "empty")),
        ({"key": "a" * 2049}, ("key", "too_long")),
        ({"key": ("pattern", "a")}, ("key", "pattern_without_star")),
        ({"tag_id": ""}, ("tag_id", "empty")),
        ({"timezone": "Mars"}, ("timezone", "unknown_zone")),
        ({"hours": "9-12"}, ("hours", "unreadable_hours")),
        ({"weekdays": "mon"}, ("weekdays", "unreadable_weekdays")),
        ({"starts_at": NOON, "ends_at": NOON}, ("ends_at", "ends_before_start")),
        ({"starts_at": NOON.replace(tzinfo=None)}, ("starts_at", "without_zone")),
        ({"priority": 1001}, ("priority", "out_of_range")),
        ({"key": "A", "keyword": "B"}, ("key", "never_together")),
        ({"key": "A", "kinds": ("message_text",)}, ("key", "never_together")),
        ({"scan_code": "A", "kinds": ("click",)}, ("scan_code", "never_together")),
        ({"menu_version": 3, "kinds": ("subscribe",)}, ("menu_version", "never_together")),
        ({"tag_id": "3", "keyword": "A"}, ("keyword", "never_together")),
        ({"reply": Image("")}, ("reply.media_id", "empty")),
        ({"reply": Text("{x}")}, ("reply.content", "unknown_field")),
        ({"reply": News((Article("T", url="a.cn"),))}, ("reply.articles[0].url", "no_url")),
    ],
)
def test_what_is_wrong_is_told(asked: dict[str, Any], expected: tuple[str, str]) -> None:
    assert [expected] == told(rule(**asked))


def test_a_name_has_something_in_it_and_is_not_too_long() -> None:
    for name, why in ((" ", "empty"), ("a" * 256, "too_long")):
        assert [("name", why)] == told(Rule(id=1, name=name, reply=Text("a")))


def test_a_kind_is_known_by_one_that_is_like_it() -> None:
    assert "click" == rule_check.problems(rule(kinds=("clik",)))[0].better


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, [("kinds", "matches_all")]),
        ({"is_default": True}, []),
        ({"key": "A"}, []),
        ({"kinds": ("message_txt",)}, [("kinds", "unknown_kind")]),
        ({"key": "汉" * 43, "kinds": ("click",)}, [("key", "longer_than_keys")]),
        ({"key": "A", "ends_at": NOON - timedelta(days=1)}, [("ends_at", "over")]),
        ({"tag_id": "100"}, [("tag_id", "tag_by_menu")]),
    ],
)
def test_what_was_hardly_meant_is_doubted(asked: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert [] == rule_check.problems(rule(**asked))
    assert expected == [found[:2] for found in rule_check.doubts(rule(**asked), NOON)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"key": "A"}, {"key": "A"}),
        ({"priority": 1}, {"key": "A"}),
        ({"key": ("prefix", "A"), "priority": 1}, {"key": "AB"}),
        ({"key": ("prefix", "A"), "priority": 1}, {"key": ("prefix", "AB")}),
        ({"key": ("prefix", "A"), "priority": 1}, {"key": ("pattern", "AB*C")}),
        ({"key": ("pattern", "A*C"), "priority": 1}, {"key": ("pattern", "AB*C")}),
        ({"keyword": ("contains", "退"), "priority": 1}, {"keyword": ("prefix", "要退款")}),
        ({"keyword": ("contains", "退"), "priority": 1}, {"keyword": ("contains", "退款")}),
        ({"keyword": ("pattern", "*退*"), "priority": 1}, {"keyword": ("contains", "退款")}),
        ({"key": "A", "priority": 1}, {"key": "A", "hours": "09:00-10:00"}),
        ({"key": "A", "hours": "22:00-02:00", "priority": 1}, {"key": "A", "hours": "23:00-01:00"}),
        ({"kinds": ("click", "subscribe"), "priority": 1}, {"kinds": ("click",), "key": "A"}),
        ({"kinds": ("message_text", "message_voice"), "priority": 1}, {"keyword": "A"}),
        ({"key": "A"}, {"key": "A", "is_default": True, "priority": 5}),
    ],
)
def test_a_rule_that_another_hides_never_answers(first: dict[str, Any], second: dict[str, Any]) -> None:
    above, below = rule(1, **first), rule(2, **second)

    assert above == Book([above, below]).hidden_by(below)
    assert Book([above, below]).hidden_by(above) is None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"key": "A", "priority": 1}, {"key": "B"}),
        ({"key": "A", "hours": "09:00-18:00", "priority": 1}, {"key": "A"}),
        ({"key": "A", "hours": "09:00-18:00", "priority": 1}, {"key": "A", "hours": "17:00-19:00"}),
        ({"key": "A", "ends_at": NOON, "priority": 1}, {"key": "A"}),
        ({"key": ("pattern", "A*C"), "priority": 1}, {"key": ("pattern", "A*")}),
        ({"keyword": ("contains", "退款"), "priority": 1}, {"keyword": ("contains", "退")}),
        ({"menu_version": 3, "priority": 1}, {"key": "A"}),
        ({"kinds": ("click",), "priority": 1}, {"key": "A"}),
    ],
)
def test_a_rule_that_answers_sometimes_is_not_hidden(first: dict[str, Any], second: dict[str, Any]) -> None:
    assert Book([rule(1, **first), rule(2, **second)]).hidden_by(rule(2, **second)) is None


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({"key": "A", "kinds": ("click", "subscribe")}, {"key": "A", "kinds": ("click",)}, True),
        ({"key": "A", "hours": "09:00-18:00"}, {"key": "A", "hours": "17:00-19:00"}, True),
        ({"key": "A", "hours": "09:00-18:00"}, {"key": "A", "hours": "18:00-09:00"}, False),
        ({"key": "A", "weekdays": "1"}, {"key": "A", "weekdays": "2"}, False),
        ({"key": "A", "ends_at": NOON}, {"key": "A", "starts_at": NOON}, False),
        ({"key": "A", "menu_version": 1}, {"key": "A", "menu_version": 2}, False),
        ({"key": "A", "hours": "09:00-18:00"}, {"key": "A", "menu_version": 2}, True),
        ({"key": "A"}, {"scan_code": "B"}, True),
        ({"keyword": ("contains", "退款")}, {"keyword": ("contains", "发票")}, False),
        ({"key": "A"}, {"key": "A", "priority": 1}, False),
    ],
)
def test_rules_of_one_rank_that_overlap_are_rivals(
    first: dict[str, Any], second: dict[str, Any], expected: bool
) -> None:
    one, other = rule(1, **first), rule(2, **second)
    book = Book([one, other])

    assert ([other] if expected else []) == book.rivals(one)
    assert ([one] if expected else []) == book.rivals(other)


@given(RULES, EVENTS)
def test_a_hidden_rule_matches_nothing_that_the_other_does_not(given_rules: list[dict[str, Any]], to: Event) -> None:
    rules = [rule(number, **asked) for number, asked in enumerate(given_rules)]
    book = Book(rules)

    for one in rules:
        if (hider := book.hidden_by(one)) is not None and reason(one, to) == "answers":
            assert "answers" == reason(hider, to)

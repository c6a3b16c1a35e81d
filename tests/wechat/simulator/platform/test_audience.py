"""Who sees which menu, and since when."""

from typing import Any

import pytest

from tests.platforms import Platform
from wechat.simulator.platform.audience import chosen, seen
from wechat.simulator.platform.followers import made_up
from wechat.simulator.platform.state import Follower, Holdings, Menu


def menu(number: int, **rule: Any) -> Menu:
    return Menu(number, [{"type": "click", "name": str(number), "key": str(number)}], rule)


def which(own: Holdings, follower: Follower, **options: Any) -> int:
    found = chosen(own, follower, **options)
    return found.menu_id if found else 0


def test_the_newest_rule_that_matches_wins() -> None:
    own = Holdings(menu=menu(1), conditional=[menu(2, group_id=100), menu(3, group_id=100), menu(4, group_id=101)])

    assert 3 == which(own, Follower("o", tags=[100]))
    assert 1 == which(own, Follower("o"))
    assert 0 == which(Holdings(), Follower("o"))


def test_of_several_tags_the_last_one_counts() -> None:
    own = Holdings(menu=menu(1), conditional=[menu(2, group_id=100)])

    assert 2 == which(own, Follower("o", tags=[101, 100]))
    assert 1 == which(own, Follower("o", tags=[100, 101]))


def test_all_of_a_rule_has_to_match() -> None:
    own = Holdings(menu=menu(1), conditional=[menu(2, group_id=100, client_platform_type=1)])

    assert 2 == which(own, Follower("o", tags=[100], platform=1))
    assert 1 == which(own, Follower("o", tags=[100], platform=2))
    assert 1 == which(own, Follower("o", platform=1))


def test_old_rules_match_in_trymatch_only() -> None:
    own = Holdings(menu=menu(1), conditional=[menu(2, sex=1, province="广东")])
    follower = Follower("o", sex=1, province="广东")

    assert 1 == which(own, follower)
    assert 2 == which(own, follower, heed_withdrawn=True)
    assert 1 == which(own, Follower("o", sex=2, province="广东"), heed_withdrawn=True)


@pytest.mark.parametrize(("cache", "later", "expected"), [(300.0, 300, 1), (300.0, 301, 2), (86400.0, 86000, 1)])
def test_a_client_shows_what_it_fetched_for_a_while(cache: float, later: float, expected: int) -> None:
    follower = Follower("o", cache_seconds=cache)
    own = Holdings(menu=menu(1), shown={1: [{"name": "1"}], 2: [{"name": "2"}]})
    assert (1, [{"name": "1"}]) == seen(own, follower, 1000)

    own.menu = menu(2)

    assert (expected, [{"name": str(expected)}]) == seen(own, follower, 1000 + later)


def test_a_match_is_tried_by_either_name(platform: Platform) -> None:
    token = platform.token()
    platform.followers(
        {"open_id": "o1", "wechat_id": "weixin", "tags": [2]}, {"open_id": "o2", "follows": False}, {"open_id": "o3"}
    )

    def match(name: object) -> Any:
        answer = platform.call("menu/trymatch", {"user_id": name}, token=token)
        return answer.get("errcode") or [button["key"] for button in answer["button"]]

    assert 46003 == match("o1")

    platform.call("menu/create", {"button": menu(1).button}, token=token)
    platform.call("menu/addconditional", {"button": menu(2).button, "matchrule": {"tag_id": "2"}}, token=token)

    assert ["2"] == match("o1") == match("weixin")
    assert ["1"] == match("o3")
    assert 65315 == match("o2")
    assert 65302 == match("nobody") == match("") == match(None)
    assert 65302 == platform.call("menu/trymatch", b"user_id=o1", token=token)["errcode"]


def test_menus_that_nobody_can_see_are_forgotten(platform: Platform) -> None:
    token = platform.token()
    platform.followers({"open_id": "o1"})
    for number in range(1, 4):
        platform.call("menu/create", {"button": menu(number).button}, token=token)
        if number == 1:
            platform.tap("o1", "1")
    shown = platform.holdings()["shown"]

    assert ["1", "3"] == [buttons[0]["key"] for _menu_id, buttons in sorted(shown.items())]


def test_made_up_followers_are_the_same_each_time(platform: Platform) -> None:
    followers = platform.holdings()["followers"]
    more = platform.followers(count=5)

    assert 20 == len(followers)
    assert made_up(platform.account.app_id, 25).keys() == platform.holdings()["followers"].keys()
    assert 5 == len({follower["open_id"] for follower in more} - followers.keys())

"""Tokens end as WeChat's do: by their successor, by force, and by age."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.platforms import CAFE, SHOP, Platform, platform_of

CREDENTIALS = {"grant_type": "client_credential", "appid": SHOP.app_id, "secret": SHOP.app_secret}


def works(platform: Platform, token: str) -> int:
    """0, or why not."""
    return int(platform.call("getcallbackip", token=token).get("errcode", 0))


def test_each_token_voids_the_one_before_after_five_minutes(platform: Platform) -> None:
    first, second = platform.token("token"), platform.token("token")

    assert first != second
    assert (0, 0) == (works(platform, first), works(platform, second))

    platform.advance(301)

    assert (40001, 0) == (works(platform, first), works(platform, second))


def test_a_token_ends_with_age(platform: Platform) -> None:
    token = platform.token("token")
    platform.advance(7201)

    assert 42001 == works(platform, token)


def test_the_stable_token_stays_with_the_time_it_has_left(platform: Platform) -> None:
    token = platform.token()
    platform.advance(1000.5)
    again = platform.call("stable_token", CREDENTIALS)

    assert {"access_token": token, "expires_in": 6199} == again


def test_in_its_last_five_minutes_the_stable_token_has_a_successor(platform: Platform) -> None:
    token = platform.token()
    platform.advance(6890)
    assert token == platform.token()

    platform.advance(20)
    successor = platform.token()

    assert token != successor
    assert (0, 0) == (works(platform, token), works(platform, successor))

    platform.advance(291)

    assert (42001, 0) == (works(platform, token), works(platform, successor))


def test_both_kinds_are_independent(platform: Platform) -> None:
    stable, plain = platform.token(), platform.token("token")
    platform.token("token")
    platform.advance(301)

    assert (0, 40001) == (works(platform, stable), works(platform, plain))

    plain = platform.token("token")
    platform.token(force_refresh=True)

    assert (40001, 0) == (works(platform, stable), works(platform, plain))


def test_a_forced_refresh_voids_at_once(platform: Platform) -> None:
    token = platform.token()
    forced = platform.token(force_refresh=True)

    assert (40001, 0) == (works(platform, token), works(platform, forced))


def test_within_half_a_minute_nothing_is_forced(platform: Platform) -> None:
    forced = platform.token(force_refresh=True)
    platform.advance(25)
    assert forced == platform.token(force_refresh=True)

    platform.advance(6)

    assert forced != platform.token(force_refresh=True)


def test_a_refresh_is_forced_twenty_times_a_day(platform: Platform) -> None:
    tokens = set()
    for _ in range(20):
        tokens.add(platform.token(force_refresh=True))
        platform.advance(31)
    refused = platform.call("stable_token", CREDENTIALS | {"force_refresh": True})

    assert 20 == len(tokens)
    assert 45009 == refused["errcode"]
    assert platform.token() in tokens

    platform.advance(86400)

    assert platform.token(force_refresh=True) not in tokens


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"secret": "0" * 32}, 40001),
        ({"secret": "no secret at all"}, 40125),
        ({"secret": ""}, 41004),
        ({"appid": "wx0"}, 40013),
        ({"appid": ""}, 41002),
        ({"grant_type": "password"}, 40002),
    ],
)
@pytest.mark.parametrize("kind", ["token", "stable_token"])
def test_wrong_credentials_are_told_apart(platform: Platform, kind: str, changed: dict[str, str], code: int) -> None:
    given = CREDENTIALS | changed

    answer = platform.call(kind, **given) if kind == "token" else platform.call(kind, given)

    assert code == answer["errcode"]


def test_tokens_are_asked_for_by_the_right_method(platform: Platform) -> None:
    assert 43001 == platform.call("token", CREDENTIALS)["errcode"]
    assert 43002 == platform.call("stable_token", **CREDENTIALS)["errcode"]
    assert 44002 == platform.call("stable_token", b"")["errcode"]
    assert 47001 == platform.call("stable_token", b"grant_type=client_credential")["errcode"]


def test_a_call_needs_a_living_token(platform: Platform) -> None:
    token = platform.token()
    platform.void(token)

    assert 40001 == works(platform, token)
    assert 40014 == works(platform, "never issued")
    assert 41001 == platform.call("menu/get")["errcode"]
    assert 41001 == platform.call("menu/create")["errcode"]  # before the method


def test_a_token_is_of_one_account() -> None:
    with platform_of(SHOP, CAFE) as platform:
        of_cafe = Platform(platform.url, CAFE)
        of_cafe.call("menu/create", {"button": [{"type": "click", "name": "a", "key": "k"}]}, token=of_cafe.token())

        assert 46003 == platform.call("menu/get", token=platform.token())["errcode"]
        assert "menu" in of_cafe.call("menu/get", token=of_cafe.token())

        of_cafe.void()

        assert 0 == works(platform, platform.token())


def test_whoever_is_not_on_the_list_is_told_their_address(platform: Platform) -> None:
    token = platform.token()
    platform.holdings(allowed_ips=["10.0.0.1"])
    refused = platform.call("stable_token", CREDENTIALS)

    assert 40164 == refused["errcode"]
    assert refused["errmsg"].startswith("invalid ip 127.0.0.1 ipv6 ::ffff:127.0.0.1, not in whitelist rid: ")
    assert 40164 == works(platform, token)


def test_fifty_at_once_get_the_same_token(platform: Platform) -> None:
    with ThreadPoolExecutor(50) as pool:
        tokens = list(pool.map(lambda _: platform.token(), range(200)))

    assert 1 == len(set(tokens))
    assert [0] * 200 == platform.calls("stable_token")

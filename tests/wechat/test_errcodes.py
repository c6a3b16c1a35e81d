"""Every code becomes an exception that says what to do, in two languages."""

import json
import pickle

import pytest

from wechat.errcodes import (
    BY_CLASS,
    STABLE_TOKEN,
    Busy,
    Invalid,
    NotConfigured,
    NotPermitted,
    RateLimited,
    TokenRejected,
    Unreachable,
    WeChatError,
    codes,
    recorded,
    refusal,
)

CALL = "/cgi-bin/menu/create"


@pytest.mark.parametrize("errcode", sorted(codes().keys() - {0}))
def test_every_code_is_explained_in_both_languages(errcode: int) -> None:
    error = refusal(CALL, errcode, "words of WeChat rid: 6351f0e3-4fa90897-25a38569")

    assert type(error) in BY_CLASS.values()
    assert error.meaning.en in error.explained("en")
    assert error.meaning.zh in error.explained("zh")
    assert "6351f0e3-4fa90897-25a38569" in str(error)
    assert len(error.explained("zh")) > len(error.meaning.zh) + 10
    assert f"errcode_{errcode}" == error.reason


@pytest.mark.parametrize(
    ("errcode", "kind"),
    [
        (-1, Busy),
        (45011, Busy),
        (40014, TokenRejected),
        (42001, TokenRejected),
        (40001, TokenRejected),
        (45009, RateLimited),
        (40164, NotConfigured),
        (48001, NotPermitted),
        (40018, Invalid),
        (99999, Invalid),
    ],
)
def test_a_code_becomes_what_the_caller_should_do(errcode: int, kind: type[WeChatError]) -> None:
    assert kind is type(refusal(CALL, errcode, ""))


def test_an_unknown_code_brings_the_words_of_wechat() -> None:
    assert "what nobody has seen" in str(refusal(CALL, 99999, "what nobody has seen"))


def test_of_a_call_for_tokens_40001_speaks_of_the_app_secret() -> None:
    error = refusal(STABLE_TOKEN, 40001, "")

    assert NotConfigured is type(error)
    assert "app_secret" in error.explained("en")
    assert "app_secret" in error.explained("zh")


@pytest.mark.parametrize(
    ("errcode", "errmsg", "ip"),
    [
        (40164, "invalid ip 203.0.113.9 ipv6 ::ffff:203.0.113.9, not in whitelist rid: 65d-1a-2b", "203.0.113.9"),
        (40164, "invalid ip 2001:db8::7 ipv6 2001:db8::7, not in whitelist", "2001:db8::7"),
        (40164, "ipv6 ::ffff:203.0.113.9, not in whitelist", "203.0.113.9"),
        (61004, "access clientip is not registered, requestIP: 203.0.113.9. hint: [abc]", "203.0.113.9"),
        (40164, "not in whitelist", None),
        (40018, "invalid button name size 203.0.113.9", None),
    ],
)
def test_the_address_that_is_not_allowed_is_offered(errcode: int, errmsg: str, ip: str | None) -> None:
    error = refusal(CALL, errcode, errmsg)

    assert ip == error.ip
    assert ip is None or f"({errcode}, " in str(error)
    assert ip is None or ip in error.explained("zh")


@pytest.mark.parametrize(
    ("errmsg", "rid"),
    [
        ("invalid button name size rid: 61725984-6126f6f9-040f19c4", "61725984-6126f6f9-040f19c4"),
        ("invalid button name size hint: [ogOyta06762364]", None),
        ("", None),
    ],
)
def test_the_rid_is_kept(errmsg: str, rid: str | None) -> None:
    assert rid == refusal(CALL, 40018, errmsg).rid


@pytest.mark.parametrize(
    "error",
    [
        refusal(CALL, 40164, "invalid ip 203.0.113.9, not in whitelist rid: 1-2-3"),
        refusal(CALL, 99999, "new"),
        Unreachable(CALL, "timeout", "in vain", False),
    ],
)
def test_an_error_passes_through_a_table_and_between_processes(error: WeChatError) -> None:
    for other in (recorded(json.loads(json.dumps(error.record()))), pickle.loads(pickle.dumps(error))):
        assert (type(error), str(error), error.explained("zh")) == (type(other), str(other), other.explained("zh"))
        assert (error.reason, error.ip, error.rid) == (other.reason, other.ip, other.rid)

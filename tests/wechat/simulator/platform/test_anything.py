"""Whatever is sent, the platform answers as WeChat does, and goes on."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

import tests
from tests.platforms import SHOP
from wechat.simulator.platform.asked import Request
from wechat.simulator.platform.calls import CALLS
from wechat.simulator.platform.platform import Platform
from wechat.simulator.platform.state import Follower, Menu, Opening, Token

FILES = sorted(Path(tests.__file__).with_name("api").glob("*.request.json"))
SAMPLES = [sample for file in FILES if "path" in (sample := json.loads(file.read_text()))]
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.just("9" * 5000)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=5,
)


def places(value: Any, *before: Any) -> Iterator[tuple[Any, ...]]:
    """The way to each value inside."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*before, key)
        if isinstance(inner, dict | list):
            yield from places(inner, *before, key)


@st.composite
def spoiled(draw: st.DrawFn) -> tuple[str, bytes]:
    """A call of the documentation, with something else in one place of its body."""
    sample = draw(st.sampled_from([sample for sample in SAMPLES if sample["body"]]))
    body = copy.deepcopy(sample["body"])
    *way, last = draw(st.sampled_from(sorted(places(body), key=str)))
    inner = body
    for key in way:
        inner = inner[key]
    inner[last] = draw(values)
    return sample["path"][1:], json.dumps(body, ensure_ascii=False).encode(errors="surrogatepass")


def ask(method: str, path: str, body: bytes) -> None:
    platform = Platform([SHOP], followers=0)
    own = platform.state.accounts[SHOP.app_id]
    own.tokens = [Token("t", "stable", platform.now() + 100)]
    own.menu = Menu(1, [{"type": "click", "name": "a", "key": "k", "sub_button": []}])
    opening = Opening(platform.now() + 60, 3)
    own.followers = {"OPENID": Follower("OPENID", acted_at=platform.now(), openings={"message": opening})}

    answer = platform.answer(Request(method, path, {"access_token": "t"}, body, "127.0.0.1"))

    assert isinstance(json.loads(answer.body or b""), dict)
    assert platform.state == msgspec.json.decode(msgspec.json.encode(platform.state), type=type(platform.state))


@settings(max_examples=300, deadline=None)
@given(spoiled())
def test_a_call_with_something_wrong_is_answered(call: tuple[str, bytes]) -> None:
    ask("POST", *call)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["GET", "POST"]), st.sampled_from(sorted(CALLS)), st.binary(max_size=20) | st.just(b"{}"))
def test_a_call_without_any_sense_is_answered(method: str, path: str, body: bytes) -> None:
    ask(method, path, body)

import fnmatch
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wechat.glob import Glob


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("STOCK", "STOCK", True),
        ("STOCK", "STOCKS", False),
        ("STOCK*", "STOCK", True),
        ("*_2", "menu_1_2", True),
        ("a*a", "a", False),
        ("a*b*c", "a-b-b-c", True),
        ("a*b*c", "a-c-b", False),
        ("*", "", True),
        ("", "", True),
        ("a**b", "ab", True),
        ("[a]?", "[a]?", True),
        ("ab*bc", "abc", False),
    ],
)
def test_a_star_is_any_text_and_all_else_is_itself(pattern: str, text: str, expected: bool) -> None:
    assert expected == Glob(pattern).matches(text)


@given(st.text("ab*", max_size=8), st.text("ab", max_size=10))
def test_it_is_what_the_regular_expression_would_say(pattern: str, text: str) -> None:
    expression = ".*".join(map(re.escape, pattern.split("*")))

    assert bool(re.fullmatch(expression, text, re.DOTALL)) == Glob(pattern).matches(text)
    assert fnmatch.fnmatchcase(text, pattern) == Glob(pattern).matches(text)


def test_a_pattern_that_regular_expressions_choke_on_is_matched_as_fast_as_any() -> (
    None
):  # or the test runs out of time
    many = Glob("*a" * 500 + "*b")

    assert not any(many.matches("a" * 2000) for _ in range(100))

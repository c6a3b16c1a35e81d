import os
import sys
import time

import pytest

from workers.alone import DiedError, call


def test_a_function_returns_what_it_would_here() -> None:
    assert {"a": 3} == call(dict, [("a", 3)], patience=60)


@pytest.mark.parametrize(
    ("function", "arguments", "how"),
    [
        (os.abort, (), "SIGABRT"),
        (sys.exit, (3,), "exit_3"),
        (os._exit, (0,), "exit_0"),
        (int, ("what a follower wrote",), "ValueError"),
    ],
)
def test_its_death_is_an_error_that_tells_how(function: object, arguments: tuple[object, ...], how: str) -> None:
    with pytest.raises(DiedError, match=f"^{how}$"):
        call(function, *arguments, patience=60)  # type: ignore[arg-type]


def test_it_is_ended_when_it_takes_too_long() -> None:
    with pytest.raises(DiedError, match="too_slow"):
        call(time.sleep, 3600, patience=0.5)

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from console.command import InvalidInputError
from console.moments import moment

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 10, 7, 17, 30, tzinfo=UTC)  # in Shanghai it is half past one of the next day


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7d", datetime(2026, 9, 30, 17, 30, tzinfo=UTC)),
        ("12h", datetime(2026, 10, 7, 5, 30, tzinfo=UTC)),
        ("30m", datetime(2026, 10, 7, 17, 0, tzinfo=UTC)),
        ("2w", datetime(2026, 9, 23, 17, 30, tzinfo=UTC)),
        ("today", datetime(2026, 10, 7, 16, 0, tzinfo=UTC)),
        ("yesterday", datetime(2026, 10, 6, 16, 0, tzinfo=UTC)),
        ("2026-10-01", datetime(2026, 9, 30, 16, 0, tzinfo=UTC)),
        ("2026-10-01T12:00", datetime(2026, 10, 1, 4, 0, tzinfo=UTC)),
        ("2026-10-01T12:00:00+00:00", datetime(2026, 10, 1, 12, 0, tzinfo=UTC)),
        ("2026-10-01 12:00", datetime(2026, 10, 1, 4, 0, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_in_the_accounts_time_zone(text: str, expected: datetime) -> None:
    assert expected == moment(text, NOW, SHANGHAI)


def test_no_moment_is_no_limit() -> None:
    assert moment(None, NOW, SHANGHAI) is None


@pytest.mark.parametrize("text", ["", "soon", "7", "7y", "-7d", "999999d", "2026-13-01", "2026-10-01T25:00", "7d\n"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="is no time"):
        moment(text, NOW, SHANGHAI)

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from console.command import InvalidInputError
from console.moments import coming, duration, moment

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


@pytest.mark.parametrize("text", ["0001-01-01", "9999-12-31", "400000w"])
def test_what_is_too_far_away_for_other_time_zones_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="is too far away"):
        coming(text, NOW, SHANGHAI)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2h", datetime(2026, 10, 7, 19, 30, tzinfo=UTC)),
        ("7d", datetime(2026, 10, 14, 17, 30, tzinfo=UTC)),
        ("now", NOW),
        ("today", datetime(2026, 10, 7, 16, 0, tzinfo=UTC)),
        ("tomorrow", datetime(2026, 10, 8, 16, 0, tzinfo=UTC)),
        ("2026-10-01T12:00", datetime(2026, 10, 1, 4, 0, tzinfo=UTC)),
    ],
)
def test_a_moment_to_come_is_counted_from_now_on(text: str, expected: datetime) -> None:
    assert expected == coming(text, NOW, SHANGHAI)


@pytest.mark.parametrize("text", ["", "soon", "-2h", "2h30m", "999999w"])
def test_what_is_no_moment_to_come_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        coming(text, NOW, SHANGHAI)


def test_no_moment_to_come_is_none() -> None:
    assert coming(None, NOW, SHANGHAI) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90m", 5_400), ("2h", 7_200), ("1h30m", 5_400), ("3d", 259_200), ("1w", 604_800), (" 2H ", 7_200), ("0", 0)],
)
def test_a_duration_is_read_in_seconds(text: str, expected: int) -> None:
    assert expected == duration(text)


@pytest.mark.parametrize("text", ["", "2", "h", "2 h", "2x", "2h ago", "-2h", "1.5h", "1h30"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="is no duration"):
        duration(text)

"""What is to be done about a token, decided without database and clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from wechat.answers import Token
from wechat.errcodes import STABLE_TOKEN, TOKEN
from workers.held import LATEST, LEASE, LONGEST_WAIT, Held, Step, back_off, is_due, is_foreign, may_force, next_step

NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)
OLD, NEW = SecretStr("old"), SecretStr("new")


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


NOTHING = Held(
    account_id=1,
    token=None,
    sealed=None,
    expires_at=None,
    refreshed_at=None,
    source=None,
    lease_until=None,
    lease_owner=None,
    failures=0,
    failure=None,
    retry_at=None,
    foreign_count=0,
    foreign_at=None,
)
GOOD = replace(
    NOTHING,
    token=OLD,
    sealed="sealed",
    expires_at=NOW + minutes(100),
    refreshed_at=NOW - minutes(20),
    source=STABLE_TOKEN,
)


@pytest.mark.parametrize(
    ("held", "rejected", "step"),
    [
        (NOTHING, None, Step.FETCH),
        (GOOD, None, Step.USE),
        (GOOD, NEW, Step.USE),  # somebody has refreshed already
        (GOOD, OLD, Step.FETCH),
        (replace(GOOD, expires_at=NOW), None, Step.FETCH),
        (replace(GOOD, expires_at=NOW + seconds(1)), None, Step.USE),
        (replace(GOOD, token=None), None, Step.FETCH),  # our key does not open it
        (replace(GOOD, lease_until=NOW + LEASE), None, Step.USE),  # nobody waits while the old one lives
        (replace(GOOD, retry_at=NOW + seconds(9)), None, Step.USE),
        (replace(GOOD, lease_until=NOW + LEASE), OLD, Step.WAIT),
        (replace(GOOD, lease_until=NOW + LEASE + seconds(9)), OLD, Step.WAIT),  # of a clock that is ahead
        (replace(GOOD, lease_until=NOW), OLD, Step.FETCH),  # whoever had it is dead
        (replace(GOOD, lease_until=NOW + LATEST + seconds(1)), OLD, Step.FETCH),  # from before the clock was set back
        (replace(GOOD, retry_at=NOW + seconds(9)), OLD, Step.GIVE_UP),
        (replace(GOOD, retry_at=NOW), OLD, Step.FETCH),
        (replace(GOOD, retry_at=NOW + timedelta(days=1)), OLD, Step.FETCH),
        (replace(NOTHING, lease_until=NOW + LEASE, retry_at=NOW + seconds(9)), None, Step.WAIT),
    ],
)
def test_the_next_step(held: Held, rejected: SecretStr | None, step: Step) -> None:
    assert step is next_step(held, rejected, NOW)


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (NOTHING, False),  # nobody asked for one
        (GOOD, False),
        (replace(GOOD, expires_at=NOW + minutes(3)), True),
        (replace(GOOD, expires_at=NOW + minutes(5)), False),
        (replace(GOOD, expires_at=NOW - minutes(5)), True),
        (replace(GOOD, refreshed_at=NOW - minutes(61)), True),  # is it the token still?
        (replace(GOOD, refreshed_at=NOW - minutes(61), source=TOKEN), False),  # asking would void it
        (replace(GOOD, refreshed_at=NOW + minutes(30)), True),  # the clock was set back
        (replace(GOOD, token=None), True),
        (replace(GOOD, expires_at=NOW, lease_until=NOW + LEASE), False),
        (replace(GOOD, expires_at=NOW, retry_at=NOW + seconds(1)), False),
        (replace(GOOD, expires_at=NOW, retry_at=NOW), True),
    ],
)
def test_when_a_refresh_is_due(held: Held, expected: bool) -> None:
    assert expected == is_due(held, NOW)


def test_accounts_that_began_together_are_refreshed_apart() -> None:
    end = NOW + minutes(100)
    held = replace(GOOD, refreshed_at=end - minutes(20))
    moments = {
        next(left for left in range(400, 0, -1) if is_due(replace(held, account_id=number), end - seconds(left)))
        for number in range(10)
    }

    assert len(moments) >= 5
    assert max(moments) - min(moments) <= 50


@pytest.mark.parametrize(
    ("held", "value", "source", "rejected", "expected"),
    [
        (GOOD, NEW, STABLE_TOKEN, None, True),
        (GOOD, NEW, STABLE_TOKEN, OLD, True),
        (GOOD, OLD, STABLE_TOKEN, None, False),
        (NOTHING, NEW, STABLE_TOKEN, None, False),
        (replace(GOOD, token=None), NEW, STABLE_TOKEN, None, False),
        (replace(GOOD, expires_at=NOW + minutes(5)), NEW, STABLE_TOKEN, OLD, False),  # its time had come
        (replace(GOOD, expires_at=NOW - minutes(5)), NEW, STABLE_TOKEN, None, False),
        (replace(GOOD, source=TOKEN), NEW, TOKEN, None, False),  # each call of it gives another
        (replace(GOOD, source=TOKEN), NEW, TOKEN, OLD, True),
        (replace(GOOD, source=TOKEN), NEW, STABLE_TOKEN, OLD, False),  # another kind of token
    ],
)
def test_who_has_replaced_a_token(
    held: Held, value: SecretStr, source: str, rejected: SecretStr | None, expected: bool
) -> None:
    assert expected == is_foreign(held, Token(value, minutes(120)), source, rejected, NOW)


@pytest.mark.parametrize(
    ("used", "last_at", "expected"),
    [
        (0, None, True),
        (19, NOW - seconds(30), True),
        (20, NOW - minutes(30), False),
        (1, NOW - seconds(29), False),
        (0, NOW - seconds(10), False),  # yesterday's last
        (1, NOW + seconds(10), False),
        (1, NOW + minutes(10), True),  # the clock was set back
    ],
)
def test_forced_refreshes_are_rationed(used: int, last_at: datetime | None, expected: bool) -> None:
    assert expected == may_force(used, last_at, NOW)


def test_waits_grow_to_some_minutes_and_never_agree() -> None:
    waits = [back_off(failures, 0.5) for failures in range(1, 2000)]

    assert [seconds(2), seconds(4), seconds(8)] == waits[:3]
    assert sorted(waits) == waits
    assert LONGEST_WAIT == waits[-1]
    assert LONGEST_WAIT * 0.75 <= back_off(99, 0.0) < back_off(99, 1.0) <= LONGEST_WAIT * 1.25
    # What is written down after the longest wait must be believed.
    assert replace(NOTHING, retry_at=NOW + back_off(99, 1.0)).must_wait(NOW)


def test_a_digest_tells_tokens_apart_without_telling_them() -> None:
    digests = {replace(GOOD, token=token).digest for token in (OLD, NEW)}

    assert 2 == len(digests)
    assert {8} == {len(digest or "") for digest in digests}
    assert NOTHING.digest is None
    assert "old" not in repr(GOOD)

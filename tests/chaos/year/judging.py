"""What may be found after a tick. Pure; each thing that may not is told in words."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from tests.chaos.year.seen import Seen
from wechat.menu_plan import plan
from workers.delays import BUSY, FROZEN, NOT_AS_PUBLISHED, QUOTA, REFUSED, TOKEN_REJECTED, UNDER_WAY, UNREACHABLE

TICK = timedelta(minutes=1)
# After how long at most a menu is tried again, by what it failed of.
PROMISED = {
    BUSY: timedelta(minutes=10),
    UNREACHABLE: timedelta(minutes=10),
    TOKEN_REJECTED: timedelta(minutes=10),
    REFUSED: timedelta(hours=1),
    NOT_AS_PUBLISHED: timedelta(hours=1),
    QUOTA: timedelta(hours=24, minutes=5),
}


def judge(before: Seen, after: Seen, now: datetime, blamed: frozenset[str], died_at: datetime | None) -> Iterator[str]:
    """Of one account: `blamed` are the reasons that WeChat gives, `died_at` is when a process was killed last."""
    calls = after.calls - before.calls
    if before.shown is not None and after.shown is None:
        yield "no menu is left"
    if calls and _had_nothing_to_do(before, now):
        yield f"{calls} calls, and nothing to do"
    if after.ids - before.ids > needed_ids(before):
        yield f"{after.ids - before.ids} menus were made, and {needed_ids(before)} needed"
    if died_at == now:
        return
    if after.is_well:
        if after.delay is not None:
            yield f"{after.delay.reason} is on record, and all is well"
    elif after.is_frozen:
        if after.delay is None or after.delay.reason != FROZEN:
            yield "frozen, and that is not on record"
    else:
        yield from _judge_delay(after, now, bool(calls), blamed, died_at)


def needed_ids(seen: Seen) -> int:
    """How many menus have to be made before what is due is shown."""
    if seen.wanted is None:
        return 0
    return sum(step.call != "delete" for step in plan(seen.shown, seen.wanted))


def _had_nothing_to_do(before: Seen, now: datetime) -> bool:
    if before.is_well or before.is_frozen or before.due is None:
        return True
    delay = before.delay
    return (
        delay is not None
        and delay.reason in PROMISED
        and (delay.menu_id == before.due.rotation.menu_id or delay.reason == QUOTA)
        and now < delay.next_try_at
    )


def _judge_delay(
    after: Seen, now: datetime, was_tried: bool, blamed: frozenset[str], died_at: datetime | None
) -> Iterator[str]:
    delay, due = after.delay, after.due
    assert due is not None
    if delay is None:
        yield "the due menu is not live, and nothing says why"
    elif delay.menu_id != due.rotation.menu_id:
        yield "the reason on record is another menu's"
    elif delay.since > now:
        yield "the reason on record is of the future"
    elif delay.reason == UNDER_WAY:
        if died_at is None or now - died_at >= TICK:
            yield "nobody publishes, and that is the reason on record"
    elif delay.reason not in PROMISED:
        yield f"{delay.reason} is no reason"
    elif was_tried and delay.reason not in blamed:
        yield f"{delay.reason}, and WeChat was well"
    elif not was_tried and now >= delay.next_try_at:
        yield f"{delay.reason}, and not tried again"
    elif delay.next_try_at - now > PROMISED[delay.reason]:
        yield f"{delay.reason}, and not to be tried again before {delay.next_try_at}"

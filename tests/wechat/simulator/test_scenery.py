"""When people act, who they are, and what they scan."""

import time
from collections import Counter
from datetime import datetime, timedelta, timezone
from random import Random

import pytest

from wechat.simulator.codes import ean_13
from wechat.simulator.crowd import Crowd, open_id
from wechat.simulator.rhythm import history, live

SHANGHAI = timezone(timedelta(hours=8))
MONDAY = datetime(2026, 10, 5, tzinfo=SHANGHAI)


def drawn(count: int, start: datetime = MONDAY, days: float = 7) -> list[datetime]:
    moments = history(Random(1), start, start + timedelta(days=days), count)
    return [datetime.fromtimestamp(moment, SHANGHAI) for moment in moments]


def test_history_is_ascending_and_inside_its_period() -> None:
    moments = drawn(1000, MONDAY + timedelta(minutes=17), days=1.5)

    assert 1000 == len(moments)
    assert sorted(moments) == moments
    assert MONDAY + timedelta(minutes=17) <= moments[0] < moments[-1] < MONDAY + timedelta(days=1.5, minutes=17)


def test_people_sleep_and_are_lively_after_dinner_and_on_saturday() -> None:
    moments = drawn(20_000)
    hours = Counter(moment.hour for moment in moments)
    days = Counter(moment.weekday() for moment in moments)

    assert hours[20] > 10 * hours[3]
    assert days[5] > days[1]


def test_a_period_of_a_second_is_enough() -> None:
    assert 5 == len(drawn(5, days=1 / 86400))


def test_a_period_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match="after it starts"):
        list(history(Random(1), MONDAY, MONDAY, 1))


def test_live_is_now() -> None:
    before = time.time()

    assert before <= next(live()) <= time.time()


def test_open_ids_are_28_characters_and_begin_alike() -> None:
    people = {open_id("wx1", number) for number in range(500)}

    assert 500 == len(people)
    assert {28} == {len(person) for person in people}
    assert 1 == len({person[:6] for person in people})
    assert open_id("wx2", 0) not in people


def test_whoever_left_is_not_heard_of_until_back() -> None:
    crowd = Crowd(Random(1), "wx1", 5)
    gone = crowd.leave()

    assert gone not in {crowd.someone() for _ in range(300)}


def test_the_last_follower_stays() -> None:
    crowd = Crowd(Random(1), "wx1", 3)
    for _ in range(10):
        crowd.leave()

    assert crowd.someone() == crowd.leave()


def test_newcomers_are_heard_of() -> None:
    crowd = Crowd(Random(1), "wx1", 1)
    newcomer = crowd.join()

    assert newcomer in {crowd.someone() for _ in range(300)}


@pytest.mark.parametrize("product", [0, 1, 2, 17, 1999])
def test_barcodes_have_a_right_check_digit(product: int) -> None:
    digits = [int(digit) for digit in ean_13(product)]

    assert 13 == len(digits)
    assert 0 == (sum(digits[::2]) + 3 * sum(digits[1::2])) % 10

"""The rule that ties a tap to what its user saw, case by case; times are minutes from the same noon."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.publications import ABANDONED, FAILED, PUBLISHED, REFUSED
from wechat.menu import read
from workers.attribution import TAPS, Attempt, Attribution, History, Shown, Tap, attribute, history_of, targets
from workers.queues import TAP_CASES

NOON = datetime(2026, 10, 1, 4, tzinfo=UTC)
DAY = 24 * 60
BEFORE_FIRST, UNKNOWN = Attribution("before_first", None), Attribution("unknown", None)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def put_up(
    number: int,
    keys: str,
    begun: float,
    ended: float | None = None,
    outcome: str | None = PUBLISHED,
    *,
    ids: str = "",
    menu: int = 0,
) -> Attempt:
    """An attempt at a menu with click buttons of these one-letter keys; a menu of its own, unless told."""
    clicks = frozenset(("click", key) for key in keys)
    return Attempt(
        number,
        menu or number,
        at(begun),
        None if ended is None else at(ended),
        outcome,
        clicks,
        frozenset(ids.split()),
    )


def found(history: History, minutes: float, key: str | None = None, menu_id: str | None = None) -> Attribution:
    return attribute(Tap("click", key, menu_id, at(minutes)), history)


# The menu A was replaced by B at 60, and B by C at 120; all have the key s. Each was put up within half a minute.
A, B, C = put_up(1, "as", 0, 60.5, ids="7"), put_up(2, "bs", 60, 120.5, ids="7 8"), put_up(3, "cs", 120, ids="7 9")
THREE = history_of([A, B, C])


@pytest.mark.parametrize(
    ("minutes", "menu_id", "publication"),
    [(30, "7", 1), (90, "7", 2), (9000, "7", 3), (-5, "7", 1), (90, "8", 2), (9000, "8", 2), (30, "8", 2), (0, "9", 3)],
)
def test_a_menu_id_tells_the_publication_that_was_live_else_the_last_before_else_the_first_after(
    minutes: float, menu_id: str, publication: int
) -> None:
    assert Attribution("menu_id", publication) == found(THREE, minutes, "s", menu_id)
    assert Attribution("menu_id", publication) == found(THREE, minutes, None, menu_id)  # whatever the key


def test_a_menu_id_that_is_not_known_leaves_it_to_the_key() -> None:
    assert Attribution("live", 2) == found(THREE, 90, "b", "123")
    assert UNKNOWN == found(THREE, 90, None, "123")


def test_a_key_of_the_live_menu_is_the_live_ones_even_if_earlier_ones_have_it() -> None:
    assert [Attribution("live", number) for number in (1, 2, 3)] == [
        found(THREE, minutes, "s") for minutes in (1, 61, 121)
    ]


def test_until_a_menu_is_known_to_be_live_the_one_before_is() -> None:
    assert Attribution("live", 1) == found(THREE, 60.4, "s")
    assert Attribution("live", 2) == found(THREE, 60.5, "s")


def test_a_key_of_earlier_menus_only_is_the_last_ones_for_as_long_as_phones_may_show_it() -> None:
    again = history_of([A, B, put_up(3, "as", 120, 180), put_up(4, "x", 180)])

    assert Attribution("earlier", 1) == found(THREE, 130, "a")
    assert Attribution("earlier", 1) == found(THREE, 60.5 + DAY - 0.1, "a")
    assert UNKNOWN == found(THREE, 60.5 + DAY, "a")
    assert Attribution("earlier", 3) == found(again, 200, "a")
    assert Attribution("earlier", 3) == found(again, 200, "s")


def test_a_key_of_a_later_menu_only_is_its_if_that_was_just_going_live() -> None:
    assert Attribution("later", 2) == found(THREE, 59, "b")
    assert UNKNOWN == found(THREE, 58.9, "b")
    assert Attribution("later", 1) == found(THREE, -1, "a")
    assert Attribution("later", 3) == found(THREE, 120.2, "c")


def test_what_was_found_earlier_is_not_looked_for_later() -> None:
    """A menu that comes back within the minute: phones still have it from before."""
    back = history_of([A, B, put_up(3, "as", 61, None)])

    assert Attribution("earlier", 1) == found(back, 60.6, "a")


def test_a_menu_that_is_being_put_up_counts() -> None:
    under_way = history_of([put_up(1, "as", 0), put_up(2, "bs", 60, outcome=None)])

    assert Attribution("later", 2) == found(under_way, 59.5, "b")
    assert Attribution("later", 2) == found(under_way, 65, "b")
    assert Attribution("live", 1) == found(under_way, 65, "s")
    assert UNKNOWN == found(under_way, 58, "b")


@pytest.mark.parametrize("outcome", [FAILED, REFUSED, ABANDONED])
def test_attempts_at_the_same_menu_directly_before_count_as_its_beginning(outcome: str) -> None:
    def after(*tried: Attempt, last: str | None = PUBLISHED) -> History:
        first = put_up(1, "as", 0, 100 if last else None)
        return history_of([first, *tried, put_up(5, "bs", 99.5, outcome=last, menu=5)])

    once, twice = (put_up(number, "b", 60 + number, 70, outcome, menu=5) for number in (2, 3))
    another = put_up(4, "xs", 80, 81, outcome)

    assert Attribution("later", 5) == found(after(once, twice), 61.5, "b")
    assert Attribution("later", 5) == found(after(once, twice, last=None), 61.5, "b")
    assert UNKNOWN == found(after(once, twice), 60.5, "b")
    assert Attribution("live", 1) == found(after(once, twice), 90, "s")  # nothing says that it was gone
    assert Attribution("attempted", 3) == found(after(once, twice, another), 90, "b")


@pytest.mark.parametrize("outcome", [FAILED, REFUSED, ABANDONED])
def test_a_key_of_an_attempt_only_says_that_it_went_live_all_the_same(outcome: str) -> None:
    first, tried = put_up(1, "as", 0, 600), put_up(2, "bs", 60, 61, outcome)
    replaced = history_of([first, tried, put_up(3, "as", 600)])

    assert Attribution("attempted", 2) == found(replaced, 59, "b")
    assert UNKNOWN == found(replaced, 58, "b")
    assert Attribution("attempted", 2) == found(replaced, 599 + DAY, "b")
    assert UNKNOWN == found(replaced, 600 + DAY, "b")
    assert Attribution("live", 1) == found(replaced, 70, "s")
    assert Attribution("attempted", 2) == found(history_of([tried]), 100 * DAY, "b")  # nothing has replaced it


def test_a_key_of_none_is_unknown_and_before_the_first_publication_that_is_said() -> None:
    assert UNKNOWN == found(THREE, 90, "x")
    assert UNKNOWN == found(THREE, 90)
    assert UNKNOWN == found(THREE, 90, "")
    assert BEFORE_FIRST == found(THREE, -2, "a")
    assert BEFORE_FIRST == found(THREE, -0.1, "x")
    assert UNKNOWN == found(THREE, 0, "x")
    assert BEFORE_FIRST == found(history_of([put_up(1, "a", 0, 1, FAILED)]), 5, "x")


def test_two_publications_in_one_second_are_told_apart_by_what_they_alone_have() -> None:
    quick = history_of([put_up(1, "as", 0, 60.001), put_up(2, "bs", 60, 60.002), put_up(3, "cs", 60.001)])

    assert [Attribution("later", 2), Attribution("later", 3)] == [found(quick, 60, key) for key in "bc"]
    assert [Attribution("earlier", 2), Attribution("live", 3)] == [found(quick, 60.02, key) for key in "bc"]
    assert Attribution("live", 3) == found(quick, 60.02, "s")


def test_a_clock_that_was_set_back_leaves_the_order() -> None:
    """The second claim was made by a clock ten minutes behind."""
    odd = history_of([put_up(1, "as", 0, 50.5), put_up(2, "bs", 50, 120), put_up(3, "cs", 119)])

    assert Attribution("live", 2) == found(odd, 60, "s")
    assert Attribution("live", 1) == found(odd, 50, "s")


def test_a_kind_must_fit_the_type_of_the_button() -> None:
    buttons = [
        {"name": "a", "type": "click", "key": "k"},
        {"name": "b", "sub_button": [{"name": "c", "type": "view", "url": "https://example.com/?a=1&b=2"}]},
    ]
    special = [
        {"name": "d", "type": "miniprogram", "url": "https://example.com/", "appid": "wx1", "pagepath": "pages/index"},
        {"name": "e", "type": "media_id", "media_id": "m", "key": "no"},
        {"name": "f", "type": "pic_weixin", "key": "k"},
    ]
    menu = read({"menu": {"button": buttons}, "conditionalmenu": [{"button": special, "matchrule": {"tag_id": "2"}}]})
    every = {
        ("click", "k"),
        ("view", "https://example.com/?a=1&b=2"),
        ("view_miniprogram", "pages/index"),
        ("pic_weixin", "k"),
    }
    history = history_of([Attempt(1, 1, at(0), None, PUBLISHED, targets(menu))])

    assert every == targets(menu)
    for kind in TAPS:
        case = "live" if (kind, "k") in every else "unknown"
        assert case == attribute(Tap(kind, "k", None, at(1)), history).case


def test_a_button_of_a_strange_shape_has_no_target() -> None:
    odd = [{"name": "a", "type": "click", "key": 5}, {"name": "b", "type": "click"}, {"name": "c"}, {"type": "view"}]

    assert frozenset() == targets(read({"menu": {"button": odd}}))


def test_the_door_counts_every_case() -> None:
    assert set(TAP_CASES) == {"menu_id", "live", "earlier", "later", "attempted", "before_first", "unknown"}


@st.composite
def _histories(draw: st.DrawFn) -> list[Attempt]:
    """Attempts as models/publications.py writes them, one after the other."""

    def rows() -> Iterator[Attempt]:
        numbers, moment = count(1), 0.0
        live: tuple[int, str, float, int, str] | None = None
        for keys, menu, outcome, pause, took in draw(st.lists(_attempts, max_size=8)):
            begun = moment + pause
            moment, number = begun + took, next(numbers)
            if outcome != PUBLISHED:
                yield put_up(number, keys, begun, moment, outcome, menu=menu)
                continue
            if live:
                yield put_up(live[0], live[1], live[2], moment, menu=live[3], ids=live[4])
            live = number, keys, begun, menu, keys.replace("s", "")
        if live:
            yield put_up(live[0], live[1], live[2], menu=live[3], ids=live[4])

    return list(rows())


_attempts = st.tuples(
    st.sampled_from(["as", "bs", "cs", "a"]),
    st.integers(1, 3),
    st.sampled_from([PUBLISHED, PUBLISHED, PUBLISHED, FAILED, REFUSED, ABANDONED]),
    st.sampled_from([0, 0.01, 1, 30, DAY]),
    st.sampled_from([0, 0.001, 0.5, 9]),
)


@given(_histories())
def test_between_two_edges_the_rule_says_the_same(attempts: list[Attempt]) -> None:
    history = history_of(attempts)
    asked = [(key, menu_id) for key in [*"abcs", None] for menu_id in (None, "a", "b")]

    for edge, next_edge in pairwise([NOON - timedelta(days=9), *history.edges, NOON + timedelta(days=99)]):
        last = next_edge - timedelta(microseconds=1)
        for key, menu_id in asked:
            assert attribute(Tap("click", key, menu_id, edge), history) == attribute(
                Tap("click", key, menu_id, last), history
            )


@given(_histories(), st.sampled_from("abcs"), st.integers(-5, 9 * DAY))
def test_what_is_found_has_the_key_and_was_there(attempts: list[Attempt], key: str, minutes: int) -> None:
    history = history_of(attempts)
    case, publication_id = found(history, minutes, key)
    by_id: dict[int, Shown] = {one.attempt.id: one for one in [*history.shown, *history.tried]}

    assert (publication_id is None) == (case in ("unknown", "before_first"))
    if publication_id is not None:
        one = by_id[publication_id]
        assert one.has(("click", key))
        assert one.begun - timedelta(minutes=1) <= at(minutes)
        assert one.until is None or at(minutes) < one.until + timedelta(days=1)
        assert (case == "live") == (case != "attempted" and one.since <= at(minutes) and not _is_over(one, minutes))


def _is_over(one: Shown, minutes: float) -> bool:
    return one.until is not None and one.until <= at(minutes)

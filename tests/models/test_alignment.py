"""Which button stands beside which."""

from models.alignment import Pair, PlacedButton, align


def button(key: str, *spot: int, menu: int = 0, kind: str = "click") -> PlacedButton:
    return PlacedButton(menu, spot, f"name of {key}", kind, key)


def test_a_button_is_found_by_its_key_wherever_it_is() -> None:
    first, second = button("a", 0), button("a", 2, 4)

    assert [Pair("target", first, second)] == align([first], [second])


def test_what_has_another_key_stands_beside_what_took_its_place() -> None:
    old, new = button("old", 1, 0), button("new", 1, 0, kind="view")

    assert [Pair("position", old, new)] == align([old], [new])


def test_a_place_counts_only_where_its_button_is_not_elsewhere() -> None:
    a, b, moved, new = button("a", 0), button("b", 1), button("a", 1), button("c", 0)

    assert [Pair("target", a, moved), Pair("none", b, None), Pair("none", None, new)] == align([a, b], [moved, new])


def test_the_same_key_of_another_kind_is_another_button() -> None:
    click, view = button("http://a", 0), button("http://a", 1, kind="view")

    assert [Pair("none", click, None), Pair("none", None, view)] == align([click], [view])


def test_buttons_of_one_key_in_one_menu_are_one() -> None:
    twice = [button("a", 0), button("a", 0, menu=1)]

    assert [Pair("target", twice[0], button("a", 2))] == align(twice, [button("a", 2), button("a", 1)])


def test_places_in_personalised_menus_are_apart() -> None:
    first, second = button("a", 0), button("b", 0, menu=1)

    assert [Pair("none", first, None), Pair("none", None, second)] == align([first], [second])


def test_menus_without_buttons_have_no_pairs() -> None:
    assert [] == align([], [])

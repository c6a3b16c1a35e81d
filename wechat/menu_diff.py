"""What is different between two menus, in the words of somebody who edits menus."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from wechat.menu import Button, Menu, PersonalMenu, content, digest, plain_rule, write_personal
from wechat.menu_pairs import Spot, pair, spots, steady


@dataclass(frozen=True, slots=True)
class Change:
    """A difference at a button, or at a personalised menu as a whole.

    Of a button, `before` and `after` are its name (renamed), what it does (retargeted; nothing where it is a parent),
    its further fields (changed), or all of its fields (added, removed; its sub-buttons have changes of their own). Of a
    menu, they are its matchrule (rematched), its further fields (changed), or all of it (added, removed).
    """

    kind: Literal["added", "removed", "moved", "renamed", "retargeted", "rematched", "changed"]
    old: str | None  # the path in the old menu
    new: str | None
    name: str = ""  # of the button, as the new menu has it
    before: Any = None
    after: Any = None

    @property
    def is_of_button(self) -> bool:
        return ".button[" in (self.new or self.old or "")


def difference(old: Menu, new: Menu) -> list[Change]:
    """Nothing where the content is the same; in the order of the new menu, what is removed at the end of its part."""
    old, new = content(old), content(new)
    found = [*_of_fields(old.fields, new.fields, "menu", "menu"), *_of_fields(old.around, new.around, "", "")]
    found += _of_buttons(old.buttons, new.buttons, "menu", "menu")
    pairs = _pair_personal(old.personal, new.personal)
    stays = steady(pairs.items())
    before = {after: before for before, after in pairs.items()}
    for index, menu in enumerate(new.personal):
        if index in before:
            is_moved = (before[index], index) not in stays
            found += _of_personal(old.personal[before[index]], menu, before[index], index, is_moved)
        else:
            found.append(Change("added", None, _personal(index), after=write_personal(menu)))
    for index, menu in enumerate(old.personal):
        if index not in pairs:
            found.append(Change("removed", _personal(index), None, before=write_personal(menu)))
    return found


def _pair_personal(old: Sequence[PersonalMenu], new: Sequence[PersonalMenu]) -> dict[int, int]:
    """Personalised menus for the same followers; then those with the same buttons."""
    pairs: dict[int, int] = {}
    for key in (lambda menu: plain_rule(menu.rule), lambda menu: digest(Menu(menu.buttons))):
        waiting = [index for index in range(len(new)) if index not in pairs.values()]
        for index, menu in enumerate(old):
            same = (one for one in waiting if index not in pairs and key(new[one]) == key(menu))
            if (found := next(same, None)) is not None:
                pairs[index] = found
                waiting.remove(found)
    return pairs


def _of_personal(old: PersonalMenu, new: PersonalMenu, before: int, after: int, is_moved: bool) -> Iterator[Change]:
    paths = _personal(before), _personal(after)
    if is_moved:
        yield Change("moved", *paths)
    if plain_rule(old.rule) != plain_rule(new.rule):
        yield Change("rematched", *paths, before=plain_rule(old.rule), after=plain_rule(new.rule))
    yield from _of_fields(old.fields, new.fields, *paths)
    yield from _of_buttons(old.buttons, new.buttons, *paths)


def _of_buttons(old: Sequence[Button], new: Sequence[Button], old_path: str, new_path: str) -> Iterator[Change]:
    olds, news, pairs = spots(old), spots(new), pair(old, new)
    before = {after: before for before, after in pairs.items()}
    stays = set(_steady_spots(pairs))
    for spot, button in news.items():
        path = _path(new_path, spot)
        if spot not in before:
            yield Change("added", None, path, button.name, after=dict(button.fields))
            continue
        paths = _path(old_path, before[spot]), path
        if before[spot] not in stays:
            yield Change("moved", *paths, button.name)
        yield from _of_button(olds[before[spot]], button, *paths)
    for spot, button in olds.items():
        if spot not in pairs:
            yield Change("removed", _path(old_path, spot), None, button.name, before=dict(button.fields))


def _steady_spots(pairs: Mapping[Spot, Spot]) -> Iterator[Spot]:
    """The old spots of buttons that stay in their parent, and in the order of their siblings."""
    places: dict[Spot, list[tuple[int, int]]] = {}
    for old, new in pairs.items():
        if (pairs.get(old[:-1]) if old[:-1] else ()) == new[:-1]:
            places.setdefault(old[:-1], []).append((old[-1], new[-1]))
    for parent, siblings in places.items():
        yield from ((*parent, old) for old, _new in steady(siblings))


def _of_button(old: Button, new: Button, old_path: str, new_path: str) -> Iterator[Change]:
    if old.name != new.name:
        yield Change("renamed", old_path, new_path, new.name, old.name, new.name)
    if _deed(old) != _deed(new):
        yield Change("retargeted", old_path, new_path, new.name, _deed(old), _deed(new))
    yield from _of_fields(_others(old), _others(new), old_path, new_path, new.name)


def _deed(button: Button) -> dict[str, Any]:
    return button.target if button.buttons is None else {}


def _others(button: Button) -> dict[str, Any]:
    if button.buttons is None:
        return button.others
    return {name: value for name, value in button.fields.items() if name != "name"}


def _of_fields(
    old: Mapping[str, Any], new: Mapping[str, Any], old_path: str, new_path: str, name: str = ""
) -> Iterator[Change]:
    if old != new:
        yield Change("changed", old_path, new_path, name, dict(old), dict(new))


def _path(menu: str, spot: Spot) -> str:
    return menu + "".join(f".{name}[{index}]" for name, index in zip(("button", "sub_button"), spot, strict=False))


def _personal(index: int) -> str:
    return f"conditionalmenu[{index}]"

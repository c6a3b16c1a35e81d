"""The difference of two menus, drawn as a tree."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from console.i18n import _
from console.menu_bar import place, target
from console.menu_words import rule_words
from console.output import printable
from wechat.menu import Button, Menu, content, placed
from wechat.menu_diff import Change

if TYPE_CHECKING:
    from rich.tree import Tree

_COLOURS = {"+": "green", "-": "red", "~": "yellow", "↕": "cyan"}


def tree(changes: Sequence[Change], old: Menu, new: Menu) -> "Tree":
    """The changes menu by menu, those of sub-buttons under the button they stand above."""
    from rich.text import Text
    from rich.tree import Tree

    branches: dict[tuple[str, ...], Tree] = {(): Tree("", hide_root=True)}
    for change in changes:
        titles = (
            _titles(content(new), change.new) if change.new is not None else _titles(content(old), change.old or "")
        )
        for depth in range(len(titles)):
            if (above := titles[: depth + 1]) not in branches:
                branches[above] = branches[titles[:depth]].add(Text(printable(titles[depth])))
        mark, words = _words(change)
        branches[titles].add(Text(f"{mark} {printable(words)}", style=_COLOURS[mark]))
    return branches[()]


def menu_title(rule: Mapping[str, Any] | None) -> str:
    """What a menu is called: by the followers it is for, where it is a personalised one."""
    if rule is None:
        return _("Default menu")
    return _("Personalised menu for {rule}").format(rule=rule_words(rule))


def _titles(menu: Menu, path: str) -> tuple[str, ...]:
    """The menu that a path leads into, and the button above, where there is one."""
    is_personal = path.startswith("conditionalmenu")
    rule = menu.personal[_index(path)].rule if is_personal else None
    parent, is_sub, _rest = path.rpartition(".sub_button")
    return (menu_title(rule), dict(placed(menu))[parent].name) if is_sub else (menu_title(rule),)


def _index(path: str) -> int:
    return int(path.partition("[")[2].partition("]")[0])


def _words(change: Change) -> tuple[str, str]:
    """A mark, and what happened."""
    before, after = change.before, change.after
    if change.kind == "added":
        return "+", _summary(change, after)
    if change.kind == "removed":
        return "-", _summary(change, before)
    if change.kind == "moved":
        return "↕", _moved(change)
    if change.kind == "renamed":
        return "~", _("{old} is now called {new}").format(old=before, new=after)
    if change.kind == "rematched":
        return "~", _("now for {new} instead of {old}").format(old=rule_words(before), new=rule_words(after))
    name = f"{change.name}  " if change.is_of_button else ""
    if change.kind == "retargeted" and before.get("type") != after.get("type"):
        return "~", f"{name}{_deed(before)} → {_deed(after)}"
    fields = [field for field in {**before, **after} if before.get(field) != after.get(field)]
    return "~", name + ", ".join(f"{field} {before.get(field, '-')} → {after.get(field, '-')}" for field in fields)


def _summary(change: Change, fields: Mapping[str, Any]) -> str:
    return f"{change.name}  {_deed(Button(fields).target)}" if change.is_of_button else _("the whole menu")


def _moved(change: Change) -> str:
    old, new = change.old or "", change.new or ""
    if change.is_of_button:
        return _("{name} moved from {old} to {new}").format(name=change.name, old=place(old), new=place(new))
    return _("moved from {old} to {new}").format(old=_index(old) + 1, new=_index(new) + 1)


def _deed(fields: Mapping[str, Any]) -> str:
    """What a button does; a parent opens its sub-buttons."""
    return f"{fields.get('type', '')} {target(fields)}".strip() or "≡"

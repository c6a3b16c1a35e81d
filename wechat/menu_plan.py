"""From the menus that are live to those that should be, in the fewest calls, and never without a menu.

Personalised menus cannot be edited, and the newest that matches is shown, so they are made anew in order. What is new
is added before what is old is deleted: until the last call everybody sees the menu of before or of after, and where it
stops halfway, the next plan goes on from there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from wechat.menu import Button, Menu, PersonalMenu, digest, plain_rule
from wechat.menu_rules import RULE_FIELDS
from wechat.menu_shapes import conditional_body, create_body


@dataclass(frozen=True, slots=True)
class Step:
    """A call: `create` and `add` send `body`, `delete` gets rid of the personalised menu `menuid`."""

    call: Literal["create", "add", "delete"]
    path: str  # of the menu: in the wanted definition; of one that is deleted, in the live one
    body: Mapping[str, Any] | None = None
    menuid: str | None = None


Plan: TypeAlias = list[Step]


def plan(live: Menu | None, wanted: Menu) -> Plan:
    """The calls that make the live menus the wanted ones; none where they are. `live` is None where there is none.

    What becomes of personalised menus when the default one is replaced is not documented (PROTOCOL 6.4), so whoever
    carries out a plan reads the live menus again after `create`, and plans anew.
    """
    steps: Plan = []
    if live is None or _default(live) != _default(wanted):
        steps.append(Step("create", "menu", body=create_body(wanted)))
    there = [] if live is None else list(live.personal)
    kept = _kept(there, wanted.personal)
    steps += [
        Step("add", f"conditionalmenu[{position}]", body=conditional_body(menu))
        for position, menu in enumerate(wanted.personal)
        if position >= len(kept)
    ]
    steps += [
        Step("delete", f"conditionalmenu[{position}]", menuid=str(menu.fields["menuid"]))
        for position, menu in enumerate(there)
        if position not in kept
    ]
    return steps


def makes_room(steps: Plan) -> Plan:
    """The same with what is deleted first: for accounts that have no room for the old menus beside the new ones."""
    return sorted(steps, key=lambda step: ("create", "delete", "add").index(step.call))


def is_same(one: Menu, other: Menu) -> bool:
    """Whether followers see the same."""
    return plan(one, other) == []


def seen(menu: Menu) -> Menu:
    """What WeChat keeps of a menu; fields that it does not know are gone when it is read back (PROTOCOL 6.5)."""
    personal = tuple(PersonalMenu(_buttons(one.buttons), _rule(one.rule)) for one in menu.personal)
    return Menu(_buttons(menu.buttons), personal)


def _kept(there: Sequence[PersonalMenu], wanted: Sequence[PersonalMenu]) -> list[int]:
    """The positions of live menus that may stay: with the others gone, they are the first of the wanted ones."""
    kept: list[int] = []
    for position, menu in enumerate(there):
        if len(kept) < len(wanted) and _personal(menu) == _personal(wanted[len(kept)]):
            kept.append(position)
    return kept


def _default(menu: Menu) -> str:
    return digest(Menu(_buttons(menu.buttons)))


def _personal(menu: PersonalMenu) -> str:
    return digest(Menu((), (PersonalMenu(_buttons(menu.buttons), _rule(menu.rule)),)))


def _buttons(buttons: Sequence[Button]) -> tuple[Button, ...]:
    return tuple(
        Button({"name": one.name, **(one.target if one.buttons is None else {})}, one.buttons and _buttons(one.buttons))
        for one in buttons
    )


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """With numbers as WeChat gives them back, without leading noughts."""
    known = {name: str(value) for name, value in plain_rule(rule).items() if name in RULE_FIELDS}
    return {name: value.lstrip("0") or "0" if value.isdigit() else value for name, value in known.items()}

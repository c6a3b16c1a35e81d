"""Buttons by the names that they have in the menus, and by what people call them: a key, a URL, a name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeAlias

from console.command import InvalidInputError, NotFoundError
from console.i18n import _
from console.stats_tables import Column

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from models.buttons import ButtonRow
    from wechat.menu import Menu

Target: TypeAlias = tuple[str, str | None]
"""What a tap tells of its button: the kind of the event, and its key or URL."""

_FEW = 5


@dataclass(frozen=True)
class Names:
    """Of an account's buttons, as the live menu has them, or else the last version that does."""

    menus: "Mapping[int, Menu]"  # by id
    live: "Menu | None"
    by_target: Mapping[Target, str]
    counted: "Mapping[int, ButtonRow]"  # by id

    def of(self, kind: str, key: str | None) -> str | None:
        return self.by_target.get((kind, key))

    def row(self, kind: str | None, key: str | None) -> dict[str, Any]:
        """What `button_columns` hold; of no kind in particular, the first button that has the key."""
        if kind is None:
            kind = next((known for known, its in self.by_target if its == key), None)
        name = self.of(kind, key) if kind else None
        is_shared = name is not None and sum(name == other for other in self.by_target.values()) > 1
        return {"label": f"{name} ({key})" if is_shared else name or key, "name": name, "key": key, "kind": kind}

    def find(self, text: str, kind: str | None = None) -> list[Target]:
        """The buttons of this key, URL or name, tapped or not.

        Raises NotFoundError.
        """
        targets = {*self.by_target, *((row.kind, row.key) for row in self.counted.values() if row.key is not None)}
        known = [target for target in targets if kind in (None, target[0])]
        found = [target for target in known if text == target[1]] or [
            target for target in known if text == self.by_target.get(target)
        ]
        if not found:
            raise NotFoundError(_not_found(text, [*self.by_target.values(), *(str(key) for _kind, key in known)]))
        return sorted(found, key=str)

    def find_one(self, text: str, kind: str | None = None) -> Target:
        """The same, where one is meant.

        Raises NotFoundError and InvalidInputError.
        """
        first, *others = self.find(text, kind)
        if others:
            several = ", ".join(f"{kind} {key}" for kind, key in [first, *others])
            sentence = _("{text!r} may be each of these; give the key, and --kind: {buttons}")
            raise InvalidInputError(sentence.format(text=text, buttons=several))
        return first


def button_columns() -> list[Column]:
    """People are shown the name, and the key or URL where there is none or it is shared."""
    return [Column("label", _("Button"), is_told=False), *(Column(name, None) for name in ("name", "key", "kind"))]


def names_of(connection: "Connection", account_id: int) -> Names:
    from models.attempts import definitions
    from models.buttons import buttons, live_menu_id
    from wechat.menu import read
    from workers.placed_buttons import placed_buttons

    menus = {number: read(definition) for number, definition in definitions(connection, account_id, 0).items()}
    order = sorted(menus)
    live = live_menu_id(connection, account_id)
    if live is not None:
        order.append(live)
    by_target: dict[Target, str] = {
        button.target: button.name for number in order for button in placed_buttons(menus[number])
    }
    return Names(
        menus,
        menus[live] if live is not None else None,
        by_target,
        {row.id: row for row in buttons(connection, account_id)},
    )


def _not_found(text: str, known: Iterable[str]) -> str:
    alike = get_close_matches(text, sorted(set(known)), _FEW)
    if alike:
        return _("There is no button {text!r}; did you mean: {alike}?").format(text=text, alike=", ".join(alike))
    return _("There is no button {text!r}: no key, URL or name of one.").format(text=text)

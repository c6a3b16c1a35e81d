"""The buttons of a menu that taps tell of, with their places, for two menus to be compared."""

from collections.abc import Iterator

from models.alignment import PlacedButton
from wechat.menu import Menu
from wechat.menu_pairs import spots
from workers.attribution import TAPS

_KINDS = {type_: (kind, name) for kind, (type_, name) in TAPS.items()}


def placed_buttons(menu: Menu) -> list[PlacedButton]:
    """In document order, the default menu's first."""
    return list(_placed(menu))


def _placed(menu: Menu) -> Iterator[PlacedButton]:
    for position, buttons in enumerate([menu.buttons, *(one.buttons for one in menu.personal)]):
        for spot, button in spots(buttons).items():
            if button.buttons is None and button.type in _KINDS:
                kind, field = _KINDS[button.type]
                if isinstance(key := button.fields.get(field), str):
                    yield PlacedButton(position, spot, button.name, kind, key)

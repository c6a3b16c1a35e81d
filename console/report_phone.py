"""A menu as a phone shows it with all of it open, each button the darker the more often it was tapped; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from console.i18n import _
from console.output import printable
from wechat.menu import Button
from wechat.menu_check import on_screen
from wechat.menu_pairs import Spot

_PHONE = Markup(
    '<div class="phone"><div class="top">{title}</div><div class="menu">{columns}</div>'
    '<p class="soft">{legend}</p></div>'
)
_COLUMN = Markup('<div class="column"><div class="stack">{subs}</div>{button}</div>')
_BUTTON = Markup('<div class="button{look}" style="--share:{share:.3f}" title="{name}"><b>{shown}</b>{taps}</div>')
_TAPS = Markup("<i>{taps}</i>")
_DEEP = 0.5  # from there on, letters are white


@dataclass(frozen=True)
class Tapped:
    """How often each place of a menu was: none of what opens other buttons, or does what WeChat pushes nothing of."""

    by_spot: Mapping[Spot, int]

    @property
    def most(self) -> int:
        return max(self.by_spot.values(), default=0)

    def of(self, spot: Spot, button: Button) -> int | None:
        """What opens others is tapped as often as these together."""
        if button.buttons is None:
            return self.by_spot.get(spot)
        return sum(self.by_spot.get((*spot, place), 0) for place in range(len(button.buttons)))


def phone(title: str, buttons: Sequence[Button], tapped: Tapped) -> Markup:
    columns = [
        _COLUMN.format(
            subs=_together([_button((place, at), sub, tapped) for at, sub in enumerate(button.buttons or ())]),
            button=_button((place,), button, tapped),
        )
        for place, button in enumerate(buttons)
    ]
    legend = _("The stronger the colour, the more often it was tapped.")
    return _PHONE.format(title=printable(title), columns=_together(columns), legend=legend)


def _button(spot: Spot, button: Button, tapped: Tapped) -> Markup:
    count, is_parent = tapped.of(spot, button), button.buttons is not None
    share = count / tapped.most if count and not is_parent else 0.0
    return _BUTTON.format(
        look=" parent" if is_parent else " deep" if share > _DEEP else "",
        share=share,
        name=printable(button.name),
        shown=("≡ " if is_parent else "") + printable(on_screen(button.name, len(spot) > 1)),
        taps="" if count is None else _TAPS.format(taps=f"{count:,}"),
    )


def _together(parts: Iterable[Markup]) -> Markup:
    return Markup().join(parts)

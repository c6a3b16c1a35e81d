"""A menu drawn as a phone shows it, and listed button by button."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from console.output import printable
from wechat.menu import Button, Menu, placed
from wechat.menu_check import on_screen

_NARROWEST = 12  # cells of a terminal
_PARENT = "≡ "


def bar(buttons: Sequence[Button]) -> str:
    """The buttons side by side, and the sub-buttons of each standing above it."""
    from rich.cells import cell_len

    if not buttons:
        return ""
    names = [(_PARENT if button.buttons else "") + _shown(button, is_sub=False) for button in buttons]
    subs = [[_shown(sub, is_sub=True) for sub in button.buttons or ()] for button in buttons]
    texts = [*names, *(text for stack in subs for text in stack)]
    width = max(_NARROWEST, *(cell_len(text) + 4 for text in texts))
    stacks = [_stack(stack, width) for stack in subs]
    height = max(map(len, stacks))
    columns = [[" " * width] * (height - len(stack)) + stack for stack in stacks]
    line = ["─" * width] * len(names)
    lines = [" " + " ".join(row).rstrip() for row in zip(*columns, strict=True)]
    lines += ["┌" + "┬".join(line) + "┐"]
    lines += ["│" + "│".join(_centred(name, width) for name in names) + "│"]
    lines += ["└" + "┴".join(line) + "┘"]
    return "\n".join(lines)


def rows(buttons: Sequence[Button]) -> Iterator[tuple[str, str, str, str]]:
    """Of every button its place, its whole name, its type, and what it leads to."""
    for path, button in placed(Menu(tuple(buttons))):
        yield place(path), button.name, button.type or "", target(button.target) if button.buttons is None else ""


def place(path: str) -> str:
    """A button's path as people count: 2.1 is the first of the sub-buttons of the second button."""
    numbers = (part.rpartition("[")[2].rstrip("]") for part in path.split(".")[1:])
    return ".".join(str(int(number) + 1) for number in numbers)


def target(fields: Mapping[str, Any]) -> str:
    """What a button leads to, without its type."""
    return " ".join(str(value) for name, value in fields.items() if name != "type")


def _shown(button: Button, is_sub: bool) -> str:
    return printable(on_screen(button.name, is_sub)).replace("\n", " ")


def _stack(texts: Sequence[str], width: int) -> list[str]:
    if not texts:
        return []
    line = "─" * (width - 2)
    lines = ["┌" + line + "┐"]
    for text in texts:
        lines += ["│" + _centred(text, width - 2) + "│", "├" + line + "┤"]
    return [*lines[:-1], "└" + line + "┘"]


def _centred(text: str, width: int) -> str:
    from rich.cells import cell_len

    left, odd = divmod(width - cell_len(text), 2)
    return " " * left + text + " " * (left + odd)

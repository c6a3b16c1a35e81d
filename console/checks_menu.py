"""What the doctor sees in the live menu: whether it is the published one, and which of its buttons tell nothing."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from console.checks import Finding, failure, fine, skipped, warning
from console.i18n import _
from wechat.answers import CurrentMenu
from wechat.menu import CONSOLE_TYPES, Button, Menu, UnsoundError, read
from wechat.menu_plan import is_same
from wechat.menu_shapes import definition_of

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from workers.api import Api

# PROTOCOL section 4: WeChat delivers or opens the material by itself. What is made in its console does so, too.
SILENT = CONSOLE_TYPES | {"media_id", "view_limited", "article_id", "article_view_limited"}


def menu(engine: "Engine", api: "Api", name: str) -> Iterator[Finding]:
    from workers.publishing import live_menu

    live, current = live_menu(api), api.with_token(api.client.current_menu)
    yield from compared(live, *_published(engine, name), has_console_menu=live is None and bool(current.button))
    yield from seen(current)
    try:
        shown = live or read(definition_of({"selfmenu_info": {"button": current.button}}))
    except UnsoundError:
        return
    yield from silent(shown)


def compared(
    live: Menu | None, version: int | None, published: Menu | None, *, has_console_menu: bool
) -> Iterator[Finding]:
    if published is None:
        yield skipped(_("Caidan has published no menu; there is nothing to compare the live one with."))
        return
    advice = _("Publish it again, or import what is live.")
    if live is not None and is_same(live, published):
        yield fine(_("The live menu is version {version}, as published.").format(version=version))
        return
    if has_console_menu:
        text = _("A menu made in WeChat's console has replaced version {version}.")
    elif live is None:
        text = _("There is no menu; version {version} was published.")
    else:
        text = _("The live menu differs from version {version}, which was published: somebody changed it elsewhere.")
    yield failure(text.format(version=version), advice)


def seen(current: CurrentMenu) -> list[Finding]:
    if current.is_open or not current.button:
        return []
    return [warning(_("The menu is switched off: followers do not see it."), _("Switch it on in WeChat's console."))]


def silent(menu: Menu) -> Iterable[Finding]:
    """The buttons whose taps WeChat tells nobody of."""
    bars = [menu.buttons, *(one.buttons for one in menu.personal)]
    found = [one for bar in bars for button in bar for one in _leaves(button) if one.type in SILENT]
    if not any(bars):
        return [skipped(_("There is no menu."))]
    if not found:
        return [fine(_("Every button of the live menu pushes an event."))]
    names = ", ".join(dict.fromkeys(f"{one.name} ({one.type})" for one in found))
    text = _("WeChat pushes nothing when these are tapped, so they cannot be counted: {names}.")
    return [warning(text.format(names=names), _("Use click buttons instead, and answer with the material."))]


def _leaves(button: Button) -> Iterator[Button]:
    if button.buttons is None:
        yield button
    for one in button.buttons or ():
        yield from _leaves(one)


def _published(engine: "Engine", name: str) -> tuple[int | None, Menu | None]:
    from models import menu_versions, publications, queries

    with engine.connect() as connection:
        account_id = queries.account_id(connection, name)
        row = None if account_id is None else publications.live(connection, account_id)
        if account_id is None or row is None:
            return None, None
        version = menu_versions.version(connection, account_id, row.version)
    return row.version, read(version.definition) if version else None

"""The verb that tells who sees which menu."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import click

from console.asking import Asked, asking
from console.command import NotFoundError, as_json, command, one_account, option
from console.i18n import _, ngettext
from console.menu_tree import menu_title
from console.output import print_json, print_table
from models.config import Config, load
from wechat.errcodes import WeChatError
from wechat.menu import Button, Menu, digest, read
from wechat.menu_plan import seen
from wechat.menu_shapes import definition_of

NO_FOLLOWER = frozenset({40003, 40132, 46004, 65302, 65315})  # no such openid, or nobody who follows
_FEW = 3  # examples


@dataclass
class Seen:
    """Followers who see the same buttons. More than one place: WeChat tells the buttons, not whose menu they are."""

    places: list[str] = field(default_factory=list)  # in the live definition; none where it knows no such buttons
    rules: list[Mapping[str, Any] | None] = field(default_factory=list)  # None is the default menu
    open_ids: list[str] = field(default_factory=list)


@command()
@option("--open-id", "open_ids", multiple=True, metavar="OPENID", help="Of this follower; - reads them from stdin.")
@option("--sample", type=click.IntRange(1, 1000), default=20, help="Else of so many who did something lately.")
@one_account
@as_json
def match(open_ids: tuple[str, ...], sample: int, account: str | None, as_json: bool) -> None:
    """Show which menu which followers see, as WeChat says; a call for each of them."""
    from models.followers import recent
    from workers.publishing import live_menu

    given = list(dict.fromkeys(_read(open_ids)))
    with asking(load(Config), account) as asked:
        if not (asked_for := given):
            with asked.engine.connect() as connection:
                asked_for = recent(connection, asked.account_id, sample)
        if not asked_for:
            raise NotFoundError(_("No event of a follower is there; name followers with --open-id."))
        if (live := live_menu(asked.api)) is None:
            raise NotFoundError(_("{account} has no menu that was set by API.").format(account=asked.name))
        if not as_json:
            text = ngettext(
                "WeChat is asked about {count} follower.", "WeChat is asked about {count} followers.", len(asked_for)
            )
            click.echo(text.format(count=len(asked_for)), err=True)
        found, nobody = _matched(asked, live, asked_for)
    if as_json:
        menus = [{"places": one.places, "rules": one.rules, "open_ids": one.open_ids} for one in found]
        print_json({"account": asked.name, "menus": menus, "no_follower": nobody})
        return
    rows = [(_titles(one), len(one.open_ids), _shown(one.open_ids, is_given=bool(given))) for one in found]
    if nobody:
        rows.append((_("No followers, or no longer"), len(nobody), _shown(nobody, is_given=bool(given))))
    print_table((_("Menu"), _("Followers"), _("Such as")), rows)


def _matched(asked: Asked, live: Menu, open_ids: Sequence[str]) -> tuple[list[Seen], list[str]]:
    """Who sees what, the default menu first; and who is no follower."""
    found: dict[str, Seen] = {}
    parts: list[tuple[str, Mapping[str, Any] | None, tuple[Button, ...]]] = [("menu", None, live.buttons)]
    parts += [(f"conditionalmenu[{index}]", one.rule, one.buttons) for index, one in enumerate(live.personal)]
    for place, rule, buttons in parts:
        one = found.setdefault(_key(buttons), Seen())
        one.places.append(place)
        one.rules.append(rule)
    nobody = []
    for open_id in open_ids:
        try:
            raw = asked.api.with_token(asked.api.client.try_match, open_id)
        except WeChatError as error:
            if error.errcode not in NO_FOLLOWER:
                raise
            nobody.append(open_id)
            continue
        buttons = read(definition_of({"button": raw})).buttons
        found.setdefault(_key(buttons), Seen()).open_ids.append(open_id)
    return list(found.values()), nobody


def _key(buttons: tuple[Button, ...]) -> str:
    return digest(seen(Menu(buttons)))


def _titles(one: Seen) -> str:
    return "; ".join(menu_title(rule) for rule in one.rules) or _("Another menu, which was set meanwhile")


def _shown(open_ids: Sequence[str], *, is_given: bool) -> str:
    """Followers who were not named are hardly to be recognised."""
    if is_given:
        return " ".join(open_ids)
    return " ".join(f"{open_id[:3]}…{open_id[-3:]}" for open_id in open_ids[:_FEW])


def _read(open_ids: Sequence[str]) -> Iterator[str]:
    for open_id in open_ids:
        yield from sys.stdin.read().split() if open_id == "-" else (open_id,)

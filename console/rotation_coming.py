"""`caidan rotation next`: when the menu changes, and what changes in it."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from console.choosing import zone_of
from console.command import as_json, command, one_account, option
from console.database import chosen_account, find_account, reading
from console.i18n import _
from console.menu_tree import tree
from console.output import print_drawn, print_json, printable
from console.rotation_freezing import FOR_GOOD
from console.rotation_words import minute
from models.config import Config, load
from wechat.menu import Menu
from wechat.menu_diff import Change, difference

if TYPE_CHECKING:
    from workers.due import Due, Switch

_HORIZON = timedelta(days=366)


@command("next")
@one_account
@option("--count", type=click.IntRange(1, 1_000), default=5, help="At most so many.")
@as_json
def coming_switches(account: str | None, count: int, as_json: bool) -> None:
    """Show the coming changes of the menu, and what changes in it."""
    from console.rotation_plan import read_menus, read_plan
    from models.freezes import frozen_until

    config, now = load(Config), datetime.now(UTC)
    name = account or chosen_account(config, account).name
    with reading(config) as connection:
        account_id = find_account(connection, name)
        assert account_id is not None
        plan = read_plan(connection, account_id)
        menus = read_menus(connection, plan, account_id)
        found = plan.next_switches(now, count, _HORIZON)
        waits = [frozen_until(connection, account_id, switch.at) for switch in found]
    if as_json:
        print_json([_told(switch, menus, until) for switch, until in zip(found, waits, strict=True)])
        return
    zone, due = zone_of(config, name), plan.due(now)
    click.echo(_("Now: {menu}").format(menu=_menu_words(due)))
    for switch, until in zip(found, waits, strict=True):
        click.echo(f"\n{minute(switch.at, zone)}  {_menu_words(switch.after)}")
        if until is not None:
            ends = _("the freeze is ended") if until >= FOR_GOOD else minute(until, zone)
            click.echo(_("  frozen: it waits until {time}").format(time=ends))
        before, after = _menus(switch, menus)
        if before and after:
            print_drawn(tree(difference(before, after), before, after))
    if len(found) < count:
        click.echo(_("No other change within {days} days.").format(days=_HORIZON.days), err=True)


def _menus(switch: "Switch", menus: dict[int, Menu]) -> tuple[Menu | None, Menu | None]:
    before, after = (menus[due.rotation.menu_id] if due else None for due in (switch.before, switch.after))
    return before, after


def _menu_words(due: "Due | None") -> str:
    if due is None:
        return _("no menu is due; the one that is live stays")
    text = _("version {version} by rotation {id}").format(version=due.rotation.version, id=due.rotation.id)
    return f"{text}  {printable(due.rotation.note)}" if due.rotation.note else text


def _told(switch: "Switch", menus: dict[int, Menu], frozen_until: datetime | None) -> dict[str, Any]:
    before, after = _menus(switch, menus)
    changes: list[Change] = difference(before, after) if before and after else []
    ends = {"before": switch.before, "after": switch.after}
    told = {name: due and {"version": due.rotation.version, "rotation": due.rotation.id} for name, due in ends.items()}
    return {"at": switch.at, **told, "frozen_until": frozen_until, "changes": changes}

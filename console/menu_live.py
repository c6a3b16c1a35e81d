"""The verbs on the menu that followers see: publish, rollback, import."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import click

from console.asking import Asked, asking, live_or_none
from console.choosing import NUMBER, dry_run, zone_of
from console.command import DIFFERS, InvalidInputError, NotFoundError, argument, as_json, command, one_account
from console.database import chosen_account, find_account, reading
from console.i18n import _, ngettext
from console.menu_given import version_given
from console.menu_match import match
from console.menu_saving import author, note, print_saved, save_version
from console.menu_tree import menu_title, tree
from console.menu_words import print_problems
from console.output import local, print_drawn, print_json
from console.rotation_due import otherwise_due
from models.config import Config, load
from wechat.menu import Menu, read, write
from wechat.menu_check import check
from wechat.menu_diff import Change, difference
from wechat.menu_plan import Plan, Step, plan, seen

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from models.drift import DriftRow
    from models.menu_versions import Version
    from workers.publishing import Published

_number = argument("version", metavar="VERSION", type=NUMBER, help="Its number.")
_number_or_former = argument(
    "version", metavar="[VERSION]", type=NUMBER, required=False, help="Its number; else the one before."
)


class _OtherwiseError(click.ClickException):
    """Something is not as it should be, or somebody else is at it."""

    exit_code = DIFFERS


@command()
@_number
@one_account
@dry_run
@as_json
def publish(version: int, account: str | None, dry_run: bool, as_json: bool) -> None:
    """Show followers a saved version. Ends with 5 where WeChat refuses, with 6 where somebody else is publishing."""
    config = load(Config)
    _publish(config, version_given(config, account, version), "publish", dry_run, as_json)


@command()
@_number_or_former
@one_account
@dry_run
@as_json
def rollback(version: int | None, account: str | None, dry_run: bool, as_json: bool) -> None:
    """Show followers the version again that was live before, or another; all else is as with publish."""
    from models import publications

    config = load(Config)
    if version is None:
        name = account or chosen_account(config, account).name
        with reading(config) as connection:
            account_id = find_account(connection, name)
            assert account_id is not None
            former = publications.before_live(connection, account_id)
        if former is None:
            raise NotFoundError(_("No other version of {account} has been live before.").format(account=name))
        version = former.version
    _publish(config, version_given(config, account, version), "rollback", dry_run, as_json)


@command("import")
@note
@author
@one_account
@dry_run
@as_json
def import_live(note: str | None, author: str | None, account: str | None, dry_run: bool, as_json: bool) -> None:
    """Save what followers see as a version, also a menu that was made in WeChat's console."""
    config = load(Config)
    chosen = chosen_account(config, account)
    with asking(config, account) as asked:
        live, is_consoles = live_or_none(asked)
    if live is None:
        raise NotFoundError(_("{account} has no menu at WeChat.").format(account=chosen.name))
    problems = check(write(live))
    print_problems(problems, err=True)
    if is_consoles:
        click.echo(_("This menu was made in WeChat's console."), err=True)
    if any(problem.level == "error" for problem in problems):
        click.echo(_("It can be kept, but not published as it is: WeChat's API would refuse it."), err=True)
    saved = save_version(config, chosen, live, note, author, dry_run=dry_run)
    print_saved(chosen, live, saved, as_json, source="console" if is_consoles else "api")


class Live(NamedTuple):
    version: int | None
    drift: "DriftRow | None"


def live_version(connection: "Connection", name: str) -> Live:
    """The version of an account that Caidan has made live, and what was seen in its place."""
    from models import drift, publications

    account_id = find_account(connection, name)
    assert account_id is not None
    found = publications.live(connection, account_id)
    return Live(found.version if found else None, drift.drift_of(connection, account_id))


def _publish(config: Config, version: "Version", cause: str, dry_run: bool, as_json: bool) -> None:
    from models import publications

    wanted, number, zone = read(version.definition), version.row.version, zone_of(config, version.row.account)
    problems = check(version.definition)
    print_problems(problems, err=True)
    with asking(config, version.row.account) as asked:
        live, is_consoles = live_or_none(asked)
        steps = plan(None if is_consoles else live, wanted)
        # What WeChat shows already it does not refuse, whatever is known of its rules.
        if steps and any(problem.level == "error" or problem.reason == "no_default_menu" for problem in problems):
            text = _("Version {version} is not published, because WeChat would refuse it.")
            raise InvalidInputError(text.format(version=number))
        changes = difference(seen(live or Menu(())), seen(wanted)) if steps else []
        if not as_json:
            _print_plan(live, is_consoles, wanted, changes, steps)
        with asked.engine.connect() as connection:
            noted = publications.live(connection, asked.account_id)
            warning = otherwise_due(connection, asked.account_id, asked.name, number, zone, datetime.now(UTC))
        if warning:
            click.echo(warning, err=True)
        is_noted = not steps and noted is not None and noted.version == number
        published = None if dry_run or is_noted else _carried_out(asked, version, wanted, cause, len(steps), zone)
    if as_json:
        print_json(
            {
                "account": asked.name,
                "version": number,
                "differs": bool(steps),
                "changes": changes,
                "plan": [_told(step) for step in steps],
                "publication": published and published.publication_id,
                "calls": [_told(step) for step in published.steps] if published else [],
            }
        )
    elif is_noted or (dry_run and not steps):
        click.echo(_("Nothing to do: version {version} is live.").format(version=number))
    elif published:
        text = _("Version {version} of {account} is live. Phones that showed the menu just now follow within minutes.")
        if not published.steps:
            text = _("Version {version} of {account} was live already, and is written down as published.")
        click.echo(text.format(version=number, account=asked.name))


def _carried_out(
    asked: Asked, version: "Version", wanted: Menu, cause: str, expected: int, zone: ZoneInfo
) -> "Published":
    from models.publications import UnderWayError
    from workers.publishing import NotAsPublishedError, Wanted, publish

    done: list[Step] = []

    def tell(step: Step) -> None:
        done.append(step)
        click.echo(f"  {len(done)}/{max(expected, len(done))}  {_deed(step)}", err=True)

    try:
        return publish(asked.engine, asked.api, Wanted(asked.account_id, version.id, wanted, cause), tell)
    except UnderWayError as error:
        text = _("Somebody else has been publishing for {account} since {time}; try again in some minutes.")
        raise _OtherwiseError(text.format(account=asked.name, time=local(error.since, zone))) from None
    except NotAsPublishedError:
        text = _("WeChat took all calls and shows something else; is another program changing the menu of {account}?")
        raise _OtherwiseError(text.format(account=asked.name)) from None


def _print_plan(live: Menu | None, is_consoles: bool, wanted: Menu, changes: list[Change], steps: Plan) -> None:
    if is_consoles:
        click.echo(_("The menu that is live was made in WeChat's console; it is replaced."))
    elif live is None:
        click.echo(_("No menu is live."))
    if changes:
        print_drawn(tree(changes, seen(live or Menu(())), seen(wanted)))
    if steps:
        click.echo(ngettext("{count} call:", "{count} calls:", len(steps)).format(count=len(steps)))
    for number, step in enumerate(steps, 1):
        click.echo(f"  {number}. {_deed(step)}")


def _deed(step: Step) -> str:
    """What a call does."""
    if step.call == "create":
        return _("menu/create puts the default menu in its place.")
    if step.call == "delete":
        return _("menu/delconditional removes the former personalised menu {menuid}.").format(menuid=step.menuid)
    assert step.body is not None
    return _("menu/addconditional adds: {menu}").format(menu=menu_title(step.body["matchrule"]))


def _told(step: Step) -> dict[str, Any]:
    return {"call": step.call, "path": step.path, "menuid": step.menuid}


VERBS = (publish, rollback, import_live, match)

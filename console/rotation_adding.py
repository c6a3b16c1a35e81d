"""`caidan rotation add`: a rule is read, weighed against the others, and told back in words."""

from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from console.choosing import NOTE, NUMBER, dry_run, zone_of
from console.command import InvalidInputError, argument, as_json, command, one_account, option
from console.database import find_account, reading, writing
from console.i18n import _
from console.menu_given import version_given
from console.menu_saving import author
from console.moments import coming, duration
from console.rotation_added import Added, print_added
from console.rotation_given import hours, read_by, share, weekdays
from console.rotation_problems import conflict_sentence, overrun_sentences, problem_sentence
from models.config import Config, load

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from models.menu_versions import Version
    from models.rotations import Draft


@command()
@argument("version", metavar="VERSION", type=NUMBER, help="Of a menu that is saved.")
@one_account
@option("--from", "starts_at", metavar="TIME", help="From this time on: 2h, tomorrow, 2026-10-01T12:00.")
@option("--until", "ends_at", metavar="TIME", help="Until this time; a date alone is its beginning.")
@option("--weekdays", callback=read_by(weekdays), help="Again and again: mon-fri, or sat,sun.")
@option("--hours", callback=read_by(hours), help="Again and again: 11:00-14:00, or 09:00-12:00,22:00-02:00.")
@option("--cron", help="Again and again: begins as a cron expression says, such as '0 11 * * 1-5'.")
@option("--duration", callback=read_by(duration), help="How long after each beginning by --cron: 90m, 2h, 3d.")
@option(
    "--days",
    type=click.Choice(["all", "workdays", "holidays"]),
    default="all",
    help="Only on workdays, or only on holidays and weekends.",
)
@option("--timezone", metavar="ZONE", help="Whose clock counts; else that of the account.")
@option("--priority", type=int, default=0, help="Of several at a time the highest is due, then the shortest.")
@option("--lead", callback=read_by(duration), default="0", help="Publish so long before, as clients keep menus: 10m.")
@option("--guard-share", callback=read_by(share), help="Go back where taps fall below this share of usual: 50%.")
@option("--guard-hours", type=int, help="Over so many hours; else 1.")
@option("--note", type=NOTE, help="A word about it.")
@author
@option("--base", "is_base", is_flag=True, help="Due whenever no other is; so is what has no window.")
@option("--replace", is_flag=True, help="Take the place of the base menu that is there.")
@option("--allow-conflict", is_flag=True, help="Add it though another one begins together with it; this one wins.")
@option("--force", is_flag=True, help="Add it though it takes more calls than WeChat allows.")
@dry_run
@as_json
def add(version: int, account: str | None, dry_run: bool, as_json: bool, **given: Any) -> None:
    """Say when a saved version of the menu is due: once, again and again, or whenever no other is."""
    config, now = load(Config), datetime.now(UTC)
    found = version_given(config, account, version)
    name = found.row.account
    given["timezone"] = given["timezone"] or zone_of(config, name).key
    wishes = {wish: given.pop(wish) for wish in ("is_base", "replace", "allow_conflict", "force")}
    with reading(config) as connection:
        account_id = find_account(connection, name)
        assert account_id is not None
        draft = _draft(account_id, found, given, now)
        if wishes["is_base"] and not draft.is_base:
            raise InvalidInputError(_("A base menu has no window: give --base alone, or leave it out."))
        added = _weighed(connection, draft, version, wishes["replace"], now)
        _refuse(added, wishes, draft)
    if not dry_run:
        with writing(config) as connection:
            added = replace(added, number=_write(connection, added, draft))
    print_added(name, added, as_json=as_json)


def _draft(account_id: int, version: "Version", given: dict[str, Any], now: datetime) -> "Draft":
    """Raises InvalidInputError."""
    from models.rotations import Draft
    from workers.rotation_check import problems

    for problem in problems(Draft(account_id=account_id, menu_id=version.id, timezone=given["timezone"])):
        if problem.field == "timezone":  # in which the other times are read
            raise InvalidInputError(problem_sentence(problem))
    zone = ZoneInfo(given["timezone"])
    for name in ("starts_at", "ends_at"):
        moment = coming(given[name], now, zone)
        given[name] = moment and moment.astimezone(UTC)
    draft = Draft(account_id=account_id, menu_id=version.id, **given)
    if found := problems(draft):
        raise InvalidInputError("\n".join(map(problem_sentence, found)))
    return draft


def _weighed(connection: "Connection", draft: "Draft", version: int, instead: bool, now: datetime) -> Added:
    """What would come of it, in the place of another base menu where that is wished.

    Raises InvalidInputError.
    """
    from console.rotation_weighing import weighed
    from models.freezes import freezes
    from models.rotations import RotationRow, rotations
    from workers.rotation_check import problems

    others = rotations(connection, draft.account_id)
    former = next((one.id for one in others if one.is_base), None) if instead and draft.is_base else None
    if found := problems(draft, [one for one in others if one.id != former]):
        raise InvalidInputError("\n".join(map(problem_sentence, found)))
    row = RotationRow(**asdict(draft), id=1 + max((one.id for one in others), default=0), version=version)
    frozen = [one for one in freezes(connection, draft.account_id, since=now) if one.starts_at <= now]
    return Added(None, row, *weighed(connection, row, now, without=former), former, frozen, now)


def _write(connection: "Connection", added: Added, draft: "Draft") -> int:
    """Give it its row; its id.

    Raises InvalidInputError where the other rotations are not those with which it was weighed.
    """
    from models.rotations import SecondBaseError, add_rotation, remove_rotation, rotations

    if added.replaced is not None:
        remove_rotation(connection, added.replaced)
    try:
        number = add_rotation(connection, draft)
    except SecondBaseError:
        number = None
    others = [one for one in rotations(connection, draft.account_id) if one.id != number]
    if number is None or others != [one for one in added.plan.rotations if one.id != added.row.id]:
        raise InvalidInputError(_("Somebody has changed the rotations meanwhile; give the command again."))
    return number


def _refuse(added: Added, wishes: dict[str, bool], draft: "Draft") -> None:
    """Raises InvalidInputError."""
    zone = ZoneInfo(draft.timezone)
    told = []
    if not draft.is_base and not added.windows:
        told.append(_("It is over already: it would never be due."))
    if added.weighed.conflicts and not wishes["allow_conflict"]:
        told += [conflict_sentence(one, added.row.id, zone) for one in added.weighed.conflicts]
        told += [_("Give one of them another --priority, or add this one with --allow-conflict: then it wins.")]
    if added.weighed.overruns and not wishes["force"]:
        told += overrun_sentences(added.weighed.overruns)
        told += [_("What is above it would not be published; let the menu change less often, or add it with --force.")]
    if told:
        raise InvalidInputError("\n".join(told))

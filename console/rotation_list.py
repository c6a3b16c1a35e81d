"""`caidan rotation list`: which rotations there are, and how each of them stands."""

import dataclasses
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import click

from console.choosing import zone_of
from console.command import account_filter, as_json, command
from console.database import find_account, reading
from console.delay_words import delay_sentence, what_to_do
from console.i18n import _
from console.output import print_json, print_table
from console.rotation_freezing import freezes_in_words
from console.rotation_words import rule_words
from models.config import Config, load

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from console.rotation_state import State
    from models.freezes import FreezeRow
    from models.rotation_delays import Delay
    from models.rotations import RotationRow


class _Standing(NamedTuple):
    """An account's rotations with how they stand, and what keeps its menu as it is."""

    account: str
    rotations: "list[tuple[RotationRow, State]]"
    delay: "Delay | None"
    freezes: "Sequence[FreezeRow]"


@command("list")
@account_filter
@as_json
def list_rotations(account: str | None, as_json: bool) -> None:
    """List the rotations, and how each of them stands."""
    from models import queries

    config, now = load(Config), datetime.now(UTC)
    with reading(config) as connection:
        names = [account] if account else queries.account_names(connection)
        found = [_standing(connection, name, now) for name in names]
    if as_json:
        print_json([told for one in found for told in _told(one)])
        return
    zones = [zone_of(config, one.account) for one in found]
    _print([row for one, zone in zip(found, zones, strict=True) for row in _rows(one, zone, len(found) > 1)])
    for one, zone in zip(found, zones, strict=True):
        for sentence in _sentences(one, zone):
            click.echo(sentence, err=True)


def _standing(connection: "Connection", account: str, now: datetime) -> _Standing:
    """Raises NotFoundError."""
    from console.rotation_plan import read_plan
    from console.rotation_state import state
    from models.freezes import freezes
    from models.rotation_delays import delay_of

    account_id = find_account(connection, account)
    assert account_id is not None
    plan = read_plan(connection, account_id)
    stands = [(row, state(plan, row, now)) for row in plan.rotations]
    return _Standing(account, stands, delay_of(connection, account_id), freezes(connection, account_id, since=now))


def _told(one: _Standing) -> Iterable[dict[str, Any]]:
    for row, state in one.rotations:
        delay = one.delay if one.delay and one.delay.rotation_id == row.id else None
        yield {"account": one.account, **dataclasses.asdict(row), "state": state, "delay": delay}


def _rows(one: _Standing, zone: ZoneInfo, is_named: bool) -> Iterable[Sequence[object]]:
    from console.rotation_state import state_words

    for row, state in one.rotations:
        rule, account = rule_words(row, zone.key), one.account if is_named else None
        yield row.id, account, row.version, state_words(state, zone), rule, row.priority or None, row.note


def _print(rows: Sequence[Sequence[object]]) -> None:
    """Without columns that are empty: a terminal is narrow."""
    headings = (_("ID"), _("Account"), _("Version"), _("How it stands"), _("When"), _("Priority"), _("Note"))
    columns = [column for column in zip(headings, *rows, strict=True) if any(column[1:])]
    if columns:
        shown, *cells = zip(*columns, strict=True)
        print_table([str(heading) for heading in shown], cells)


def _sentences(one: _Standing, zone: ZoneInfo) -> Iterable[str]:
    yield from freezes_in_words(one.account, one.freezes, zone)
    if one.delay is not None:
        version = next((row.version for row, _state in one.rotations if row.menu_id == one.delay.menu_id), None)
        yield f"{one.account}: {delay_sentence(one.delay, version, zone)} {what_to_do(one.delay, zone)}"

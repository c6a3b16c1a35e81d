"""`caidan stats paths`: what people do before and after they tap a button."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from console.choosing import kind_filter
from console.command import InvalidInputError, argument, command, option
from console.i18n import _
from console.moments import duration
from console.stats_asked import Asked, opened, question
from console.stats_names import Names, names_of
from console.stats_tables import Column, Row, Table, number, share

if TYPE_CHECKING:
    from models.paths import Path
    from models.sessions import Step

_ARROW = " > "


@command()
@argument("button", help="A key, a URL or a name.")
@question("before", "after")
@kind_filter
@option("--steps", type=click.IntRange(1, 10), default=3, help="So many steps either way.")
@option("--gap", metavar="LENGTH", default="30m", help="After such a pause a new session begins.")
@option("--top", type=click.IntRange(1, 1_000), default=10, help="At most so many.")
def paths(asked: Asked, button: str, kind: str | None, steps: int, gap: str, top: int) -> None:
    """Show what people do before and after they tap a button, within a session."""
    from models.paths import paths
    from models.sessions import Step

    with opened(asked) as one:
        time, names, pause = one.time(), names_of(one.connection, one.account_id), duration(gap)
        if pause == 0:
            raise InvalidInputError(_("--gap has to be longer than nothing."))
        step = Step(*names.find_one(button, kind))
        found = paths(
            one.connection,
            one.account_id,
            time.since,
            time.until,
            step,
            steps=steps,
            gap=timedelta(seconds=pause),
            top=top,
        )
        tables = {
            "before": lambda: _table(_("Before"), found.before, found.taps, names, _("the session begins here")),
            "after": lambda: _table(_("After"), found.after, found.taps, names, _("the session ends here")),
        }
        facts = {
            "button": {"kind": step.kind, "key": step.key, "name": names.of(step.kind, step.key)},
            "taps": found.taps,
            "users": found.users,
        }
        sums = _("{button}: taps {taps:,}, users {users:,}")
        one.answer(
            time, tables, facts, sums=sums.format(button=_named(step, names), taps=found.taps, users=found.users)
        )


def _table(title: str, found: "Sequence[Path]", taps: int, names: Names, nothing: str) -> Table:
    rows: list[Row] = [
        {
            "steps": [" ".join(filter(None, step)) for step in path.steps],
            "names": [_named(step, names) for step in path.steps],
            "named": _ARROW.join(_named(step, names) for step in path.steps) or None,
            "taps": path.taps,
            "users": path.users,
            "share": path.taps / taps,
        }
        for path in found
    ]
    columns = [
        Column("steps", None),
        Column("named", _("Steps"), nothing=nothing),
        number("taps", _("Taps")),
        number("users", _("Users")),
        share("share", _("Share")),
    ]
    return Table(title, columns, rows, bars="taps")


def _named(step: "Step", names: Names) -> str:
    return names.of(step.kind, step.key) or step.key or step.kind

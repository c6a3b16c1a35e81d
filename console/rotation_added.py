"""What is told of a rotation that was added: what it means in words, and what is to be thought of."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from console.i18n import _
from console.output import print_json
from console.rotation_freezing import freezes_in_words
from console.rotation_problems import weighed_sentences
from console.rotation_words import duration_words, rule_words, window_words

if TYPE_CHECKING:
    from console.rotation_plan import Plan
    from console.rotation_weighing import Weighed
    from models.freezes import FreezeRow
    from models.rotations import RotationRow
    from workers.windows import Window

SHOWN = 3  # windows


@dataclass(frozen=True)
class Added:
    """What came of it: in a dry run, what would.

    It was weighed before it had its row, under an id of its own, higher than all others; its real one is `number`.
    """

    number: int | None  # None in a dry run
    row: "RotationRow"
    plan: "Plan"  # it included
    weighed: "Weighed"
    replaced: int | None
    freezes: "list[FreezeRow]"  # in force
    now: datetime

    @property
    def windows(self) -> "list[Window]":
        """The next; of a base menu none, which has no more than one, without beginning and end."""
        return [] if self.row.is_base else self.plan.next_windows(self.row, self.now, SHOWN)


def print_added(account: str, added: Added, *, as_json: bool) -> None:
    for sentence in _warnings(account, added):
        click.echo(sentence, err=True)
    if as_json:
        print_json(_json(account, added))
        return
    for line in _lines(account, added):
        click.echo(line)


def _lines(account: str, added: Added) -> Iterator[str]:
    row, plan = added.row, added.plan
    text = (
        _("It would be added: version {version}, {rule}")
        if added.number is None
        else _("Rotation {id} of {account}: version {version}, {rule}")
    )
    yield text.format(id=added.number, account=account, version=row.version, rule=rule_words(row))
    for window in added.windows:
        yield f"  {_window_told(plan, row, window, added.now)}"
    if row.lead:
        yield _("The menu goes up {lead} before each beginning.").format(lead=duration_words(row.lead))
    due = plan.due(added.now)
    if due and due.rotation.id == row.id and added.number is not None and not added.freezes:
        yield _("It is due now, and goes up within a minute.")
    yield _("Phones follow within 5 minutes as a rule, and within 24 hours at the latest.")
    if (busiest := added.weighed.busiest) is not None:
        text = _("Calls of {path} on the busiest day of the next month, {day}: {calls:,} of {limit:,}.")
        yield text.format(**asdict(busiest))


def _json(account: str, added: Added) -> dict[str, Any]:
    row, weighed = added.row, added.weighed
    return {
        **asdict(row),
        "account": account,
        "id": added.number,
        "is_base": row.is_base,
        "replaced": added.replaced,
        "windows": [_window_json(window) for window in added.windows],
        "conflicts": [{"at": one.at, "rotations": [one.first.id, added.number]} for one in weighed.conflicts],
        "overruns": [{**asdict(one), "day": one.day.isoformat()} for one in weighed.overruns],
        "unknown_years": weighed.unknown_years,
    }


def _window_json(window: "Window") -> dict[str, datetime | None]:
    from workers.windows import ALWAYS

    return {"starts_at": None if window.starts_at == ALWAYS else window.starts_at, "ends_at": window.ends_at}


def _window_told(plan: "Plan", row: "RotationRow", window: "Window", now: datetime) -> str:
    """A window, and which rotation is due at its beginning, or now if it lasts, if it is another."""
    words = window_words(window, ZoneInfo(row.timezone))
    due = plan.due(max(window.starts_at, now))
    if due is None or due.rotation.id == row.id:
        return words
    return words + "  " + _("but rotation {id} is due then").format(id=due.rotation.id)


def _warnings(account: str, added: Added) -> list[str]:
    zone = ZoneInfo(added.row.timezone)
    told = weighed_sentences(added.weighed, added.row)
    if not any(row.is_base and row.enabled for row in added.plan.rotations):
        text = _("{account} has no base menu: after a window its menu stays. Give one with: {command}")
        told.append(text.format(account=account, command="caidan rotation add VERSION --base"))
    return [*told, *freezes_in_words(account, added.freezes, zone)]

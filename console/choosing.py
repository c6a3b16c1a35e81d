"""What options of several verbs take, and those that say which events a verb is about."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo

import click

from console.command import InvalidInputError, option
from console.database import find_account
from console.i18n import _
from console.moments import moment
from models.config import Config

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from models.walk import Selection


class Short(click.ParamType[str]):
    """A text that the tables have room for."""

    name = "text"

    def __init__(self, limit: int) -> None:
        self.limit = limit

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if len(value) > self.limit:
            self.fail(_("it has more than {limit:,} characters.").format(limit=self.limit), param, ctx)
        return value


NAME, NOTE = Short(255), Short(1000)
NUMBER = click.IntRange(1, 2**31 - 1)  # of a version or a rotation; the tables hold no larger one
_SINCE = "From this time on: 7d, 12h, today, 2026-10-01, 2026-10-01T12:00."
kind_filter = option("--kind", help="Only of this kind, such as click or scancode_push.")
since = option("--since", metavar="TIME", help=_SINCE)
until = option("--until", metavar="TIME", help="Before this time.")
dry_run = option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")

_EXAMPLE = "0199a5c0-1e00-8a4b-9c3d-5e6f708192a3"


def selected(
    config: Config,
    connection: "Connection",
    account: str | None = None,
    kind: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> "Selection":
    """The events that the options choose.

    Raises InvalidInputError and NotFoundError.
    """
    from models.walk import Selection

    now, zone = datetime.now(UTC), zone_of(config, account)
    start, end = moment(since, now, zone), moment(until, now, zone)
    return Selection(find_account(connection, account), kind, start, end)


def read_id(text: str) -> UUID:
    """Raises InvalidInputError."""
    try:
        return UUID(text)
    except ValueError:
        text = _("{text!r} is no id; an id looks like {example}").format(text=text, example=_EXAMPLE)
        raise InvalidInputError(text) from None


def zone_of(config: Config, account: str | None) -> ZoneInfo:
    """The time zone of an account; of no particular one, that of the first."""
    known = config.account(account) if account else None
    return ZoneInfo((known or config.accounts[0]).timezone)

"""What publishing by hand means where a rotation makes another menu due."""

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from console.i18n import _
from console.rotation_freezing import FOR_GOOD
from console.rotation_words import minute

if TYPE_CHECKING:
    from sqlalchemy import Connection


def otherwise_due(
    connection: "Connection", account_id: int, account: str, version: int, zone: ZoneInfo, now: datetime
) -> str | None:
    """That another version will take the place of this one, and when; None where none will."""
    from console.rotation_plan import read_plan
    from models.freezes import frozen_until

    due = read_plan(connection, account_id).due(now)
    if due is None or due.rotation.version == version:
        return None
    facts = {"account": account, "due": due.rotation.version, "id": due.rotation.id, "version": version}
    until = frozen_until(connection, account_id, now)
    if until is None:
        text = _(
            "By rotation {id} version {due} is due, and takes the place of version {version} within a minute. "
            "To keep version {version}, run: caidan rotation freeze --account {account}"
        )
    elif until >= FOR_GOOD:
        text = _("By rotation {id} version {due} is due; version {version} stays until the freeze is ended.")
    else:
        text = _("By rotation {id} version {due} is due; version {version} stays until the freeze ends, {time}.")
    return text.format(**facts, time=minute(until or now, zone))

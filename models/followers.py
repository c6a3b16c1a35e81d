"""Followers, as far as events tell of them."""

from sqlalchemy import Connection, select

from models.event import Event

_LOOKED_AT = 20_000  # events, at most: a few busy followers may have made all of the latest


def recent(connection: Connection, account_id: int, count: int) -> list[str]:
    """The openids of so many who did something lately, the latest first; without those who left or were forgotten."""
    query = select(Event.open_id, Event.kind).where(Event.account_id == account_id, Event.open_id.is_not(None))
    latest = query.order_by(Event.created_at.desc(), Event.id.desc()).limit(_LOOKED_AT)
    found: list[str] = []
    known: set[str] = set()
    for row in connection.execution_options(yield_per=500).execute(latest):
        if len(found) == count:
            break
        if row.open_id not in known:
            known.add(row.open_id)
            if row.kind != "unsubscribe" and not row.open_id.startswith("~"):
                found.append(row.open_id)
    return found

"""What was scanned by the menu's buttons for it."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from models.asked import Accounts, detailed
from models.codes import Kind, kind_of
from models.event import Event, Scan
from models.long_text import entire

_AT_A_TIME = 10_000
# The code of a barcode, or all that was scanned.
_RESULT = func.coalesce(Scan.code, Scan.scan_result).label("result")
_CODE = (Scan.symbology, _RESULT, entire(func.coalesce(Scan.code, Scan.scan_result)))


@dataclass(frozen=True, slots=True)
class Code:
    """Something that was scanned; `result` is None where WeChat said nothing of it."""

    kind: Kind
    symbology: str | None
    result: str | None
    scans: int
    users: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class KindRow:
    event_key: str | None
    kind: Kind
    scans: int
    codes: int  # different ones


@dataclass(frozen=True, slots=True)
class ButtonRow:
    kind: str  # scancode_push or scancode_waitmsg
    event_key: str | None
    scans: int
    users: int


def top_codes(
    connection: Connection,
    accounts: Accounts,
    since: datetime,
    until: datetime,
    *,
    event_key: str | None = None,
    top: int = 20,
) -> list[Code]:
    """What was scanned most often, by any button or by one."""
    query = detailed(_codes(), Scan, accounts, since, until)
    if event_key is not None:
        query = query.where(Event.event_key == event_key)
    return [_code(row) for row in connection.execute(_most_scanned(query).limit(top))]


def new_codes(
    connection: Connection, accounts: Accounts, since: datetime, until: datetime, *, top: int = 20
) -> list[Code]:
    """The same, of what had never been scanned before `since`. Reads all scans that there are until then."""
    query = detailed(_codes(), Scan, accounts, None, until).having(func.min(Event.created_at) >= since)
    return [_code(row) for row in connection.execute(_most_scanned(query.where(_RESULT.is_not(None))).limit(top))]


def kinds(connection: Connection, accounts: Accounts, since: datetime, until: datetime) -> list[KindRow]:
    """Scans by button and by what kind of code it was, the commonest first; a row of the database for each code."""
    query = select(Event.event_key, Scan.symbology, _RESULT, func.count())
    query = detailed(query, Scan, accounts, since, until).group_by(Event.event_key, *_CODE)
    counts: defaultdict[tuple[str | None, Kind], list[int]] = defaultdict(lambda: [0, 0])
    for key, symbology, result, scans in connection.execute(query, execution_options={"yield_per": _AT_A_TIME}):
        count = counts[key, kind_of(symbology, result)]
        count[0] += scans
        count[1] += result is not None
    found = [KindRow(key, kind, *count) for (key, kind), count in counts.items()]
    return sorted(found, key=lambda row: (-row.scans, row.event_key or "", row.kind))


def by_button(connection: Connection, accounts: Accounts, since: datetime, until: datetime) -> list[ButtonRow]:
    """The button that was used most first."""
    query = select(Event.kind, Event.event_key, func.count(), func.count(Event.open_id.distinct()))
    query = detailed(query, Scan, accounts, since, until).group_by(Event.kind, Event.event_key)
    query = query.order_by(func.count().desc(), Event.kind, Event.event_key)
    return [ButtonRow(*row) for row in connection.execute(query)]


def _codes() -> Select[*tuple[Any, ...]]:
    seen = (func.min(Event.created_at), func.max(Event.created_at))
    query = select(Scan.symbology, _RESULT, func.count(), func.count(Event.open_id.distinct()), *seen)
    return query.group_by(*_CODE)


def _most_scanned(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return query.order_by(func.count().desc(), _RESULT, Scan.symbology)


def _code(row: Row[*tuple[Any, ...]]) -> Code:
    return Code(kind_of(row[0], row[1]), *row)

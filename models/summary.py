"""What the tables add up to, counted from the events themselves: for the demonstration, and for small databases."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from models.base import table_of
from models.event import MENU_KINDS, Detail, Event, Location, PhotoSend, Scan
from models.long_text import entire


@dataclass(frozen=True, slots=True)
class Scope:
    """Which events count; by default all."""

    account_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        conditions: list[ColumnElement[bool]] = []
        if self.account_id is not None:
            conditions.append(Event.account_id == self.account_id)
        if self.since is not None:
            conditions.append(Event.created_at >= self.since)
        if self.until is not None:
            conditions.append(Event.created_at < self.until)
        return conditions


@dataclass(frozen=True, slots=True)
class KindCount:
    kind: str
    count: int


@dataclass(frozen=True, slots=True)
class ButtonCount:
    kind: str
    event_key: str | None
    count: int


@dataclass(frozen=True, slots=True)
class ScanCount:
    symbology: str | None
    result: str | None  # the code of a barcode, or all that was scanned
    count: int


@dataclass(frozen=True, slots=True)
class PhotoTotals:
    sends: int
    declared: int
    listed: int


@dataclass(frozen=True, slots=True)
class PlaceCount:
    label: str | None
    poi_name: str | None
    latitude: Decimal | None
    longitude: Decimal | None
    count: int


EVERYTHING = Scope()


def events_by_kind(connection: Connection, scope: Scope = EVERYTHING) -> list[KindCount]:
    """The commonest first."""
    query = select(Event.kind, func.count()).where(*scope.conditions()).group_by(Event.kind)
    return [KindCount(*row) for row in connection.execute(query.order_by(func.count().desc(), Event.kind))]


def top_buttons(connection: Connection, limit: int = 10, scope: Scope = EVERYTHING) -> list[ButtonCount]:
    query = select(Event.kind, Event.event_key, func.count()).where(Event.kind.in_(MENU_KINDS), *scope.conditions())
    query = query.group_by(Event.kind, Event.event_key)
    query = query.order_by(func.count().desc(), Event.kind, Event.event_key)
    return [ButtonCount(*row) for row in connection.execute(query.limit(limit))]


def top_scans(connection: Connection, limit: int = 10, scope: Scope = EVERYTHING) -> list[ScanCount]:
    result = func.coalesce(Scan.code, Scan.scan_result).label("result")
    query = _of(Scan, select(Scan.symbology, result, func.count()), scope)
    query = query.group_by(Scan.symbology, result, entire(result)).order_by(func.count().desc(), result)
    return [ScanCount(*row) for row in connection.execute(query.limit(limit))]


def photo_totals(connection: Connection, scope: Scope = EVERYTHING) -> PhotoTotals:
    sums = [func.coalesce(func.sum(column), 0) for column in (PhotoSend.declared_count, PhotoSend.listed_count)]
    sends, declared, listed = connection.execute(_of(PhotoSend, select(func.count(), *sums), scope)).one()
    return PhotoTotals(sends, int(declared), int(listed))  # MySQL's sums are decimal


def top_places(connection: Connection, limit: int = 10, scope: Scope = EVERYTHING) -> list[PlaceCount]:
    """The places that followers named most often; a position without a name is none of them."""
    place = (Location.label, Location.poi_name)
    position = (func.min(Location.latitude), func.min(Location.longitude))
    query = _of(Location, select(*place, *position, func.count()), scope)
    query = query.where(func.coalesce(Location.label, "") != "").group_by(*place, *map(entire, place))
    query = query.order_by(func.count().desc(), *place)
    return [PlaceCount(*row) for row in connection.execute(query.limit(limit))]


def _of(model: type[Detail], query: Select[*tuple[Any, ...]], scope: Scope) -> Select[*tuple[Any, ...]]:
    """The query, over rows of a detail table whose events count."""
    event, detail = table_of(Event), table_of(model)
    same = (detail.c.event_id == event.c.id) & (detail.c.created_at == event.c.created_at)
    return query.join_from(detail, event, same).where(*scope.conditions())

"""What every table is made of."""

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, cast
from uuid import UUID

from sqlalchemy import MetaData, Table, Text
from sqlalchemy.orm import DeclarativeBase

from models.types import Coordinate, Id, Json, Moment

# PostgreSQL keeps these by month of `created_at`; primary keys there must hold the partition column, and hold it
# everywhere, so that one set of models fits. An id determines its `created_at`, so uniqueness is the id's.
BY_MONTH: Any = {"postgresql_partition_by": "RANGE (created_at)"}


class Base(DeclarativeBase):
    """Text is unbounded unless a column says otherwise; moments are aware UTC."""

    metadata = MetaData(
        naming_convention={
            "fk": "%(table_name)s_%(column_0_name)s_fkey",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: Moment,
        Decimal: Coordinate,
        UUID: Id,
        dict[str, Any]: Json,
        str: Text,
    }


def table_of(model: type[Base]) -> Table:
    return cast(Table, model.__table__)

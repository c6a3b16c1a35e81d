"""What a page is made of (console/report.py)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from markupsafe import Markup

from console.stats_tables import Table

Kind = Literal["bars", "cells", "course", "differences", "flow", "heat"]

_NOTHING = Markup()


@dataclass(frozen=True)
class Chart:
    """`kind` is what console/report.js draws, `values` what it draws it of."""

    kind: Kind
    title: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Section:
    title: str
    charts: Sequence[Chart] = ()
    tables: Sequence[Table] = ()
    notes: Sequence[str] = ()
    drawn: Markup = _NOTHING  # beside the charts, without a script

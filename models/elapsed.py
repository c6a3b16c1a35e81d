"""Time between two moments in SQL: a function that each database is told in its own words."""

from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class elapsed(FunctionElement[int]):  # noqa: N801 - a function, where it is used
    """Milliseconds from the first moment to the second; less than 0 if that was before."""

    name = "elapsed"
    type = BigInteger()
    inherit_cache = True


@compiles(elapsed, "postgresql")
def _postgresql(element: elapsed, compiler: SQLCompiler, **options: Any) -> str:
    begin, end = _moments(element, compiler, options)
    return f"CAST(EXTRACT(EPOCH FROM {end} - {begin}) * 1000 AS BIGINT)"


@compiles(elapsed, "mysql")
@compiles(elapsed, "mariadb")
def _mysql(element: elapsed, compiler: SQLCompiler, **options: Any) -> str:
    begin, end = _moments(element, compiler, options)
    return f"CAST(ROUND(TIMESTAMPDIFF(MICROSECOND, {begin}, {end}) / 1000) AS SIGNED)"


@compiles(elapsed, "sqlite")
def _sqlite(element: elapsed, compiler: SQLCompiler, **options: Any) -> str:
    # Within, SQLite counts in whole milliseconds; as floats of days these are good for a twentieth of one.
    begin, end = _moments(element, compiler, options)
    return f"CAST(ROUND((julianday({end}) - julianday({begin})) * 86400000) AS INTEGER)"


def _moments(element: elapsed, compiler: SQLCompiler, options: dict[str, Any]) -> list[str]:
    return [compiler.process(moment, **options) for moment in element.clauses]

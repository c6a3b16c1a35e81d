"""Text to be grouped by as a whole.

MySQL and MariaDB group by sorting, and sort by the first 1,024 bytes (`max_sort_length`): two long texts that begin
alike would be one. Keys and addresses of menus are no longer than that.
"""

from typing import Any

from sqlalchemy import Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class entire(FunctionElement[str]):  # noqa: N801 - a function, where it is used
    """What tells a text from all others; to be named in GROUP BY together with the text."""

    name = "entire"
    type = Text()
    inherit_cache = True


@compiles(entire)
def _as_it_is(element: entire, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(entire, "mysql")
@compiles(entire, "mariadb")
def _digest(element: entire, compiler: SQLCompiler, **options: Any) -> str:
    return f"MD5({compiler.process(element.clauses, **options)})"

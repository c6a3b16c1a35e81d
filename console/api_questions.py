"""The questions of `caidan stats` as the HTTP API has them: the same verbs, asked by parameters of a query.

What a question takes, and within which bounds, is read off its verb; there is no second list.
"""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from console.api_problems import ProblemError
from console.command import InvalidInputError
from console.i18n import _
from console.stats import stats
from console.stats_asked import Asked
from console.stats_tables import Answer, Form
from console.stats_time import Time
from models.config import Config

if TYPE_CHECKING:
    from sqlalchemy import Connection

_INTEGER = re.compile(r"-?\d{1,18}", re.ASCII)
_BOOLEANS = {"true": True, "false": False}
_MOST = 2**31 - 1  # that all databases take for a number
_TEXT = {"type": "string", "minLength": 1, "maxLength": 2000}
_SEVERAL = 20
# More than that is a table nobody can hold in memory: all hours of centuries, say, of every button.
_LONGEST, _LONGEST_BY_HOUR = timedelta(days=4000), timedelta(days=100)
_FORM = Form(as_json=True, as_csv=False, bom=False, excel=False)
# Of what all verbs have; the rest is for a terminal, or said otherwise: 7d is a time, the account is in the path.
_COMMON = {"when", "since", "until", "table"}
_PAGING = {"limit", "offset"}
_NAMES = {"when": "time"}


@dataclass(frozen=True)
class Parameter:
    """Of a query; `target` is what the verb calls it, `schema` is JSON Schema."""

    name: str
    target: str
    help: str
    schema: Mapping[str, Any]
    is_required: bool = False

    def read(self, given: Sequence[str]) -> Any:
        """Its value, or the default.

        Raises ProblemError.
        """
        if not given:
            if self.is_required:
                raise ProblemError("bad_query", f"{self.name} is missing.")
            return self.schema.get("default")
        if self.schema["type"] != "array":
            if len(given) > 1:
                raise ProblemError("bad_query", f"{self.name} is given more than once.")
            return _value(self.name, self.schema, given[0])
        if len(given) > self.schema["maxItems"]:
            raise ProblemError("bad_query", f"{self.name} is given more than {self.schema['maxItems']} times.")
        return tuple(_value(self.name, self.schema["items"], one) for one in given)


@dataclass(frozen=True)
class ApiQuestion:
    name: str
    command: click.Command
    parameters: Sequence[Parameter]

    @property
    def help(self) -> str:
        """In the language chosen."""
        return inspect.cleandoc(self.command.help or "")

    @property
    def has_tables(self) -> bool:
        return any(parameter.name == "table" for parameter in self.parameters)

    def ask(self, asked: "ApiAsked", values: Mapping[str, Any]) -> Answer:
        """Raises InvalidInputError, NotFoundError and OverflowError."""
        own = {one.target: values[one.name] for one in self.parameters if one.target not in _COMMON | _PAGING}
        _verb(self.command)(asked=asked, **own)
        return asked.answers[0]


@dataclass(frozen=True)
class ApiAsked(Asked):
    """What a query says. The answer is kept."""

    config: Config
    connection: "Connection"
    longest: timedelta
    answers: list[Answer]

    @contextmanager
    def reading(self) -> "Iterator[tuple[Config, Connection]]":
        yield self.config, self.connection

    def give(self, answer: Answer, _zone: ZoneInfo) -> None:
        self.answers.append(answer)

    def given_time(self, now: datetime, zone: ZoneInfo) -> Time | None:
        found = super().given_time(now, zone)
        if found and found.until - found.since > self.longest:
            raise InvalidInputError(f"The time is longer than {self.longest.days} days, the most for this.")
        return found


def asked(config: Config, connection: "Connection", account: str, values: Mapping[str, Any]) -> ApiAsked:
    """Raises InvalidInputError."""
    when, since, until = (values[name] for name in ("time", "since", "until"))
    if (when and since) or (until and not since):
        raise InvalidInputError("Give time, or since and perhaps until.")
    longest = _LONGEST_BY_HOUR if values.get("by") == "hour" else _LONGEST
    about = (account, when, None, since, until, _FORM, values.get("table"))
    return ApiAsked(*about, config, connection, longest, [])


def questions() -> list[ApiQuestion]:
    """Of the verbs on what was counted, those that can be asked about a time."""
    return [
        ApiQuestion(name, command, [*_parameters(command), *paging()])
        for name, command in stats.commands.items()
        if any(param.name == "when" for param in command.params)
    ]


def paging() -> list[Parameter]:
    limit = {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 1000}
    offset = {"type": "integer", "minimum": 0, "maximum": _MOST, "default": 0}
    return [
        Parameter("limit", "limit", _("At most so many rows of each table."), limit),
        Parameter("offset", "offset", _("Without so many rows at the beginning; of one table only."), offset),
    ]


def _verb(command: click.Command) -> Callable[..., None]:
    """Without what `console/stats_asked.py question` puts around it."""
    assert command.callback
    verb: Callable[..., None] = inspect.unwrap(command.callback)
    return verb


def _parameters(command: click.Command) -> Iterator[Parameter]:
    """Those of the verb itself, then what all have."""
    wanted = _COMMON | inspect.signature(_verb(command)).parameters.keys()
    for param in sorted(command.params, key=lambda param: param.name in _COMMON):
        if param.name is None or param.name not in wanted:
            continue
        name = param.name if isinstance(param, click.Argument) else param.opts[0].removeprefix("--")
        text = _("Only this table.") if name == "table" else str(getattr(param, "help", ""))
        yield Parameter(_NAMES.get(name, name), param.name, text, _schema(param), param.required)


def _schema(param: click.Parameter) -> dict[str, Any]:
    schema = _schema_of(param.type)
    if param.multiple:
        schema = {"type": "array", "items": schema, "maxItems": _SEVERAL}
    default = param.default
    if isinstance(default, tuple):
        return schema | {"default": list(default)}
    if isinstance(default, str | int):
        return schema | {"default": default}
    return schema | {"default": []} if param.multiple else schema


def _schema_of(kind: Any) -> dict[str, Any]:
    if isinstance(kind, click.IntRange):
        return {"type": "integer", "minimum": kind.min, "maximum": _MOST if kind.max is None else kind.max}
    if isinstance(kind, click.Choice):
        return {"type": "string", "enum": list(kind.choices)}
    return {"type": "boolean", "default": False} if isinstance(kind, click.types.BoolParamType) else dict(_TEXT)


def _value(name: str, schema: Mapping[str, Any], text: str) -> Any:
    if schema["type"] == "integer":
        if not _INTEGER.fullmatch(text) or not schema["minimum"] <= int(text) <= schema["maximum"]:
            raise ProblemError("bad_query", f"{name} is a number from {schema['minimum']} to {schema['maximum']}.")
        return int(text)
    if schema["type"] == "boolean":
        if text not in _BOOLEANS:
            raise ProblemError("bad_query", f"{name} is true or false.")
        return _BOOLEANS[text]
    if "enum" in schema and text not in schema["enum"]:
        raise ProblemError("bad_query", f"{name} is one of: {', '.join(schema['enum'])}.")
    if "enum" not in schema and not schema["minLength"] <= len(text) <= schema["maxLength"]:
        raise ProblemError("bad_query", f"{name} has from {schema['minLength']} to {schema['maxLength']} characters.")
    return text

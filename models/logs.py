"""Logs of a process: lines of JSON on stderr, or readable ones in a terminal."""

import logging
import logging.config
import re
import sys
from typing import Any

import structlog

# A safety net, for the URLs that errors of HTTP clients and access logs carry; our own code logs no such thing.
_SECRET = re.compile(
    r"(?i)\b((?:access_token|component_access_token|secret|appsecret|signature|msg_signature)=)[^&\s\"'<>]+"
)


def set_up(level: str) -> None:
    """To be called once per process."""
    logging.config.dictConfig(settings(level, readable=sys.stderr.isatty()))


def settings(level: str, *, readable: bool) -> dict[str, Any]:
    """The settings, for logging.config.dictConfig and for servers that want to call it themselves."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": _formatter, "readable": readable}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "stream": "ext://sys.stderr", "formatter": "line"}},
        "root": {"level": level.upper(), "handlers": ["stderr"]},
        "loggers": {
            "alembic.runtime.plugins": {"level": "WARNING"},  # lists all it has, at every start
            "httpx2": {"level": "WARNING"},  # has a line for every request
        },
    }


def masked(text: str) -> str:
    """The text without the secrets that URLs carry."""
    return _SECRET.sub(r"\1***", text)


def _formatter(*, readable: bool) -> logging.Formatter:
    as_text: Any = (
        structlog.dev.ConsoleRenderer() if readable else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _mask,
            as_text,
        ],
    )


def _mask(_logger: Any, _method: str, fields: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {name: masked(value) if isinstance(value, str) else value for name, value in fields.items()}

"""Files of rules for replies."""

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from console.command import InvalidInputError, NotFoundError
from console.i18n import _
from console.menu_given import unreadable
from console.reply_given import TEXTS, Given, read_rules
from console.reply_words import problem_sentence
from wechat.menu_file import FileError, read_tree


def rules_in(file: str, zone_of: Callable[[str | None], ZoneInfo], now: datetime) -> list[Given]:
    """The rules in a file; `-` is standard input.

    Raises NotFoundError, and InvalidInputError with all that is wrong.
    """
    try:
        tree = read_tree(content_of(file), file, TEXTS)
    except FileError as error:
        raise unreadable(error, file) from None
    found, problems = read_rules(tree, zone_of, now)
    if problems:
        raise InvalidInputError("\n".join(f"{file}: {problem_sentence(one)}" for one in problems))
    return found


def content_of(file: str) -> bytes:
    """Raises NotFoundError and InvalidInputError."""
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except FileNotFoundError:
        raise NotFoundError(_("There is no file {file}.").format(file=file)) from None
    except OSError as error:
        text = _("{file} cannot be read: {reason}").format(file=file, reason=error.strerror)
        raise InvalidInputError(text) from None

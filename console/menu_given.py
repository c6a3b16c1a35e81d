"""Menus as the command line names them: a file, the number of a saved version, or the one that is live."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console.asking import live_now
from console.command import InvalidInputError, NotFoundError
from console.database import chosen_account, find_account, reading
from console.i18n import _
from console.menu_words import file_sentence, pointed_out
from models.config import Config, load
from wechat.menu import Menu, UnsoundError, read
from wechat.menu_file import FileError, parse

if TYPE_CHECKING:
    from models.menu_versions import Version

LIVE = "live"  # a file of this name is ./live


def definition_in(file: str) -> dict[str, Any]:
    """What stands in a file, be it right or wrong.

    Raises FileError, NotFoundError and InvalidInputError.
    """
    if file == "-":
        return parse(sys.stdin.buffer.read())
    try:
        return parse(Path(file).read_bytes(), file)
    except FileNotFoundError:
        raise NotFoundError(_("There is no file {file}.").format(file=file)) from None
    except OSError as error:
        text = _("{file} cannot be read: {reason}").format(file=file, reason=error.strerror)
        raise InvalidInputError(text) from None


def unreadable(error: FileError, file: str) -> InvalidInputError:
    return InvalidInputError(file_sentence(error, file) + pointed_out(error))


def menu_given(what: str, account: str | None) -> Menu:
    """The menu in a file, whatever WeChat would say to it, of a version, or the live one.

    Raises NotFoundError, InvalidInputError and WeChatError.
    """
    if what == LIVE:
        return live_now(load(Config), account)
    if what.isascii() and what.isdigit() and not Path(what).exists():
        return read(version_given(load(Config), account, int(what)).definition)
    try:
        return read(definition_in(what))
    except FileError as error:
        raise unreadable(error, what) from None
    except UnsoundError as error:
        text = _("{file} is no menu: {path} is wrong. Look with: caidan menu validate {file}")
        raise InvalidInputError(text.format(file=what, path=error.path)) from None


def version_given(config: Config, account: str | None, number: int | None = None) -> "Version":
    """A saved version; without a number, the latest.

    Raises NotFoundError and InvalidInputError.
    """
    from models import menu_versions

    name = account or chosen_account(config, account).name
    with reading(config) as connection:
        account_id = find_account(connection, name)
        assert account_id is not None
        found = menu_versions.version(connection, account_id, number)
    if found is None and number is None:
        raise NotFoundError(
            _("No menu of {account} is saved; save one with: caidan menu save FILE").format(account=name)
        )
    if found is None:
        raise NotFoundError(_("{account} has no menu version {version}.").format(account=name, version=number))
    return found

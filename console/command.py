"""Commands that speak the language chosen, find their verbs when needed, and end with the right exit code."""

import errno
import functools
import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click
import click.core
import click.exceptions
import click.formatting
import click.parser
import click.types

from console import i18n
from console.i18n import _
from models.config import ConfigError

# click looks its own words up with gettext.gettext, which knows nothing but compiled catalogues in system folders.
for _module in (click.core, click.exceptions, click.formatting, click.parser, click.types):
    vars(_module).update(_=_, ngettext=i18n.ngettext)


class UnfitError(click.ClickException):
    """The configuration, or the environment, does not allow it; the sentence says what to do."""

    exit_code = 2


class NotFoundError(click.ClickException):
    exit_code = 3


class InvalidInputError(click.ClickException):
    exit_code = 4


class RefusedError(click.ClickException):
    """WeChat refused."""

    exit_code = 5


DIFFERS = 6  # exit code of what compares
click.UsageError.exit_code = InvalidInputError.exit_code  # click's own is 2, which here means the configuration


class _Words:
    """A text that is kept in English and read in the language of the moment."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.slot = f"_english_{name}"

    def __get__(self, instance: Any, owner: type) -> Any:
        english = getattr(instance, self.slot, None)
        return _(english) if isinstance(english, str) else english

    def __set__(self, instance: Any, value: Any) -> None:
        setattr(instance, self.slot, value)


class Option(click.Option):
    help: Any = _Words()


class Argument(click.Argument):
    help: Any = _Words()


class Command(click.Command):
    help: Any = _Words()
    short_help: Any = _Words()
    epilog: Any = _Words()
    shows_language = False

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        # The root reads it before anything else (see Root.parse_args); elsewhere it is only allowed to stand.
        self.params.append(
            Option(
                ["--lang"],
                type=click.Choice(i18n.LANGUAGES),
                expose_value=False,
                hidden=not self.shows_language,
                help="Language of all words; without it, that of LANG.",
            )
        )

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = _("Show this message and exit.")
        return option


class Group(Command, click.Group):
    command_class = Command
    group_class = type


class Root(Group):
    """The group of all verbs. `places` says where each is, as module:name; it is imported when it is called for."""

    shows_language = True

    def __init__(self, *args: Any, places: Mapping[str, str], **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.places = places

    def list_commands(self, _context: click.Context) -> list[str]:
        return list(self.places)

    def get_command(self, _context: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.places:
            return None
        module, _colon, name = self.places[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:  # click knows of no verb that is not imported yet
            raise click.exceptions.NoSuchCommand(error.command_name, possibilities=self.places, ctx=ctx) from None

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # Before all other options and wherever it stands: --help is answered while arguments are still being read.
        i18n.choose(_language(args))
        return super().parse_args(ctx, args)

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        with _explained():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with _explained():
            return super().invoke(ctx)


class _ProblemsError(UnfitError):
    """A configuration with all its problems, a line each."""

    def show(self, _file: Any = None) -> None:
        click.echo(_("The configuration has problems:"), err=True)
        click.echo(self.message, err=True)


class _UnexpectedError(click.ClickException):
    exit_code = 1


@contextmanager
def _explained() -> Iterator[None]:
    """Whatever goes wrong inside ends in words and an exit code, never in a traceback."""
    try:
        yield
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except ConfigError as error:
        raise _ProblemsError("\n".join(f"  {problem}" for problem in error.problems)) from None
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.EPIPE:
            raise  # click ends quietly when nobody reads any more
        raise _of_wechat(error) or _UnexpectedError(
            _("{kind}: {error}").format(kind=type(error).__name__, error=error)
        ) from error


def _of_wechat(error: Exception) -> click.ClickException | None:
    from wechat.errcodes import NotConfigured, Unreachable, WeChatError

    if not isinstance(error, WeChatError):
        return None
    is_ours = error.errcode is None and isinstance(error, NotConfigured | Unreachable)
    return (UnfitError if is_ours else RefusedError)(error.explained(i18n.language()))


def _language(args: list[str]) -> str | None:
    """The language that the arguments ask for."""
    before = args[: args.index("--")] if "--" in args else args
    for index, word in enumerate(before):
        name, equals, value = word.partition("=")
        if name == "--lang":
            wish = value if equals else next(iter(before[index + 1 :]), "")
            return wish if wish in i18n.LANGUAGES else None
    return None


command: Callable[..., Callable[..., Command]] = functools.partial(click.command, cls=Command)
group: Callable[..., Callable[..., Group]] = functools.partial(click.group, cls=Group)
option: Callable[..., Callable[..., Any]] = functools.partial(click.option, cls=Option)
argument: Callable[..., Callable[..., Any]] = functools.partial(click.argument, cls=Argument)

# What several verbs have.
as_json = option("--json", "as_json", is_flag=True, help="Print JSON.")
account_filter = option("--account", metavar="NAME", help="Only of this account.")
one_account = option("--account", metavar="NAME", help="The account; needed where there are several.")

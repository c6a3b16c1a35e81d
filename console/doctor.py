"""`caidan doctor`: what is wrong with an installation, and what to do about it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

import click

from console import checks_door, checks_host, checks_menu, checks_roles, checks_stores, checks_wechat
from console.checks import (
    FAILURE,
    FINE,
    SKIPPED,
    WARNING,
    Ask,
    Finding,
    Line,
    as_json,
    asked,
    exit_code,
    failure,
    has_failed,
    skipped,
)
from console.choosing import zone_of
from console.command import InvalidInputError, NotFoundError, command, option
from console.command import as_json as json_option
from console.database import reading, working
from console.i18n import _
from console.output import print_drawn, print_json, printable
from models import logs
from models.config import Account, Config, ConfigError, explain

if TYPE_CHECKING:
    from rich.console import RenderableType

WECHAT_SECONDS = 40.0  # several calls, each with its own limit
_MARKS = {FINE: ("✓", "green"), WARNING: ("!", "yellow"), FAILURE: ("✗", "bold red"), SKIPPED: ("-", "dim")}


@command()
@option("--account", metavar="NAME", help="Look at this account only, beside what all have in common.")
@option("--url", metavar="PUBLIC_URL", help="Push through this URL, as WeChat does; the events are stored.")
@json_option
@click.pass_context
def doctor(context: click.Context, account: str | None, url: str | None, as_json: bool) -> None:
    """Look for what is wrong, and say what to do. Ends with 2 after a failure; with 5 where only WeChat refuses."""
    logs.set_up("error")  # what would be logged is shown
    if url is not None and not url.startswith(("http://", "https://")):
        raise InvalidInputError(_("{url!r} is no URL; give one like https://your.name").format(url=url))
    with _waiting(as_json) as tell:
        lines = _examined(account, url, tell)
    print_json(_told(lines)) if as_json else _print(lines)
    context.exit(exit_code(lines))


def _told(lines: Iterable[Line]) -> list[dict[str, str | None]]:
    return [as_json(line) for line in lines]


def _examined(name: str | None, url: str | None, tell: Callable[[str], object]) -> list[Line]:
    try:
        config, sources = explain(Config)
    except ConfigError as error:
        advice = _("Correct it in caidan.toml or the environment; nothing else is looked at before.")
        return [Line("configuration", None, failure(problem, advice)) for problem in error.problems]
    accounts = [account for account in config.accounts if name in (None, account.name)]
    if not accounts:
        names = ", ".join(account.name for account in config.accounts)
        raise NotFoundError(_("There is no account {name!r}; there is: {names}").format(name=name, names=names))
    examination = Examination(config, sources, tell)
    examination.host()
    examination.stores()
    examination.roles()
    for account in accounts:
        examination.account(account, url)
    return examination.lines


class Examination:
    """The checks in their order; what needs something that failed before is skipped."""

    def __init__(self, config: Config, sources: Mapping[str, str], tell: Callable[[str], object]) -> None:
        self.lines: list[Line] = []
        self._config, self._sources, self._tell = config, sources, tell
        self._is_made_up = checks_host.is_made_up(sources)
        self._has_tables = False
        broker, database = (one.get_secret_value() for one in (config.broker_url, config.database_url))
        self._broker_url = broker
        self._is_embedded = broker.startswith("caidan+sqlite:") and database.startswith("sqlite:")

    def host(self) -> None:
        config, sources = self._config, self._sources
        self._ask("configuration", lambda: checks_host.configuration(config, sources))
        self._ask("files", lambda: checks_host.files(config, sources))
        if self._is_made_up and config.api_base_url == Config.model_fields["api_base_url"].default:
            self._skip("clock", _("Nobody is asked for the time, because no account is configured."))
        else:
            self._ask("clock", lambda: checks_host.clock(config))

    def stores(self) -> None:
        config = self._config
        self._has_tables = self._ask("database", lambda: _database(config))
        if self._has_tables:
            self._ask("durability", lambda: _read(config, checks_stores.durability))
            self._ask("partitions", lambda: _read(config, checks_stores.partitions))
        else:
            self._skip("durability", _("Not looked at, because of the database."))
        self._ask("broker", lambda: checks_stores.broker(self._broker_url))

    def roles(self) -> None:
        config = self._config
        self._ask("journal", lambda: checks_roles.journal(config.journal_dir, config.journal_limit))
        self._ask("worker", lambda: checks_roles.worker(config.data_dir, self._is_embedded))
        self._ask("beat", lambda: checks_roles.beat(config.data_dir, self._is_embedded))
        self._of_handlers()

    def account(self, account: Account, url: str | None) -> None:
        reason = checks_wechat.why_not(account, self._config, self._is_made_up)
        if reason is None and not self._has_tables:
            reason = _("Not looked at, because of the database.")
        if reason is None:
            self._of_wechat(account)
        else:
            for check in ("token", "addresses", "callback", "menu", "quota"):
                self._skip(check, reason, account.name)
        self._of_rotations(account.name)
        self._of_pushes(account.name)
        if url is None:
            self._skip("round trip", _("Give the public URL with --url, and a push is sent through it."), account.name)
        else:
            callback = checks_door.callback_url(url, account.name)
            self._ask("round trip", lambda: checks_door.round_trip(callback, account), account.name)

    def _of_wechat(self, account: Account) -> None:
        from wechat.client import Client
        from workers.api import Api

        config, name = self._config, account.name
        with working(config) as engine, Client(config.api_base_url) as client:
            api = Api(engine, client, account, config.secret_key)
            if not self._ask("token", lambda: checks_wechat.token(api.tokens), name, WECHAT_SECONDS):
                for check in ("addresses", "callback", "menu", "quota"):
                    self._skip(check, _("Not looked at, because of the token."), name)
                return
            held = api.tokens.look()
            file, mode = config.snapshot_file, config.foreign_pushes
            for check, ask in (
                ("addresses", lambda: checks_wechat.addresses(api, account.app_id, file, mode)),
                ("callback", lambda: checks_wechat.callback(api)),
                ("menu", lambda: checks_menu.menu(engine, api, name)),
                ("quota", lambda: checks_wechat.quotas(api, held.source if held else None)),
            ):
                self._ask(check, ask, name, WECHAT_SECONDS)

    def _of_rotations(self, name: str) -> None:
        from console import checks_rotation  # which needs the database's library from the start

        config, zone = self._config, zone_of(self._config, name)
        if self._has_tables:
            ask = partial(checks_rotation.rotation, account=name, zone=zone, now=datetime.now(UTC))
            self._ask("rotation", lambda: _read(config, ask), name)
        else:
            self._skip("rotation", _("Not looked at, because of the database."), name)

    def _of_pushes(self, name: str) -> None:
        from console import checks_pushes  # which needs the database's library from the start

        if self._has_tables:
            ask = partial(checks_pushes.pushes, account=name, now=datetime.now(UTC))
            self._ask("pushes", lambda: _read(self._config, ask), name)
        else:
            self._skip("pushes", _("Not looked at, because of the database."), name)

    def _of_handlers(self) -> None:
        from console import checks_handlers  # which needs the database's library from the start

        self._ask("packages", checks_handlers.packages)
        if self._has_tables:
            self._ask("handlers", lambda: _read(self._config, partial(checks_handlers.called, now=datetime.now(UTC))))
        else:
            self._skip("handlers", _("Not looked at, because of the database."))

    def _ask(self, check: str, ask: Ask, account: str | None = None, seconds: float | None = None) -> bool:
        """Whether nothing failed."""
        self._tell(title(check))
        found = asked(check, ask, account) if seconds is None else asked(check, ask, account, seconds)
        self.lines += found
        return not has_failed(found)

    def _skip(self, check: str, why: str, account: str | None = None) -> None:
        self.lines.append(Line(check, account, skipped(why)))


def title(check: str) -> str:
    return {
        "configuration": _("Configuration"),
        "files": _("Files"),
        "clock": _("Clock"),
        "database": _("Database"),
        "durability": _("Durability"),
        "partitions": _("Partitions"),
        "broker": _("Broker"),
        "journal": _("Journal"),
        "worker": _("Worker"),
        "beat": _("Beat"),
        "packages": _("Packages"),
        "handlers": _("Handlers"),
        "token": _("Token"),
        "addresses": _("WeChat's addresses"),
        "callback": _("Reached by WeChat"),
        "menu": _("Menu"),
        "quota": _("Calls"),
        "rotation": _("Rotation"),
        "pushes": _("Pushes"),
        "round trip": _("Round trip"),
    }[check]


def _database(config: Config) -> Iterator[Finding]:
    with working(config) as engine:
        yield from checks_stores.tables(engine)


def _read(config: Config, ask: Callable[..., Iterable[Finding]]) -> list[Finding]:
    with reading(config) as connection:
        return list(ask(connection))


@contextmanager
def _waiting(is_quiet: bool) -> Iterator[Callable[[str], object]]:
    """Where somebody watches, what is being looked at."""
    from rich.console import Console

    console = Console(stderr=True)
    if is_quiet or not console.is_terminal:
        yield lambda _text: None
        return
    with console.status("") as status:
        yield status.update


def _print(lines: Sequence[Line]) -> None:
    for account, of_account in groupby(lines, key=lambda line: line.account):
        print_drawn(_drawn(account, list(of_account)))
    levels = [line.finding.level for line in lines]
    text = _("Failures: {failures}; warnings: {warnings}.")
    click.echo(text.format(failures=levels.count(FAILURE), warnings=levels.count(WARNING)))


def _drawn(account: str | None, lines: Sequence[Line]) -> "RenderableType":
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    heading = _("This installation") if account is None else _("Account {name}").format(name=account)
    grid = Table.grid(padding=(0, 2, 0, 0))
    for check, of_check in groupby(lines, key=lambda line: line.check):
        name = title(check)
        for level, drawn, advice in _rows([line.finding for line in of_check]):
            sign, colour = _MARKS[level]
            grid.add_row(Text(sign, colour), name, drawn)
            if advice:
                grid.add_row("", "", Text("→ " + printable(advice), "italic"))
            name = ""
    return Group(Text(f"\n{heading}", "bold"), grid)


def _rows(findings: Sequence[Finding]) -> Iterator[tuple[str, "RenderableType", str]]:
    """Level, words and advice of each; of those that have cells, together, as a table."""
    from rich.text import Text

    for finding in findings:
        if not finding.cells:
            yield finding.level, Text(printable(finding.message)), finding.advice
    if in_cells := [finding for finding in findings if finding.cells]:
        levels = [finding.level for finding in in_cells]
        worst = next(level for level in (FAILURE, WARNING, FINE) if level in levels)
        advice = " ".join(dict.fromkeys(finding.advice for finding in in_cells if finding.advice))
        yield worst, _table([finding.cells for finding in in_cells]), advice


def _table(rows: Iterable[Sequence[str]]) -> "RenderableType":
    from rich.table import Table

    table = Table(*checks_wechat.carriers_headings(), box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for row in rows:
        table.add_row(*map(printable, row))
    return table

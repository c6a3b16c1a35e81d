"""Whatever happens while menus are saved and published, no account is left without one, and all comes right."""

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine, update

from models import menu_versions, publications
from models.account import account_ids, upsert_accounts
from models.db import connect, transaction
from models.menu import Publication
from models.publications import CLAIM
from tests.platforms import Platform
from tests.workers.shop import KEY, SHOP
from wechat.client import Client
from wechat.errcodes import WeChatError
from wechat.menu import Menu, digest, read, write
from wechat.menu_plan import Step, is_same
from workers import publishing
from workers.api import Api
from workers.publishing import NotAsPublishedError, Wanted, live_menu, publish

CALLS = ("menu/create", "menu/addconditional", "menu/delconditional", "menu/get", "menu/*")
KINDS: tuple[dict[str, object], ...] = (
    {"drop": True},
    {"drop": True, "after": True},
    {"garbage": True, "status": 502},
    {"garbage": True, "after": True},
    {"void": True},
    *({"errcode": code} for code in (-1, 40001, 45009, 48001, 65305, 65316)),
)


class CrashError(BaseException):
    """The process that publishes ends."""


@dataclass(frozen=True)
class Trouble:
    """What comes in the way of a publication."""

    faults: tuple[dict[str, object], ...] = ()
    crash_after: int | None = None  # so many calls
    is_killed: bool = False  # it had no time to write down that it failed


_faults = st.builds(
    lambda call, kind, times: {"call": call, "times": times, **kind},
    st.sampled_from(CALLS),
    st.sampled_from(KINDS),
    st.integers(1, 6),
)
troubles = st.builds(
    Trouble, st.lists(_faults, max_size=2).map(tuple), st.none() | st.integers(1, 4), st.booleans()
) | st.just(Trouble())


def _named(name: str) -> list[Any]:
    return [{"type": "click", "name": name, "key": name}]


buttons = st.sampled_from("abc").map(_named)


def _menu(default: list[Any], personal: list[tuple[str, list[Any]]]) -> Menu:
    rules = [{"button": own, "matchrule": {"tag_id": tag}} for tag, own in personal]
    return read({"menu": {"button": default}, "conditionalmenu": rules})


wanted_menus = st.builds(_menu, buttons, st.lists(st.tuples(st.sampled_from("12"), buttons), max_size=3))


class Storm(RuleBasedStateMachine):
    """One account. `begin` is set by the test: an empty database and an empty platform."""

    begin: Callable[[], tuple[Engine, Platform]]

    def __init__(self) -> None:
        super().__init__()
        self.engine, self.platform = type(self).begin()
        self.open = ExitStack()
        self.open.callback(self.engine.dispose)
        self.api = Api(self.engine, self.open.enter_context(Client(self.platform.url)), SHOP, KEY)
        with transaction(self.engine) as connection:
            upsert_accounts(connection, [SHOP])
            self.account_id = account_ids(connection, {SHOP.app_id: SHOP.name})[SHOP.app_id]
        self.had_a_menu = False

    @rule(menu=wanted_menus, trouble=troubles)
    def publish(self, menu: Menu, trouble: Trouble) -> None:
        self._attempt(self._saved(menu), trouble)

    @rule(trouble=troubles)
    def roll_back(self, trouble: Trouble) -> None:
        with self.engine.connect() as connection:
            former = publications.before_live(connection, self.account_id)
        if former is not None:
            self._attempt(self._wanted(former.version, "rollback"), trouble)

    @rule(button=buttons)
    def somebody_uses_the_console(self, button: list[Any]) -> None:
        self.platform.console_menu(button)

    @rule(button=buttons, tag=st.sampled_from("12"))
    def somebody_uses_another_program(self, button: list[Any], tag: str) -> None:
        token = self.platform.token()
        for call, body in (("create", {}), ("addconditional", {"matchrule": {"tag_id": tag}})):
            self.platform.call(f"menu/{call}", {"button": button, **body}, token=token)

    @invariant()
    def there_is_a_menu(self) -> None:
        holdings = self.platform.holdings()
        has_one = bool(holdings["menu"] or holdings["console"])

        assert has_one or not self.had_a_menu
        self.had_a_menu = has_one

    def teardown(self) -> None:
        try:
            wanted = self._saved(_menu(_named("z"), [("1", _named("y"))]))
            publish(self.engine, self.api, wanted)
            self._is_live(wanted)
            self.there_is_a_menu()
        finally:
            self.open.close()

    def _saved(self, menu: Menu) -> Wanted:
        with transaction(self.engine) as connection:
            now = datetime.now(UTC)
            saved = menu_versions.save_version(connection, self.account_id, write(menu), digest(menu), now=now)
        return self._wanted(saved[0], "publish")

    def _wanted(self, number: int, cause: str) -> Wanted:
        with self.engine.connect() as connection:
            version = menu_versions.version(connection, self.account_id, number)
        assert version is not None
        return Wanted(self.account_id, version.id, read(version.definition), cause)

    def _attempt(self, wanted: Wanted, trouble: Trouble) -> None:
        done: list[Step] = []

        def see(step: Step) -> None:
            done.append(step)
            self.there_is_a_menu()
            if len(done) == trouble.crash_after:
                raise CrashError

        for fault in trouble.faults:
            self.platform.fault(**fault)
        try:
            publish(self.engine, self.api, wanted, see)
        except (WeChatError, NotAsPublishedError, CrashError) as error:
            event(f"{type(error).__name__} after {len(done)} calls")
            if trouble.is_killed:
                self._forget_the_end()
        else:
            event(f"published by {len(done)} calls")
            self.platform.heal()
            self._is_live(wanted)
        finally:
            self.platform.heal()

    def _forget_the_end(self) -> None:
        """As whoever was killed leaves it; so long ago that others may go on."""
        long_ago = datetime.now(UTC) - CLAIM - timedelta(seconds=1)
        with transaction(self.engine) as connection:
            last = publications.publications(connection, self.account_id, 1)[0]
            values = {"outcome": None, "errcode": None, "ended_at": None, "started_at": long_ago}
            connection.execute(update(Publication).where(Publication.id == last.id).values(values))

    def _is_live(self, wanted: Wanted) -> None:
        live = live_menu(self.api)
        with self.engine.connect() as connection:
            noted = publications.live(connection, self.account_id)

        assert live is not None
        assert is_same(live, wanted.menu)
        assert noted is not None
        assert self._wanted(noted.version, "").menu_id == wanted.menu_id


def test_no_account_is_left_without_a_menu(
    platform: Platform, sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "PAUSES", (0.0, 0.0, 0.0, 0.0))
    empty = platform.state()
    files = (tmp_path / f"{number}.db" for number in range(1_000_000))

    def begin() -> tuple[Engine, Platform]:
        platform.load(empty)
        file = shutil.copy(sqlite_template, next(files))
        return connect(f"sqlite:///{file}"), platform

    machine = type("StormHere", (Storm,), {"begin": staticmethod(begin)})
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        machine,
        settings=settings(
            deadline=None,
            phases=[Phase.generate],
            max_examples=25,
            stateful_step_count=10,
            suppress_health_check=checks,
        ),
    )

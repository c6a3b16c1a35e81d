"""`python -m tests.chaos.rotation`: another menu each minute, two workers and two beats, which are killed all the time;
then it is looked at which menu was there when. build/rotation.json."""

import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import accumulate, pairwise
from math import inf
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, NamedTuple

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, Row, select

import migrations
from models import menu_versions
from models.account import account_ids, upsert_accounts
from models.db import connect, transaction
from models.menu import Publication
from models.menu_versions import save_version
from models.publications import ABANDONED, PUBLISHED
from models.rotations import Draft, add_rotation
from tests.chaos.brokers import BROKERS
from tests.chaos.installation import Process, kill_child
from tests.chaos.processors import stay_here
from tests.chaos.report import write
from tests.platforms import SHOP, served
from tests.workers.shop import configured
from wechat.menu import digest, read
from wechat.menu import write as in_json
from wechat.simulator.platform.platform import Platform
from wechat.simulator.platform.state import Fault

RESULT = Path("build/rotation.json")
MINUTE = 60.0
MENUS = ("red", "green", "blue")  # one after the other, minute by minute
TAGS: Sequence[int] = (2, 100)  # each has so many personalised menus, so that publishing one takes five calls
KILL_EVERY = 2.0, 9.0  # seconds
WARM_UP = 20.0  # seconds, in which all processes start
LOOK_EVERY = 0.02
SLOW = 0.3  # seconds that WeChat takes for each of the calls of a switch
PUBLISHING = 0.3, 3.5  # in these seconds of a minute its menu is switched

_SETTINGS = """
data_dir = "{folder}"
broker_url = "{broker}"
database_url = "{database}"
api_base_url = "{platform}"
secret_key = "of no use to anybody"

[[accounts]]
name = "{account.name}"
app_id = "{account.app_id}"
token = "{account.token}"
app_secret = "{account.app_secret}"
"""


class Change(NamedTuple):
    """From `at` on this menu was there as a whole, or none was."""

    at: float
    menu: str | None


@dataclass
class Outcome:
    """`problems` in words, none when all promises were kept."""

    broker: str
    minutes: int
    on_time: int = 0  # menus that were there within their minute
    published: int = 0
    creates: int = 0  # calls
    kills: int = 0
    abandoned: int = 0  # publications whose process was killed
    median_seconds: float = 0.0  # from the beginning of a minute until its menu was there
    slowest_seconds: float = 0.0
    problems: list[str] = field(default_factory=list)


@click.command()
@click.option("--broker", type=click.Choice(list(BROKERS)), default="embedded", show_default=True)
@click.option("--minutes", type=click.IntRange(1), default=10, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Of who is killed, and when.")
def main(broker: str, minutes: int, seed: int) -> None:
    """Rotate menus while workers and beats are killed, and see that each was there in its minute."""
    if sys.platform != "linux":
        raise click.ClickException("needs Linux: it keeps to one half of the processors")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that it cleans up
    stay_here()
    with tempfile.TemporaryDirectory(prefix="caidan-rotation-") as folder:
        outcome = _run(broker, minutes, Random(seed), Path(folder))
    Console().print(_table(outcome))
    write(RESULT, **asdict(outcome))
    sys.exit(bool(outcome.problems))


def _run(name: str, minutes: int, random: Random, folder: Path) -> Outcome:
    outcome = Outcome(name, minutes)
    database_url = f"sqlite:///{folder / 'caidan.db'}"
    engine = connect(database_url)
    broker = BROKERS[name](folder)
    try:
        _schedule(engine)
        with served(SHOP, followers=0) as server:
            server.platform.state.faults.append(Fault("menu/*", delay=SLOW))
            settings = {"broker": broker.url, "database": database_url, "platform": server.url}
            with _hosts(folder, settings) as processes, _watched(server.platform) as changes:
                begin = (time.time() + WARM_UP) // MINUTE * MINUTE + MINUTE
                time.sleep(begin - time.time())
                outcome.kills = _kill_until(begin + minutes * MINUTE, processes, random)
                time.sleep(MINUTE)
                _judge(outcome, engine, server.platform, changes, begin)
    finally:
        broker.close(keep=False)
        engine.dispose()
    return outcome


@contextmanager
def _hosts(folder: Path, settings: dict[str, str]) -> Iterator[list[Process]]:
    """Two, each with a worker and a beat."""
    with ExitStack() as stack:
        processes = []
        for name in ("one", "other"):
            home = folder / name
            home.mkdir()
            (home / "caidan.toml").write_text(_SETTINGS.format(folder=home, account=SHOP, **settings))
            processes += [Process(home, "worker", "--only=menus"), Process(home, "beat")]
        for process in processes:
            stack.callback(process.kill)
        yield processes


@contextmanager
def _watched(platform: Platform) -> Iterator[list[Change]]:
    """What is there, all the time."""
    changes, over = [Change(time.time(), None)], threading.Event()

    def watch() -> None:
        while not over.wait(LOOK_EVERY):
            if (menu := _shown(platform)) != changes[-1].menu:
                changes.append(Change(time.time(), menu))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield changes
    finally:
        over.set()
        thread.join()


def _shown(platform: Platform) -> str | None:
    """The menu, if all followers see the same."""
    with platform.lock:
        own = platform.state.accounts[SHOP.app_id]
        keys = {menu.button[0]["key"] for menu in [own.menu, *own.conditional] if menu is not None}
        is_whole = own.menu is not None and len(own.conditional) == len(TAGS)
    return str(keys.pop()) if is_whole and len(keys) == 1 else None


def _kill_until(end: float, processes: Sequence[Process], random: Random) -> int:
    """Anybody every few seconds, and workers above all in the first seconds of a minute, when they publish."""
    begin, workers = time.time(), processes[::2]
    pauses = (random.uniform(*KILL_EVERY) for _ in range(int((end - begin) / KILL_EVERY[0])))
    coming = [(begin + after, random.choice(processes)) for after in accumulate(pauses)]
    for number in range(round((end - begin) / MINUTE)):
        coming += [(begin + number * MINUTE + random.uniform(*PUBLISHING), random.choice(workers)) for _ in range(2)]
    coming = sorted((one for one in coming if one[0] < end), key=lambda one: one[0])
    for at, victim in coming:
        time.sleep(max(0.0, at - time.time()))
        if victim in workers and random.random() < 0.5:
            kill_child(victim.pid)
        else:
            victim.kill()
            victim.start()
    time.sleep(max(0.0, end - time.time()))
    return len(coming)


def _judge(outcome: Outcome, engine: Engine, platform: Platform, changes: list[Change], begin: float) -> None:
    """The minutes in which there was killing, and one more."""
    lateness = [_lateness(changes, begin + number * MINUTE) for number in range(outcome.minutes + 1)]
    found = [seconds for seconds in lateness[:-1] if seconds is not None]
    outcome.on_time = len(found)
    outcome.median_seconds, outcome.slowest_seconds = round(median(found), 2), round(max(found), 2)
    with engine.connect() as connection:
        rows = connection.execute(select(Publication).order_by(Publication.id)).all()
    outcome.published = sum(row.outcome == PUBLISHED for row in rows)
    outcome.abandoned = sum(row.outcome == ABANDONED for row in rows)
    outcome.creates = sum(made.call == "menu/create" for made in platform.state.made)
    outcome.problems = [
        f"neither in minute {number} nor in the next the right menu was there"
        for number, pair in enumerate(pairwise(lateness))
        if pair == (None, None)
    ]
    outcome.problems += _overlaps(rows)
    if lateness[-1] is None:
        outcome.problems.append("when it was over the right menu was not there")
    if outcome.on_time < outcome.minutes - outcome.abandoned:
        outcome.problems.append("a menu was late, and nobody was killed who was publishing")
    if outcome.creates > outcome.minutes + 2 + outcome.kills:  # with the minutes before and behind
        outcome.problems.append(f"{outcome.creates} calls for {outcome.minutes} switches and {outcome.kills} kills")


def _lateness(changes: Sequence[Change], minute: float) -> float | None:
    """How many seconds after the beginning of a minute its menu was there; None if it never was."""
    wanted = MENUS[int(minute // MINUTE) % len(MENUS)]  # as the minutes of an hour, too
    later = [*(change.at for change in changes[1:]), inf]
    for change, until in zip(changes, later, strict=True):
        if change.menu == wanted and change.at < minute + MINUTE and until > minute:
            return max(change.at - minute, 0.0)
    return None


def _overlaps(rows: Sequence[Row[Any]]) -> Iterator[str]:
    """A publication that was live ended when the one after it was written down; the others, as they say."""
    published = [row for row in rows if row.outcome == PUBLISHED]
    written_down = {later.id: former.ended_at for former, later in pairwise(published)}
    for one, other in pairwise(rows):
        ended_at = written_down.get(one.id) if one.outcome == PUBLISHED else one.ended_at
        if ended_at is not None and ended_at > other.started_at:
            yield f"publications {one.id} and {other.id} were under way at the same time"


def _schedule(engine: Engine) -> None:
    migrations.upgrade(engine)
    account = configured(SHOP)
    now = datetime.now(UTC)
    with transaction(engine) as connection:
        upsert_accounts(connection, [account])
        account_id = account_ids(connection, {account.app_id: account.name})[account.app_id]
        for number, name in enumerate(MENUS):
            buttons = [{"type": "click", "name": name, "key": name}]
            personal = [{"button": buttons, "matchrule": {"tag_id": str(tag)}} for tag in TAGS]
            menu = read({"menu": {"button": buttons}, "conditionalmenu": personal})
            save_version(connection, account_id, in_json(menu), digest(menu), now=now)
            version = menu_versions.version(connection, account_id)
            assert version is not None
            cron = f"{number}-59/{len(MENUS)} * * * *"
            add_rotation(connection, Draft(account_id=account_id, menu_id=version.id, cron=cron, duration=60))


def _table(outcome: Outcome) -> Table:
    table = Table(show_header=False, style="red" if outcome.problems else None)
    for name, value in asdict(outcome).items():
        table.add_row(name.replace("_", " "), "\n".join(value) if isinstance(value, list) else f"{value}")
    return table


if __name__ == "__main__":
    main()

"""Handlers are called for recorded events by a worker of their own, whatever they do."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.workers.handled import Handled, changes, events, package
from tests.workers.running import Running

Run = Callable[..., Handled]
TRIED = """
FOLDER = {folder!r}
def note(event):
    with open(os.path.join(FOLDER, "called"), "a") as file:
        print(event.event_key, event.attempt, file=file)
"""


@pytest.fixture
def run(run_worker: Callable[..., Running], tmp_path: Path) -> Iterator[Run]:
    """Runs a worker with one package of handlers; `more` is Python that changes what the worker does."""
    started: list[Handled] = []

    def run(broker_url: str, source: str, *names: str, more: str = "", database_url: str = "") -> Handled:
        package(tmp_path / "site", "tried_handlers", TRIED.format(folder=str(tmp_path)) + source)
        worker = run_worker(broker_url, changes(tmp_path / "site", more), "handlers", database_url)
        started.append(Handled(worker, tmp_path, database_url))
        started[-1].wait_for_handlers(*names or ["tried"])
        return started[-1]

    yield run
    for one in started:
        one.tables.dispose()


def called(folder: Path) -> list[str]:
    path = folder / "called"
    return path.read_text().splitlines() if path.exists() else []


@pytest.fixture(params=["embedded sqlite", "redis postgresql", "rabbitmq mariadb"])
def urls(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Of a broker and a database; each kind is in one of the pairs."""
    broker, database = request.param.split()
    return request.getfixturevalue(f"{broker}_url"), request.getfixturevalue(f"{database}_database_url")


def test_a_handler_is_called_once_for_each_event_that_it_wants(urls: tuple[str, str], run: Run, tmp_path: Path) -> None:
    handled = run(urls[0], "@on('click', key='want*')\ndef tried(event): note(event)\n", database_url=urls[1])
    given = events("wanted", "other", "want", "not wanted")
    handled.record(*given)
    handled.record(*given)
    handled.wait_for({"wanted": "done", "want": "done"})

    assert ["want 1", "wanted 1"] == sorted(called(tmp_path))
    assert 0 == handled.worker.stop()


def test_what_a_handler_does_to_itself_is_listed_by_a_fixed_reason(embedded_url: str, run: Run, tmp_path: Path) -> None:
    handled = run(
        embedded_url,
        """
class Odd(Exception):
    pass

@on('click', retries=1, time_limit=0.5)
def tried(event):
    note(event)
    if event.event_key == 'raise': raise Odd('what a follower wrote')
    if event.event_key == 'exit': raise SystemExit(3)
    if event.event_key == 'hang':
        while True:
            try: time.sleep(60)
            except Exception: pass
    if event.event_key == 'memory': return 'x' * (1 << 40)
    if event.event_key == 'kill': os.kill(os.getpid(), signal.SIGKILL)
    if event.event_key == 'nonsense': return 42
    if event.event_key == 'half': return Text(7)
    if event.event_key == 'later': raise TryAgain('no_stock', after=3600)
    if event.event_key == 'never': raise GiveUp('no_article')
    if event.event_key == 'made up': raise GiveUp('oUser said hello')
    if event.event_key == 'second' and event.attempt == 1: raise Odd
""",
        more="from workers.handlers import Handler; Handler.wait = lambda self, attempts: 0",
    )
    keys = ["raise", "exit", "hang", "memory", "kill", "nonsense", "half", "later", "never", "second"]
    handled.record(*events(*keys, "made up"))
    failed = dict.fromkeys([*keys, "made up"], "failed") | {"later": "pending", "second": "done"}
    handled.wait_for(failed)

    assert {
        "raise": ("raised", "Odd", 2),
        "exit": ("raised", "SystemExit", 2),
        "hang": ("timed_out", None, 2),
        "memory": ("out_of_memory", "MemoryError", 2),
        "kill": ("killed", None, 2),
        "nonsense": ("bad_reply", "int", 1),
        "half": ("bad_reply", "Text", 1),
        "later": ("no_stock", None, 1),
        "never": ("no_article", None, 1),
        "made up": ("unnamed", None, 1),
        "second": (None, None, 2),
    } == handled.reasons()
    log = (tmp_path / "log").read_text()
    assert "what a follower wrote" not in log
    assert "oUser" not in log
    assert 0 == handled.worker.stop()


def test_one_package_that_cannot_be_imported_is_in_nobodys_way(embedded_url: str, run: Run, tmp_path: Path) -> None:
    site = tmp_path / "site"
    raising = "@on('click', name='half')\ndef half(event): pass\nraise RuntimeError('a secret')\n"
    package(site, "a_raises", raising)
    package(site, "b_exits", "raise SystemExit(1)\n")
    package(site, "c_is_slow", "try: time.sleep(60)\nexcept Exception: pass\n")
    package(site, "u_same_name", "@on('click')\ndef tried(event): pass\n")  # after tried_handlers
    handled = run(
        embedded_url, "@on('click')\ndef tried(event): note(event)\n", more="handler_packages.IMPORT_PATIENCE = 0.5"
    )
    handled.record(*events("a"))
    handled.wait_for({"a": "done"})

    failed = [line for line in handled.worker.lines() if line["event"] == "handlers not loaded"]
    told = {line["entry_point"]: line["error"] for line in failed}
    expected = {"a_raises": "RuntimeError", "b_exits": "SystemExit", "c_is_slow": "too_slow"}
    assert expected | {"u_same_name": "ValueError"} == told
    assert "a secret" not in (tmp_path / "log").read_text()
    assert {} == handled.rows("half")


def test_a_call_that_hears_no_signals_is_killed_with_its_process(embedded_url: str, run: Run, tmp_path: Path) -> None:
    handled = run(
        embedded_url,
        """
import hashlib

@on('click', retries=0, time_limit=0.5)
def tried(event):
    note(event)
    if event.event_key == 'deaf': hashlib.pbkdf2_hmac('sha1', b'', b'', (1 << 31) - 1)
""",
        more="from datetime import timedelta; dispatch.MARGIN = timedelta(seconds=1)",
    )
    handled.record(*events("deaf"))
    handled.wait_for({"deaf": "failed"})
    handled.record(*events("next", at=1_790_000_100))
    handled.wait_for({"deaf": "failed", "next": "done"})

    assert ("timed_out", None, 1) == handled.reasons()["deaf"]
    assert ["deaf 1", "next 1"] == called(tmp_path)

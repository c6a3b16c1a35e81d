"""Runs child processes: starts again what dies, stops all in order, leaves nobody behind."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

import click

from console.i18n import _

SHORTEST_WAIT, LONGEST_WAIT = 0.2, 5.0  # seconds before a dead child is started again
STOP_PATIENCE = 10.0  # seconds that a child may take to stop, unless it says otherwise
LONG_LIFE = 10.0  # seconds after which a child counts as having run well
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Child:
    """A process to keep running."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] | None = None  # of this process, unless given
    patience: float = STOP_PATIENCE
    descriptors: Sequence[int] = ()  # open files that it inherits
    reloads: bool = False  # on SIGHUP, which then stops nobody

    @classmethod
    def python(cls, name: str, *arguments: str, **settings: Any) -> "Child":
        """A module of ours, run by this very Python."""
        return cls(name, [sys.executable, "-m", *arguments], **settings)


def supervise(children: Sequence[Child]) -> None:
    """Keep the children running until this process is told to stop; then stop them in their order.

    SIGHUP goes on to those that reload, where there are any, unless it is a terminal's hang-up. A second signal to
    stop kills. Must be called from the main thread.
    """
    running = [_Running(child) for child in children]
    reloading = [one for one in running if one.child.reloads and not os.isatty(0)]
    stopping = [number for number in STOP_SIGNALS if number != signal.SIGHUP or not reloading]
    with _signals() as signals:
        try:
            while (number := _next(signals, min(one.rest() for one in running))) not in stopping:
                for one in running:
                    one.revive()
                for one in reloading if number == signal.SIGHUP else ():
                    one.reload()
            if number == signal.SIGINT:
                click.echo(_("Stopping; Ctrl-C once more to stop at once."), err=True)
            all(one.stop(signals) for one in running)
        finally:
            for one in running:
                one.kill()


class _Running:
    """A child, and what became of it so far."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.wait = SHORTEST_WAIT / 2
        self.due_at = 0.0  # when it is to be started, while there is no process

    def rest(self) -> float:
        """Seconds until there is something to do without a signal."""
        return LONGEST_WAIT if self.process else max(0.0, self.due_at - time.monotonic())

    def revive(self) -> None:
        """Start what does not run, after a wait that doubles with each early death."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.due_at:
                self._start()
        elif (code := self.process.poll()) is not None:
            self.kill()
            self.wait = SHORTEST_WAIT if now - self.started_at > LONG_LIFE else min(self.wait * 2, LONGEST_WAIT)
            self.due_at = now + self.wait
            self._report(code)

    def reload(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGHUP)

    def stop(self, signals: "SimpleQueue[int]") -> bool:
        """Ask to stop, and kill after as long as the child may take. False: a signal to stop ended the waiting."""
        if self.process is None:
            return True
        self.process.terminate()
        give_up_at = time.monotonic() + self.child.patience
        while self.process.poll() is None:
            rest = give_up_at - time.monotonic()
            if rest <= 0:
                click.echo(_("{name} does not stop; killed.").format(name=self.child.name), err=True)
                break
            if _next(signals, rest) in STOP_SIGNALS:
                return False
        self.kill()
        return True

    def kill(self) -> None:
        """With all that it has started in its session: a killed worker would leave its pool behind."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def _start(self) -> None:
        self.started_at = time.monotonic()
        # In a session of its own, so that Ctrl-C in a terminal reaches the supervisor alone, which then stops in order.
        self.process = subprocess.Popen(  # noqa: S603 - the commands are our own
            self.child.command,
            env=self.child.environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=self.child.descriptors,
        )

    def _report(self, code: int) -> None:
        how = _("exit code {code}").format(code=code) if code >= 0 else signal.Signals(-code).name
        text = _("{name} ended ({how}); started again in {seconds:.1f} s.")
        click.echo(text.format(name=self.child.name, how=how, seconds=self.wait), err=True)


@contextlib.contextmanager
def _signals() -> Iterator["SimpleQueue[int]"]:
    """The signals that arrive. A SimpleQueue, because a handler may interrupt the very thread that waits for it."""
    arrived: SimpleQueue[int] = SimpleQueue()
    old = {
        number: signal.signal(number, lambda number, _frame: arrived.put(number))
        for number in (*STOP_SIGNALS, signal.SIGCHLD)
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN  # as under nohup
    }
    try:
        yield arrived
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


def _next(signals: "SimpleQueue[int]", seconds: float) -> int | None:
    """The next signal, or None when none comes for so long."""
    try:
        return signals.get(timeout=seconds)
    except Empty:
        return None

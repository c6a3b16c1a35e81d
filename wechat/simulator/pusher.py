"""Delivers pushes to a server as WeChat does: five seconds of patience, three attempts, keep-alive."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from wechat.simulator.account import Account
from wechat.simulator.answer import Answer, understand
from wechat.simulator.connection import Connection, Response, target
from wechat.simulator.deliveries import NO_FAULTS, Delivery, Faults, deliveries
from wechat.simulator.ledger import Line
from wechat.simulator.pushes import Push
from wechat.simulator.report import Report
from wechat.simulator.request import Mode

_BEHIND = 0.05  # seconds by which a rate may be caught up


@dataclass
class Pusher:
    """Pushes to one account's callback, which has to be on this machine."""

    url: str
    account: Account
    mode: Mode = "plain"
    threads: int = 8
    rate: float = 0.0  # pushes a second; 0 is as fast as answers come
    timeout: float = 5.0
    attempts: int = 3
    # A push that failed all its attempts is tried again every `pause` seconds, for `patience` seconds: WeChat does not,
    # but tests that kill servers need it.
    patience: float = 0.0
    pause: float = 1.0
    faults: Faults = NO_FAULTS
    seed: int = 0

    def __post_init__(self) -> None:
        self._target = target(self.url, self.account.name)
        if self.mode != "plain":
            _ = self.account.key  # a missing key is told here, not by every thread
        self._stop = threading.Event()
        self._source_lock = threading.Lock()
        self._report_lock = threading.Lock()
        self._slot = 0.0

    def run(self, pushes: Iterable[Push], on_line: Callable[[Line], None] | None = None) -> Report:
        """Deliver all of them; `on_line` is called with each delivery when it is over, one at a time."""
        report = Report()
        source = deliveries(pushes, self.account, self.mode, self.faults, self.seed)

        def note(line: Line) -> None:
            with self._report_lock:
                report.add(line)
                if on_line is not None:
                    on_line(line)

        self._stop.clear()
        begun = self._slot = time.monotonic()
        with ThreadPoolExecutor(self.threads) as pool:
            work = [pool.submit(self._work, source, note) for _ in range(self.threads)]
            try:
                for done in as_completed(work):
                    done.result()
            except BaseException:
                self._stop.set()
                raise
        report.elapsed = time.monotonic() - begun
        return report

    def _work(self, source: Iterator[Delivery], note: Callable[[Line], None]) -> None:
        connection = Connection(self._target, self.timeout)
        try:
            while (delivery := self._take(source)) is not None:
                note(self._deliver(delivery, connection))
        finally:
            connection.close()

    def _take(self, source: Iterator[Delivery]) -> Delivery | None:
        with self._source_lock:
            if self.rate:
                now = time.monotonic()
                self._slot = max(self._slot + 1 / self.rate, now - _BEHIND)
                self._stop.wait(self._slot - now)
            return None if self._stop.is_set() else next(source, None)

    def _deliver(self, delivery: Delivery, connection: Connection) -> Line:
        """Attempt until it is acknowledged, or the attempts and the patience are used up.

        What is signed wrongly does not come from WeChat, so nobody repeats it.
        """
        until = time.monotonic() + (self.patience if delivery.id else 0.0)
        made = 0
        while True:
            response = connection.post(delivery.request)
            answer = self._understand(response, delivery.message)
            made += 1
            if answer.is_acknowledged or delivery.id is None:
                break
            if made >= self.attempts and (time.monotonic() >= until or self._stop.wait(self.pause)):
                break
        return Line(
            id=delivery.id,
            answer=answer.outcome,
            seconds=round(response.seconds, 6),
            kind=delivery.kind,
            attempts=made,
            detail=answer.detail,
            damage=delivery.damage,
            repeat=delivery.repeat,
        )

    def _understand(self, response: Response, push: bytes) -> Answer:
        if response.status is None:
            return Answer("failed", response.error)
        return understand(response.status, response.body, self.account, self.mode, push)

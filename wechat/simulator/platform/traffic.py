"""The daily life of the followers: acts at a rate, delivered by some threads."""

import queue
import threading
import time
from collections.abc import Iterator
from random import Random

from wechat.simulator.account import Account
from wechat.simulator.platform.acting import Audience, note
from wechat.simulator.platform.callback import Callback
from wechat.simulator.platform.platform import Platform
from wechat.simulator.pushes import Push, play
from wechat.simulator.rhythm import live

_THREADS = 8
_BEHIND = 0.05  # seconds by which the rate may be caught up
_WAITING = 1000  # pushes made and not delivered, above which nobody does anything


class Traffic:
    """Runs from `start` to `stop`; `rate` is that of all accounts together, in pushes a second."""

    def __init__(self, platform: Platform, rate: float, seed: int | None = None) -> None:
        self._platform = platform
        self._rate = rate
        self._random = Random(seed)  # noqa: S311
        self._pushes: queue.Queue[tuple[Account, Push]] = queue.Queue(_WAITING)
        self._stop = threading.Event()
        self._maker = threading.Thread(target=self._make, name="followers")
        self._couriers = [threading.Thread(target=self._deliver, name="courier") for _ in range(_THREADS)]

    def start(self) -> None:
        for thread in (self._maker, *self._couriers):
            thread.start()

    def stop(self) -> None:
        """What is made is not delivered any more, but for what is under way."""
        self._stop.set()
        for thread in (self._maker, *self._couriers):
            thread.join()

    def _make(self) -> None:
        accounts = list(self._platform.accounts.values())
        streams = [(account, self._stream(account)) for account in accounts]
        slot = time.monotonic()
        while not self._stop.wait(slot - time.monotonic()):
            slot = max(slot + 1 / self._rate, time.monotonic() - _BEHIND)
            account, stream = self._random.choice(streams)
            with self._platform.lock:
                push = next(stream)
                note(self._platform, account, push)
            self._put(account, push)

    def _stream(self, account: Account) -> Iterator[Push]:
        scene = Audience(self._platform, account, self._random)
        return play(account, scene, live(self._platform.now))

    def _put(self, account: Account, push: Push) -> None:
        while not self._stop.is_set():
            try:
                self._pushes.put((account, push), timeout=0.2)
            except queue.Full:
                continue
            return

    def _deliver(self) -> None:
        callback = Callback(self._platform)
        try:
            while not self._stop.is_set():
                try:
                    waiting = self._pushes.get(timeout=0.2)
                except queue.Empty:
                    continue
                callback.deliver(*waiting)
        finally:
            callback.close()

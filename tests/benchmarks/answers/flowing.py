"""A flow of taps through a broker to real workers, and when answers know of them."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from msgspec.structs import replace
from sqlalchemy import Engine

from ingest.broker import Broker
from models.event import MENU_KINDS
from models.rollups import taps
from tests.benchmarks.tables.events import events, payload
from tests.benchmarks.tables.processes import wait_until
from wechat.event import Event

BATCH = 500  # events
_RECEIPTS = "receipts.rolling"
_UNDER_WAY = 16  # batches without a receipt, at most: as many events as the tables stand, and no queue before them
_GLANCE = 0.2  # seconds between questions
_PATIENCE = 60.0  # seconds


@dataclass
class Flow:
    """What was sent and recorded, and what answers told; moments are of the monotonic clock."""

    rate: float | None  # events a second; None: as many as are recorded
    followers: int | None  # who tap; None: somebody new each time
    sent: list[tuple[float, int]] = field(default_factory=list)  # with the taps of the menu until then
    seen: list[tuple[float, int]] = field(default_factory=list)
    recorded: int = 0  # events
    _number: int = 0
    _random: Random = field(default_factory=lambda: Random(1))
    _is_over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def flowing(self, broker_url: str, engine: Engine, account_id: int) -> Iterator[None]:
        """Meanwhile it flows; afterwards all of it is in the rollups."""
        sending = threading.Thread(target=self._send, args=(broker_url,))
        asking = threading.Thread(target=self._ask, args=(engine, account_id), daemon=True)
        sending.start()
        asking.start()
        try:
            yield
        finally:
            self._is_over.set()
            sending.join()
        wait_until(lambda: bool(self.seen) and self.seen[-1][1] >= self.sent[-1][1], _PATIENCE)

    def delays(self, since: float, until: float) -> list[float]:
        """Of each batch that was sent in this time: the seconds until an answer knew it and all before it."""
        answers = iter(list(self.seen))
        at, known = next(answers)
        found = []
        for sent, tapped in self.sent:
            while known < tapped:
                at, known = next(answers)
            if since <= sent < until:
                found.append(at - sent)
        return found

    def _send(self, broker_url: str) -> None:
        under_way: set[str] = set()
        tapped, begun = 0, time.monotonic()
        with Broker(broker_url, _RECEIPTS) as broker:
            while under_way or not self._is_over.is_set():
                is_due = self.rate is None or time.monotonic() >= begun + self._number / self.rate
                if is_due and len(under_way) < _UNDER_WAY and not self._is_over.is_set():
                    batch = [self._anew(event) for event in events(BATCH, datetime.now(UTC))]
                    batch_id, encoded = payload(batch, _RECEIPTS)
                    tapped += sum(event.kind in MENU_KINDS for event in batch)
                    self.sent.append((time.monotonic(), tapped))
                    broker.publish(batch_id, encoded)
                    under_way.add(batch_id)
                arrived = set(broker.receipts(0.002)) & under_way
                under_way -= arrived
                self.recorded += BATCH * len(arrived)

    def _anew(self, event: Event) -> Event:
        self._number += 1
        if event.open_id is None:
            return event
        number = self._number if self.followers is None else self._random.randrange(self.followers)
        return replace(event, open_id=f"o6_bmjrPTlm6_2sg{number * 2654435761 % 2**44:012x}")  # in no order

    def _ask(self, engine: Engine, account_id: int) -> None:
        today = datetime.now(UTC).date()
        around = today - timedelta(days=1), today + timedelta(days=1)
        while True:
            with engine.connect() as connection:
                found = taps(connection, account_id, *around)
            self.seen.append((time.monotonic(), sum(row.taps for row in found)))
            time.sleep(_GLANCE)

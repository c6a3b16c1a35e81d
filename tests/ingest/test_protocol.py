"""The protocol of batches and receipts against whatever may happen to it, by a state machine.

The publisher and its journal are real; broker, workers and time are models. After any history a calm period must end
with every entry recorded, or, where it kills workers, in quarantine.
"""

import base64
import json
import random
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pydantic import SecretStr

from ingest import publish, segment, sends
from ingest.broker import BrokerError
from ingest.journal import Slot
from ingest.publish import Publisher
from ingest.segment import SegmentWriter, segments
from models.config import DoorConfig

WINDOW, EVENTS = 6, 8  # at most, without receipt and in a batch
HALVES = 4  # in which a batch of so many may lie about
PROCESS = 0  # the slot of the one process of each door
DELIVERIES_AT_MOST = 3  # as workers count


@dataclass
class Message:
    """A batch as the broker holds it."""

    id: str
    entries: list[str]
    suspect: str | None
    deliveries: int = 0

    @classmethod
    def read(cls, payload: bytes) -> "Message":
        fields = json.loads(payload)
        suspect = fields.get("suspect")
        return cls(fields["id"], fields.get("entries", []), json.loads(base64.b64decode(suspect)) if suspect else None)


@dataclass
class World:
    """What hosts share: the broker with its two queues, and the tables."""

    events: list[Message] = field(default_factory=list)
    held: list[Message] = field(default_factory=list)  # by workers that wait for their database
    receipts: list[str] = field(default_factory=list)
    recorded: set[str] = field(default_factory=set)
    quarantined: set[str] = field(default_factory=set)

    def work(self, message: Message, receipt_is_lost: bool = False) -> None:
        """What workers/batch.py does with a message; a poisoned entry kills whoever decodes it."""
        message.deliveries += 1
        if message.deliveries >= DELIVERIES_AT_MOST:
            return
        if any(entry.startswith("poison") for entry in message.entries):
            self.events.append(message)
            return
        self.recorded.update(message.entries)
        if message.suspect is not None:
            self.quarantined.add(message.suspect)
        if not receipt_is_lost:
            self.receipts.append(message.id)


@dataclass
class History:
    """What a host has sent and been told, to judge what it sends next."""

    number: int = 0
    last_sent: dict[str, int] = field(default_factory=dict)  # entry → number of its last send
    by_id: dict[str, int] = field(default_factory=dict)  # batch → number of its last send
    proofs: list[tuple[float, int]] = field(default_factory=list)  # when which send had its receipt
    alone: Counter[str] = field(default_factory=Counter)

    def note(self, message: Message, now: float) -> None:
        self.number += 1
        self.by_id[message.id] = self.number
        for entry in message.entries:
            before = self.last_sent.get(entry)
            overtaken = [at for at, number in self.proofs if before is not None and number > before]
            assert before is None or any(at <= now - 30 for at in overtaken), f"{entry} sent again without cause"
            self.last_sent[entry] = self.number
        if len(message.entries) == 1:
            self.alone[message.entries[0]] += 1
        assert message.suspect is None or self.alone[message.suspect] >= 4, f"{message.suspect} is suspect too early"

    def told(self, ids: list[str], now: float) -> None:
        self.proofs += [(now, self.by_id[one]) for one in ids if one in self.by_id]


class Host:
    """A door's journal and its publisher; also the broker as that publisher sees it."""

    def __init__(self, directory: Path, world: World, clock: Any, entries: set[str]) -> None:
        self.directory, self.world, self.clock, self.history = directory, world, clock, History()
        self.entries = set(entries)  # all that was ever acknowledged, and is in the journal or was
        self.fails_after: int | None = None
        self.fails_late = False
        self.journal = directory / "journal"
        self.journal.mkdir(exist_ok=True)
        self.start()

    def start(self) -> None:
        config = DoorConfig(data_dir=self.directory, broker_url=SecretStr("model://"))
        self.slot = Slot(self.journal, PROCESS)
        self.writer = SegmentWriter(self.journal, PROCESS)
        self.publisher = Publisher(config)

    def stop(self) -> None:
        """As SIGKILL does, but for what SQLite keeps open."""
        self.slot.close()
        self.writer.close()
        self.stop_publisher()

    def stop_publisher(self) -> None:
        self.publisher._reader.close()
        self.publisher._state.rollback()
        self.publisher._state.close()

    def rotate(self) -> None:
        former, self.writer = self.writer, SegmentWriter(self.journal, PROCESS)
        former.close()

    def turn(self) -> None:
        """One round of the publisher, and what it does when the broker fails."""
        try:
            self.publisher._round(self)  # type: ignore[arg-type]
        except BrokerError:
            self.publisher._state.commit()

    def receipts(self, _seconds: float) -> list[str]:
        taken, self.world.receipts[:] = list(self.world.receipts), []
        self.history.told(taken, self.clock.now)
        return taken

    def taps(self) -> Counter[str]:
        return Counter()

    def publish(self, batch_id: str, payload: bytes) -> None:
        message = Message.read(payload)
        assert batch_id == message.id
        if self.fails_after == 0:
            if self.fails_late:
                self.world.events.append(message)  # it got through, and nobody said so
            raise BrokerError("gone", "test")
        if self.fails_after is not None:
            self.fails_after -= 1
        self.world.events.append(message)
        self.history.note(message, self.clock.now)


class Protocol(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="caidan-"))
        self.clock = SimpleNamespace(now=1_800_000_000.0)
        self.patch = pytest.MonkeyPatch()
        time = SimpleNamespace(time=lambda: self.clock.now, monotonic=lambda: self.clock.now)
        for module in (publish, segment):
            self.patch.setattr(module, "time", time)
        for module in (publish, sends):
            self.patch.setattr(module, "WINDOW", WINDOW)
        self.patch.setattr(publish, "EVENTS_PER_BATCH", EVENTS)
        self.world = World()
        self.folders = 0
        self.hosts = [Host(self.new_folder(), self.world, self.clock, set())]
        self.appended = 0
        self.snapshot: tuple[Path, set[str]] | None = None

    def new_folder(self) -> Path:
        self.folders += 1
        folder = self.folder / str(self.folders)
        folder.mkdir()
        return folder

    def host(self, index: int) -> Host:
        return self.hosts[index % len(self.hosts)]

    @rule(count=st.integers(1, 20), poisoned=st.sampled_from([0, 0, 0, 1, 2]), index=st.integers(0, 1))
    def append(self, count: int, poisoned: int, index: int) -> None:
        """Pushes arrive, acknowledged one and all."""
        names = [f"{'poison' if n < poisoned else 'entry'}{self.appended + n}" for n in range(count)]
        self.appended += count
        self.host(index).writer.append([json.dumps(name).encode() for name in names])
        self.host(index).entries.update(names)

    @rule(index=st.integers(0, 1))
    def rotate(self, index: int) -> None:
        self.host(index).rotate()

    @rule(index=st.integers(0, 1), seconds=st.sampled_from([0, 1, 31, 61, 500, 4000, 90_000]))
    def publish(self, index: int, seconds: int) -> None:
        self.clock.now += seconds
        self.host(index).turn()

    @rule(index=st.integers(0, 1), after=st.integers(0, 3), late=st.booleans())
    def publish_to_a_broker_that_fails(self, index: int, after: int, late: bool) -> None:
        host = self.host(index)
        host.fails_after, host.fails_late = after, late
        host.turn()
        host.fails_after = None

    @precondition(lambda self: self.world.events)
    @rule(place=st.integers(0, 50), lost=st.booleans())
    def record(self, place: int, lost: bool) -> None:
        """A worker records a batch, in whatever order; its receipt may be lost."""
        self.world.work(self.world.events.pop(place % len(self.world.events)), receipt_is_lost=lost)

    @rule()
    def record_all(self) -> None:
        messages, self.world.events[:] = list(self.world.events), []
        for message in messages:
            self.world.work(message)

    @precondition(lambda self: self.world.events)
    @rule(place=st.integers(0, 50))
    def lose(self, place: int) -> None:
        del self.world.events[place % len(self.world.events)]

    @precondition(lambda self: self.world.events)
    @rule(place=st.integers(0, 50))
    def deliver_twice(self, place: int) -> None:
        message = self.world.events[place % len(self.world.events)]
        self.world.events.append(Message(message.id, message.entries, message.suspect))

    @precondition(lambda self: self.world.events)
    @rule(place=st.integers(0, 50))
    def hold(self, place: int) -> None:
        """A worker waits for its database with a batch in its hands."""
        self.world.held.append(self.world.events.pop(place % len(self.world.events)))

    @rule()
    def release(self) -> None:
        """What was held is put back, as fresh messages."""
        self.world.events += [Message(one.id, one.entries, one.suspect) for one in self.world.held]
        self.world.held.clear()

    @rule(events=st.booleans(), receipts=st.booleans())
    def purge(self, events: bool, receipts: bool) -> None:
        if events:
            self.world.events.clear()
        if receipts:
            self.world.receipts.clear()

    @rule(index=st.integers(0, 1))
    def restart_publisher(self, index: int) -> None:
        host = self.host(index)
        host.stop_publisher()
        host.publisher = Publisher(DoorConfig(data_dir=host.directory, broker_url=SecretStr("model://")))

    @rule(index=st.integers(0, 1))
    def restart_host(self, index: int) -> None:
        host = self.host(index)
        host.stop()
        host.start()

    @rule()
    def lose_the_state_of_the_publisher(self) -> None:
        host = self.hosts[0]
        host.stop()
        for part in host.journal.glob("reader.db*"):
            part.unlink()
        host.history = History()
        host.start()

    @precondition(lambda self: len(self.hosts) == 1)
    @rule()
    def clone(self) -> None:
        """Two hosts of one name: each takes receipts that the other waits for."""
        folder = self.new_folder()
        shutil.copytree(self.hosts[0].directory, folder, dirs_exist_ok=True)
        self.hosts.append(Host(folder, self.world, self.clock, self.hosts[0].entries))

    @rule()
    def take_snapshot(self) -> None:
        folder = self.new_folder()
        shutil.copytree(self.hosts[0].directory, folder, dirs_exist_ok=True)
        self.snapshot = (folder, set(self.hosts[0].entries))

    @precondition(lambda self: self.snapshot)
    @rule()
    def restore(self) -> None:
        """The disk is as it was; what was acknowledged since was on it alone."""
        assert self.snapshot
        for host in self.hosts:
            host.stop()
        self.hosts = [Host(self.snapshot[0], self.world, self.clock, self.snapshot[1])]
        self.snapshot = None

    @invariant()
    def unreceipted_batches_are_bounded(self) -> None:
        for host in getattr(self, "hosts", []):
            at_once = 2 * len(segments(host.journal))  # a round that begins below the window is not cut short
            assert len(host.publisher._sends) < WINDOW + at_once + HALVES

    def teardown(self) -> None:
        try:
            if hasattr(self, "hosts"):
                self.calm_down()
        finally:
            for host in self.hosts:
                host.stop()
            self.patch.undo()
            shutil.rmtree(self.folder)

    def calm_down(self) -> None:
        """Nothing fails any more, but for workers over what kills them."""
        chance = random.Random(1)
        self.release()
        for _ in range(1500):
            if self.unsettled() == (set(), 0):
                break
            self.clock.now += chance.choice([1, 20, 60, 200])
            for host in chance.sample(self.hosts, len(self.hosts)):
                host.turn()
                while self.world.events:
                    self.record_all()
        assert self.unsettled() == (set(), 0)
        assert not any(entry.startswith("poison") for entry in self.world.recorded)

    def unsettled(self) -> tuple[set[str], int]:
        """What is in no table, and how many batches have no receipt."""
        entries = set().union(*(host.entries for host in self.hosts))
        batches = sum(len(host.publisher._sends) for host in self.hosts)
        return entries - self.world.recorded - self.world.quarantined, batches


TestProtocol = Protocol.TestCase
TestProtocol.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # to make a failure small takes minutes; add Phase.shrink for that
    suppress_health_check=list(HealthCheck),
)

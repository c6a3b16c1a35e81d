"""What happens to a broker in a run, once."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from tests.chaos.brokers import Broker
from tests.chaos.installation import Installation

Pause: TypeAlias = Callable[[float], object]
Fault: TypeAlias = Callable[[Broker, Installation, Pause], None]

DEAD, FROZEN, BLOCKED, GATHERING = 3.0, 20.0, 15.0, 2.0  # seconds


def restarted(broker: Broker, _installation: Installation, _pause: Pause) -> None:
    broker.stop()
    broker.start()


def killed(broker: Broker, _installation: Installation, pause: Pause) -> None:
    broker.kill()
    pause(DEAD)
    broker.start()


def frozen(broker: Broker, _installation: Installation, pause: Pause) -> None:
    broker.freeze()
    pause(FROZEN)
    broker.thaw()


def blocked(broker: Broker, _installation: Installation, pause: Pause) -> None:
    broker.block()
    pause(BLOCKED)
    broker.unblock()


def purged(broker: Broker, installation: Installation, pause: Pause) -> None:
    with installation.without_worker():
        pause(GATHERING)  # so that there is something to lose
        broker.purge(installation.queues())


def deleted(broker: Broker, installation: Installation, pause: Pause) -> None:
    """Twice: while messages wait, and while workers consume."""
    with installation.without_worker():
        pause(GATHERING)
        broker.delete(installation.queues())
    pause(2 * GATHERING)
    broker.delete(installation.queues())


FAULTS: Mapping[str, Fault] = {fault.__name__: fault for fault in (restarted, killed, frozen, blocked, purged, deleted)}

"""Names of queues and tasks, and how each broker is spoken to; imports nothing but kombu."""

import enum
from typing import Any

from kombu import Connection, Queue
from kombu.transport import TRANSPORT_ALIASES

# The embedded broker: caidan+sqlite:///PATH
TRANSPORT_ALIASES["caidan"] = "workers.embedded:Transport"

EVENTS = "events"  # batches, from the publishers to the tables
UPKEEP = "upkeep"  # the scheduled work
RECORD_EVENTS = "caidan.record_events"
RECEIPTS_EXPIRE = 7 * 86400  # seconds after which the queue of an ingress that is gone goes too
DELIVERIES = "x-delivery-count"  # header: how often a message was delivered before, where the broker counts

# RabbitMQ 4 drops a message after 20 deliveries unless told otherwise; the journal repeats, so none is ever dropped.
# Arguments of a queue cannot be changed: a change needs a new name of the queue.
_QUORUM = {"x-queue-type": "quorum", "x-delivery-limit": 1_000_000}
VISIBILITY_TIMEOUT = 900  # seconds; Redis gives a message back after them, so a batch must never take so long


class Role(enum.Enum):
    """Who speaks: a publisher gives up early and tries anew, a worker waits."""

    PUBLISHER = enum.auto()
    WORKER = enum.auto()


def connect(url: str, role: Role) -> Connection:
    """A connection that is not open yet."""
    return Connection(url, transport_options=transport_options(url, role), connect_timeout=2, heartbeat=30)


def transport_options(url: str, role: Role) -> dict[str, Any]:
    """Time limits and guarantees, by broker: none of them is kombu's default, and each was needed (FACTS: traps)."""
    publishing = role is Role.PUBLISHER
    if is_rabbitmq(url):
        limits = {"read_timeout": 2, "write_timeout": 2} if publishing else {}
        return {"confirm_publish": True, "confirm_timeout": 2} | limits
    if is_redis(url):
        return {
            "visibility_timeout": VISIBILITY_TIMEOUT,
            "unacked_restore_interval": 10,
            "unacked_restore_throttle": 1,
            "socket_timeout": 1 if publishing else 5,
            "socket_connect_timeout": 1 if publishing else 5,
            "retry_on_timeout": False,
            "health_check_interval": 10,
        }
    return {}


def is_rabbitmq(url: str) -> bool:
    return url.startswith(("amqp:", "amqps:", "pyamqp:"))


def is_redis(url: str) -> bool:
    return url.startswith(("redis:", "rediss:"))


def work_queue(name: str, url: str) -> Queue:
    """A queue of tasks; on RabbitMQ a quorum queue. Bound to nothing: the default exchange knows it by its name."""
    return Queue(name, routing_key=name, durable=True, queue_arguments=_QUORUM if is_rabbitmq(url) else None)


def receipts_queue(host: str) -> str:
    """The name of the queue from which the publisher of one ingress host takes its receipts."""
    return f"receipts.{host}"


def receipts(name: str, url: str) -> Queue:
    """The queue of receipts by its name, declared alike by publisher and worker."""
    arguments = {"x-expires": RECEIPTS_EXPIRE * 1000} if is_rabbitmq(url) else None
    return Queue(name, routing_key=name, durable=True, queue_arguments=arguments)

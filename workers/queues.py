"""Names of queues and tasks, and how each broker is spoken to; imports nothing but kombu."""

import contextlib
import enum
import re
from collections.abc import Mapping
from typing import Any

from kombu import Connection, Queue
from kombu.transport import TRANSPORT_ALIASES

# The embedded broker: caidan+sqlite:///PATH
TRANSPORT_ALIASES["caidan"] = "workers.embedded:Transport"

EVENTS = "events"  # batches, from the publishers to the tables
UPKEEP = "upkeep"  # the scheduled work
MENUS = "menus"  # of that, what must be done within its minute
ROLLUPS = "rollups"  # and within seconds
# Celery's workers of `caidan worker`, and their queues.
LISTENING = {"events": (EVENTS, UPKEEP), "menus": (MENUS, ROLLUPS)}
HANDLERS = "handlers"  # a part as well, where there are handlers; each of them has a queue of its own
RECORD_EVENTS = "caidan.record_events"
HAND_OUT_REPLIES = "caidan.hand_out_replies"
RECEIPTS_EXPIRE = 7 * 86400  # seconds after which the queue of an ingress that is gone goes too
# What receipts count beside their batch: taps, by the case of the rule that ties them to a publication.
TAP_CASES = ("menu_id", "live", "earlier", "later", "attempted", "before_first", "unknown")
SNAPSHOT_BYTES = 4 << 20  # at most, of what workers hand to an ingress through that queue
REPLIES_BYTES = 3 << 20  # of these, for the reply rules of all accounts together
DELIVERIES = "x-delivery-count"  # header: how often a message was delivered before, where the broker counts

# RabbitMQ 4 drops a message after 20 deliveries unless told otherwise; the journal repeats, so none is ever dropped.
# Arguments of a queue cannot be changed: a change needs a new name of the queue.
_QUORUM = {"x-queue-type": "quorum", "x-delivery-limit": 1_000_000}
TIME_LIMIT = 600  # seconds; above the 300 that a batch may wait
VISIBILITY_TIMEOUT = 900  # seconds; Redis gives a message back after them, so a batch must never take so long

_SETTINGS = ("appendonly", "save", "maxmemory-policy")
_OTHER_QUEUE = re.compile(r"inequivalent arg '(?P<argument>[^']*)' for queue '(?P<queue>[^']*)'.*?: (?P<values>.*)")


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
            # Workers look for messages of the dead; a publisher would do so whenever no receipt waits, half its time.
            "unacked_restore_throttle": 1_000_000 if publishing else 1,
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


def handler_queue(name: str, url: str) -> Queue:
    """The queue of a handler, which goes when nobody has listened to it for as long."""
    arguments = _QUORUM | {"x-expires": RECEIPTS_EXPIRE * 1000} if is_rabbitmq(url) else None
    return Queue(f"handler.{name}", routing_key=f"handler.{name}", durable=True, queue_arguments=arguments)


def handler_task(name: str) -> str:
    return f"caidan.handler.{name}"


def receipts_queue(host: str) -> str:
    """The name of the queue from which the publisher of one ingress host takes its receipts."""
    return f"receipts.{host}"


def receipts(name: str, url: str) -> Queue:
    """The queue of receipts by its name, declared alike by publisher and worker."""
    arguments = {"x-expires": RECEIPTS_EXPIRE * 1000} if is_rabbitmq(url) else None
    return Queue(name, routing_key=name, durable=True, queue_arguments=arguments)


def dangers(connection: Connection, url: str) -> list[str]:
    """What the settings of a broker endanger; nothing where it does not tell them."""
    if not is_redis(url):
        return []
    channel = connection.default_channel
    return dangers_of_visibility(channel.visibility_timeout) + dangers_of_settings(_settings(channel.client))


def dangers_at_start(url: str) -> list[str]:
    """The same for a worker, and what would keep it from its queues; nothing while the broker cannot be reached."""
    if not (is_redis(url) or is_rabbitmq(url)):
        return []
    with connect(url, Role.PUBLISHER) as connection:  # which gives up early
        try:
            for name in (EVENTS, UPKEEP, MENUS, ROLLUPS):
                work_queue(name, url)(connection.default_channel).declare()
            return dangers(connection, url)
        except Exception as error:  # kombu's transports raise errors of many families
            return [explained(error)] if _OTHER_QUEUE.search(str(error)) else []


def explained(error: Exception) -> str:
    """A broker's error, short, and with what to do about it where that is known."""
    found = _OTHER_QUEUE.search(str(error))
    if found is None:
        return f"{type(error).__name__}: {str(error)[:200]}"
    return (
        f"the queue {found['queue']} exists with another {found['argument']} ({found['values'][:100]}), which cannot "
        "be changed: delete the queue, and it is made anew, and what was in it sent again"
    )


def dangers_of_settings(settings: Mapping[str, str]) -> list[str]:
    """What Redis' settings endanger."""
    found = []
    if settings.get("appendonly") == "no" and not settings.get("save", "some"):
        found.append(
            "Redis keeps nothing on disk: when it restarts, what it held is sent again, minutes later; "
            "set `appendonly yes`"
        )
    policy = settings.get("maxmemory-policy", "noeviction")
    if policy != "noeviction":
        found.append(
            f"Redis may throw away queues when its memory is full ({policy}); set `maxmemory-policy noeviction`"
        )
    return found


def dangers_of_visibility(seconds: float) -> list[str]:
    """Whether Redis gives out a batch anew while a worker is still busy with it."""
    if seconds > TIME_LIMIT:
        return []
    return [
        f"visibility_timeout is {seconds:.0f} seconds, and a batch may take {TIME_LIMIT}: it would be given to "
        "another worker meanwhile; leave it out of broker_url"
    ]


def _settings(client: Any) -> dict[str, str]:
    """Empty where asking is forbidden, as with many managed ones."""
    settings: dict[str, str] = {}
    with contextlib.suppress(Exception):  # of redis-py, which only Redis needs
        for name in _SETTINGS:
            settings |= {_text(key): _text(value) for key, value in client.config_get(name).items()}
    return settings


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value

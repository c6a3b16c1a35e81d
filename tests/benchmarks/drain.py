"""Takes batches off the queue and sends receipts, as workers would, but does nothing else: `… drain URL`."""

import re
import sys
from typing import Any

from kombu import Consumer, Producer

from workers.queues import EVENTS, Role, connect, work_queue


def main(url: str) -> None:
    """Drain until killed."""
    with connect(url, Role.WORKER) as connection:
        producer = Producer(connection.default_channel, auto_declare=False)

        queue = work_queue(EVENTS, url)(connection.default_channel)
        queue.declare()
        with Consumer(connection.default_channel, [queue], on_message=lambda m: _settle(m, producer)):
            while True:
                connection.drain_events()


def _settle(message: Any, producer: Producer) -> None:
    found = re.search(r'"receipts":"([^"]+)"', message.payload[0][0][:400])
    assert found
    receipt = {"batch": message.headers["id"]}
    producer.publish(receipt, exchange="", routing_key=found[1], serializer="json")
    message.ack()


if __name__ == "__main__":
    main(sys.argv[1])

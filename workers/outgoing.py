"""What a worker sends to the broker: receipts and snapshots to the publishers, and batches that it puts back."""

import logging
from collections.abc import Mapping
from typing import Any

import msgspec
from celery import Celery
from kombu.utils.uuid import uuid

from workers.queues import EVENTS, RECORD_EVENTS, SNAPSHOT_BYTES

log = logging.getLogger(__name__)

_ONCE_MORE = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2}  # a connection that died while idle


class Outgoing:
    """Sends by Celery's own pool of connections. No method raises: the journal repeats what is lost here, and
    snapshots come daily."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self.receipted: set[str] = set()  # the queues of the ingresses that got receipts, until somebody takes note

    def receipt(self, queue: str, batch_id: str, taps: Mapping[str, int] | None = None) -> None:
        """Tell the publisher that a batch is in the tables, and by which cases its taps were attributed: the ingress
        tells of them on its page of metrics, which workers have none of."""
        receipt = {"batch": batch_id} | ({"taps": dict(taps)} if taps else {})
        self._publish(receipt, queue, "receipt not sent", {})
        self.receipted.add(queue)

    def snapshot(self, queue: str, snapshot: dict[str, Any]) -> bool:
        """Hand an ingress what its door needs of the tables; whether it is on its way."""
        body = msgspec.json.encode({"snapshot": snapshot})
        if len(body) > SNAPSHOT_BYTES:
            log.error("snapshot not sent", extra={"reason": "too_large", "bytes": len(body)})
            return False
        encoded = {"content_type": "application/json", "content_encoding": "utf-8"}
        return self._publish(body, queue, "snapshot not sent", encoded)

    def put_back(self, payload: str) -> None:
        """Put a batch back as a fresh message, so that waiting does not count as dying."""
        message = self._app.amqp.as_task_v2(
            uuid(), RECORD_EVENTS, args=[payload], argsrepr="<batch>", ignore_result=True
        )
        properties = message.properties | {"headers": message.headers, "compression": "zstd"}
        self._publish(message.body, EVENTS, "batch not put back", properties)

    def _publish(self, body: Any, queue: str, failure: str, properties: dict[str, Any]) -> bool:
        try:
            with self._app.producer_or_acquire() as producer:
                options = {"serializer": "json", "retry": True, "retry_policy": _ONCE_MORE} | properties
                producer.publish(body, exchange="", routing_key=queue, **options)
        except Exception as error:  # kombu's transports raise errors of many families, a full Redis one of its own
            log.warning(failure, extra={"error": type(error).__name__})
            return False
        return True

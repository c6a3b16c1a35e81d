"""Rules on their way to the doors: at once, though workers look every ten seconds."""

import contextlib

from models.config import Config

_EXPIRES = 9  # seconds; by then the workers have looked


def hand_out(config: Config) -> None:
    """Ask the workers to hand out the rules, if the broker is there. Never raises."""
    from celery import Celery
    from kombu.utils.uuid import uuid

    from workers.queues import HAND_OUT_REPLIES, ROLLUPS, Role, connect

    with contextlib.suppress(Exception):  # kombu's transports raise errors of many families
        message = Celery(set_as_current=False).amqp.as_task_v2(
            uuid(), HAND_OUT_REPLIES, expires=_EXPIRES, ignore_result=True
        )
        with connect(config.broker_url.get_secret_value(), Role.PUBLISHER) as connection:
            producer = connection.Producer(auto_declare=False)
            producer.publish(
                message.body,
                exchange="",
                routing_key=ROLLUPS,
                headers=message.headers,
                serializer="json",
                **message.properties,
            )

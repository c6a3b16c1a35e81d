"""The ingresses: known by the queues of their receipts, and handed what their doors need of the tables.

This is the only way for anything from the workers to the doors, which reach neither database nor WeChat.
"""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine

from models import ingress, refusal
from models.db import transaction
from workers import replies
from workers.outgoing import Outgoing
from workers.queues import RECEIPTS_EXPIRE, REPLIES_BYTES

log = logging.getLogger(__name__)

GONE_AFTER = timedelta(seconds=RECEIPTS_EXPIRE)  # its queue may be gone by then; publishers are heard of hourly
ADDRESSES_COUNT = timedelta(days=7)  # after which a list that could not be renewed is not handed out any more
RULES_AGAIN = timedelta(hours=1)  # after which they are handed out though none changed: a broker may have lost them
NEVER = datetime.min.replace(tzinfo=UTC)
NO_REPLIES = replies.digest(b"{}")


class Ingresses:
    """Those that a process of the worker has sent receipts to."""

    def __init__(self, outgoing: Outgoing) -> None:
        self._outgoing = outgoing
        self._noted: dict[str, datetime] = {}

    def note(self, engine: Engine) -> None:
        """Take note of who got a receipt, each once an hour; a new one is handed a snapshot. Never raises."""
        while self._outgoing.receipted:
            queue, now = self._outgoing.receipted.pop(), datetime.now(UTC)
            if abs(now - self._noted.get(queue, NEVER)) >= ingress.NOTE_EVERY:
                self._noted[queue] = now  # even if it fails now: not every batch is to wait for it
                self._note(engine, queue, now)

    def _note(self, engine: Engine, queue: str, now: datetime) -> None:
        try:
            with transaction(engine) as connection:
                snapshot = _snapshot(connection, now)[0] if ingress.note_ingress(connection, queue, now) else None
            if snapshot is not None:
                log.info("ingress seen", extra={"queue": queue})
                self._outgoing.snapshot(queue, snapshot)
        except Exception as error:  # the batch is recorded, and Celery must not hear of anything else
            reason, code = refusal.explained(error)
            log.warning("ingress not noted", extra={"reason": reason, "code": code})


def hand_out(engine: Engine, outgoing: Outgoing) -> None:
    """Make a snapshot, and send it to all ingresses."""
    now = datetime.now(UTC)
    with transaction(engine) as connection:
        snapshot, digest = _snapshot(connection, now)
        queues = ingress.ingress_queues(connection, now - GONE_AFTER)
        ingress.note_handed_out(connection, now)
    sent = [outgoing.snapshot(queue, snapshot) for queue in queues]
    if all(sent):
        with transaction(engine) as connection:
            ingress.note_replies(connection, digest)  # else the next tick sends them again


def hand_out_replies(engine: Engine, outgoing: Outgoing) -> None:
    """Send the rules for replies to all ingresses if they are not what these were sent: a rule, or the menu that a rule
    asks for, has changed. Else it costs two questions."""
    now = datetime.now(UTC)
    with engine.connect() as connection:
        digest = replies.digest(replies.encoded(connection, now))
        told, told_at = ingress.replies_digest(connection), ingress.handed_out_at(connection)
    is_old = digest != NO_REPLIES and now - (told_at or NEVER) >= RULES_AGAIN
    if digest != (told or NO_REPLIES) or is_old:
        hand_out(engine, outgoing)


def _snapshot(connection: Connection, now: datetime) -> tuple[dict[str, Any], str]:
    """A snapshot, and the digest of its rules. The door passes over keys that it does not know."""
    snapshot: dict[str, Any] = {
        "revision": ingress.next_revision(connection, now),
        "made_at": now,
        "callback_addresses": ingress.callback_addresses(connection, now - ADDRESSES_COUNT),
    }
    rules = replies.encoded(connection, now)
    if len(rules) <= REPLIES_BYTES:
        snapshot["replies"] = msgspec.Raw(rules)
    else:  # whoever adds rules is refused before; the addresses must get through all the same, and doors keep theirs
        log.error("reply rules not handed out", extra={"reason": "too_large", "bytes": len(rules)})
    return snapshot, replies.digest(rules)

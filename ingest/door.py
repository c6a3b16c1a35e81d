"""The door: one push in, made durable, one answer out."""

import logging
import time
from collections.abc import Callable

from ingest import metrics
from ingest.account import Account
from ingest.journal import Journal, NotDurableError
from ingest.push import UNKNOWN_ACCOUNT, Answer, Received, receive, refusal
from wechat.event import Event, encode

log = logging.getLogger(__name__)


class Door:
    """All a process of the ingress needs to answer pushes."""

    def __init__(self, accounts: dict[str, Account], journal: Journal, replay_window: int) -> None:
        self.accounts = accounts
        self.journal = journal
        self._replay_window = replay_window

    def push(self, name: str, query_string: str, read: Callable[[], bytes | Answer]) -> Answer:
        """Answer one push to an account; `read` gives the body, or the answer when there is none to be had.

        The answer is `success` only after the push is on disk. It never waits for broker or database.
        """
        started = time.perf_counter()
        account = self.accounts.get(name)
        mode = "unknown"
        if account is None:
            name, answer = "unknown", UNKNOWN_ACCOUNT  # whatever was asked for must not become a label
        elif isinstance(body := read(), Answer):
            answer = body
        else:
            received = receive(account, query_string, body, self._replay_window, time.time())
            mode, answer = received.mode, self._made_durable(received)
            _note_other_recipient(account, received)
        if answer.body != b"success":
            log.warning("push not accepted", extra={"account": name, "reason": answer.outcome})
        metrics.note_push(name, mode, answer.outcome, time.perf_counter() - started)
        return answer

    def _made_durable(self, received: Received) -> Answer:
        if received.entry is None:
            return received.answer
        try:
            self.journal.append(encode(received.entry))
        except NotDurableError as error:
            return refusal(503, error.reason)
        return received.answer


def _note_other_recipient(account: Account, received: Received) -> None:
    entry = received.entry
    if isinstance(entry, Event) and account.original_id and entry.body and "ToUserName" in entry.body:
        metrics.OTHER_RECIPIENTS.labels(account.name).inc()

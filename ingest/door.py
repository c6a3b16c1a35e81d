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
        if account is None:
            answer = _refuse("unknown", UNKNOWN_ACCOUNT)
        elif isinstance(body := read(), Answer):
            answer = _refuse(name, body)
        else:
            received = receive(account, query_string, body, self._replay_window, time.time())
            answer = self._made_durable(received)
            metrics.PUSHES.labels(name, received.mode, answer.outcome).inc()
            if answer is not received.answer or answer.status != 200 or not answer.body:
                log.warning("push not accepted", extra={"account": name, "reason": answer.outcome})
            _note_other_recipient(account, received)
        metrics.ACKNOWLEDGED.observe(time.perf_counter() - started)
        return answer

    def _made_durable(self, received: Received) -> Answer:
        if received.entry is None:
            return received.answer
        try:
            self.journal.append(encode(received.entry))
        except NotDurableError as error:
            return refusal(503, error.reason)
        return received.answer


def _refuse(account: str, answer: Answer) -> Answer:
    metrics.PUSHES.labels(account, "unknown", answer.outcome).inc()
    log.warning("push not accepted", extra={"account": account, "reason": answer.outcome})
    return answer


def _note_other_recipient(account: Account, received: Received) -> None:
    entry = received.entry
    if isinstance(entry, Event) and account.original_id and entry.body and "ToUserName" in entry.body:
        metrics.OTHER_RECIPIENTS.labels(account.name).inc()

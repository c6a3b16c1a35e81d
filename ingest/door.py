"""The door: one push in, made durable, one answer out."""

import logging
import time
from collections.abc import Callable

from ingest import metrics
from ingest.account import Account
from ingest.addresses import FOREIGN, Origins
from ingest.journal import Journal, NotDurableError
from ingest.push import UNKNOWN_ACCOUNT, Answer, Checked, check, read, refusal
from ingest.replies import REPLIED, Replies
from wechat.event import Entry, Event, encode

log = logging.getLogger(__name__)

FOREIGN_ADDRESS = refusal(403, "foreign_address")


class Door:
    """All a process of the ingress needs to answer pushes."""

    def __init__(
        self,
        accounts: dict[str, Account],
        journal: Journal,
        replay_window: int,
        origins: Origins,
        foreign_pushes: str,
        replies: Replies,
    ) -> None:
        self.accounts = accounts
        self.journal = journal
        self._replay_window = replay_window
        self._origins = origins
        self._replies = replies
        self._refuses_foreign, self._logs_foreign = foreign_pushes == "refuse", foreign_pushes != "count"

    def push(
        self, name: str, query_string: str, read_body: Callable[[], bytes | Answer], peer: str, forwarded: str
    ) -> Answer:
        """Answer one push to an account; `read_body` gives the body, or the answer when there is none to be had.

        `peer` is the address of the connection, `forwarded` what X-Forwarded-For says. The answer is `success`, or a
        reply, only after the push is on disk. It never waits for broker or database.
        """
        started = time.perf_counter()
        account = self.accounts.get(name)
        mode, origin = "unknown", ""
        if account is None:
            name, answer = "unknown", UNKNOWN_ACCOUNT  # whatever was asked for must not become a label
        elif (origin := self._origins.of(account.app_id, peer, forwarded)) == FOREIGN and self._refuses_foreign:
            answer = FOREIGN_ADDRESS
        elif isinstance(body := read_body(), Answer):
            answer = body
        else:
            push = check(account, query_string, body, self._replay_window, time.time())
            mode, answer = push.mode, push.refusal or self._taken(account, push)
            if answer.reply:
                metrics.note_reply(name, answer.reply)
        if answer.body != b"success" and answer.outcome != REPLIED:
            log.warning("push not accepted", extra={"account": name, "reason": answer.outcome})
        if origin == FOREIGN and self._logs_foreign:
            address = str(self._origins.sender(peer, forwarded))
            log.warning("push from elsewhere", extra={"account": name, "reason": answer.outcome, "address": address})
        metrics.note_push(name, mode, answer.outcome, origin, time.perf_counter() - started)
        return answer

    def _taken(self, account: Account, push: Checked) -> Answer:
        """The answer, once the push is on disk."""
        try:
            taken = _Taken(account, push, self._replies)
            return self.journal.append_and_make(taken.content, taken.answer)
        except NotDurableError as error:
            return refusal(503, error.reason)


class _Taken:
    """A push on its way: read before it is on disk, replied to afterwards, by the thread that writes the journal."""

    __slots__ = ("_account", "_push", "_received", "_replies")

    def __init__(self, account: Account, push: Checked, replies: Replies) -> None:
        self._account, self._push, self._replies = account, push, replies

    def content(self) -> bytes | None:
        self._received = read(self._account, self._push)
        entry = self._received.entry
        _note_other_recipient(self._account, entry)
        return None if entry is None else encode(entry)

    def answer(self) -> Answer:
        return self._replies.answer(self._account, self._received)


def _note_other_recipient(account: Account, entry: Entry | None) -> None:
    if isinstance(entry, Event) and account.original_id and entry.body and "ToUserName" in entry.body:
        metrics.OTHER_RECIPIENTS.labels(account.name).inc()

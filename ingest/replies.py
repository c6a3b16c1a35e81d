"""What to reply to a push at once, by the rules of the last snapshot. Held in memory; nothing here waits."""

import logging
from dataclasses import dataclass
from datetime import datetime

import msgspec

from ingest.account import Account
from ingest.push import ACCEPTED, Answer, Received
from ingest.snapshot import Snapshot
from wechat.event import EPOCH, Event
from wechat.reply import Nothing, may_answer, passive
from wechat.reply_rules import Menus, Rule, Rulebook

log = logging.getLogger(__name__)

REPLIED = "replied"
_SILENT = {why: ACCEPTED._replace(reply=why) for why in ("no_rule", "nothing", "no_names", "failed")}
XML = "text/xml; charset=utf-8"


class _Given(msgspec.Struct, frozen=True):
    """Of one account, as workers hand it out."""

    rules: msgspec.Raw = msgspec.Raw(b"[]")
    menus: Menus = msgspec.field(default_factory=Menus)


@dataclass(frozen=True)
class _Book:
    """The same, ready to be asked; `given` is what the rules were made of: menus change more often than they."""

    given: bytes
    rules: Rulebook
    menus: Menus


class Replies:
    """Finds replies by the rules that were heard of last."""

    def __init__(self) -> None:
        self._heard: Snapshot | None = None
        self._books: dict[str, _Book] = {}

    def hear(self, snapshot: Snapshot | None) -> list[str]:
        """Go by this snapshot from now on; the AppIDs whose rules cannot be read, and stay as they were.

        A snapshot never becomes too old: rules hold until others come, or until the time that they name themselves.
        """
        if snapshot is self._heard or snapshot is None:
            return []
        self._heard = snapshot
        if snapshot.replies is None:
            return []
        books, unreadable = {}, []
        for app_id, raw in snapshot.replies.items():
            former = self._books.get(app_id)
            try:
                books[app_id] = _book(app_id, raw, former)
            except Exception as error:  # by a later version, or damaged: whatever it is, doors go on
                log.warning("reply rules not compiled", extra={"app_id": app_id, "error": type(error).__name__})
                unreadable.append(app_id)
                if former:
                    books[app_id] = former
        self._books = books
        return unreadable

    def answer(self, account: Account, received: Received) -> Answer:
        """The answer to give once the push is durable: a reply, or else the one it would get without. Never raises."""
        event, book = received.entry, self._books.get(account.app_id)
        if book is None or not received.may_reply or not isinstance(event, Event) or not may_answer(event.kind):
            return received.answer
        try:
            outcome, body = _reply(event, account, book, received)
        except Exception as error:  # a fault of ours must not cost the push, which is kept
            log.error("push not replied to", extra={"account": account.name, "error": type(error).__name__})
            outcome, body = "failed", b""
        return Answer(200, body, outcome, XML, outcome) if outcome == REPLIED else _SILENT[outcome]


def _book(app_id: str, raw: msgspec.Raw, former: _Book | None) -> _Book:
    read = msgspec.json.decode(raw, type=_Given)
    given = bytes(read.rules)
    rules = former.rules if former and former.given == given else _compiled(app_id, given)
    return _Book(given, rules, read.menus)


def _compiled(app_id: str, given: bytes) -> Rulebook:
    rules = Rulebook(msgspec.json.decode(given, type=tuple[Rule, ...]))
    if rules.unfit:
        log.warning("reply rules passed over", extra={"app_id": app_id, "rules": rules.unfit})
    return rules


def _reply(event: Event, account: Account, book: _Book, received: Received) -> tuple[str, bytes]:
    """What came of it, and the reply if there is one."""
    moment = _moment(event)
    choice = book.rules.answer(event, moment, book.menus)
    if choice is None:
        return "no_rule", b""
    if isinstance(choice.reply, Nothing):
        return "nothing", b""
    sender = _recipient(event) or account.original_id
    if not event.open_id or not sender:
        return "no_names", b""
    seconds = int(moment.timestamp())
    reply = passive(choice.reply, event.open_id, sender, seconds, event.kind)
    return REPLIED, received.envelope.around(reply, seconds) if received.envelope else reply


def _moment(event: Event) -> datetime:
    """That of the tap: a push that is repeated gets the same reply, though a rule ends between the two."""
    return event.received_at if event.created_at == EPOCH else event.created_at


def _recipient(event: Event) -> str | None:
    """Whom the push is for, where that is not the account's original_id: that is how the follower knows us."""
    name = (event.body or {}).get("ToUserName")
    return name if isinstance(name, str) else None

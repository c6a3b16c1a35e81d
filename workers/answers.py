"""Answers that take longer than a push may be left waiting: a handler's reply, as a customer-service message.

One for an event at most, within the window of its kind, counted from CreateTime. What was certainly not sent is tried
again while the window is open; what may have been sent is not, so that nobody is answered twice.
"""

import functools
import logging
import time
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Engine, select

from models import answers
from models.account import Account as AccountRow
from models.account import account_ids
from models.answers import LATE, REFUSED, SENT, UNKNOWN, WAITING, Owed
from models.config import Account, Config
from models.db import transaction
from wechat.client import SEND_MESSAGE, Client
from wechat.errcodes import Busy, NotConfigured, RateLimited, TokenRejected, Unreachable, WeChatError
from wechat.reply import WINDOWS, Nothing, Reply, Transfer, Window, message, problems, window
from workers.api import Api
from workers.forget import is_pseudonym
from workers.handled_event import Event

log = logging.getLogger(__name__)

# Why nothing is sent, nor written down; fixed words, as the outcomes of models/answers.py are.
NOTHING = "nothing"  # the reply says so
NO_WINDOW = "no_window"  # events of this kind open none
NO_FOLLOWER = "no_follower"
NO_SECRET = "no_secret"  # noqa: S105 - the account's AppSecret is not configured
NOT_SENDABLE = "not_sendable"  # a transfer: only the door can hand a conversation over
BAD_REPLY = "bad_reply"
ANSWERED = "answered"  # there is an answer to this event already

KEPT = timedelta(days=7)  # more than the longest window, so that no answer is given anew
_LEASE = timedelta(seconds=60)  # longer than a call, with a token to be fetched for it and to be replaced, may take
_LONGEST_WAIT = timedelta(minutes=5)
_ALLOWANCE_USED_UP = 45047
_MOST_AT_ONCE = 100
_SECONDS = 20.0  # after which the next tick goes on
_USUAL = (SENT, WAITING)
# What `message` cuts to its limits is better said in part than not at all.
_MENDED = {"too_long", "too_many", "forbidden_sign"}


class _Tried(NamedTuple):
    outcome: str
    errcode: int | None
    attempts: int


def answer(engine: Engine, config: Config, event: Event, reply: Reply, handler: str) -> str:
    """Send a handler's reply to the follower who caused the event; what came of it, in a fixed word.

    What is `waiting` is sent by `send_due`, if the window stays open for long enough.
    """
    account, now = _with_secret(config).get(event.app_id), datetime.now(UTC)
    if account is None:
        return _unanswered(event, handler, NO_SECRET)
    allowed = _window(event)
    if allowed is None:
        return _unanswered(event, handler, NO_WINDOW)
    if event.open_id is None or is_pseudonym(event.open_id):
        return _unanswered(event, handler, NO_FOLLOWER)
    if (reason := _unsendable(reply)) is not None:
        return _unanswered(event, handler, reason)
    with transaction(engine) as connection:
        account_id = account_ids(connection, {account.app_id: account.name})[account.app_id]
        until = event.created_at + timedelta(seconds=allowed.seconds)
        owed = Owed(event.id, event.created_at, account_id, handler, until, 0, message(reply, event.open_id))
        if not answers.claim(connection, owed, event.open_id, now + _LEASE, now):
            return _unanswered(event, handler, ANSWERED)
    return _send(engine, _api(engine, config, account), account.name, owed)


def send_due(engine: Engine, config: Config) -> None:
    """Send what could not be sent before, for a while; and put down what nobody will ever know of.

    Where WeChat cannot be reached for an account, its other answers wait for the next time.
    """
    began, now = time.monotonic(), datetime.now(UTC)
    with engine.connect() as connection:
        if not answers.any_due(connection, now):
            return
    names = _accounts(engine, config)
    with transaction(engine) as connection:
        if abandoned := answers.end_abandoned(connection, now):
            log.warning("answers abandoned", extra={"count": abandoned})
        due = answers.due(connection, now, _MOST_AT_ONCE)
    out_of_reach = set[int]()
    for owed in due:
        if time.monotonic() - began > _SECONDS:
            break
        account, is_late = names.get(owed.account_id), owed.until <= datetime.now(UTC)
        if owed.account_id in out_of_reach and not is_late:
            continue
        with transaction(engine) as connection:
            if not answers.claim_again(connection, owed, datetime.now(UTC) + _LEASE, datetime.now(UTC)):
                continue
        if account is None:  # it is no longer configured
            _settle(engine, "", owed, _Tried(LATE, None, owed.attempts))
        elif _send(engine, _api(engine, config, account), account.name, owed) == WAITING:
            out_of_reach.add(owed.account_id)


def judged(error: WeChatError) -> str:
    """What an error means to a message."""
    if error.call != SEND_MESSAGE:  # it did not even come to be sent: there was no token
        return WAITING
    if isinstance(error, Unreachable):
        return UNKNOWN if error.sent else WAITING
    if isinstance(error, Busy | TokenRejected | NotConfigured):
        return WAITING
    return WAITING if isinstance(error, RateLimited) and error.errcode != _ALLOWANCE_USED_UP else REFUSED


def wait(attempts: int) -> timedelta:
    """After so many attempts: 1, 2, 4 … seconds, and at most five minutes."""
    return min(timedelta(seconds=2 ** min(attempts - 1, 9)), _LONGEST_WAIT)


def _send(engine: Engine, api: Api, account: str, owed: Owed) -> str:
    """Send what we have claimed, unless it is too late."""
    if datetime.now(UTC) >= owed.until:
        return _settle(engine, account, owed, _Tried(LATE, None, owed.attempts))
    try:
        api.with_token(api.client.send_message, owed.message)
    except WeChatError as error:
        tried = _Tried(judged(error), error.errcode, owed.attempts + 1)
    else:
        tried = _Tried(SENT, None, owed.attempts + 1)
    return _settle(engine, account, owed, tried)


def _settle(engine: Engine, account: str, owed: Owed, tried: _Tried) -> str:
    """Put down what came of it. Whoever dies before leaves a claim, which says: perhaps it was sent."""
    now = datetime.now(UTC)
    again = now + wait(tried.attempts)
    if tried.outcome == WAITING and again >= owed.until:
        tried = tried._replace(outcome=LATE)
    with transaction(engine) as connection:
        if tried.outcome == WAITING:
            answers.put_back(connection, owed.event_id, tried.errcode, tried.attempts, again)
        else:
            answers.end(connection, owed.event_id, tried.outcome, tried.errcode, tried.attempts, now)
    told = {"event": str(owed.event_id), "account": account, "handler": owed.handler, "errcode": tried.errcode}
    told |= {"attempts": tried.attempts, "delay_ms": round((now - owed.created_at) / timedelta(milliseconds=1))}
    log.log(
        logging.INFO if tried.outcome in _USUAL else logging.WARNING, "answer", extra={**told, "outcome": tried.outcome}
    )
    return tried.outcome


def _unanswered(event: Event, handler: str, reason: str) -> str:
    told = {"event": str(event.id), "account": event.account, "handler": handler, "reason": reason}
    log.log(logging.INFO if reason in (NOTHING, ANSWERED) else logging.WARNING, "no answer", extra=told)
    return reason


def _unsendable(reply: Reply) -> str | None:
    if isinstance(reply, Nothing):
        return NOTHING
    if isinstance(reply, Transfer):
        return NOT_SENDABLE
    return BAD_REPLY if any(problem.reason not in _MENDED for problem in problems(reply)) else None


def _window(event: Event) -> Window | None:
    """A tap on an entry of a msgmenu comes as a text, and counts as a tap on a menu (PROTOCOL section 7.4)."""
    return WINDOWS["click"] if "bizmsgmenuid" in event.body else window(event.kind)


def _accounts(engine: Engine, config: Config) -> dict[int, Account]:
    by_app_id = _with_secret(config)
    with engine.connect() as connection:
        query = select(AccountRow.id, AccountRow.app_id).where(AccountRow.app_id.in_(by_app_id))
        return {row.id: by_app_id[row.app_id] for row in connection.execute(query)}


def _with_secret(config: Config) -> dict[str, Account]:
    return {account.app_id: account for account in config.accounts if account.app_secret is not None}


def _api(engine: Engine, config: Config, account: Account) -> Api:
    return Api(engine, _client(config.api_base_url), account, config.secret_key)


@functools.cache
def _client(base_url: str) -> Client:
    """Kept, for its connections: they are the process' own (exchange.py), and making one takes longer than a call."""
    return Client(base_url)

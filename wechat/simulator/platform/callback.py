"""Delivery to an account's callback, as WeChat does it, and its entry in the statistics."""

import time
from random import Random
from typing import NamedTuple

from wechat.simulator.account import Account
from wechat.simulator.answer import Answer, understand
from wechat.simulator.connection import Connection, Response, target
from wechat.simulator.platform import conversation, statistics
from wechat.simulator.platform.platform import Platform
from wechat.simulator.platform.state import Holdings
from wechat.simulator.pushes import Push
from wechat.simulator.request import Mode, make_request

ATTEMPTS = 3
PATIENCE = 5.0


class Delivered(NamedTuple):
    """The last answer to a push, and how many attempts it took; none without a callback."""

    answer: str
    detail: str
    attempts: int


class Callback:
    """The way to the callbacks of all accounts, for one thread."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._connections: dict[tuple[str, str], Connection] = {}
        self._random = Random()  # noqa: S311

    def deliver(self, account: Account, push: Push) -> Delivered:
        """Five seconds' patience, three attempts that are alike."""
        own = self._own(account)
        if not own.callback_url:
            return Delivered("", "", 0)
        connection, mode = self._connection(own.callback_url, account.name), own.mode
        request = make_request(
            account, push.message, push.open_id, mode=mode, timestamp=int(time.time()), random=self._random
        )
        attempts, answer = 0, Answer("failed")
        while attempts < ATTEMPTS and not (answer.is_acknowledged or (attempts and self._platform.stopped.is_set())):
            attempts += 1
            response = connection.post(request)
            answer = _understood(response, account, mode, push)
            with self._platform.lock:
                failed = not answer.is_acknowledged
                statistics.note(self._own(account), self._platform.now(), failed=failed, seconds=response.seconds)
        with self._platform.lock:
            own = self._own(account)
            if push.open_id in own.followers:
                conversation.answer(own, push, answer, self._platform.now())
        return Delivered(answer.outcome, answer.detail, attempts)

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()

    def _connection(self, url: str, name: str) -> Connection:
        if (url, name) not in self._connections:
            self._connections[url, name] = Connection(target(url, name), PATIENCE)
        return self._connections[url, name]

    def _own(self, account: Account) -> Holdings:
        return self._platform.state.accounts[account.app_id]


def _understood(response: Response, account: Account, mode: Mode, push: Push) -> Answer:
    if response.status is None:
        return Answer("failed", response.error)
    return understand(response.status, response.body, account, mode, push.message)

"""The platform: its accounts, its clock, and what it answers to a call."""

import json
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from wechat.simulator.account import Account
from wechat.simulator.platform import faults, quotas, tokens, traces
from wechat.simulator.platform.asked import Asked, Request, read_object
from wechat.simulator.platform.calls import CALLS, Call
from wechat.simulator.platform.followers import made_up, new_holdings
from wechat.simulator.platform.refusals import TEXTS, RefusalError
from wechat.simulator.platform.state import Fault, Made, State

OK = {"errcode": 0, "errmsg": "ok"}
_MOST_MADE = 5000  # calls that are remembered


@dataclass(frozen=True)
class Answer:
    """`body` None drops the connection."""

    body: bytes | None
    status: int = 200
    content_type: str = "application/json; encoding=utf-8"


class Platform:
    """All of it, in one process: whatever looks at the state, or changes it, holds the lock."""

    def __init__(self, accounts: Sequence[Account], followers: int = 100) -> None:
        self.accounts = {account.app_id: account for account in accounts}
        self.lock = threading.RLock()
        self.stopped = threading.Event()
        self._followers = followers
        self.load(State())

    def load(self, state: State) -> None:
        """Begin from this state; accounts that it does not know begin anew."""
        with self.lock:
            self.state = state
            for app_id in self.accounts:
                if app_id not in state.accounts:
                    state.accounts[app_id] = new_holdings(app_id)
                    state.accounts[app_id].followers = made_up(app_id, self._followers)

    def now(self) -> float:
        return time.time() + self.state.offset

    def answer(self, request: Request) -> Answer:
        """A call's answer, and what faults make of it."""
        with self.lock:
            met = faults.draw(self.state.faults, request.path)
            if any(fault.void for fault in met):
                self._void(request)
        self.stopped.wait(sum(fault.delay for fault in met if not fault.after))
        fault = faults.first(met, after=False)
        if fault is not None:
            return self._spoiled(fault, request, self._whose(request))
        app_id, body = self._carry_out(request)
        self.stopped.wait(sum(fault.delay for fault in met if fault.after))
        fault = faults.first(met, after=True)
        if fault is not None:
            return self._spoiled(fault, request, app_id)
        self._note(request, app_id, body.get("errcode", 0))
        # As lenient as clients have to be: what has no errcode comes as text.
        return Answer(_json(body)) if "errcode" in body else Answer(_json(body), content_type="text/plain")

    def _carry_out(self, request: Request) -> tuple[str, dict[str, Any]]:
        begun, account = time.monotonic(), None
        try:
            call = _find_call(request.path)
            with self.lock:
                account = self._find_account(call, request)
                asked = self._admit(call, request, account)
                if call.is_quick:
                    return account.app_id, call.answer(asked) or OK
            return account.app_id, call.answer(asked)
        except RefusalError as error:
            app_id = account.app_id if account else ""
            return app_id, self._refuse(error.code, error.text, request, app_id, time.monotonic() - begun)

    def _find_account(self, call: Call, request: Request) -> Account:
        if call.by == "token":
            known = {app_id: self.state.accounts[app_id] for app_id in self.accounts}
            return self.accounts[tokens.find_owner(known, request.query.get("access_token", ""), self.now())]
        _check_method(call, request)
        if call.by == "secret":
            return tokens.find_account(self.accounts, request)
        given = (read_object(request.body) or {}) | request.query
        return tokens.check_secret(self.accounts, str(given.get("appid", "")), str(given.get("appsecret", "")))

    def _admit(self, call: Call, request: Request, account: Account) -> Asked:
        """Whoever comes with a token, and without the right method or body, is told of the token first."""
        own, now = self.state.accounts[account.app_id], self.now()
        if own.allowed_ips is not None and request.ip not in own.allowed_ips:
            raise RefusalError(40164, TEXTS[40164].format(ip=request.ip))
        _check_method(call, request)
        quotas.count(own, request.path, now)
        return Asked(request, self.state, account, own, now)

    def _refuse(self, code: int, text: str, request: Request, app_id: str, seconds: float) -> dict[str, Any]:
        with self.lock:
            now = self.now()
            rid = traces.new_rid(now)
            body = {"errcode": code, "errmsg": f"{text} rid: {rid}"}
            traces.remember(self.state, rid, traces.trace(request, app_id, now, seconds, _json(body).decode()))
        return body

    def _spoiled(self, fault: Fault, request: Request, app_id: str) -> Answer:
        if fault.drop:
            self._note(request, app_id, "dropped")
            return Answer(None)
        if fault.errcode is not None:
            self._note(request, app_id, fault.errcode)
            text = fault.errmsg or TEXTS.get(fault.errcode, "error")
            return Answer(_json(self._refuse(fault.errcode, text, request, app_id, fault.delay)), fault.status or 200)
        self._note(request, app_id, "garbage")
        return Answer(faults.GARBAGE, fault.status or 200, "text/html")

    def _whose(self, request: Request) -> str:
        """The AppID of a call that is not carried out."""
        with self.lock, suppress(RefusalError):
            return tokens.find_owner(self.state.accounts, request.query.get("access_token", ""), self.now())
        return request.query.get("appid", "")

    def _void(self, request: Request) -> None:
        for own in self.state.accounts.values():
            tokens.void(own, self.now(), request.query.get("access_token", ""))

    def _note(self, request: Request, app_id: str, answer: int | str) -> None:
        with self.lock:
            name = faults.short(request.path)
            if app_id in self.state.accounts:
                calls = self.state.accounts[app_id].calls
                calls[name] = calls.get(name, 0) + 1
            self.state.made.append(Made(self.now(), name, app_id, answer))
            del self.state.made[:-_MOST_MADE]


def _find_call(path: str) -> Call:
    if path not in CALLS:
        raise RefusalError(40066)
    return CALLS[path]


def _check_method(call: Call, request: Request) -> None:
    if call.method == "GET" and request.method == "POST":
        raise RefusalError(43001)
    if call.method == "POST" and request.method != "POST":
        # A report of trymatch has 44002 (PROTOCOL 9, item 12).
        raise RefusalError(44002 if request.path.endswith("menu/trymatch") else 43002)
    if call.method == "POST" and not request.body and call.by != "secret without grant":
        raise RefusalError(44002)


def _json(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")

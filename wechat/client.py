"""WeChat's server APIs, a method per call. Methods that need an access token take it first.

`workers/api.py` gives them the token, and repeats a call once where the token was rejected. The calls of tokens are
for `workers/tokens.py` alone: whoever else fetches one may void everybody's.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Self, TypeVar

from pydantic import SecretStr

from wechat import answers
from wechat.answers import CallbackCheck, CurrentMenu, InterfaceUse, LiveMenu, Quota, RidReport, Token
from wechat.errcodes import CLEAR_QUOTA_V2, NO_MENU, STABLE_TOKEN, TOKEN, Invalid, Unreachable
from wechat.exchange import Exchange, Json, Question

CREATE_MENU = "/cgi-bin/menu/create"
GET_MENU = "/cgi-bin/menu/get"
DELETE_MENU = "/cgi-bin/menu/delete"
ADD_CONDITIONAL = "/cgi-bin/menu/addconditional"
DELETE_CONDITIONAL = "/cgi-bin/menu/delconditional"
TRY_MATCH = "/cgi-bin/menu/trymatch"
SEND_MESSAGE = "/cgi-bin/message/custom/send"

Result = TypeVar("Result")
Definition = Mapping[str, Any]  # JSON, in WeChat's spelling


class Client:
    """Raises WeChatError: always one of the few of errcodes.py."""

    def __init__(self, base_url: str) -> None:
        self._exchange = Exchange(base_url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._exchange.close()

    # Tokens

    def token(self, app_id: str, secret: SecretStr) -> Token:
        """A new token, which voids the one before within five minutes."""
        hidden = secret.get_secret_value()
        query = {"grant_type": "client_credential", "appid": app_id, "secret": hidden}
        return self._ask(Question(TOKEN, query, secrets=(hidden,)), Token.read)

    def stable_token(self, app_id: str, secret: SecretStr, *, force_refresh: bool = False) -> Token:
        """The token there is, with what remains of its life; with `force_refresh` a new one, which voids the other."""
        hidden = secret.get_secret_value()
        body: Json = {"grant_type": "client_credential", "appid": app_id, "secret": hidden}
        if force_refresh:
            body["force_refresh"] = True
        return self._ask(Question(STABLE_TOKEN, {}, body, secrets=(hidden,)), Token.read)

    # Menus

    def create_menu(self, token: SecretStr, menu: Definition) -> None:
        """Replace the whole default menu."""
        self._post(CREATE_MENU, token, menu, _nothing)

    def get_menu(self, token: SecretStr) -> LiveMenu | None:
        """The menus that were set by API; none where none is."""
        try:
            return self._get(GET_MENU, token, LiveMenu.read)
        except Invalid as error:
            if error.errcode != NO_MENU:
                raise
            return None

    def delete_menu(self, token: SecretStr) -> None:
        """Delete the default menu and all personalised ones."""
        self._get(DELETE_MENU, token, _nothing)

    def add_conditional(self, token: SecretStr, menu: Definition) -> str:
        """Add a personalised menu, which is matched before all others; its menuid."""
        return self._post(ADD_CONDITIONAL, token, menu, lambda answer: answers.text_id(answer["menuid"]))

    def delete_conditional(self, token: SecretStr, menuid: str) -> None:
        self._post(DELETE_CONDITIONAL, token, {"menuid": menuid}, _nothing)

    def try_match(self, token: SecretStr, user_id: str) -> list[Json]:
        """The buttons that this follower, given by openid or WeChat ID, sees."""
        # Under `menu`, according to a report of 2016; at the top, according to the documentation.
        return self._post(
            TRY_MATCH, token, {"user_id": user_id}, lambda answer: answers.buttons(answer.get("menu") or answer)
        )

    def current_menu(self, token: SecretStr) -> CurrentMenu:
        """The menu that followers see, also one made in WeChat's console."""
        return self._get("/cgi-bin/get_current_selfmenu_info", token, CurrentMenu.read)

    # Addresses and connectivity

    def callback_addresses(self, token: SecretStr) -> tuple[str, ...]:
        """Where pushes come from: addresses and CIDR blocks."""
        return self._get("/cgi-bin/getcallbackip", token, answers.addresses)

    def api_addresses(self, token: SecretStr) -> tuple[str, ...]:
        """Where WeChat's servers are: addresses and CIDR blocks."""
        return self._get("/cgi-bin/get_api_domain_ip", token, answers.addresses)

    def check_callback(self, token: SecretStr, action: str = "all", operator: str = "DEFAULT") -> CallbackCheck:
        """Let WeChat resolve and ping the callback URL: `dns`, `ping` or `all`, from one carrier's network."""
        body = {"action": action, "check_operator": operator}
        return self._post("/cgi-bin/callback/check", token, body, CallbackCheck.read)

    # Messages

    def send_message(self, token: SecretStr, message: Definition) -> None:
        """Send a customer-service message."""
        self._post(SEND_MESSAGE, token, message, _nothing)

    def set_typing(self, token: SecretStr, open_id: str, *, is_typing: bool = True) -> None:
        body = {"touser": open_id, "command": "Typing" if is_typing else "CancelTyping"}
        self._post("/cgi-bin/message/custom/typing", token, body, _nothing)

    def send_template(self, token: SecretStr, message: Definition) -> str:
        """Send a template message; its msgid."""
        return self._post(
            "/cgi-bin/message/template/send", token, message, lambda answer: answers.text_id(answer["msgid"])
        )

    # Statistics

    def interface_summary(self, token: SecretStr, begin: date, end: date) -> tuple[InterfaceUse, ...]:
        """WeChat's count of its pushes by day, yesterday at the latest."""
        return self._statistics("/datacube/getinterfacesummary", token, begin, end)

    def interface_hours(self, token: SecretStr, day: date) -> tuple[InterfaceUse, ...]:
        """The same by the hours of one day."""
        return self._statistics("/datacube/getinterfacesummaryhour", token, day, day)

    # Quotas

    def quota(self, token: SecretStr, call: str) -> Quota:
        """What may be called how often; `call` is a path such as /cgi-bin/menu/create."""
        return self._post("/cgi-bin/openapi/quota/get", token, {"cgi_path": call}, Quota.read)

    def clear_quota(self, token: SecretStr, app_id: str) -> None:
        """Reset all counters; ten times a month, shared with `clear_quota_by_secret` and the console."""
        self._post("/cgi-bin/clear_quota", token, {"appid": app_id}, _nothing)

    def clear_quota_by_secret(self, app_id: str, secret: SecretStr) -> None:
        """The same without a token: for when the calls for tokens themselves are used up."""
        hidden = secret.get_secret_value()
        # The documentation's table puts the parameters into the body, its example into the query.
        given = {"appid": app_id, "appsecret": hidden}
        self._ask(Question(CLEAR_QUOTA_V2, given, given, secrets=(hidden,)), _nothing)

    def clear_quota_of(self, token: SecretStr, call: str) -> None:
        """Reset the counter of one call; fifty times a month."""
        self._post("/cgi-bin/openapi/quota/clear", token, {"cgi_path": call}, _nothing)

    def rid_report(self, token: SecretStr, rid: str) -> RidReport:
        """What WeChat knows of a request of the last seven days."""
        return self._post("/cgi-bin/openapi/rid/get", token, {"rid": rid}, RidReport.read)

    def _statistics(self, call: str, token: SecretStr, begin: date, end: date) -> tuple[InterfaceUse, ...]:
        body = {"begin_date": begin.isoformat(), "end_date": end.isoformat()}
        return self._post(call, token, body, lambda answer: tuple(InterfaceUse.read(row) for row in answer["list"]))

    def _get(self, call: str, token: SecretStr, read: Callable[[Json], Result]) -> Result:
        hidden = token.get_secret_value()
        return self._ask(Question(call, {"access_token": hidden}, secrets=(hidden,)), read)

    def _post(self, call: str, token: SecretStr, body: object, read: Callable[[Json], Result]) -> Result:
        hidden = token.get_secret_value()
        return self._ask(Question(call, {"access_token": hidden}, body, secrets=(hidden,)), read)

    def _ask(self, question: Question, read: Callable[[Json], Result]) -> Result:
        answer = self._exchange(question)
        try:
            return read(answer)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError):
            missing = Unreachable(question.call, "garbled", "JSON of another shape than documented")
        raise missing


def _nothing(_answer: Json) -> None:
    """For calls that answer with `ok`."""

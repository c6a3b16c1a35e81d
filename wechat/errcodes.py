"""WeChat's error codes, and the few exceptions they become, each named for what the caller should do.

errcodes.csv has the codes with their meaning in both languages and their class, which decides the exception.
"""

import csv
import functools
import ipaddress
import re
from importlib import resources
from typing import Any, ClassVar, NamedTuple

TOKEN = "/cgi-bin/token"  # noqa: S105 - a path
STABLE_TOKEN = "/cgi-bin/stable_token"  # noqa: S105 - a path
CLEAR_QUOTA_V2 = "/cgi-bin/clear_quota/v2"
_BY_SECRET = {TOKEN, STABLE_TOKEN, CLEAR_QUOTA_V2}  # calls that prove who they are by the AppSecret, not by a token

INVALID_CREDENTIAL = 40001
INVALID_CHARSET = 65318
NO_MENU = 46003

_RID = re.compile(r"\brid: *([0-9A-Za-z]+(?:-[0-9A-Za-z]+)+)")
_ADDRESS = re.compile(r"[0-9A-Fa-f:.]{3,}")
_ADDRESS_REFUSED = {40164, 61004}


class Words(NamedTuple):
    """A text in the two languages."""

    en: str
    zh: str

    def said(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


class WeChatError(Exception):
    """WeChat did not do what it was asked; the class says what to do now. `call` is the path of the call.

    Neither its text nor anything it is chained to holds a token or an AppSecret.
    """

    advice: ClassVar[Words]

    def __init__(self, call: str, meaning: Words, errcode: int | None = None, errmsg: str = "") -> None:
        super().__init__(call, meaning, errcode, errmsg)
        self.call = call
        self.meaning = meaning
        self.errcode = errcode
        self.errmsg = errmsg

    def __str__(self) -> str:
        return self.explained("en")

    @property
    def reason(self) -> str:
        """A short fixed word, for logs."""
        return "not_configured" if self.errcode is None else f"errcode_{self.errcode}"

    @property
    def rid(self) -> str | None:
        """What WeChat calls the request: `Client.rid_report` tells more about it, for seven days."""
        found = _RID.search(self.errmsg)
        return found[1] if found else None

    @property
    def ip(self) -> str | None:
        """The address that WeChat saw us come from, where it is the reason."""
        return _address(self.errmsg) if self.errcode in _ADDRESS_REFUSED else None

    def record(self) -> dict[str, Any]:
        """The error as JSON, from which `recorded` makes it again, in another process."""
        return {"type": type(self).__name__, "args": self.args}

    def explained(self, language: str) -> str:
        """What happened, and what to do."""
        facts = [str(self.errcode)] if self.errcode is not None else []
        facts += [f"rid {self.rid}"] if self.rid else []
        facts += [self.ip] if self.ip else []
        opening, comma, closing, colon, stop = "（，）：。" if language == "zh" else (" (", ", ", ")", ": ", ". ")
        named = f"{opening}{comma.join(facts)}{closing}" if facts else ""
        return f"{self.call}{colon}{self.meaning.said(language)}{named}{stop}{self.advised(language)}"

    def advised(self, language: str) -> str:
        """What to do."""
        advice = _ADVICE.get(self.errcode or 0, self.advice)
        if self.errcode == INVALID_CREDENTIAL and self.call in _BY_SECRET:
            advice = _ADVICE[40125]
        return advice.said(language)


class Unreachable(WeChatError):
    """No answer came, or none that can be read: to be tried again later.

    `reason` is `connect_failed`, `timeout`, `dropped` or `garbled`; unless `sent` is false, WeChat may have done it.
    """

    advice = Words(
        "Try again later; if it lasts, look at the network, the proxy and api_base_url.",
        "请稍后重试；如果一直如此，请检查网络、代理和 api_base_url。",
    )
    reason = "unreachable"

    def __init__(self, call: str, reason: str, detail: str = "", sent: bool = True) -> None:
        said = _NO_ANSWER[reason]
        super().__init__(call, Words(*(f"{text}: {detail}" for text in said)) if detail else said)
        self.args = (call, reason, detail, sent)
        self.reason = reason
        self.detail = detail
        self.sent = sent


class Busy(WeChatError):
    """To be repeated with back-off."""

    advice = Words("Try again shortly, and wait longer each time.", "请稍后重试，并逐次延长间隔。")


class TokenRejected(WeChatError):
    """The access token is not, or no longer, the right one: to be repeated once, with the current token."""

    advice = Words(
        "If a fresh token is rejected too, another program may be refreshing the token of this account: "
        "let it use stable_token without force_refresh, as Caidan does.",
        "如果新的 token 仍被拒绝，可能有其他程序也在刷新该账号的 token："
        "请让它和 Caidan 一样使用 stable_token，且不要 force_refresh。",
    )


class RateLimited(WeChatError):
    """An allowance is used up: to be stopped until it is renewed."""

    advice = Words(
        "Stop until the allowance is renewed; daily ones commonly are at midnight, Beijing time.",
        "请停止调用，直到额度恢复；每日额度一般在北京时间零点重置。",
    )


class NotConfigured(WeChatError):
    """A person must change something, here or in WeChat's console."""

    advice = Words(
        "Correct it in the configuration or in WeChat's console, then try again.",
        "请在配置或微信后台中改正后重试。",
    )


class NotPermitted(WeChatError):
    """The account, or the follower, does not allow it; repeating does not help."""

    advice = Words(
        "Repeating does not help: the account or the follower does not allow it.",
        "重试无效：账号没有该权限，或用户不允许。",
    )


class Invalid(WeChatError):
    """The request is wrong, and never to be repeated unchanged. Codes that are not known are taken for this."""

    advice = Words("Do not repeat it unchanged: the request itself is wrong.", "请勿原样重试：请求本身有误。")


BY_CLASS: dict[str, type[WeChatError]] = {
    "retry": Busy,
    "refresh_token": TokenRejected,
    "quota": RateLimited,
    "config": NotConfigured,
    "permission": NotPermitted,
    "caller_bug": Invalid,
}

_NO_ANSWER = {
    "connect_failed": Words("no connection", "无法连接"),
    "timeout": Words("no answer in time", "等待应答超时"),
    "dropped": Words("the connection broke", "连接中断"),
    "garbled": Words("the answer cannot be read", "应答无法解析"),
}

# What to do, where it is more than the class says.
_ADVICE = {
    40013: Words("Compare app_id with the AppID in WeChat's console.", "请核对 app_id 与微信后台的 AppID。"),
    40125: Words(
        "Compare app_secret with the AppSecret in WeChat's console; a reset one replaces the old at once.",
        "请核对 app_secret 与微信后台的 AppSecret；重置后旧的立即失效。",
    ),
    40164: Words(
        "Add this address to the IP allow-list of the AppSecret in WeChat's console (IP 白名单).",
        "请在微信后台把该地址加入 AppSecret 的 IP 白名单。",
    ),
    40201: Words("Enter the callback URL in WeChat's console.", "请在微信后台填写服务器 URL。"),
    40243: Words(
        "Unfreeze the AppSecret in WeChat's console; it takes ten minutes to work again.",
        "请在微信后台解冻 AppSecret，约十分钟后生效。",
    ),
    45009: Words(
        "Stop until the counter resets, commonly at midnight, Beijing time; or reset it (ten times a month).",
        "请停止调用，等计数重置（一般为北京时间零点），或手动清零（每月十次）。",
    ),
    45015: Words(
        "Drop the message: a new one can be sent when the follower acts again.",
        "请放弃该消息：用户再次互动后才能下发。",
    ),
    45047: Words(
        "Drop the message: the allowance begins anew when the follower acts again.",
        "请放弃该消息：用户再次互动后额度才会恢复。",
    ),
    48001: Words(
        "The account has no right to this call: look at 接口权限 in WeChat's console; many need a verified account.",
        "账号没有该接口权限：请在微信后台查看接口权限，许多接口需要认证。",
    ),
    65305: Words("Delete personalised menus that are no longer needed.", "请删除不再需要的个性化菜单。"),
    89501: Words(
        "Ask the account's administrator to confirm the message in WeChat.", "请让账号管理员在微信消息中确认。"
    ),
    89503: Words(
        "Ask the account's administrator to confirm the message in WeChat.", "请让账号管理员在微信消息中确认。"
    ),
    89506: Words("Ask the administrator, and try again after 24 hours.", "请联系管理员，24 小时后重试。"),
    89507: Words("Ask the administrator, and try again after an hour.", "请联系管理员，1 小时后重试。"),
}
_ADVICE[61004] = _ADVICE[40164]


class Code(NamedTuple):
    """A line of errcodes.csv."""

    number: int
    meaning: Words
    group: str


@functools.cache
def codes() -> dict[int, Code]:
    with resources.files("wechat").joinpath("errcodes.csv").open(encoding="utf-8") as file:
        rows = [
            Code(int(row["code"]), Words(row["meaning_en"], row["meaning_zh"]), row["class"])
            for row in csv.DictReader(file)
        ]
    return {code.number: code for code in rows}


def refusal(call: str, errcode: int, errmsg: str) -> WeChatError:
    """The exception for an errcode that a call was answered with."""
    code = codes().get(errcode)
    if code is None or code.group not in BY_CLASS:
        unknown = Words(f"an error code that Caidan does not know: {errmsg}", f"Caidan 不认识的错误码：{errmsg}")
        return Invalid(call, unknown, errcode, errmsg)
    kind = BY_CLASS[code.group]
    if errcode == INVALID_CREDENTIAL and call in _BY_SECRET:
        kind = NotConfigured  # of a call without a token, it speaks of the AppSecret
    return kind(call, code.meaning, errcode, errmsg)


def recorded(record: dict[str, Any]) -> WeChatError:
    kinds: list[type[WeChatError]] = [Unreachable, *BY_CLASS.values()]
    kind = next(kind for kind in kinds if kind.__name__ == record["type"])
    args: list[Any] = [Words(*arg) if isinstance(arg, list) else arg for arg in record["args"]]
    return kind(*args)


def _address(text: str) -> str | None:
    for word in _ADDRESS.findall(text):
        for candidate in (word, word.strip(":.")):
            try:
                address = ipaddress.ip_address(candidate)
            except ValueError:
                continue
            mapped = address.ipv4_mapped if address.version == 6 else None
            return str(mapped or address)
    return None

"""What WeChat's calls return, read leniently: numbers may come as text and text as numbers, and keys may be missing.

Readers raise ValueError, TypeError, KeyError or AttributeError where an answer is not of the expected shape.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from pydantic import SecretStr

from wechat.exchange import Json, masked

LONGEST_LIFE = 86400  # seconds; WeChat documents 7200 at most


@dataclass(frozen=True)
class Token:
    value: SecretStr
    lifetime: timedelta

    @classmethod
    def read(cls, answer: Json) -> "Token":
        value, seconds = answer["access_token"], int(answer["expires_in"])
        if not isinstance(value, str) or not value or not 0 < seconds <= LONGEST_LIFE:
            raise ValueError("no token")
        return cls(SecretStr(value), timedelta(seconds=seconds))


@dataclass(frozen=True)
class ConditionalMenu:
    """A personalised menu, as menu/get shows it."""

    menuid: str
    button: list[Json]
    matchrule: Json


@dataclass(frozen=True)
class LiveMenu:
    """The menus set by API; the personalised ones in WeChat's order. Buttons and rules are WeChat's JSON."""

    button: list[Json]
    menuid: str | None  # only where there are personalised menus
    conditional: tuple[ConditionalMenu, ...]

    @classmethod
    def read(cls, answer: Json) -> "LiveMenu":
        menu = answer["menu"]
        conditional = tuple(
            ConditionalMenu(text_id(one["menuid"]), buttons(one), dict(one.get("matchrule") or {}))
            for one in answer.get("conditionalmenu") or ()
        )
        menuid = menu.get("menuid")
        return cls(buttons(menu), None if menuid is None else text_id(menuid), conditional)


@dataclass(frozen=True)
class CurrentMenu:
    """What followers see, whoever set it. Buttons are in the shape of get_current_selfmenu_info, unlike elsewhere."""

    is_open: bool
    button: list[Json]

    @classmethod
    def read(cls, answer: Json) -> "CurrentMenu":
        return cls(bool(int(answer["is_menu_open"])), buttons(answer.get("selfmenu_info") or {}))


@dataclass(frozen=True)
class Resolution:
    """An address that WeChat found for the callback URL's name."""

    ip: str
    operator: str


@dataclass(frozen=True)
class Ping:
    ip: str
    operator: str  # from whose network
    loss: float  # percent
    milliseconds: float | None


@dataclass(frozen=True)
class CallbackCheck:
    dns: tuple[Resolution, ...]
    pings: tuple[Ping, ...]

    @classmethod
    def read(cls, answer: Json) -> "CallbackCheck":
        dns = tuple(Resolution(str(one["ip"]), str(one.get("real_operator", ""))) for one in answer.get("dns") or ())
        return cls(dns, tuple(_ping(one) for one in answer.get("ping") or ()))


@dataclass(frozen=True)
class InterfaceUse:
    """WeChat's own count of what it pushed, of a day or an hour of it (Beijing time)."""

    day: date
    hour: int | None
    pushes: int
    failures: int
    total_ms: int
    max_ms: int

    @classmethod
    def read(cls, row: Json) -> "InterfaceUse":
        hour = row.get("ref_hour")
        return cls(
            day=date.fromisoformat(row["ref_date"]),
            hour=None if hour is None else int(hour) // 100,  # 0, 100, … 2300
            pushes=int(row["callback_count"]),
            failures=int(row["fail_count"]),
            total_ms=int(row["total_time_cost"]),
            max_ms=int(row["max_time_cost"]),
        )


@dataclass(frozen=True)
class Quota:
    daily_limit: int
    used: int
    remain: int
    rate_calls: int | None  # at most so many in so many seconds
    rate_seconds: int | None

    @classmethod
    def read(cls, answer: Json) -> "Quota":
        quota, rate = answer["quota"], answer.get("rate_limit") or {}
        calls, seconds = rate.get("call_count"), rate.get("refresh_second")
        return cls(
            daily_limit=int(quota["daily_limit"]),
            used=int(quota["used"]),
            remain=int(quota["remain"]),
            rate_calls=None if calls is None else int(calls),
            rate_seconds=None if seconds is None else int(seconds),
        )


@dataclass(frozen=True)
class RidReport:
    """What WeChat knows of a request. Bodies are those of the request: they may hold what followers wrote."""

    invoked_at: datetime
    cost_ms: int
    url: str  # its token masked
    request_body: str
    response_body: str
    client_ip: str

    @classmethod
    def read(cls, answer: Json) -> "RidReport":
        request = answer["request"]
        return cls(
            invoked_at=datetime.fromtimestamp(int(request["invoke_time"]), UTC),
            cost_ms=int(request.get("cost_in_ms") or 0),
            url=masked(str(request.get("request_url", ""))),
            request_body=str(request.get("request_body", "")),
            response_body=str(request.get("response_body", "")),
            client_ip=str(request.get("client_ip", "")),
        )


def text_id(value: object) -> str:
    """An id as text: WeChat sends the menuid of one menu as text here and as a number there."""
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise ValueError("no id")
    return str(value)


def buttons(menu: Json) -> list[Json]:
    found = menu.get("button") or []
    if not isinstance(found, list) or not all(isinstance(button, dict) for button in found):
        raise ValueError("no list of buttons")
    return found


def addresses(answer: Json) -> tuple[str, ...]:
    """Single addresses and CIDR blocks, of IPv4 and IPv6."""
    return tuple(str(address) for address in answer["ip_list"])


def _ping(one: Json) -> Ping:
    time = str(one.get("time") or "").removesuffix("ms")  # "23.079ms"
    loss = float(str(one["package_loss"]).removesuffix("%"))
    return Ping(str(one["ip"]), str(one.get("from_operator", "")), loss, float(time) if time else None)

"""All that the platform remembers. It is plain, so that it can be dumped, looked at, changed and loaded."""

from typing import Any, Literal, TypeAlias

import msgspec

from wechat.simulator.request import Mode

Button: TypeAlias = dict[str, Any]


class Token(msgspec.Struct):
    """An access token; it ends at its age, or when it is voided."""

    text: str
    kind: Literal["plain", "stable"]
    expires_at: float
    void_at: float | None = None


class Menu(msgspec.Struct):
    """A menu made through the API, with the rule of a personalised one."""

    menu_id: int
    button: list[Button]
    matchrule: dict[str, Any] = {}


class Opening(msgspec.Struct):
    """What an action of a follower allows: so many messages (None: any number) until then."""

    until: float
    left: int | None


class Follower(msgspec.Struct, omit_defaults=True):
    """Somebody who follows, or did."""

    open_id: str
    wechat_id: str = ""
    follows: bool = True
    tags: list[int] = []  # in the order of assignment
    platform: int = 3  # 1 iOS, 2 Android, 3 others
    language: str = "zh_CN"
    sex: int = 0
    country: str = "中国"
    province: str = ""
    city: str = ""
    cache_seconds: float = 300.0  # how long the client shows a menu before it asks again
    menu_id: int = 0  # of the menu in that cache; 0 is none
    fetched_at: float = -1.0
    acted_at: float = -1.0
    typing_until: float = 0.0
    openings: dict[str, Opening] = {}


class Quota(msgspec.Struct):
    """Calls of a day, by path; limits that differ from WeChat's; resets of a month."""

    day: str = ""
    used: dict[str, int] = {}
    minute: int = 0
    in_minute: dict[str, int] = {}
    limits: dict[str, int] = {}
    minute_limits: dict[str, int] = {}
    month: str = ""
    resets: dict[str, int] = {}


class Hour(msgspec.Struct):
    """The interface statistics of an hour; times in milliseconds."""

    callback_count: int = 0
    fail_count: int = 0
    total_time_cost: int = 0
    max_time_cost: int = 0


class Line(msgspec.Struct):
    """What callback/check finds over a carrier."""

    ip: str
    operator: str
    loss: bool = False
    milliseconds: float = 20.0


class Turn(msgspec.Struct, omit_defaults=True):
    """Something in a chat between a follower and the account, in the words that the follower sees."""

    number: int  # by which what is new is told from what was there
    at: float
    open_id: str
    by: Literal["follower", "account", "wechat"]
    kind: str  # of the event; or of the message, like text
    text: str
    how: str = ""  # passive, service or template; or why WeChat says that the account is out of order


class Holdings(msgspec.Struct):
    """What the platform holds of an account."""

    is_verified: bool = True
    is_test: bool = False
    allowed_ips: list[str] | None = None
    media_ids: list[str] | None = None  # known ones; None: any will do, as for the two below
    mini_programs: list[str] | None = None
    templates: list[str] | None = None
    most_personalised: int = 1000  # WeChat's figure is not documented
    callback_url: str = ""  # where pushes go, and how
    mode: Mode = "plain"
    lines: list[Line] | None = None  # None: callback/check tries the callback itself
    tokens: list[Token] = []
    forced: list[float] = []
    menu: Menu | None = None
    conditional: list[Menu] = []  # in order of creation
    console: dict[str, Any] | None = None
    is_menu_open: bool = True
    last_menu_id: int = 0
    shown: dict[int, list[Button]] = {}  # menus that some client may still show
    followers: dict[str, Follower] = {}
    quota: Quota = msgspec.field(default_factory=Quota)
    statistics: dict[str, Hour] = {}  # by hour of Beijing, like 2014-12-07T13
    sent: list[dict[str, Any]] = []
    turns: list[Turn] = []
    last_turn: int = 0
    template_ids: dict[str, int] = {}  # msgid by client_msg_id
    last_message_id: int = 200228331
    calls: dict[str, int] = {}


class Trace(msgspec.Struct):
    """What openapi/rid/get tells of a failed call."""

    app_id: str
    invoke_time: int
    cost_in_ms: int
    request_url: str
    request_body: str
    response_body: str
    client_ip: str


class Fault(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """Something that goes wrong with calls that match a pattern, like menu/create or *."""

    call: str = "*"
    delay: float = 0.0
    errcode: int | None = None
    errmsg: str = ""
    status: int | None = None
    garbage: bool = False
    drop: bool = False
    void: bool = False  # voids the token that the call comes with
    after: bool = False  # the call is carried out, and its answer is what goes wrong
    times: int | None = None  # so often; None: always
    probability: float = 1.0


class Made(msgspec.Struct):
    """A call that was made, for those who look on; `answer` is an errcode, or what a fault made of it."""

    at: float
    call: str
    app_id: str
    answer: int | str


class State(msgspec.Struct):
    offset: float = 0.0  # of the platform's clock
    callback_ips: list[str] = msgspec.field(default_factory=lambda: ["127.0.0.1", "::1", "101.226.103.0/25"])
    api_ips: list[str] = msgspec.field(default_factory=lambda: ["101.89.47.18", "101.91.34.103"])
    accounts: dict[str, Holdings] = {}  # by AppID
    faults: list[Fault] = []
    traces: dict[str, Trace] = {}
    made: list[Made] = []

"""The configuration: read once per process, from caidan.toml and the environment, with every problem told at once.

The door reads `DoorConfig`, which has no database address, no AppSecret and no secret key; everything else `Config`.
"""

import contextlib
import difflib
import json
import os
import secrets
import string
import sys
import tomllib
from collections.abc import Callable, Container, Iterator
from ipaddress import ip_interface, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from models.webhooks import Webhook

ENV_PREFIX = "CAIDAN_"
CONFIG_VARIABLE = "CAIDAN_CONFIG"  # the path of the file; not a key of it
DEFAULT_FILE = "caidan.toml"


class ConfigError(Exception):
    """The configuration has problems; `problems` lists all of them, a sentence each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


WECHAT = "https://api.weixin.qq.com"
_MADE_UP = "wxdemo"  # how the AppID of a generated account begins; real ones go on in hexadecimal


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{name!r} is no time zone; give one like Asia/Shanghai") from None
    return name


def _aes_key(key: SecretStr) -> SecretStr:
    text = key.get_secret_value()
    if len(text) != 43 or not (text.isascii() and text.isalnum()):
        raise ValueError("an EncodingAESKey is exactly 43 letters and digits")
    return key


def _address(text: str) -> str:
    try:
        block = ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text!r} is no address or block; give one like 10.0.0.1, 10.0.0.0/8 or ::1") from None
    if ip_interface(text).ip != block.network_address:
        raise ValueError(f"{text!r} is an address inside of a block; did you mean {block}?")
    return text


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and not (parts.query or parts.fragment)
        _port = parts.port  # which raises as well
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("no address of a server; give one like https://api.weixin.qq.com")
    return text


def _kind(name: str) -> str:
    if name != (meant := _RENAMED.get(name, name.lower())):
        raise ValueError(f"kinds are written in lower case; did you mean {meant}?")
    return name


_RENAMED = {"LOCATION": "location_report", "SCAN": "qrcode_scan"}  # Events whose kinds have names of their own
AesKey = Annotated[SecretStr, AfterValidator(_aes_key)]
Kind = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_kind)]
Days = Annotated[int, Field(strict=True, ge=1, le=36_500)]
Proxy = Annotated[str, AfterValidator(_address)]
Url = Annotated[str, AfterValidator(_url)]
Zone = Annotated[str, AfterValidator(_zone)]
Token = Annotated[SecretStr, Field(min_length=1)]


class DoorAccount(BaseModel):
    """An account as the door knows it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$", description="the last part of the callback URL")
    app_id: str = Field(min_length=1, description="AppID")
    original_id: str | None = Field(None, description="gh_…; a push naming another is stored and counted")
    token: Token = Field(description="Token of the signatures")
    previous_token: Token | None = Field(None, description="still accepted, during a change of the token")
    aes_key: AesKey | None = Field(None, description="EncodingAESKey, for compatible and security mode")
    previous_aes_key: AesKey | None = Field(None, description="still accepted, during a change of the key")
    timezone: Zone = Field("Asia/Shanghai", description="whose days the account's figures count")


class Account(DoorAccount):
    """An account as the workers and the console know it."""

    app_secret: SecretStr | None = Field(None, description="AppSecret, for calls to WeChat's servers")


class DoorConfig(BaseModel):
    """What the public process needs to know, and no more."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_dir: Path = Field(Path("var"), description="directory of the journal, and of the embedded database and broker")
    broker_url: SecretStr = Field(SecretStr(""), description="caidan+sqlite:///PATH, redis://… or amqp://…")
    replay_window: int = Field(86400, ge=0, description="seconds by which a push's timestamp may be off; 0 is no limit")
    bind: str = Field("127.0.0.1:8000", description="address of the ingress", pattern=r"^\S+:\d{1,5}$")
    ingest_processes: int = Field(1, ge=1, le=64, description="processes of the ingress")
    ingest_threads: int = Field(64, ge=1, le=1024, description="pushes in flight per process of the ingress")
    journal_retention: int = Field(86400, ge=0, description="seconds that receipted pushes stay in the journal")
    journal_limit: int = Field(8 << 30, ge=1 << 20, description="bytes of journal above which pushes get 503")
    trusted_proxies: tuple[Proxy, ...] = Field(
        (), description="addresses and blocks of proxies whose X-Forwarded-For is believed"
    )
    foreign_pushes: Literal["count", "log", "refuse"] = Field(
        "count", description="what to do with pushes from other addresses than WeChat's: count, log or refuse"
    )
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="debug, info, warning or error")
    accounts: tuple[DoorAccount, ...] = Field((), description="the accounts, an array of tables")

    @field_validator("accounts")
    @classmethod
    def _distinct(cls, accounts: tuple[DoorAccount, ...]) -> tuple[DoorAccount, ...]:
        for key in ("name", "app_id"):
            values = [getattr(account, key) for account in accounts]
            if twice := sorted({value for value in values if values.count(value) > 1}):
                raise ValueError(f"two accounts have the {key} {', '.join(twice)}")
        return accounts

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _listed(cls, given: object) -> object:
        if isinstance(given, str):  # as in a variable
            return [one.strip() for one in given.split(",")]
        if not isinstance(given, list | tuple):
            raise ValueError("must be a list of addresses and blocks")  # noqa: TRY004 - pydantic wants this one
        return given

    @property
    def journal_dir(self) -> Path:
        return self.data_dir / "journal"

    @property
    def snapshot_file(self) -> Path:
        return self.data_dir / "snapshot.json"

    def account(self, name: str) -> DoorAccount | None:
        return next((account for account in self.accounts if account.name == name), None)


class Config(DoorConfig):
    """What the workers and the console need to know."""

    database_url: SecretStr = Field(
        SecretStr(""), description="sqlite:///PATH, postgresql+psycopg://… or mysql+pymysql://…"
    )
    api_base_url: Url = Field(WECHAT, description="WeChat's servers, or a simulated platform")
    secret_key: SecretStr = Field(SecretStr(""), description="encrypts access tokens at rest")
    worker_processes: int = Field(2, ge=1, le=64, description="processes of the worker")
    handler_processes: int = Field(8, ge=1, le=256, description="processes of the worker of handlers, at most")
    handler_memory: int = Field(512, ge=16, description="MiB that a call of a handler may take beyond what is loaded")
    retention_days: dict[Kind, Days] = Field(
        {}, description="days that events are kept, by kind; default is all others, quarantine what is there"
    )
    forget_on_unsubscribe: bool = Field(False, description="whether a follower who unsubscribes is forgotten")
    places_at_least: int = Field(
        5, ge=1, description="different followers at a place below whom statistics do not tell of it"
    )
    accounts: tuple[Account, ...] = Field((), description="the accounts, an array of tables")
    webhooks: tuple[Webhook, ...] = Field((), description="servers that are told of events, an array of tables")

    @field_validator("webhooks")
    @classmethod
    def _known(cls, webhooks: tuple[Webhook, ...], info: ValidationInfo) -> tuple[Webhook, ...]:
        names = [webhook.name for webhook in webhooks]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two webhooks have the name {', '.join(twice)}")
        accounts = {account.name for account in info.data.get("accounts", ())}
        named = {name for webhook in webhooks for name in webhook.accounts}
        if "accounts" in info.data and (unknown := sorted(named - accounts)):
            raise ValueError(f"there is no account {', '.join(unknown)}")
        return webhooks

    def may_ask_about(self, account: Account) -> bool:
        """Whether its servers know an account: WeChat's know none without an AppSecret, and none that was made up."""
        is_made_up = account.app_id.startswith(_MADE_UP) and self.api_base_url == WECHAT
        return bool(account.app_secret) and not is_made_up


AnyConfig = TypeVar("AnyConfig", bound=DoorConfig)


def load(kind: type[AnyConfig]) -> AnyConfig:
    """The configuration of this process.

    Raises ConfigError.
    """
    return explain(kind)[0]


def load_or_exit(kind: type[AnyConfig]) -> AnyConfig:
    """The configuration of a process that a program starts: problems go to stderr, and end it with 2."""
    try:
        return load(kind)
    except ConfigError as error:
        print(*error.problems, sep="\n", file=sys.stderr)  # noqa: T201
        sys.exit(2)


def explain(kind: type[AnyConfig]) -> tuple[AnyConfig, dict[str, str]]:
    """The configuration, and where each value comes from: a variable, the file, `default` or `generated`.

    Raises ConfigError.
    """
    file = Path(os.environ.get(CONFIG_VARIABLE) or DEFAULT_FILE)
    problems: list[str] = []
    values = _in_file(file, problems)
    sources = dict.fromkeys(values, str(file)) | _override(values, problems)
    is_door = not issubclass(kind, Config)
    _read_files(values, sources, problems, kind.model_fields)
    for index, account in enumerate(_tables(values.get("accounts"))):
        _read_files(account, {}, problems, (DoorAccount if is_door else Account).model_fields, f"accounts[{index}].")
    for index, webhook in enumerate([] if is_door else _tables(values.get("webhooks"))):
        _read_files(webhook, {}, problems, Webhook.model_fields, f"webhooks[{index}].")
    _complete(values, sources, problems, has_file=file.exists(), needs_key=not is_door)
    if is_door:
        _reduce(values)
    try:
        config = kind.model_validate(values)
    except ValidationError as error:
        problems += [_sentence(details) for details in error.errors(include_url=False, include_input=False)]
    if problems:
        raise ConfigError(problems)
    return config, {name: sources.get(name, "default") for name in kind.model_fields}


def _in_file(file: Path, problems: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        if os.environ.get(CONFIG_VARIABLE):
            problems.append(f"{file}: no such file ({CONFIG_VARIABLE} names it)")
    except (ValueError, OSError) as error:  # tomllib's error is a ValueError, and names line and column
        problems.append(f"{file}: {error}")
    return {}


def _override(values: dict[str, Any], problems: list[str]) -> dict[str, str]:
    """Put the environment's values over the file's; which variable each comes from. An empty one counts as unset."""
    sources: dict[str, str] = {}
    for name in sorted(os.environ):
        if name == CONFIG_VARIABLE or not name.startswith(ENV_PREFIX) or not os.environ[name]:
            continue
        key = name.removeprefix(ENV_PREFIX).lower()
        field = key.removesuffix("_file")
        # Kubernetes and others set variables of their own under our name; only what looks like a slip is refused.
        if field in Config.model_fields:
            values.pop(f"{field}_file", None)  # a file's `<field>_file` must not win over the variable
            values[key], sources[key] = os.environ[name], name
        elif close := _closest(key, Config):
            problems.append(f"{name}: unknown variable; did you mean {ENV_PREFIX}{close.upper()}?")
    for key in ("accounts", "webhooks", "retention_days", "trusted_proxies"):
        if key in sources:
            with contextlib.suppress(ValueError):  # what is no JSON is judged as the text that it is
                values[key] = json.loads(values[key])
    return sources


def _read_files(
    values: dict[str, Any], sources: dict[str, str], problems: list[str], known: Container[str], where: str = ""
) -> None:
    """Replace each `<field>_file` by the text of its file; those of fields the process may not know stay unread."""
    for key in [key for key in values if key.endswith("_file")]:
        path, field = Path(str(values.pop(key))), key.removesuffix("_file")
        try:
            values[field] = path.read_text().strip() if field in known else ""
            sources[field] = f"{sources.pop(key, key)} → {path}"
        except OSError as error:
            problems.append(f"{where}{key}: {path}: {error.strerror}")
        except UnicodeDecodeError:
            problems.append(f"{where}{key}: {path}: not UTF-8")


def _complete(
    values: dict[str, Any], sources: dict[str, str], problems: list[str], *, has_file: bool, needs_key: bool
) -> None:
    """What embedded defaults add: places of files, a demo account and a secret key."""
    given = values.get("data_dir")
    data_dir = Path(given if isinstance(given, str) else "var")
    values.setdefault("broker_url", f"caidan+sqlite:///{data_dir / 'broker.db'}")
    values.setdefault("database_url", f"sqlite:///{data_dir / 'caidan.db'}")
    urls = str(values["broker_url"]), str(values["database_url"])
    embedded = urls[0].startswith("caidan+sqlite:") and urls[1].startswith("sqlite:")
    try:
        if embedded and not has_file and not values.get("accounts"):
            values["accounts"] = [json.loads(_generated(data_dir / "demo.json", _demo_account))]
            sources["accounts"] = f"generated → {data_dir / 'demo.json'}"
        if embedded and needs_key and not values.get("secret_key"):
            values["secret_key"] = _generated(data_dir / "secret.key", secrets.token_urlsafe)
            sources["secret_key"] = f"generated → {data_dir / 'secret.key'}"
    except (OSError, ValueError) as error:
        problems.append(f"{data_dir}: what is generated there cannot be read or written: {error}")
        return
    if values.get("accounts", []) == []:
        problems.append("accounts: at least one [[accounts]] table is needed")
    if needs_key and not values.get("secret_key"):
        problems.append("secret_key: missing; give CAIDAN_SECRET_KEY or secret_key_file")


def _reduce(values: dict[str, Any]) -> None:
    """Leave only what the door may know."""
    for key in Config.model_fields.keys() - DoorConfig.model_fields.keys():
        values.pop(key, None)
    for account in _tables(values.get("accounts")):
        account.pop("app_secret", None)


def _tables(given: object) -> list[dict[str, Any]]:
    return [table for table in given if isinstance(table, dict)] if isinstance(given, list) else []


def _generated(path: Path, make: Callable[[], str]) -> str:
    """The text of a file that is made, readable to its owner only, by whichever process comes first."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_text(make())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was first; its text counts
        finally:
            draft.unlink()
    return path.read_text()


def _demo_account() -> str:
    alphabet = string.ascii_letters + string.digits
    return json.dumps(
        {
            "name": "demo",
            "app_id": _MADE_UP + secrets.token_hex(6),
            "app_secret": secrets.token_hex(16),
            "original_id": "gh_" + secrets.token_hex(6),
            "token": secrets.token_hex(16),
            "aes_key": "".join(secrets.choice(alphabet) for _ in range(43)),
        }
    )


def _sentence(details: Any) -> str:
    """One of pydantic's findings, in words; never with the value, which may be a secret."""
    parts = [part for part in details["loc"] if part != "[key]"]  # pydantic's mark of what is wrong with a key
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).lstrip(".")
    if details["type"] == "tuple_type":
        return f"{where}: must be [[{where}]] tables, or a JSON list in {ENV_PREFIX}{where.upper()}"
    if details["type"] == "dict_type":
        return f"{where}: must be a [{where}] table, or a JSON object in {ENV_PREFIX}{where.upper()}"
    if details["type"] != "extra_forbidden":
        return f"{where}: {details['msg'].removeprefix('Value error, ')}"
    models: dict[str, type[BaseModel]] = {"accounts": Account, "webhooks": Webhook}
    close = _closest(str(details["loc"][-1]), models.get(str(parts[0]), Config))
    return f"{where}: unknown key" + (f"; did you mean {close}?" if close else "")


def _closest(key: str, model: type[BaseModel]) -> str | None:
    return next(iter(difflib.get_close_matches(key, _keys(model), n=1, cutoff=0.75)), None)


def _keys(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield name
        if field.annotation is not None and "Secret" in str(field.annotation):
            yield f"{name}_file"

"""The configuration: read once per process, from caidan.toml and the environment, with every problem told at once.

The door reads `DoorConfig`, which has no database address, no AppSecret and no secret key; everything else `Config`.
"""

import difflib
import json
import os
import secrets
import string
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

ENV_PREFIX = "CAIDAN_"
CONFIG_VARIABLE = "CAIDAN_CONFIG"  # the path of the file; not a key of it
DEFAULT_FILE = "caidan.toml"


class ConfigError(Exception):
    """The configuration has problems; `problems` lists all of them, a sentence each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


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


AesKey = Annotated[SecretStr, AfterValidator(_aes_key)]
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


class DoorConfig(BaseSettings):
    """What the public process needs to know, and no more."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, extra="forbid")

    data_dir: Path = Field(Path("var"), description="directory of the journal, and of the embedded database and broker")
    broker_url: SecretStr = Field(SecretStr(""), description="caidan+sqlite:///PATH, redis://… or amqp://…")
    replay_window: int = Field(86400, ge=0, description="seconds by which a push's timestamp may be off; 0 is no limit")
    bind: str = Field("127.0.0.1:8000", description="address of the ingress", pattern=r"^\S+:\d{1,5}$")
    ingest_processes: int = Field(1, ge=1, le=64, description="processes of the ingress")
    ingest_threads: int = Field(64, ge=1, le=1024, description="pushes in flight per process of the ingress")
    journal_retention: int = Field(86400, ge=0, description="seconds that receipted pushes stay in the journal")
    journal_limit: int = Field(8 << 30, ge=1 << 20, description="bytes of journal above which pushes get 503")
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

    @property
    def journal_dir(self) -> Path:
        return self.data_dir / "journal"

    def account(self, name: str) -> DoorAccount | None:
        return next((account for account in self.accounts if account.name == name), None)


class Config(DoorConfig):
    """What the workers and the console need to know."""

    database_url: SecretStr = Field(
        SecretStr(""), description="sqlite:///PATH, postgresql+psycopg://… or mysql+pymysql://…"
    )
    api_base_url: str = Field("https://api.weixin.qq.com", description="WeChat's servers, or a simulated platform")
    secret_key: SecretStr = Field(SecretStr(""), description="encrypts access tokens at rest")
    worker_processes: int = Field(2, ge=1, le=64, description="processes of the worker")
    accounts: tuple[Account, ...] = Field((), description="the accounts, an array of tables")


AnyConfig = TypeVar("AnyConfig", bound=DoorConfig)


def load(kind: type[AnyConfig]) -> AnyConfig:
    """The configuration of this process.

    Raises ConfigError.
    """
    return explain(kind)[0]


def explain(kind: type[AnyConfig]) -> tuple[AnyConfig, dict[str, str]]:
    """The configuration, and where each value comes from: a variable, the file, `default` or `generated`.

    Raises ConfigError.
    """
    file = Path(os.environ.get(CONFIG_VARIABLE) or DEFAULT_FILE)
    problems: list[str] = []
    values, sources = _read(file, problems)
    _complete(values, sources, has_file=file.exists(), needs_key=issubclass(kind, Config), problems=problems)
    if not issubclass(kind, Config):
        _reduce(values)
    try:
        config = kind.model_validate(values)
    except ValidationError as error:
        problems += [_sentence(details) for details in error.errors(include_url=False, include_input=False)]
    if problems:
        raise ConfigError(problems)
    return config, {name: sources.get(name, "default") for name in kind.model_fields}


def _read(file: Path, problems: list[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The file's values overridden by the environment's, with `<field>_file` read."""
    values: dict[str, Any] = {}
    if file.exists():
        try:
            values = dict(TomlConfigSettingsSource(Config, file)())
        except (ValueError, OSError) as error:  # tomllib's error is a ValueError, and names line and column
            problems.append(f"{file}: {error}")
    elif CONFIG_VARIABLE in os.environ:
        problems.append(f"{file}: no such file ({CONFIG_VARIABLE} names it)")
    sources = dict.fromkeys(values, str(file))
    for name in sorted(os.environ):
        key = name.removeprefix(ENV_PREFIX).lower()
        if name == CONFIG_VARIABLE or not name.startswith(ENV_PREFIX):
            continue
        # Kubernetes and others set variables of their own under our name; only what looks like a slip is refused.
        if key in Config.model_fields or key.removesuffix("_file") in Config.model_fields:
            values[key] = os.environ[name]
            sources[key] = name
        elif close := _closest(key, Config):
            problems.append(f"{name}: unknown variable; did you mean {ENV_PREFIX}{close.upper()}?")
    if isinstance(values.get("accounts"), str):
        values["accounts"] = EnvSettingsSource(Config)().get("accounts", ())
    _read_files(values, sources, problems)
    accounts = values.get("accounts", ())
    for index, account in enumerate(accounts if isinstance(accounts, list) else ()):
        _read_files(account, {}, problems, f"accounts[{index}].")
    return values, sources


def _read_files(values: dict[str, Any], sources: dict[str, str], problems: list[str], where: str = "") -> None:
    for key in [key for key in values if key.endswith("_file")]:
        path = Path(str(values.pop(key)))
        try:
            values[key.removesuffix("_file")] = path.read_text().strip()
            sources[key.removesuffix("_file")] = f"{sources.pop(key, key)} → {path}"
        except OSError as error:
            problems.append(f"{where}{key}: {path}: {error.strerror}")


def _complete(
    values: dict[str, Any], sources: dict[str, str], *, has_file: bool, needs_key: bool, problems: list[str]
) -> None:
    """What embedded defaults add: places of files, a demo account and a secret key."""
    data_dir = Path(values.get("data_dir", "var"))
    values.setdefault("broker_url", f"caidan+sqlite:///{data_dir / 'broker.db'}")
    values.setdefault("database_url", f"sqlite:///{data_dir / 'caidan.db'}")
    embedded = str(values["broker_url"]).startswith("caidan+sqlite:") and str(values["database_url"]).startswith(
        "sqlite:"
    )
    if not values.get("accounts"):
        if embedded and not has_file:
            values["accounts"] = [json.loads(_generated(data_dir / "demo.json", _demo_account))]
            sources["accounts"] = f"generated → {data_dir / 'demo.json'}"
        else:
            problems.append("accounts: at least one [[accounts]] table is needed")
    if needs_key and not values.get("secret_key"):
        if embedded:
            values["secret_key"] = _generated(data_dir / "secret.key", secrets.token_urlsafe)
            sources["secret_key"] = f"generated → {data_dir / 'secret.key'}"
        else:
            problems.append("secret_key: missing; give CAIDAN_SECRET_KEY or secret_key_file")


def _reduce(values: dict[str, Any]) -> None:
    """Leave only what the door may know."""
    for key in Config.model_fields.keys() - DoorConfig.model_fields.keys():
        values.pop(key, None)
    values["accounts"] = [
        {key: value for key, value in account.items() if key != "app_secret"} if isinstance(account, dict) else account
        for account in values.get("accounts", ())
    ]


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
            "app_id": "wx" + secrets.token_hex(8),
            "app_secret": secrets.token_hex(16),
            "original_id": "gh_" + secrets.token_hex(6),
            "token": secrets.token_hex(16),
            "aes_key": "".join(secrets.choice(alphabet) for _ in range(43)),
        }
    )


def _sentence(details: Any) -> str:
    """One of pydantic's findings, in words; never with the value, which may be a secret."""
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in details["loc"]).lstrip(".")
    if details["type"] != "extra_forbidden":
        return f"{where}: {details['msg'].removeprefix('Value error, ')}"
    model = Account if where.startswith("accounts") else Config
    close = _closest(str(details["loc"][-1]), model)
    return f"{where}: unknown key" + (f"; did you mean {close}?" if close else "")


def _closest(key: str, model: type[BaseModel]) -> str | None:
    return next(iter(difflib.get_close_matches(key, _keys(model), n=1, cutoff=0.75)), None)


def _keys(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield name
        if field.annotation is not None and "Secret" in str(field.annotation):
            yield f"{name}_file"

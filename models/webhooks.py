"""`[[webhooks]]`: servers that are told of events, as the configuration has them."""

import base64
import binascii
import ipaddress
import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

SECRET_PREFIX = "whsec_"  # noqa: S105 - by which people know what it is; Standard Webhooks has it so
_KINDS = re.compile(r"[a-z0-9_*]{1,128}")
_RATE = re.compile(r"[1-9][0-9]{0,5}/[smh]")


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not host or parts.scheme not in ("http", "https") or parts.fragment:
        raise ValueError("no address of a server; give one like https://example.com/wechat-events")
    if parts.username is not None or parts.password is not None:
        raise ValueError("names and passwords do not belong here; the signature says that it is Caidan who calls")
    if parts.scheme == "http" and not _is_here(host):
        raise ValueError("events of followers go over https, unless the server is on this machine")
    return text


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def key_of(secret: SecretStr) -> bytes:
    """The bytes that sign. Raises ValueError."""
    return base64.b64decode(secret.get_secret_value().removeprefix(SECRET_PREFIX), validate=True)


def _secret(secret: SecretStr) -> SecretStr:
    try:
        size = len(key_of(secret))
    except (binascii.Error, ValueError):
        size = 0
    if not 24 <= size <= 64:
        raise ValueError("a secret is whsec_ and 24 to 64 bytes in base64; `openssl rand -base64 32` makes them")
    return secret


def _kind(text: str) -> str:
    if not _KINDS.fullmatch(text):
        raise ValueError("kinds are written in lower case, like click; * stands for any letters")
    return text


def _rate(text: str) -> str:
    if not _RATE.fullmatch(text):
        raise ValueError("no rate; give one like 10/s, 600/m or 5000/h")
    return text


def _some(kinds: tuple[str, ...]) -> tuple[str, ...]:
    if not kinds:
        raise ValueError("name the kinds, or leave it out for all")
    return kinds


Kinds = Annotated[tuple[Annotated[str, AfterValidator(_kind)], ...], AfterValidator(_some)]
Secret = Annotated[SecretStr, AfterValidator(_secret)]


class Webhook(BaseModel):
    """A server that events are posted to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$", description="by which it is listed, as webhook.NAME")
    url: Annotated[str, AfterValidator(_url)] = Field(description="where events are posted")
    secret: Secret = Field(description="signs what is posted: whsec_ and base64")
    previous_secret: Secret | None = Field(None, description="signs as well, during a change of the secret")
    accounts: tuple[str, ...] = Field((), description="of these accounts; of all, where none is named")
    kinds: Kinds = Field(("*",), description="events of these kinds, with * for any letters")
    retries: int = Field(12, ge=0, le=100, description="how often it is tried again, in waits that grow to an hour")
    timeout: float = Field(5.0, gt=0, le=60, description="seconds in which it has to answer")
    concurrency: int = Field(2, ge=1, le=64, description="posts at the same time")
    rate: Annotated[str, AfterValidator(_rate)] | None = Field(None, description="posts at most, like 10/s")

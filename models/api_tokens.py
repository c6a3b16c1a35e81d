"""Tokens of the HTTP API: who may ask about which accounts. Only their digests are kept."""

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, ForeignKey, String, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from models.account import Account
from models.base import Base

_PREFIX = "caidan_"  # by which people, and scanners of leaked secrets, know what it is


class ApiToken(Base):
    __tablename__ = "api_token"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255))  # whose it is, in words
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class ApiTokenAccount(Base):
    """An account that a token may ask about; there is no token for all of them, so that new ones are in none."""

    __tablename__ = "api_token_account"

    api_token_id: Mapped[int] = mapped_column(ForeignKey("api_token.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)


@dataclass(frozen=True, slots=True)
class ApiTokenRow:
    id: int
    name: str
    accounts: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Permit:
    token_id: int
    accounts: frozenset[str]  # their names


def add_api_token(
    connection: Connection, name: str, account_ids: Collection[int], now: datetime
) -> tuple[ApiTokenRow, str]:
    """The new token's row, and the token, which cannot be had a second time."""
    token = _PREFIX + secrets.token_urlsafe(32)
    values = {"name": name, "digest": _digest(token), "created_at": now}
    made = connection.execute(insert(ApiToken).values(values))
    assert made.inserted_primary_key is not None
    number = int(made.inserted_primary_key[0])
    rows = [{"api_token_id": number, "account_id": account_id} for account_id in sorted(set(account_ids))]
    connection.execute(insert(ApiTokenAccount), rows)
    return next(row for row in api_tokens(connection) if row.id == number), token


def api_tokens(connection: Connection) -> list[ApiTokenRow]:
    """In the order in which they were made, those that are revoked as well."""
    accounts: dict[int, list[str]] = {}
    query = select(ApiTokenAccount.api_token_id, Account.name).join_from(ApiTokenAccount, Account)
    for number, name in connection.execute(query.order_by(Account.name)):
        accounts.setdefault(number, []).append(name)
    columns = select(ApiToken.id, ApiToken.name, ApiToken.created_at, ApiToken.revoked_at)
    rows = connection.execute(columns.order_by(ApiToken.id))
    return [ApiTokenRow(row.id, row.name, tuple(accounts[row.id]), row.created_at, row.revoked_at) for row in rows]


def revoke_api_token(connection: Connection, number: int, now: datetime) -> bool:
    """Whether it was good until now."""
    is_good = (ApiToken.id == number, ApiToken.revoked_at.is_(None))
    return connection.execute(update(ApiToken).where(*is_good).values(revoked_at=now)).rowcount > 0


def permit_of(connection: Connection, token: str) -> Permit | None:
    """What a token allows; None where it is none, or is revoked."""
    query = select(ApiToken.id, Account.name).join_from(ApiToken, ApiTokenAccount).join(Account)
    found = connection.execute(query.where(ApiToken.digest == _digest(token), ApiToken.revoked_at.is_(None))).all()
    return Permit(found[0].id, frozenset(row.name for row in found)) if found else None


def _digest(token: str) -> str:
    """A token is 256 random bits, so nobody guesses it from a digest that is quick to make. It is looked up by the
    digest, and how long that takes tells of the digest alone."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()

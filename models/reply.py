"""The rules by which pushes are answered. What a rule may say, `wechat/reply_rules.py` knows; here it is a row.

Outside of this module a rule is what msgspec makes of a `wechat.reply_rules.Rule`: names and plain values.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, ForeignKey, Row, Select, String, UniqueConstraint, delete, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from models.account import DEFAULT_TIMEZONE, Account, lock
from models.base import Base, table_of


class ReplyRule(Base):
    """What is null is not asked for."""

    __tablename__ = "reply_rule"
    __table_args__ = (UniqueConstraint("account_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    name: Mapped[str] = mapped_column(String(255))
    priority: Mapped[int]
    is_default: Mapped[bool]  # counts only where no other rule does
    enabled: Mapped[bool]
    kinds: Mapped[str | None]  # click,scancode_waitmsg
    event_key: Mapped[str | None]
    event_key_how: Mapped[str | None] = mapped_column(String(16))  # exact, prefix or pattern; so are the others
    scan_code: Mapped[str | None]
    scan_code_how: Mapped[str | None] = mapped_column(String(16))
    keyword: Mapped[str | None]
    keyword_how: Mapped[str | None] = mapped_column(String(16))  # or contains
    menu_version: Mapped[int | None]
    tag_id: Mapped[str | None] = mapped_column(String(64))
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    weekdays: Mapped[str | None] = mapped_column(String(64))
    hours: Mapped[str | None] = mapped_column(String(255))
    timezone: Mapped[str] = mapped_column(String(64))
    reply: Mapped[dict[str, Any]]
    author: Mapped[str | None] = mapped_column(String(255))
    note: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class RuleRow:
    id: int
    account: str
    rule: dict[str, Any]
    enabled: bool
    author: str | None
    note: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class RulesAccount:
    id: int
    app_id: str
    name: str


_TABLE = table_of(ReplyRule)
# The fields of a rule that ask for a text: the columns of the text, and of how.
_MATCHES = {"key": "event_key", "scan_code": "scan_code", "keyword": "keyword"}
_PLAIN = ("menu_version", "tag_id", "starts_at", "ends_at", "weekdays", "hours", "timezone")


def rules(connection: Connection, account_id: int | None = None) -> list[RuleRow]:
    """An account's, or those of all accounts, enabled or not, by account and id."""
    query = _rows() if account_id is None else _rows().where(ReplyRule.account_id == account_id)
    return [_row(found) for found in connection.execute(query)]


def rules_by_account(connection: Connection) -> list[tuple[RulesAccount, list[dict[str, Any]]]]:
    """The enabled rules of each account that has any, by AppID and id."""
    found: dict[RulesAccount, list[dict[str, Any]]] = {}
    query = _rows().where(ReplyRule.enabled).order_by(None).order_by(Account.app_id, ReplyRule.id)
    for row in connection.execute(query):
        found.setdefault(RulesAccount(row.account_id, row.app_id, row.account), []).append(_rule(row))
    return list(found.items())


def rule_named(connection: Connection, account_id: int, name: str) -> RuleRow | None:
    query = _rows().where(ReplyRule.account_id == account_id, ReplyRule.name == name)
    found = connection.execute(query).one_or_none()
    return _row(found) if found else None


def save_rule(
    connection: Connection,
    account_id: int,
    rule: Mapping[str, Any],
    *,
    enabled: bool = True,
    author: str | None = None,
    note: str | None = None,
    now: datetime,
) -> tuple[int, bool]:
    """Its id, and whether it is new; else it has taken the place of the one that had its name.

    Within a transaction, in which others who save for the account wait. The rule's own `id` counts for nothing.
    """
    lock(connection, account_id)
    values = _columns(rule) | {"enabled": enabled, "author": author, "note": note, "updated_at": now}
    named = (ReplyRule.account_id == account_id, ReplyRule.name == rule["name"])
    if (known := connection.scalar(select(ReplyRule.id).where(*named))) is not None:
        connection.execute(update(ReplyRule).where(ReplyRule.id == known).values(values))
        return known, False
    made = connection.execute(insert(_TABLE).values(account_id=account_id, created_at=now, **values))
    assert made.inserted_primary_key is not None
    return int(made.inserted_primary_key[0]), True


def remove_rule(connection: Connection, account_id: int, name: str) -> bool:
    """Whether it was there."""
    named = (ReplyRule.account_id == account_id, ReplyRule.name == name)
    return connection.execute(delete(ReplyRule).where(*named)).rowcount > 0


def set_enabled(connection: Connection, account_id: int, name: str, enabled: bool, now: datetime) -> bool:
    """Whether that changed anything."""
    named = (ReplyRule.account_id == account_id, ReplyRule.name == name, ReplyRule.enabled != enabled)
    values = {"enabled": enabled, "updated_at": now}
    return connection.execute(update(ReplyRule).where(*named).values(values)).rowcount > 0


def _rows() -> Select[*tuple[Any, ...]]:
    query = select(*_TABLE.c, Account.name.label("account"), Account.app_id)
    return query.join_from(ReplyRule, Account).order_by(ReplyRule.account_id, ReplyRule.id)


def _row(found: Row[*tuple[Any, ...]]) -> RuleRow:
    others = (found.enabled, found.author, found.note, found.created_at, found.updated_at)
    return RuleRow(found.id, found.account, _rule(found), *others)


def _rule(found: Row[*tuple[Any, ...]]) -> dict[str, Any]:
    values = found._mapping
    rule = {"id": found.id, "name": found.name, "reply": found.reply, "priority": found.priority}
    rule |= {"is_default": found.is_default, "kinds": found.kinds.split(",") if found.kinds else []}
    rule |= {name: values[name] for name in _PLAIN if values[name] is not None}
    for field, column in _MATCHES.items():
        if values[column] is not None:
            rule[field] = {"text": values[column], "how": values[f"{column}_how"]}
    return rule


def _columns(rule: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: rule.get(name) for name in ("name", "reply", *_PLAIN)}
    values["timezone"] = rule.get("timezone", DEFAULT_TIMEZONE)  # msgspec leaves out what is the default
    values |= {"priority": rule.get("priority", 0), "is_default": rule.get("is_default", False)}
    values["kinds"] = ",".join(rule.get("kinds", ())) or None
    for field, column in _MATCHES.items():
        match = rule.get(field) or {}
        values[column] = match.get("text")
        values[f"{column}_how"] = match.get("how", "exact") if match else None
    return values

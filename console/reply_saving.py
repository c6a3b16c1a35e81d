"""Rules for replies on their way into the tables: compared with those that are there, and counted."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from console.command import InvalidInputError
from console.i18n import _
from console.reply_given import Given
from console.reply_words import hidden_sentence, problem_sentence, rivals_sentence
from wechat.reply_rules import Rule
from wechat.rule_check import Book, doubts

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from models.reply import RuleRow

ADDED, REPLACED, SAME = "added", "replaced", "unchanged"


@dataclass(frozen=True, slots=True)
class Saved:
    account: str
    id: int
    given: Given
    outcome: str  # ADDED, REPLACED or SAME


def save(
    connection: "Connection", account_id: int, account: str, given: Sequence[Given], *, instead: bool, now: datetime
) -> list[Saved]:
    """Give rules of one account their rows; one that is there already, as it is, stays untouched.

    Raises InvalidInputError.
    """
    from models.reply import rules, save_rule

    known = {row.rule["name"]: row for row in rules(connection, account_id)}
    same = {one.rule.name for one in given if one.rule.name in known and _is_same(known[one.rule.name], one)}
    taken = [one.rule.name for one in given if one.rule.name in known.keys() - same]
    if taken and not instead:
        text = _("{account} has such rules already: {names}. With --replace the new ones take their place.")
        raise InvalidInputError(text.format(account=account, names=_(", ").join(taken)))
    _refuse_unknown_versions(connection, account_id, account, given)
    done = []
    for one in given:
        if one.rule.name in same:
            done.append(Saved(account, known[one.rule.name].id, one, SAME))
            continue
        others: dict[str, Any] = {"enabled": one.enabled, "author": one.author, "note": one.note}
        number, is_new = save_rule(connection, account_id, plain(one.rule), now=now, **others)
        done.append(Saved(account, number, one, ADDED if is_new else REPLACED))
    refuse_too_much(connection)
    return done


def plain(rule: Rule) -> dict[str, Any]:
    """As the tables take it."""
    values: dict[str, Any] = msgspec.to_builtins(rule, builtin_types=(datetime,))
    return values


def read_row(row: "RuleRow") -> Rule | None:
    """None where a later version has written it, and this one cannot read it."""
    try:
        return msgspec.convert(row.rule, Rule)
    except msgspec.ValidationError:
        return None


def warnings(connection: "Connection", account_id: int, saved: Sequence[Saved], now: datetime) -> Iterator[str]:
    """What is to be thought of: of the new rules, and of those that they keep from answering."""
    from models.reply import rules

    found = [rule for row in rules(connection, account_id) if row.enabled and (rule := read_row(row))]
    book, new = Book(found), {one.id for one in saved if one.outcome != SAME}
    for rule in found:
        if rule.id in new:
            for doubt in doubts(rule, now):
                yield f"{rule.name}: {problem_sentence(doubt)}"
        hider = book.hidden_by(rule)
        if hider is not None and (rule.id in new or hider.id in new):
            yield hidden_sentence(rule, hider)
        elif rule.id in new and (rivals := book.rivals(rule)):
            yield rivals_sentence(rule, rivals)


def _is_same(row: "RuleRow", given: Given) -> bool:
    former = read_row(row)
    is_same = former is not None and msgspec.structs.replace(former, id=given.rule.id) == given.rule
    return is_same and (row.enabled, row.author, row.note) == (given.enabled, given.author, given.note)


def _refuse_unknown_versions(connection: "Connection", account_id: int, account: str, given: Iterable[Given]) -> None:
    """A rule for a version that is not there would never match. Raises InvalidInputError."""
    from models.menu_versions import version

    for number in sorted({one.rule.menu_version for one in given if one.rule.menu_version is not None}):
        if version(connection, account_id, number) is None:
            raise InvalidInputError(
                _("{account} has no menu version {version}.").format(account=account, version=number)
            )


def refuse_too_much(connection: "Connection") -> None:
    """Raises InvalidInputError where the doors could not be handed all rules."""
    from workers.queues import REPLIES_BYTES
    from workers.replies import encoded

    size = len(encoded(connection, datetime.now(UTC)))
    if size > REPLIES_BYTES:
        text = _("The rules of all accounts would take {size:,} bytes; doors are handed {limit:,} at most.")
        raise InvalidInputError(text.format(size=size, limit=REPLIES_BYTES))

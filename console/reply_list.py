"""`caidan reply list`: the rules, in the order in which they count."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from console.choosing import zone_of
from console.command import account_filter, as_json, command
from console.database import find_account, reading
from console.i18n import _
from console.output import print_json, print_table
from console.reply_given import written
from console.reply_saving import read_row
from console.reply_words import asked_words, hidden_sentence, reply_words
from models.config import Config, load
from wechat.reply_rules import Rule, precedence
from wechat.rule_check import Book

if TYPE_CHECKING:
    from models.reply import RuleRow


@command("list")
@account_filter
@as_json
def list_rules(account: str | None, as_json: bool) -> None:
    """List the rules in the order in which they count. As JSON they can be given to `reply add --file`."""
    from models.reply import rules

    config, now = load(Config), datetime.now(UTC)
    with reading(config) as connection:
        rows = rules(connection, find_account(connection, account))
    found = sorted(_readable(rows), key=lambda pair: (pair[0].account, precedence(pair[1])))
    if as_json:
        print_json([_json(row, rule, _state(row, rule, now)) for row, rule in found])
        return
    states = {"counts": _("counts"), "disabled": _("disabled"), "over": _("over"), "not_yet": _("not yet")}
    print_table(
        (_("Account"), _("Rule"), _("Priority"), _("Asks for"), _("Reply"), _("State")),
        [
            (
                row.account,
                rule.name,
                rule.priority,
                asked_words(rule, zone_of(config, row.account).key),
                reply_words(rule.reply),
                states[_state(row, rule, now)],
            )
            for row, rule in found
        ],
    )
    for sentence in _hidden(found):
        click.echo(sentence, err=True)
    if len(found) < len(rows):
        text = _("{count} rules cannot be read: a later version has added them.")
        click.echo(text.format(count=len(rows) - len(found)), err=True)


def _readable(rows: "list[RuleRow]") -> "Iterator[tuple[RuleRow, Rule]]":
    for row in rows:
        if (rule := read_row(row)) is not None:
            yield row, rule


def _state(row: "RuleRow", rule: Rule, now: datetime) -> str:
    if not row.enabled:
        return "disabled"
    if rule.ends_at is not None and rule.ends_at <= now:
        return "over"
    return "not_yet" if rule.starts_at is not None and now < rule.starts_at else "counts"


def _hidden(found: "list[tuple[RuleRow, Rule]]") -> Iterator[str]:
    for account in sorted({row.account for row, _rule in found}):
        rules = [rule for row, rule in found if row.account == account and row.enabled]
        book = Book(rules)
        for rule in rules:
            if (hider := book.hidden_by(rule)) is not None:
                yield hidden_sentence(rule, hider)


def _json(row: "RuleRow", rule: Rule, state: str) -> dict[str, Any]:
    others = {"enabled": row.enabled, "author": row.author, "note": row.note, "state": state}
    times = {"created_at": row.created_at, "updated_at": row.updated_at}
    return {"id": row.id, "account": row.account, **written(rule), **others, **times}

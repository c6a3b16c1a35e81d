"""`caidan reply test`: what a push would be answered, and why."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click
import msgspec

from console.choosing import zone_of
from console.command import InvalidInputError, argument, as_json, command, one_account, option
from console.database import chosen_account, find_account, reading
from console.i18n import _
from console.moments import coming
from console.output import local, print_json, print_table, printable
from console.reply_file import content_of, rules_in
from console.reply_given import written
from console.reply_saving import read_row
from console.reply_words import asked_words, reason_words, reply_words
from models.config import Config, DoorAccount, load
from wechat.crypto import UndecryptableError, decode_key, decrypt
from wechat.event import EPOCH, Addressee, Event, read
from wechat.parse import Fields, UnreadableError, parse
from wechat.reply import Nothing, Text, passive
from wechat.reply_rules import NO_MENUS, Choice, Menus, Rule, Rulebook

if TYPE_CHECKING:
    from sqlalchemy import Connection


@command()
@argument("file", metavar="FILE", help="A push as WeChat sends it, XML or JSON; - is standard input.")
@option("--rules", "rules_file", metavar="FILE", help="Ask the rules in this file, and no database.")
@one_account
@option("--at", metavar="TIME", help="As if it came then: now, 2026-10-01T12:00; else when it says itself.")
@as_json
def test(file: str, rules_file: str | None, account: str | None, at: str | None, as_json: bool) -> None:
    """Show what a push would be answered, and why. Nothing is sent, and nothing recorded."""
    config, now = load(Config), datetime.now(UTC)
    chosen = chosen_account(config, account)
    zone = zone_of(config, chosen.name)
    event = _event(content_of(file), file, chosen, now)
    moment = coming(at, now, zone) or (event.received_at if event.created_at == EPOCH else event.created_at)
    if rules_file is not None:
        rules, menus = _offline(rules_file, config, chosen.name, now), NO_MENUS
    else:
        with reading(config) as connection:
            rules, menus = _stored(connection, chosen.name, now)
    book = Rulebook(rules)
    choice = book.answer(event, moment, menus)
    why = book.why(event, moment, menus)
    if as_json:
        print_json(_json(event, moment, choice, why, chosen))
        return
    _print(event, moment, choice, why, zone)


def _event(content: bytes, file: str, account: DoorAccount, now: datetime) -> Event:
    """Raises InvalidInputError."""
    try:
        fields = parse(content)[0]
        if "Encrypt" in fields and "MsgType" not in fields:
            fields = _decrypted(fields, account)
    except (UnreadableError, UndecryptableError) as error:
        text = _("{file} is no push that can be read: {reason}").format(file=file, reason=error.reason)
        raise InvalidInputError(text) from None
    if "MsgType" not in fields:
        raise InvalidInputError(_("{file} is no push: it has no MsgType.").format(file=file))
    return read(fields, Addressee(account.name, account.app_id, account.original_id), now)


def _decrypted(fields: Fields, account: DoorAccount) -> Fields:
    """Raises UndecryptableError and UnreadableError."""
    failure = UndecryptableError("no_aes_key")
    for key in (account.aes_key, account.previous_aes_key):
        if key is not None:
            try:
                return parse(decrypt(str(fields["Encrypt"]), decode_key(key.get_secret_value()), account.app_id))[0]
            except UndecryptableError as error:
                failure = error
    raise failure


def _offline(file: str, config: Config, account: str, now: datetime) -> list[Rule]:
    """The account's, and those that name none."""
    given = rules_in(file, lambda name: zone_of(config, name or account), now)
    rules = [one.rule for one in given if one.enabled and one.account in (None, account)]
    return [msgspec.structs.replace(rule, id=number) for number, rule in enumerate(rules, 1)]


def _stored(connection: "Connection", account: str, now: datetime) -> tuple[list[Rule], Menus]:
    """As the doors get them."""
    from models.reply import rules
    from workers.replies import menus_of

    account_id = find_account(connection, account)
    assert account_id is not None
    rows = [row for row in rules(connection, account_id) if row.enabled]
    found = [rule for row in rows if (rule := read_row(row)) is not None]
    return found, menus_of(connection, account_id, [row.rule for row in rows], now)


def _print(event: Event, at: datetime, choice: Choice | None, why: Sequence[tuple[Rule, str]], zone: ZoneInfo) -> None:
    key = f" {printable(event.event_key)}" if event.event_key else ""
    click.echo(f"{local(at, zone)}  {event.kind}{key}")
    if choice is None:
        click.echo(_("No rule answers: WeChat is told success, and the follower sees nothing."))
    elif isinstance(choice.reply, Nothing):
        text = _("Rule {rule} answers, and says nothing: WeChat is told success.")
        click.echo(text.format(rule=choice.rule.name))
    else:
        click.echo(_("Rule {rule} answers:").format(rule=choice.rule.name))
        words = choice.reply.content if isinstance(choice.reply, Text) else reply_words(choice.reply)
        for line in printable(words).splitlines():
            click.echo(f"  {line}")
    if why:
        print_table(
            (_("Rule"), _("Priority"), _("Asks for"), _("Why")),
            [(rule.name, rule.priority, asked_words(rule, zone.key), reason_words(reason)) for rule, reason in why],
        )


def _json(
    event: Event, at: datetime, choice: Choice | None, why: Sequence[tuple[Rule, str]], account: DoorAccount
) -> dict[str, Any]:
    reply = xml = None
    if choice is not None:
        reply = written(msgspec.structs.replace(choice.rule, reply=choice.reply))["reply"]
        if not isinstance(choice.reply, Nothing):
            sender = str((event.body or {}).get("ToUserName") or account.original_id or "")
            seconds = int(at.timestamp())
            xml = passive(choice.reply, event.open_id or "", sender, seconds, event.kind).decode()
    return {
        "kind": event.kind,
        "event_key": event.event_key,
        "at": at,
        "rule": None if choice is None else choice.rule.name,
        "reply": reply,
        "xml": xml,
        "rules": [{"name": rule.name, "reason": reason} for rule, reason in why],
    }

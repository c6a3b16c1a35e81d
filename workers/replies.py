"""The rules for replies as doors get them, in the snapshot: whenever they differ from what was handed out last."""

import hashlib
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection

from models.menus_shown import Shown, menu_definitions, shown
from models.reply import rules_by_account
from wechat.menu import Button, read
from wechat.reply_rules import NO_MENUS, Menus

log = logging.getLogger(__name__)

MAY_BE_SEEN = timedelta(days=2)  # after a menu was taken down; old clients keep one for a day


def encoded(connection: Connection, now: datetime) -> bytes:
    """By AppID, what the doors need to reply; the same bytes for the same rules and menus."""
    return msgspec.json.encode(
        {
            account.app_id: {"rules": rules, "menus": menus_of(connection, account.id, rules, now)}
            for account, rules in rules_by_account(connection)
        }
    )


def digest(replies: bytes) -> str:
    return hashlib.blake2b(replies, digest_size=16).hexdigest()


def menus_of(connection: Connection, account_id: int, rules: Sequence[Mapping[str, Any]], now: datetime) -> Menus:
    """Nothing where no rule asks for them: else every publication would be handed out."""
    asks_for_tags = any("tag_id" in rule for rule in rules)
    if not asks_for_tags and not any("menu_version" in rule for rule in rules):
        return NO_MENUS
    found = shown(connection, account_id, now - MAY_BE_SEEN)
    definitions = menu_definitions(connection, {one.menu_id for one in found}) if asks_for_tags else {}
    return menus(found, definitions)


def menus(found: Sequence[Shown], definitions: Mapping[int, Any]) -> Menus:
    """Whose menus these are. A key tells of a tag if it stands in menus of that tag and in no others."""
    tags, tags_by_key = {}, defaultdict[str, set[str | None]](set)
    for menu_id, definition in definitions.items():
        for position, (tag, keys) in enumerate(_personal(menu_id, definition)):
            tags[menu_id, position] = tag
            for key in keys:
                tags_by_key[key].add(tag)
    return Menus(
        live_version=next((one.version for one in found if one.is_live), None),
        by_wechat_menu_id={
            wechat_menu_id: (one.version, tags.get((one.menu_id, position)))
            for one in found
            for position, wechat_menu_id in sorted(one.wechat_menu_ids.items())
        },
        tag_by_key={key: tag for key, its in sorted(tags_by_key.items()) if len(its) == 1 and (tag := next(iter(its)))},
    )


def _personal(menu_id: int, definition: Any) -> list[tuple[str | None, set[str]]]:
    """Tag and keys of the default menu, and then of the personalised ones."""
    try:
        menu = read(definition)
    except (ValueError, AttributeError, TypeError):  # by whatever way it came into the table
        log.warning("menu cannot be read", extra={"menu": menu_id})
        return []
    return [(None, _keys(menu.buttons))] + [(_tag(one.rule), _keys(one.buttons)) for one in menu.personal]


def _tag(rule: Mapping[str, Any]) -> str | None:
    tag = rule.get("tag_id") or rule.get("group_id")  # menu/get tells it by its former name
    return str(tag) if tag else None


def _keys(buttons: Sequence[Button]) -> set[str]:
    found = set()
    for button in buttons:
        found |= _keys(button.buttons or ())
        if isinstance(key := button.fields.get("key"), str):
            found.add(key)
    return found

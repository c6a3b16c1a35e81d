"""Pushes in quarantine that speak of forgotten followers: their bytes are erased, and the row stays.

So an entry of a journal that brings the same bytes again finds its row there, and is passed over.
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import Connection, Engine, and_, func, or_, select, update

from models.db import transaction
from models.quarantine import Quarantine, open_id_hash
from models.walk import AnyRow, AnySelect

Follower: TypeAlias = tuple[int, str]
"""An account's id, and the hash of an openid."""
Lookup: TypeAlias = Callable[[Connection, Iterable[Follower]], Mapping[Follower, datetime]]
"""Which followers are forgotten, and when."""

ERASED = "forgotten"  # the detail of a row whose bytes are gone
_PAGE = 100  # rows; a push has at most 64 KiB
_WORD = re.compile(rb"[A-Za-z0-9_-]+")  # what an openid looks like
_BASE64 = re.compile(rb'"#?raw":"([A-Za-z0-9+/]+=*)"')  # the bytes that an encoded entry carries


def erase_mentions(
    engine: Engine,
    accounts: Mapping[int, str],
    forgotten: Lookup,
    now: datetime,
    since: datetime | None = None,
    *,
    dry_run: bool = False,
) -> int:
    """Erase what is in quarantine, since a moment or at all, of forgotten followers of these accounts (ids and AppIDs).

    Whose push it is, is looked for in its bytes, as they are; what could not be decrypted keeps its secret.
    """
    erased = 0
    for rows in _pages(engine, accounts, since):
        followers = {row.id: _followers(row, accounts) for row in rows}
        with engine.connect() as connection:
            moments = forgotten(connection, {follower for found in followers.values() for follower in found})
        ids = [row.id for row in rows if any(_is_before(row, moments.get(found)) for found in followers[row.id])]
        if ids and not dry_run:
            with transaction(engine) as connection:
                erase(connection, ids, now)
        erased += len(ids)
    return erased


def erase(connection: Connection, ids: Sequence[UUID], now: datetime) -> None:
    """Empty rows of quarantine; replaying passes over them, too."""
    emptied = {"raw": b"", "detail": ERASED, "replayed_at": func.coalesce(Quarantine.replayed_at, now)}
    connection.execute(update(Quarantine).where(Quarantine.id.in_(ids)).values(emptied))


def _pages(engine: Engine, accounts: Mapping[int, str], since: datetime | None) -> Iterator[Sequence[AnyRow]]:
    columns = (Quarantine.id, Quarantine.account_id, Quarantine.raw, Quarantine.received_at, Quarantine.quarantined_at)
    of_account = or_(Quarantine.account_id.in_(accounts), Quarantine.account_id.is_(None))
    query: AnySelect = select(*columns).where(of_account, Quarantine.detail != ERASED).limit(_PAGE)
    query = query.order_by(Quarantine.quarantined_at, Quarantine.id)
    if since is not None:
        query = query.where(Quarantine.quarantined_at >= since)
    after: AnyRow | None = None
    while True:
        page = query
        if after is not None:
            same = and_(Quarantine.quarantined_at == after.quarantined_at, Quarantine.id > after.id)
            page = query.where(
                Quarantine.quarantined_at >= after.quarantined_at,
                or_(Quarantine.quarantined_at > after.quarantined_at, same),
            )
        with engine.connect() as connection:
            rows = connection.execute(page).all()
        if rows:
            yield rows
        if len(rows) < _PAGE:
            return
        after = rows[-1]


def _followers(row: AnyRow, accounts: Mapping[int, str]) -> set[Follower]:
    """Everybody whom a push may speak of: each of its words could be an openid."""
    words = _words(row.raw)
    candidates = accounts.items() if row.account_id is None else [(row.account_id, accounts[row.account_id])]
    return {(account_id, open_id_hash(app_id, word)) for account_id, app_id in candidates for word in words}


def _words(raw: bytes) -> set[str]:
    texts = [raw]
    for encoded in _BASE64.findall(raw):
        try:
            texts.append(b64decode(encoded))
        except binascii.Error:
            continue
    return {word.decode() for text in texts for word in _WORD.findall(text)}


def _is_before(row: AnyRow, forgotten_at: datetime | None) -> bool:
    if forgotten_at is None:
        return False
    return any(moment is not None and moment < forgotten_at for moment in (row.received_at, row.quarantined_at))

"""Marks for the roll-up: where the rows of `event` have changed, and are to be counted again."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from models.bulk import insert_new
from models.rollup import RollupMark, slot_of


def mark(connection: Connection, pairs: Iterable[tuple[int, datetime]]) -> None:
    """Have the slots of these events, given by account and `created_at`, counted again.

    In the transaction that changes them: whoever sees the mark sees what it is about.
    """
    slots = sorted({(account_id, slot_of(created_at)) for account_id, created_at in pairs})
    insert_new(connection, RollupMark, [{"account_id": account_id, "slot": slot} for account_id, slot in slots])

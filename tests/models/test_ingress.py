"""What is remembered of ingresses, and the revisions of what they get, on each kind of database."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, delete, select

from models.account import account_ids
from models.db import transaction
from models.ingress import (
    Ingress,
    Snapshot,
    callback_addresses,
    fetched_at,
    handed_out_at,
    ingress_queues,
    next_revision,
    note_handed_out,
    note_ingress,
    put_addresses,
)

NOW = datetime(2026, 10, 1, 4, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def noted(database: Engine, queue: str, now: datetime) -> bool:
    with transaction(database) as connection:
        return note_ingress(connection, queue, now)


def revised(database: Engine, now: datetime) -> int:
    with transaction(database) as connection:
        return next_revision(connection, now)


def test_an_ingress_is_new_once_and_written_down_once_an_hour(database: Engine) -> None:
    seen, new = [], []
    for now in (NOW, NOW + MINUTE, NOW + HOUR - MINUTE, NOW + HOUR, NOW + HOUR + MINUTE):
        new.append(noted(database, "receipts.a", now))
        with database.connect() as connection:
            seen.append(connection.scalar(select(Ingress.seen_at)))

    assert [True, False, False, False, False] == new
    assert [NOW, NOW, NOW, NOW + HOUR, NOW + HOUR] == seen


def test_names_that_differ_in_case_are_two(database: Engine) -> None:
    assert [True, True, False] == [noted(database, queue, NOW) for queue in ("receipts.a", "receipts.A", "receipts.a")]


def test_an_ingress_that_is_gone_is_forgotten_and_may_come_back(database: Engine) -> None:
    noted(database, "receipts.old", NOW)
    noted(database, "receipts.new", NOW + DAY)
    with transaction(database) as connection:
        assert ["receipts.new", "receipts.old"] == ingress_queues(connection, NOW)
        assert ["receipts.new"] == ingress_queues(connection, NOW + DAY)
        assert ["receipts.new"] == ingress_queues(connection, NOW)

    assert [True, False] == [noted(database, queue, NOW + DAY) for queue in ("receipts.old", "receipts.new")]


def test_a_list_is_replaced_and_left_out_when_it_is_old(database: Engine) -> None:
    with transaction(database) as connection:
        ids = account_ids(connection, {"wx1": "shop", "wx2": "cafe"})
        put_addresses(connection, ids["wx1"], ("1.2.3.4", "::1"), NOW)
        put_addresses(connection, ids["wx2"], ("1.2.3.5",), NOW)
        put_addresses(connection, ids["wx1"], ("101.226.0.0/16",), NOW + DAY)
    with database.connect() as connection:
        assert {"wx1": NOW + DAY, "wx2": NOW} == fetched_at(connection)
        assert {"wx1": ["101.226.0.0/16"], "wx2": ["1.2.3.5"]} == callback_addresses(connection, NOW)
        assert {"wx1": ["101.226.0.0/16"]} == callback_addresses(connection, NOW + MINUTE)


def test_only_what_all_were_handed_is_handed_out(database: Engine) -> None:
    with transaction(database) as connection:
        assert handed_out_at(connection) is None
        next_revision(connection, NOW)
        assert handed_out_at(connection) is None
        note_handed_out(connection, NOW)
        next_revision(connection, NOW + DAY)
        assert NOW == handed_out_at(connection)


def test_a_revision_is_higher_than_all_before_also_after_an_older_database_was_restored(database: Engine) -> None:
    moments = [NOW, NOW, NOW + MINUTE, NOW - DAY, NOW + MINUTE]
    revisions = [revised(database, now) for now in moments]
    with transaction(database) as connection:
        connection.execute(delete(Snapshot))

    assert sorted(set(revisions)) == revisions
    assert revised(database, NOW + HOUR) > max(revisions)


@pytest.mark.parametrize("is_first", [True, False])
def test_a_higher_revision_is_never_made_of_older_rows(database: Engine, is_first: bool) -> None:
    """Whoever asks for one while another is being made waits for it, and then reads what the other has read."""
    if not is_first:
        revised(database, NOW)
    made: list[tuple[int, int]] = []

    def make() -> None:
        for _ in range(5):
            with transaction(database) as connection:
                revision = next_revision(connection, NOW)
                made.append((revision, len(ingress_queues(connection, NOW - DAY))))
            noted(database, f"receipts.{threading.get_ident()}-{revision}", NOW)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    made.sort()
    assert 20 == len({revision for revision, _ in made}) == len(made)
    assert sorted(rows for _, rows in made) == [rows for _, rows in made]

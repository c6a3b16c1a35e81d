"""Three months of taps in PostgreSQL, made there: forty buttons, a hundred thousand followers, three publications."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import zip_longest

from sqlalchemy import Engine, insert, text

from models import months
from models.account import Account
from models.base import table_of
from models.db import transaction
from models.menu import Menu, Publication
from models.partition import create
from models.publications import PUBLISHED

DAYS = 90
FOLLOWERS = 100_000
BUTTONS = 40
ZONE = "Asia/Shanghai"
# As many are active as life has it: some often, most now and then; and some buttons are tapped more than others.
_EVENTS = """
INSERT INTO event (id, created_at, account_id, kind, open_id, event_key, received_at, recorded_at, publication_id)
SELECT CAST(lpad(to_hex(CAST(extract(epoch FROM moment) * 1000 AS bigint)), 12, '0')
    || '8' || substr(md5(CAST(number AS text)), 1, 3) || '8' || substr(md5(CAST(number AS text)), 4, 15) AS uuid),
    moment, :account_id, CASE WHEN mod(button, 3) = 0 THEN 'view' ELSE 'click' END,
    'o6_bmjrPTlm6_2sgVt7hMZOP' || lpad(CAST(follower AS text), 6, '0'), 'button-' || button, moment, moment,
    CASE WHEN moment < :second THEN 1 WHEN moment < :third THEN 2 ELSE 3 END
FROM (
    SELECT number, date_trunc('second', CAST(:begin AS timestamptz) + number * CAST(:every AS interval)) AS moment,
        CAST(floor(power(random(), 1.5) * :followers) AS int) AS follower,
        CAST(floor(power(random(), 1.5) * :buttons) AS int) AS button
    FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS number
) AS made
"""


@dataclass(frozen=True)
class Filled:
    account_id: int
    first: date  # by the account's clock, as the last
    last: date
    changes: tuple[datetime, datetime]  # when the second publication took the place of the first, and the third its


def buttons() -> Iterator[tuple[str, str]]:
    """Kinds and keys, of every menu."""
    for number in range(BUTTONS):
        yield "click" if number % 3 else "view", f"button-{number}"


def fill(engine: Engine, rows: int, at_a_time: int = 500_000) -> Filled:
    """So many events of whole days, the last of which is the day before yesterday."""
    end = datetime.now(UTC).replace(hour=16, minute=0, second=0, microsecond=0) - timedelta(days=2)
    begin = end - timedelta(days=DAYS)
    create(engine, list(months.span(months.month_of(begin), months.month_of(end))))
    with transaction(engine) as connection:
        values = {"name": "bench", "app_id": "wx0123456789abcdef", "timezone": ZONE}
        account_id = connection.execute(table_of(Account).insert().values(values)).inserted_primary_key
        assert account_id is not None
    # At ten in the morning and some seconds, as a rotation does it.
    second, third = (begin + timedelta(days=part * DAYS // 3, hours=10, seconds=3) for part in (1, 2))
    _put_up(engine, account_id[0], [begin - timedelta(days=1), second, third])
    settings = {
        "account_id": account_id[0],
        "second": second,
        "third": third,
        "begin": begin,
        "every": timedelta(days=DAYS) / rows,
        "followers": FOLLOWERS,
        "buttons": BUTTONS,
    }
    for first in range(0, rows, at_a_time):
        with transaction(engine) as connection:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            last = min(first + at_a_time, rows) - 1
            connection.execute(text(_EVENTS), settings | {"first": first, "last": last})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE event")
    return Filled(
        account_id[0], (begin + timedelta(hours=8)).date(), (end - timedelta(hours=1)).date(), (second, third)
    )


def _put_up(engine: Engine, account_id: int, moments: Sequence[datetime]) -> None:
    """The same menu each time: what is measured does not look at it."""
    menu = {"account_id": account_id, "version": 1, "digest": "", "definition": {}, "created_at": moments[0]}
    with transaction(engine) as connection:
        menu_id = connection.execute(insert(table_of(Menu)).values(menu).returning(Menu.id)).scalar_one()
        common = {"account_id": account_id, "menu_id": menu_id, "cause": "publish", "outcome": PUBLISHED}
        for number, (begun, ended) in enumerate(zip_longest(moments, moments[1:]), 1):
            times = {"id": number, "started_at": begun, "ended_at": ended}
            connection.execute(insert(table_of(Publication)).values(common | times))

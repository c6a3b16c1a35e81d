"""What the doctor looks at in database and broker: whether they keep what they were given."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from console.checks import Finding, failure, fine, skipped, warning
from console.i18n import _

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

# What each setting has to be, for what is committed to survive a power failure; the rest loses it.
_POSTGRESQL = {"fsync": {"on"}, "synchronous_commit": {"on", "local", "remote_write", "remote_apply"}}
_POSTGRESQL_RISKS = {"full_page_writes": {"on"}}  # some file systems do without
_MYSQL = {"innodb_flush_log_at_trx_commit": {"1"}}
_MYSQL_RISKS = {"sync_binlog": {"1"}}
MONTHS_AHEAD = 2


def tables(engine: "Engine") -> Iterable[Finding]:
    import migrations

    found = [_not_ours(problem) for problem in migrations.problems(engine)]
    return found or [fine(_("The tables are as this version needs them."))]


def _not_ours(problem: str) -> Finding:
    text = _("The tables are not as this version needs them. {problem}").format(problem=problem)
    newer = _("Install the newer release that made them.")
    return failure(text, newer if "newer than this program" in problem else _("Run: caidan db upgrade"))


def durability(connection: "Connection") -> Iterable[Finding]:
    dialect = connection.dialect.name
    if dialect == "postgresql":
        names = [*_POSTGRESQL, *_POSTGRESQL_RISKS]
        settings = {name: str(connection.exec_driver_sql(f"SHOW {name}").scalar_one()) for name in names}
        return [*settled(settings, _POSTGRESQL, failure), *settled(settings, _POSTGRESQL_RISKS, warning)]
    if dialect == "mysql":
        names = [*_MYSQL, *_MYSQL_RISKS, "log_bin"]
        settings = {name: str(connection.exec_driver_sql(f"SELECT @@{name}").scalar_one()) for name in names}
        risks = _MYSQL_RISKS if settings["log_bin"] == "1" else {}
        return [*settled(settings, _MYSQL, failure), *settled(settings, risks, warning)]
    synchronous = str(connection.exec_driver_sql("PRAGMA synchronous").scalar_one())
    return settled({"synchronous": synchronous}, {"synchronous": {"2", "3"}}, failure)


def settled(
    settings: Mapping[str, str], wanted: Mapping[str, Collection[str]], blame: Any = failure
) -> Iterator[Finding]:
    """Whether what a database says it has committed survives a power failure."""
    for name, right in wanted.items():
        if settings[name] in right:
            yield fine(_("{name} is {value}.").format(name=name, value=settings[name]))
        else:
            text = _("{name} is {value}: what is committed may be lost with the power.")
            best = sorted(right, key=lambda value: (value != "on", value))[0]
            advice = _("Set {name} to {value} in the database's configuration.").format(name=name, value=best)
            yield blame(text.format(name=name, value=settings[name]), advice)


def partitions(connection: "Connection") -> Iterable[Finding]:
    from models import months
    from models.partition import ATTACHED, partitions

    if connection.dialect.name != "postgresql":
        return [skipped(_("Only PostgreSQL has partitions."))]
    first = months.month_of(datetime.now(UTC))
    wanted = list(months.span(first, months.later(first, MONTHS_AHEAD)))
    return ahead({(one.table, one.month) for one in partitions(connection) if one.state == ATTACHED}, wanted)


def ahead(attached: Collection[tuple[str, date | None]], wanted: Collection[date]) -> Iterable[Finding]:
    """Whether each table has the partitions of these months."""
    names = sorted({table for table, _month in attached} | {"event"})
    missing = [f"{table} {month:%Y-%m}" for month in wanted for table in names if (table, month) not in attached]
    if not missing:
        return [fine(_("The partitions of the next months are ready."))]
    text = _("Partitions are missing: {names}. Their events go to the default partition.")
    return [warning(text.format(names=", ".join(missing)), _("Run: caidan db partition create; and look after beat."))]


def broker(url: str) -> Iterable[Finding]:
    from workers import queues

    if not (queues.is_redis(url) or queues.is_rabbitmq(url)):
        return [skipped(_("The embedded broker has no settings."))]
    try:
        with queues.connect(url, queues.Role.PUBLISHER) as connection:
            connection.ensure_connection(max_retries=1)
            dangers = queues.dangers(connection, url)
            return [fine(_("The broker can be reached.")), *_dangerous(dangers), *_queues(connection, url)]
    except Exception as error:  # kombu's transports raise errors of many families
        text = _("The broker cannot be reached ({kind}).").format(kind=type(error).__name__)
        return [failure(text, _("Is it running, and is broker_url right? The journal keeps what comes meanwhile."))]


def _dangerous(dangers: Iterable[str]) -> list[Finding]:
    """workers/queues.py words them for logs; people are told by the setting that each is about."""
    said = {
        "appendonly": _("Redis keeps nothing on disk: when it restarts, what it held is sent again, minutes later."),
        "maxmemory-policy": _("Redis may throw away queues when its memory is full."),
        "visibility_timeout": _("A batch may be given to another worker while the first is still busy with it."),
    }
    advice = {
        "appendonly": _("Set `appendonly yes` in Redis."),
        "maxmemory-policy": _("Set `maxmemory-policy noeviction` in Redis."),
        "visibility_timeout": _("Leave visibility_timeout out of broker_url."),
    }
    found = []
    for danger in dangers:
        name = next((name for name in said if name in danger), "")
        found.append(warning(said.get(name, danger), advice.get(name, "")))
    return found


def _queues(connection: Any, url: str) -> Iterator[Finding]:
    """Of those that are there, whether RabbitMQ has them as they must be, and whether anybody reads them."""
    from workers import queues

    for name in (queues.EVENTS, queues.UPKEEP) if queues.is_rabbitmq(url) else ():
        queue = queues.work_queue(name, url)
        try:
            with connection.channel() as channel:
                found = queue(channel).queue_declare(passive=True)
        except Exception:  # as above; there is none
            yield skipped(_("The queue {name} is not there yet; a worker makes it.").format(name=name))
            continue
        yield from _as_it_must_be(connection, queue)
        if not found.consumer_count:
            text = _("Nobody reads the queue {name}; {count} messages are in it.")
            yield failure(text.format(name=name, count=found.message_count), _("Start a worker: caidan worker"))


def _as_it_must_be(connection: Any, queue: Any) -> Iterator[Finding]:
    from workers import queues

    try:
        with connection.channel() as channel:
            queue(channel).queue_declare()
    except Exception as error:  # as above
        text = _("The queue {name} has other arguments than it must have: {error}")
        advice = _("Delete the queue: it is made anew, and what was in it is sent again.")
        yield failure(text.format(name=queue.name, error=queues.explained(error)), advice)
        return
    yield fine(_("The queue {name} is as it must be.").format(name=queue.name))

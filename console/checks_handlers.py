"""What the doctor looks at of handlers: their packages, their worker, and what failed."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from console.checks import Finding, failure, fine, skipped, warning
from console.i18n import _
from models.handling import FAILED, PENDING, Listed, handlers

if TYPE_CHECKING:
    from sqlalchemy import Connection

UNSEEN_AFTER = timedelta(minutes=5)  # workers tell of their handlers every minute
BEHIND = timedelta(minutes=5)
PATIENCE = 15.0  # seconds, for all packages


def packages() -> Iterator[Finding]:
    """Whether they can be imported: in a process of its own, as they may do anything."""
    from workers import alone, handler_packages

    if not handler_packages.installed():
        yield skipped(_("No package with handlers is installed."))
        return
    try:
        failures, names = alone.call(handler_packages.tried, patience=PATIENCE)
    except alone.DiedError as error:
        text = _("Importing the packages of handlers ended the process ({how}).").format(how=error.how)
        yield warning(text, _("Import them one by one in Python, and see which does."))
        return
    for name, raised in sorted(failures.items()):
        text = _("The handlers of {name} cannot be imported ({error}).").format(name=name, error=raised)
        yield failure(text, _("Import it in Python, and see what it says; its handlers are not called."))
    if names:
        yield fine(_("Handlers in packages: {names}.").format(names=", ".join(names)))


def called(connection: "Connection", now: datetime) -> Iterator[Finding]:
    return judged(handlers(connection), now)


def judged(found: Sequence[Listed], now: datetime) -> Iterator[Finding]:
    if not found:
        yield skipped(_("No worker has told of a handler."))
        return
    is_well = True
    for one in found:
        for finding in _judged(one, now):
            is_well = False
            yield finding
    if is_well:
        yield fine(_("Handlers that are called: {names}.").format(names=", ".join(one.name for one in found)))


def _judged(one: Listed, now: datetime) -> Iterator[Finding]:
    pending = one.counts[PENDING]
    if one.seen_at is None or now - one.seen_at > UNSEEN_AFTER:
        text = _("No worker tells of the handler {name} any more; events that wait for it: {count}.")
        advice = _("Start caidan worker where it is installed; or, if it is no more: caidan handler remove {name}")
        yield warning(text.format(name=one.name, count=pending), advice.format(name=one.name))
    elif one.oldest_due_at is not None and now - one.oldest_due_at > BEHIND:
        text = _("The handler {name} is behind: {count} events wait, the first for {minutes} minutes.")
        minutes = round((now - one.oldest_due_at) / timedelta(minutes=1))
        advice = _("Raise its concurrency and handler_processes, or its rate; or see why it is slow.")
        yield warning(text.format(name=one.name, count=pending, minutes=minutes), advice)
    if count := one.counts[FAILED]:
        text = _("The handler {name} has failed for {count} events for good.").format(name=one.name, count=count)
        yield warning(text, _("See caidan handler failed, and caidan handler replay once it is mended."))

"""What the doctor says of pushes: whether all that WeChat counted are here."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from console.checks import Finding, fine, skipped, warning
from console.i18n import _
from console.missing_words import delay_words, missing_sentence, read_compared
from workers.reconcile import NO_FIGURES

if TYPE_CHECKING:
    from sqlalchemy import Connection


def pushes(connection: "Connection", account: str, now: datetime) -> Iterator[Finding]:
    found = read_compared(connection, account, now)
    text = _("Missing: {pushes}.")
    advice = _(
        "Look at the hours with: caidan stats reconcile --day {day}. If a journal has them, send it once more "
        "(caidan journal replay), and what is in quarantine too; if the door was down, they are gone."
    )
    for missing in found.missing:
        yield warning(text.format(pushes=missing_sentence(missing)), advice.format(day=missing.day))
    if found.days and not found.missing:
        text = _("All that WeChat counted from {since} to {until} is here.")
        yield fine(text.format(since=found.days[0].day, until=found.days[-1].day))
    if found.delay and found.delay.reason != NO_FIGURES:
        yield skipped(delay_words(found.delay))
    elif not found.days:
        yield skipped(
            _(
                "Nothing has been compared with WeChat's counts yet: that is done in the morning, for whole days "
                "after the first event, and while retention_days keeps all of a day."
            )
        )

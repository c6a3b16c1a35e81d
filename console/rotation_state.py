"""How a rotation stands at a moment."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from console.i18n import _
from console.rotation_plan import Plan
from console.rotation_words import minute, until_words
from models.rotations import RotationRow
from workers.windows import ALWAYS


@dataclass(frozen=True, slots=True)
class State:
    """`at` is until when it is due, or from when on it is next; `by` the rotation that goes before."""

    word: Literal["due", "outranked", "stopped", "next", "ended", "disabled", "unsound"]
    at: datetime | None = None
    by: int | None = None


def state(plan: Plan, rotation: RotationRow, now: datetime) -> State:
    if rotation not in plan.sound:
        return State("unsound")
    if not rotation.enabled:
        return State("disabled")
    due = plan.due(now)
    if due and due.rotation.id == rotation.id:
        return State("due", due.window.ends_at)
    window = next(iter(plan.next_windows(rotation, now, 1)), None)
    if window is None:
        return State("ended")
    if window.starts_at > now:
        return State("next", window.starts_at)
    if (rotation.id, window.starts_at) in plan.stopped:
        return State("stopped", window.ends_at)
    return State("outranked", window.ends_at, due.rotation.id if due else None)


def state_words(found: State, zone: ZoneInfo) -> str:
    at = None if found.at is None or found.at == ALWAYS else minute(found.at, zone)
    if found.word == "due":
        return until_words(_("due now"), at)
    if found.word == "outranked":
        return _("waits: rotation {id} is due").format(id=found.by)
    if found.word == "stopped":
        return until_words(_("stopped by its guard"), at)
    if found.word == "next":
        return _("next {time}").format(time=at)
    words = {"ended": _("over"), "disabled": _("disabled"), "unsound": _("cannot be followed; see caidan doctor")}
    return words[found.word]

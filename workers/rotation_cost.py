"""What a plan of rotations costs in calls, which WeChat counts by the day. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType

from wechat.client import ADD_CONDITIONAL, CREATE_MENU, DELETE_CONDITIONAL, GET_MENU
from wechat.menu import Menu
from wechat.menu_plan import plan
from wechat.quota import DAILY, day_of
from workers.due import Switch

_PATHS = MappingProxyType({"create": CREATE_MENU, "add": ADD_CONDITIONAL, "delete": DELETE_CONDITIONAL})
_NONE: Mapping[date, Mapping[str, int]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Overrun:
    """A day, as WeChat counts days, on which a call would be made more often than it may be."""

    day: date
    path: str
    calls: int  # those made already included
    limit: int


def calls(switches: Iterable[Switch], menus: Mapping[int, Menu]) -> dict[date, Counter[str]]:
    """How often each call is made on each day, by its path, if all switches go well; `menus` by the ids of versions."""
    by_day: dict[date, Counter[str]] = defaultdict(Counter)
    for switch in switches:
        if switch.after is not None:
            before = None if switch.before is None else menus[switch.before.rotation.menu_id]
            by_day[day_of(switch.at)] += cost(before, menus[switch.after.rotation.menu_id])
    return dict(by_day)


def cost(live: Menu | None, wanted: Menu) -> Counter[str]:
    """The calls that publishing takes, at most; `live` is None where it is not known, or there is none.

    Nobody knows what becomes of personalised menus when the default one is replaced (PROTOCOL 6.4): that they stay and
    have to be deleted is counted, and that they go and have to be added again.
    """
    steps = plan(live and _with_ids(live), wanted)
    found = Counter({GET_MENU: 2 if steps else 1}) + Counter(_PATHS[step.call] for step in steps)
    if live is not None and live.personal and any(step.call == "create" for step in steps):
        found[GET_MENU] += 1
        found[ADD_CONDITIONAL] = len(wanted.personal)
    return +found


def overruns(
    planned: Mapping[date, Mapping[str, int]],
    used: Mapping[date, Mapping[str, int]] = _NONE,
    limits: Mapping[str, int] = DAILY,
) -> list[Overrun]:
    """Where the planned calls, on top of those made already, are more than a day allows; by day and path.

    A day on which nothing is planned is none, however much was used.
    """
    found = []
    for day, by_path in sorted(planned.items()):
        for path, count in sorted(by_path.items()):
            total = count + used.get(day, {}).get(path, 0)
            if count and total > limits.get(path, total):
                found.append(Overrun(day, path, total, limits[path]))
    return found


def _with_ids(menu: Menu) -> Menu:
    """As WeChat would give it back: each personalised menu with an id, which a plan names to delete it."""
    personal = tuple(replace(one, fields={"menuid": str(number)}) for number, one in enumerate(menu.personal))
    return replace(menu, personal=personal)

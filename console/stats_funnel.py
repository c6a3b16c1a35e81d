"""`caidan stats funnel`: how many go a way to its end, such as follow, tap, scan, place."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from console.command import InvalidInputError, command, option
from console.i18n import _
from console.moments import duration
from console.stats_asked import Asked, opened, question
from console.stats_names import Names, names_of
from console.stats_tables import Column, Row, Table, number, share, text

if TYPE_CHECKING:
    from models.funnels import Of, Step

_STEPS = ("follow", "tap")


@command()
@question()
@option(
    "--step",
    "given",
    multiple=True,
    metavar="STEP",
    default=_STEPS,
    help="In their order: follow, tap, scan, photo, place, message, a kind, or tap=BUTTON.",
)
@option("--within", metavar="LENGTH", default="24h", help="Each step within such a time.")
@option("--after", type=click.Choice(("first", "previous")), default="first", help="Of which step that is counted.")
def funnel(asked: Asked, given: tuple[str, ...], within: str, after: "Of") -> None:
    """Count how many followers take one step after the other; each follower once, by the best of their ways."""
    from models.funnels import funnel

    with opened(asked) as one:
        time, names, limit = one.time(), names_of(one.connection, one.account_id), duration(within)
        if len(given) < 2 or limit == 0:
            raise InvalidInputError(_("A funnel has two steps or more, and a time to take them in."))
        steps = [_step(word, names) for word in given]
        found = funnel(one.connection, one.account_id, time.since, time.until, steps, timedelta(seconds=limit), after)
        rows: list[Row] = [
            {
                "step": word,
                "users": row.users,
                "share": row.share,
                "share_of_previous": row.users / former if former else None,
                "median_minutes": row.median_minutes,
            }
            for word, row, former in zip(given, found, [None, *(row.users for row in found)], strict=False)
        ]
        columns = [
            text("step", _("Step")),
            number("users", _("Users")),
            share("share", _("Of the first")),
            share("share_of_previous", _("Of the one before")),
            Column("median_minutes", _("Median minutes"), lambda value: f"{value:,.1f}", is_number=True),
        ]
        facts = {"within_seconds": limit, "after": after}
        one.answer(time, {"steps": lambda: Table("", columns, rows, bars="users")}, facts)


def _step(text: str, names: Names) -> "Step":
    """Raises InvalidInputError and NotFoundError."""
    from models.funnels import Step

    word, equals, button = text.partition("=")
    if equals:
        if word != "tap":
            raise InvalidInputError(_("{text!r} is no step; of a button it is tap=BUTTON.").format(text=text))
        kind, key = names.find_one(button)
        return Step(frozenset([kind]), key)
    known = {row.kind for row in names.counted.values()}
    words = _words(known)
    if word in words:
        return Step(words[word])
    if word in known:
        return Step(frozenset([word]))
    sentence = _("{text!r} is no step; there is: {words}, and of kinds: {kinds}")
    raise InvalidInputError(sentence.format(text=text, words=", ".join(words), kinds=", ".join(sorted(known))))


def _words(known: Iterable[str]) -> Mapping[str, frozenset[str]]:
    from models.event import MENU_KINDS

    return {
        "follow": frozenset(["subscribe"]),
        "unfollow": frozenset(["unsubscribe"]),
        "tap": MENU_KINDS,
        "scan": frozenset(["scancode_push", "scancode_waitmsg"]),
        "photo": frozenset(["pic_sysphoto", "pic_photo_or_album", "pic_weixin"]),
        "place": frozenset(["location_select"]),
        "message": frozenset(kind for kind in known if kind.startswith("message_")),
    }

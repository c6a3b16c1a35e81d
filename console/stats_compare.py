"""`caidan stats compare`: two versions of the menu side by side, and whether a difference means anything."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from console.choosing import NUMBER
from console.command import NotFoundError, argument, command, option
from console.i18n import _
from console.rotation_words import duration_words
from console.stats_asked import Asked, Question, opened, question
from console.stats_tables import Column, Table, text
from console.stats_time import Time, time_of
from wechat.menu import read

if TYPE_CHECKING:
    from models.alignment import Pair
    from models.comparison import Compared, Comparison, Count, Subject
    from models.publications import PublicationRow

_PARTS = ("estimate", "low", "high", "p")


@command()
@argument("first", type=NUMBER, help="A version of the menu.")
@argument("second", type=NUMBER, help="The version that is compared with it.")
@question("whole", "buttons")
@option("--publications", is_flag=True, help="The numbers are those of publications: `stats rotation` shows them.")
def compare(asked: Asked, first: int, second: int, publications: bool) -> None:
    """Compare two versions of the menu. Without a time, since the day on which the earlier of them went live.

    Taps are those that are tied to each; active are the followers who did anything while it was live, its times being
    rounded to whole hours. A difference is one of the share of active followers who tapped.
    """
    from models.comparison import compare

    with opened(asked) as one:
        found = [_publications(one, number, publications) for number in (first, second)]
        time = asked.given_time(one.now, one.zone) or _since(one, [row for rows in found for row in rows])
        subjects = [_subject(one, rows) for rows in found]
        answer = compare(one.connection, one.account_id, time.days(), one.zone, one.now, subjects[0], subjects[1])
        tables = {"whole": lambda: _whole(answer), "buttons": lambda: _buttons(answer)}
        facts = {"first": _side(answer, 0, first), "second": _side(answer, 1, second)}
        one.answer(time, tables, facts, sums=_sums(answer, first, second))


def _publications(one: Question, number: int, is_publication: bool) -> "Sequence[PublicationRow]":
    """Those that followers saw.

    Raises NotFoundError.
    """
    from models.publications import PUBLISHED, of_version, publications

    if is_publication:
        known = publications(one.connection, one.account_id, limit=1_000_000)
        found = [row for row in known if row.id == number and row.outcome == PUBLISHED]
        text = _("There is no publication {number} of {account}; look with: caidan stats rotation")
    else:
        found = list(of_version(one.connection, one.account_id, number))
        text = _("Version {number} of {account} was never live; look with: caidan menu list")
    if not found:
        raise NotFoundError(text.format(number=number, account=one.account))
    return found


def _since(one: Question, rows: "Sequence[PublicationRow]") -> Time:
    earliest = min(row.started_at for row in rows).astimezone(one.zone).date()
    found = time_of(None, None, earliest.isoformat(), None, one.now, one.zone)
    assert found is not None
    return found


def _subject(one: Question, rows: "Sequence[PublicationRow]") -> "Subject":
    from models.comparison import Subject
    from models.menu_versions import version
    from workers.placed_buttons import placed_buttons

    menu = version(one.connection, one.account_id, rows[0].version)
    assert menu is not None  # versions are never removed
    return Subject(frozenset(row.id for row in rows), placed_buttons(read(menu.definition)))


def _side(answer: "Comparison", place: int, number: int) -> dict[str, Any]:
    side = (answer.first, answer.second)[place]
    return {"number": number, "live_seconds": side.seconds, **_counts(side.whole)}


def _counts(count: "Count | None") -> dict[str, Any]:
    if count is None:
        return dict.fromkeys(("taps", "users", "active", "taps_per_user", "taps_per_active", "share"))
    return {
        "taps": count.taps,
        "users": count.users,
        "active": count.active,
        "taps_per_user": count.per_user,
        "taps_per_active": count.per_active,
        "share": count.share,
    }


def _whole(answer: "Comparison") -> Table:
    return Table(_("The menu as a whole"), _columns(), [_row(answer.whole)])


def _buttons(answer: "Comparison") -> Table:
    columns = [
        text("name", _("Button")),
        text("other", _("Beside")),
        *(text(name, None) for name in ("key", "other_key")),
    ]
    rows = [_names(row.pair) | _row(row.compared) for row in answer.buttons]
    return Table(_("By button"), [*columns, text("aligned_by", None), *_columns()], rows)


def _names(pair: "Pair") -> dict[str, Any]:
    """The first menu's button, or where it has none the second's; and what stands beside it under another name."""
    button = pair.first or pair.second
    assert button is not None
    other = pair.second if pair.first else None
    return {
        "name": button.name,
        "key": button.key,
        "other": other.name if other and other.name != button.name else None,
        "other_key": other.key if other else None,
        "aligned_by": pair.by,
    }


def _row(compared: "Compared") -> dict[str, Any]:
    first, second = _counts(compared.first), _counts(compared.second)
    found = {
        f"{side}_{name}": value
        for side, counts in (("first", first), ("second", second))
        for name, value in counts.items()
    }
    shares = compared.shares
    return found | {
        **{f"share_{part}": shares and getattr(shares, part) for part in _PARTS},
        "verdict": compared.verdict,
        "taps": _both(first["taps"], second["taps"], ","),
        "shares": _both(first["share"], second["share"], ".1%"),
        "interval": f"{100 * shares.low:+.1f} … {100 * shares.high:+.1f}" if shares else None,
    }


def _both(first: float | None, second: float | None, form: str) -> str:
    one, other = ("-" if value is None else format(value, form) for value in (first, second))
    return f"{one} -> {other}"


def _columns() -> list[Column]:
    """For people few, so that they fit into a terminal; for programs all there is."""
    shown = {"taps": _("Taps"), "shares": _("Who tapped"), "interval": _("Difference, 95 %")}
    names = [f"{side}_{name}" for side in ("first", "second") for name in _counts(None)]
    names += [f"share_{part}" for part in _PARTS]
    columns = [Column(name, heading, is_number=True, is_told=False) for name, heading in shown.items()]
    return [*columns, *(Column(name, None) for name in names), Column("verdict", _("That means"), _verdict)]


def _verdict(verdict: str) -> str:
    return {
        "more": _("more"),
        "fewer": _("fewer"),
        "no_difference": _("no difference"),
        "too_few": _("too few people"),
        "unequal_time": _("unequal times"),
        "one_side": _("in one only"),
    }[verdict]


def _sums(answer: "Comparison", first: int, second: int) -> str:
    text = _("{number}: live for {time}, {active:,} active followers, of whom {users:,} tapped, {rate} times each")
    sides = ((first, answer.first), (second, answer.second))
    lines = [
        text.format(
            number=number,
            time=duration_words(side.seconds // 60 * 60),
            active=side.whole.active,
            users=side.whole.users,
            rate=f"{side.whole.per_user or 0:.2f}",
        )
        for number, side in sides
    ]
    lines.append(
        _(
            "Who tapped: the share of active followers, of the first -> the second, and by how many points these "
            "differ. Active are those who did anything while it was live, by whole hours."
        )
    )
    return "\n".join(lines)

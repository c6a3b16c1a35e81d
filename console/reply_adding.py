"""`caidan reply add`: a rule from options, or rules from a file."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from console.choosing import NAME, NOTE, NUMBER, dry_run, zone_of
from console.command import InvalidInputError, argument, as_json, command, one_account, option
from console.database import account_row, chosen_account, writing
from console.i18n import _
from console.output import print_json
from console.reply_file import rules_in
from console.reply_given import Given, read_rules, written
from console.reply_saving import SAME, Saved, save, warnings
from console.reply_sending import hand_out
from console.reply_words import asked_words, problem_sentence, reply_words
from models.config import Config, load

_ASKING = ("key", "scan_code", "keyword", "menu_version", "tag", "from", "until", "weekdays", "hours", "timezone")
# By option of a reply: what other options belong to it, under which names of its fields.
_PARTS = {
    "text": {},
    "image": {},
    "voice": {},
    "video": {"title": "title", "description": "description", "thumb": "thumb_media_id"},
    "music": {"title": "title", "description": "description", "music_url": "music_url", "hq_music_url": "hq_music_url"},
    "news": {"title": "title", "description": "description", "picture": "pic_url"},
    "transfer": {"kf_account": "kf_account"},
    "nothing": {},
}
_MAIN = {"video": "media_id", "music": "thumb_media_id", "news": "url"}


@command()
@argument("name", type=NAME, required=False, metavar="[NAME]", help="Of the rule; there is one of a name.")
@option("--file", metavar="FILE", help="Add the rules in a file, YAML or JSON; - is standard input.")
@one_account
@option("--kind", multiple=True, help="For pushes of this kind, such as click; may be repeated.")
@option("--key", help="With this key; * is any text: STOCK, or 'MENU_*'.")
@option("--scan-code", metavar="CODE", help="Where this was scanned; * is any text: 'EAN_13,*'.")
@option("--keyword", help="Where this was written or said; * is any text: 退款, or '*退款*'.")
@option("--menu-version", metavar="VERSION", type=NUMBER, help="Tapped in this version of the menu.")
@option("--tag", metavar="ID", help="Tapped in a personalised menu for followers with this tag.")
@option("--from", "from", metavar="TIME", help="From this time on: 2h, tomorrow, 2026-10-01T12:00.")
@option("--until", metavar="TIME", help="Until this time; a date alone is its beginning.")
@option("--weekdays", help="On these weekdays: mon-fri, or sat,sun.")
@option("--hours", help="At these times: 11:00-14:00, or 09:00-12:00,22:00-02:00.")
@option("--timezone", metavar="ZONE", help="Whose clock counts; else that of the account.")
@option("--priority", type=int, default=0, help="Of several that match the highest answers, then the more specific.")
@option("--default", "default", is_flag=True, help="Count only where no other rule matches.")
@option("--text", help="Reply with a text; {event_key}, {code} and others are filled in.")
@option("--image", metavar="MEDIA_ID", help="Reply with an image.")
@option("--voice", metavar="MEDIA_ID", help="Reply with a voice message.")
@option("--video", metavar="MEDIA_ID", help="Reply with a video.")
@option("--music", metavar="MEDIA_ID", help="Reply with music; the id is that of its thumbnail.")
@option("--news", metavar="URL", help="Reply with an article; several can be given in a file.")
@option("--transfer", is_flag=True, help="Hand the conversation over to customer service.")
@option("--nothing", is_flag=True, help="Say nothing, whatever other rules say.")
@option("--title", help="Of the video, the music or the article.")
@option("--description", help="Of the video, the music or the article.")
@option("--picture", metavar="URL", help="Of the article.")
@option("--thumb", metavar="MEDIA_ID", help="Thumbnail of the video, for customer-service messages.")
@option("--music-url", metavar="URL", help="Where the music is.")
@option("--hq-music-url", metavar="URL", help="Where it is in better quality.")
@option("--kf-account", metavar="NAME@ACCOUNT", help="Hand over to this person.")
@option("--disabled", is_flag=True, help="Add it, but let it count for nothing until it is enabled.")
@option("--note", type=NOTE, help="A word about it.")
@option("--author", type=NAME, help="Who made it.")
@option("--replace", is_flag=True, help="Take the place of rules that have the same names.")
@dry_run
@as_json
def add(
    name: str | None, file: str | None, account: str | None, replace: bool, dry_run: bool, as_json: bool, **options: Any
) -> None:
    """Say how to reply to taps, scans and messages. Doors go by it within seconds."""
    config, now = load(Config), datetime.now(UTC)
    if file is not None:
        _refuse_beside_file(name, options)
        given = rules_in(file, _zones(config, account), now)
    else:
        given = _from_options(config, account, name, options, now)
    saved, told = _save(config, account, given, instead=replace, dry_run=dry_run, now=now)
    if not dry_run and any(one.outcome != SAME for one in saved):
        hand_out(config)
    for sentence in told:
        click.echo(sentence, err=True)
    if as_json:
        print_json([_json(one, dry_run) for one in saved])
        return
    for one in saved:
        click.echo(_told(one))


def _zones(config: Config, account: str | None) -> Any:
    """The time zone of a rule's account, which a rule in a file may name."""

    def zone(name: str | None) -> ZoneInfo:
        return zone_of(config, name or account)

    return zone


def _from_options(
    config: Config, account: str | None, name: str | None, options: dict[str, Any], now: datetime
) -> list[Given]:
    """Raises InvalidInputError."""
    if name is None:
        raise InvalidInputError(_("Give the rule a name, or rules with --file."))
    tree = {"name": name, "kind": list(options["kind"]), "reply": _reply(options)}
    tree |= {one: options[one] for one in (*_ASKING, "priority", "default", "author", "note")}
    found, problems = read_rules([tree | {"enabled": not options["disabled"]}], _zones(config, account), now)
    if problems:
        raise InvalidInputError("\n".join(problem_sentence(one._replace(path=_option(one.path))) for one in problems))
    return found


def _option(path: str) -> str:
    """What somebody gave who gave no file."""
    field = path.removeprefix("rules[0].").removeprefix("reply.")
    names = {"content": "text", "media_id": "image, --voice, --video", "thumb_media_id": "music, --thumb"}
    names |= {"articles[0].url": "news", "articles[0].pic_url": "picture", "reply": "text", "name": ""}
    field = names.get(field, field.removeprefix("articles[0].").removeprefix("news[0].").removeprefix("video."))
    return f"--{field.replace('_', '-')}" if field else "NAME"


def _reply(options: dict[str, Any]) -> dict[str, Any]:
    """Raises InvalidInputError."""
    given = [name for name in _PARTS if options[name]]
    if options["kf_account"] and not given:
        given = ["transfer"]
    if len(given) != 1:
        names = ", ".join(f"--{name}" for name in _PARTS)
        raise InvalidInputError(_("Give one reply: {options}.").format(options=names))
    name = given[0]
    parts = {part for parts in _PARTS.values() for part in parts if options[part]}
    if beside := sorted(parts - _PARTS[name].keys()):
        text = _("{options} do not belong to --{reply}.")
        raise InvalidInputError(
            text.format(options=", ".join(f"--{one.replace('_', '-')}" for one in beside), reply=name)
        )
    if name == "transfer":
        return {name: options["kf_account"] or True}
    if name not in _MAIN:
        return {name: options[name]}
    fields = {_MAIN[name]: options[name]} | {field: options[one] for one, field in _PARTS[name].items() if options[one]}
    return {name: fields}


def _refuse_beside_file(name: str | None, options: dict[str, Any]) -> None:
    """Raises InvalidInputError."""
    if name is not None or any(options.values()):
        raise InvalidInputError(_("With --file, the rules are what the file says; leave the other options out."))


def _save(
    config: Config, account: str | None, given: Iterable[Given], *, instead: bool, dry_run: bool, now: datetime
) -> tuple[list[Saved], list[str]]:
    by_account: dict[str, list[Given]] = {}
    for one in given:
        by_account.setdefault(chosen_account(config, one.account or account).name, []).append(one)
    saved: list[Saved] = []
    told: list[str] = []
    with writing(config, dry_run=dry_run) as connection:
        for name, rules in by_account.items():
            _refuse_twins(rules)
            account_id = account_row(connection, chosen_account(config, name))
            done = save(connection, account_id, name, rules, instead=instead, now=now)
            saved += done
            told += warnings(connection, account_id, done, now)
    return saved, told


def _refuse_twins(rules: list[Given]) -> None:
    """Raises InvalidInputError."""
    names = [one.rule.name for one in rules]
    if twins := sorted({name for name in names if names.count(name) > 1}):
        raise InvalidInputError(_("Several rules are called {names}.").format(names=_(", ").join(twins)))


def _told(one: Saved) -> str:
    texts = {
        "added": _("Added: {rule}: {asked} → {reply}"),
        "replaced": _("Replaced: {rule}: {asked} → {reply}"),
        "unchanged": _("Nothing to do: {rule}: {asked} → {reply}"),
    }
    rule = one.given.rule
    return texts[one.outcome].format(rule=rule.name, asked=asked_words(rule), reply=reply_words(rule.reply))


def _json(one: Saved, dry_run: bool) -> dict[str, Any]:
    given = one.given
    others = {"enabled": given.enabled, "author": given.author, "note": given.note, "outcome": one.outcome}
    is_unknown = dry_run and one.outcome == "added"
    return {"id": None if is_unknown else one.id, "account": one.account, **written(given.rule), **others}

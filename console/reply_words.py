"""Sentences about rules for replies: what they ask for, what they say, and what is wrong with them."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from console.i18n import _
from console.reply_given import notation
from console.rotation_words import hours_words, known_zone, minute, weekdays_words
from wechat.reply import Image, Music, News, Nothing, Problem, Reply, Text, Transfer, Video, Voice
from wechat.reply_rules import Rule

_SHOWN = 60  # characters of a text


def problem_sentence(problem: Problem) -> str:
    """What is wrong, where, and what to do."""
    if problem.reason == "told":
        text = problem.value
    else:
        text = _words()[problem.reason].format(value=problem.value, limit=problem.limit)
    if problem.better:
        text = _("{text} Did you mean {alike}?").format(text=text, alike=problem.better)
    return _("{path}: {text}").format(path=problem.path, text=text)


def hidden_sentence(rule: Rule, by: Rule) -> str:
    text = _("{rule} never answers: {other} counts before it, and matches whenever it does.")
    return text.format(rule=rule.name, other=by.name)


def rivals_sentence(rule: Rule, rivals: Sequence[Rule]) -> str:
    text = _("{rule} has the rank of {others}, and some pushes match both: the older one answers them. {advice}")
    advice = _("Give one of them another priority if that is not meant.")
    return text.format(rule=rule.name, others=_(", ").join(one.name for one in rivals), advice=advice)


def asked_words(rule: Rule, home: str | None = None) -> str:
    """What it asks for."""
    asks = [_(" or ").join(rule.kinds)] if rule.kinds else []
    for name, match in (("key", rule.key), ("scan_code", rule.scan_code), ("keyword", rule.keyword)):
        if match is not None:
            wrote = notation(match)
            asks.append(f"{_names()[name]} {wrote if isinstance(wrote, str) else next(iter(wrote.values()))}")
    if rule.menu_version is not None:
        asks.append(_("menu version {version}").format(version=rule.menu_version))
    if rule.tag_id is not None:
        asks.append(_("tag {tag}").format(tag=rule.tag_id))
    asks += _times(rule, known_zone(rule.timezone))
    words = _(", ").join(asks) or _("anything")
    has_times = rule.starts_at or rule.ends_at or rule.weekdays or rule.hours
    if has_times and rule.timezone != home:
        words = _("{rule} ({zone})").format(rule=words, zone=rule.timezone)
    return _("default: {rule}").format(rule=words) if rule.is_default else words


def reply_words(reply: Reply) -> str:
    match reply:
        case Text():
            return _short(reply.content)
        case Image():
            return _("image {media_id}").format(media_id=reply.media_id)
        case Voice():
            return _("voice {media_id}").format(media_id=reply.media_id)
        case Video():
            return _("video {media_id}").format(media_id=reply.media_id)
        case Music():
            return _("music {url}").format(url=reply.music_url or reply.title or reply.thumb_media_id)
        case News():
            return _("news: {titles}").format(titles=_short(_(", ").join(one.title for one in reply.articles)))
        case Transfer():
            if reply.kf_account is None:
                return _("hand over to customer service")
            return _("hand over to {kf_account}").format(kf_account=reply.kf_account)
        case Nothing():
            return _("say nothing")


def reason_words(reason: str) -> str:
    return {
        "answers": _("answers"),
        "outranked": _("matches, but another counts before it"),
        "must_get_success": _("pushes of this kind must not be answered"),
        "other_kind": _("asks for another kind"),
        "other_key": _("asks for another key"),
        "other_scan_code": _("asks for another scan code"),
        "other_keyword": _("asks for another keyword"),
        "other_menu_version": _("asks for another menu version"),
        "other_tag": _("asks for another tag"),
        "unknown_tag": _("asks for a tag, and this push tells of none"),
        "not_yet": _("does not count yet"),
        "over": _("does not count any more"),
        "other_hours": _("counts at other times"),
    }[reason]


def _short(text: str) -> str:
    line = text.replace("\n", " ⏎ ")
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"


def _times(rule: Rule, zone: ZoneInfo) -> list[str]:
    told = []
    if rule.weekdays is not None:
        told.append(weekdays_words(rule.weekdays))
    if rule.hours is not None:
        told.append(hours_words(rule.hours))
    if rule.starts_at is not None:
        told.append(_("from {time}").format(time=minute(rule.starts_at, zone)))
    if rule.ends_at is not None:
        told.append(_("until {time}").format(time=minute(rule.ends_at, zone)))
    return told


def _names() -> dict[str, str]:
    return {"key": _("key"), "scan_code": _("scan code"), "keyword": _("keyword")}


def _words() -> dict[str, str]:
    return {
        "no_rules": _("There is no rule here; give a list of them, each with a name and a reply."),
        "not_a_rule": _("This is no rule, which has fields such as name, kind, key and reply."),
        "unknown_key": _("A rule has no field {value}."),
        "not_text": _("This has to be text."),
        "not_texts": _("This has to be a kind, or a list of kinds."),
        "not_a_number": _("This has to be a whole number."),
        "not_true": _("This has to be true or false."),
        "not_fields": _("This has to have fields of its own."),
        "not_a_match": _("Give a text, with * for any text, or one of exact, prefix, contains, pattern with a text."),
        "no_reply": _("A rule needs a reply; to say nothing, reply: {{nothing: true}}."),
        "not_a_reply": _("A reply is one of text, image, voice, video, music, news, transfer, nothing."),
        "empty": _("This must not be empty."),
        "too_long": _("This has {value}; at most {limit} are allowed (of a name characters, else bytes)."),
        "too_many": _("There are {value}; at most {limit} are allowed."),
        "out_of_range": _("A priority is between -1000 and 1000."),
        "must_get_success": _("A push of the kind {value} must not be answered: WeChat takes nothing but success."),
        "pattern_without_star": _("{value} has no *; as it is, it is an exact text."),
        "unknown_zone": _("{value!r} is no time zone; give one like Asia/Shanghai."),
        "unreadable_weekdays": _("{value!r} is no weekday; give them like mon-fri, or sat,sun."),
        "unreadable_hours": _("{value!r} are no hours of a day; give them like 11:00-14:00, at most until 24:00."),
        "without_zone": _("{value} has no time zone."),
        "ends_before_start": _("It would end before it begins."),
        "never_together": _("It would never match: no push has all of {value}."),
        "no_media_id": _("{value!r} is no media id, which has letters, digits, - and _."),
        "no_kf_account": _("{value!r} is no customer-service account, which looks like anna@shop."),
        "no_url": _("{value!r} is no link; it begins with http:// or https://."),
        "forbidden_sign": _("It has a control character, which XML cannot hold."),
        "unknown_field": _("No push has a field {{{value}}}; a brace itself is written twice: {{{{."),
        "single_brace": _(
            "There is a single {value}; a field stands in two braces, and a brace itself is written twice."
        ),
        "field_in_host": _("A field must not say where a link leads: it may come after the host and a /, ? or #."),
        # What is only doubted.
        "unknown_kind": _("The kind {value} is unknown; it matches if WeChat ever sends it."),
        "longer_than_keys": _("No button has a key of more than {limit} bytes, so it matches none."),
        "over": _("It is over since {value}, and matches nothing."),
        "tag_by_menu": _(
            "WeChat does not tell a follower's tag. It is known only of taps on a personalised menu: by its MenuId, "
            "or by a key that stands in menus of this tag and in no other."
        ),
        "matches_all": _("It matches every push that may be answered; did you mean a default rule (--default)?"),
    }

"""Sentences about menus: what is wrong with one, and what cannot be read as one."""

from collections.abc import Mapping, Sequence
from typing import Any

from console.i18n import _
from console.output import print_table, printable
from wechat.menu_file import FileError
from wechat.menu_rules import Problem
from wechat.menu_shapes import PLATFORMS

_EXCERPT = 100  # characters of a line


def print_problems(problems: Sequence[Problem], *, err: bool = False) -> None:
    levels = {"error": _("error"), "warning": _("warning")}
    if problems:
        print_table(
            (_("Level"), _("Place"), _("Code"), _("What is wrong")),
            [(levels[problem.level], problem.path, problem.errcode, sentence(problem)) for problem in problems],
            err=err,
        )


def sentence(problem: Problem) -> str:
    """What is wrong, and what to do."""
    words = (_errors() if problem.level == "error" else _warnings())[problem.reason]
    facts = {name: _plain(value) for name, value in problem.facts.items()}
    text = words.format(**facts)
    if problem.facts.get("alike"):
        text = _("{text} Did you mean {alike}?").format(text=text, **facts)
    return text


def file_sentence(error: FileError, name: str) -> str:
    """What keeps a file from being read, with its place."""
    text = _file()[error.reason].format(**{fact: _plain(value) for fact, value in error.facts.items()})
    if error.reason == "not_utf8" and error.facts["charset"]:
        text = _("{text} It looks like {charset}.").format(text=text, **error.facts)
    if signs := error.facts.get("full_width"):
        text = _("{text} Mind the full-width {signs} hereabouts.").format(text=text, signs=signs)
    if error.line is None:
        return f"{name}: {text}"
    if error.column is None:
        return _("{file}, line {line}: {text}").format(file=name, line=error.line, text=text)
    return _("{file}, line {line}, column {column}: {text}").format(
        file=name, line=error.line, column=error.column, text=text
    )


def pointed_out(error: FileError) -> str:
    """The line in which it is, with a mark below the place."""
    from rich.cells import cell_len

    if not error.excerpt.strip() or error.column is None:
        return ""
    start = max(0, error.column - 1 - _EXCERPT // 2)
    shown, before = error.excerpt[start : start + _EXCERPT], error.excerpt[start : error.column - 1]
    return f"\n    {printable(shown)}\n    {' ' * cell_len(printable(before))}^"


def rule_words(rule: Mapping[str, Any]) -> str:
    """Whom a matchrule matches."""
    platforms = {number: word for word, number in PLATFORMS.items()}
    shown = []
    for name, value in rule.items():
        if name in ("tag_id", "group_id"):
            shown.append(_("tag {tag}").format(tag=value))
        elif name == "client_platform_type":
            word = {"ios": "iOS", "android": "Android", "other": _("other platforms")}.get(
                platforms.get(str(value), "")
            )
            shown.append(word or f"{name}={value}")
        else:
            shown.append(f"{name}={value}")
    return " + ".join(shown)


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else printable(str(value))


def _errors() -> dict[str, str]:
    return {
        "no_character": _("{code} is half a character and has no UTF-8."),
        "control_character": _(
            "It has the control character {code}, which JSON can only write as \\uXXXX; WeChat refuses that."
        ),
        "not_an_object": _("This is not an object in braces, with names and values."),
        "not_a_list": _("This is not a list."),
        "no_buttons": _("There is no button; there have to be 1 to {limit}."),
        "too_many_buttons": _("There are {count} buttons; at most {limit} are allowed."),
        "too_deep": _("A sub-button cannot have sub-buttons: a menu has two levels."),
        "no_rule": _("It matches nobody: give tag_id or client_platform_type."),
        "withdrawn_rule": _("WeChat has matched nobody by {field} since 2021, and refuses it; use tag_id."),
        "bad_tag": _("{value!r} is no id of a tag, which is a number."),
        "bad_platform": _("{value!r} is no platform: 1 is iOS, 2 Android, 3 others."),
        "no_name": _("The button has no name."),
        "no_key": _("The button has no key, which its pushes carry."),
        "no_url": _("The button has no url."),
        "no_media_id": _("The button has no media_id."),
        "no_article_id": _("The button has no article_id."),
        "no_appid": _("The button has no appid, which is that of the mini program."),
        "no_pagepath": _("The button has no pagepath, the page of the mini program to open."),
        "too_long": _(
            "{field} has {bytes} bytes; at most {limit} are allowed. A Chinese character has 3, an emoji mostly 4."
        ),
        "not_text": _("{field} has to be text."),
        "no_type": _("The button has neither a type nor sub-buttons."),
        "type_of_parent": _("A button with sub-buttons has no type: a tap opens them and does nothing else."),
        "upper_case_type": _("{type} has to be in lower case."),
        "console_type": _("Buttons of the type {type} can only be made in WeChat's console, not by its API."),
        "no_scheme": _("A url begins with http:// or https://."),
        "no_host": _("The url names no host."),
        "too_many_domains": _("The personalised menus lead to more than {limit} domains: {domains}."),
    }


def _warnings() -> dict[str, str]:
    return {
        "no_default_menu": _("There is no default menu, without which WeChat takes no personalised one."),
        "closed": _("The menu is switched off."),
        "unknown_field": _("The field {field} is unknown; it is kept as it is."),
        "idle_field": _("{field} means nothing here."),
        "unknown_type": _("The type {type} is unknown; if WeChat does not know it either, it refuses the menu."),
        "name_cut": _("Too long for a phone, which shows {shown}"),
        "plain_http": _("The link is not encrypted; use https://."),
        "blank_in_url": _("There is a blank in the url."),
        "same_key": _("{other} is the same: taps on the two cannot be told apart."),
        "same_url": _("{other} is the same: taps on the two cannot be told apart."),
        "never_shown": _("Never shown: {other} matches the same followers and is asked first."),
        "domains_used_up": _("The personalised menus lead to {limit} domains, which are all that they may: {domains}."),
    }


def _file() -> dict[str, str]:
    return {
        "empty": _("The file is empty."),
        "too_large": _("The file is larger than {limit} bytes."),
        "not_utf8": _("This is not UTF-8; save the file as UTF-8."),
        "bad_json": _("This is no JSON from here on."),
        "bad_yaml": _("This is no YAML from here on."),
        "bad_sign": _("The sign {code} may not stand in YAML."),
        "bad_number": _("{number} is no number that a menu can hold."),
        "duplicate_key": _("The key {key} stands twice in one object."),
        "too_deep": _("More than {limit} levels are nested."),
        "too_many_values": _("There are more than {limit} values, aliases counted each time."),
        "not_a_menu": _("This is no menu: there is no list of buttons in it."),
        "error_answer": _("This is no menu but an error that WeChat answered: {errcode} {errmsg}"),
    }

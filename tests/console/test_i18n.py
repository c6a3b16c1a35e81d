"""Every text of the command line has its Chinese words, and the language is chosen as people expect."""

import re
from pathlib import Path
from string import Formatter

import click
import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import console
from console import i18n
from models.config import Account, Config
from models.webhooks import Webhook
from tests.console.runner import commands

Key = str | tuple[str, ...]


def _catalogue() -> Catalog:
    with Path(console.__file__).with_name("zh.po").open("rb") as file:
        return read_po(file, locale="zh")


def _entries() -> list[Message]:
    return [message for message in _catalogue() if message.id]


def _marked(folder: str | None) -> set[Key]:
    keywords = {"_": None, "ngettext": (1, 2)}
    assert folder
    found = extract_from_dir(Path(folder).parent, [("**.py", "python")], keywords=keywords)
    return {key for _file, _line, key, _comments, _context in found if key}


def _helps() -> set[Key]:
    shown = {command.help for _path, command in commands()}
    shown |= {getattr(param, "help", None) for _path, command in commands() for param in command.params}
    meanings = {field.description for model in (Account, Config, Webhook) for field in model.model_fields.values()}
    return {text for text in shown | meanings if text}


def _ours() -> set[Key]:
    return _marked(console.__file__) | _helps()


def test_every_text_has_a_chinese_entry() -> None:
    entries = {message.id for message in _entries() if not message.fuzzy and all(_strings(message))}

    assert set() == _ours() - entries


def test_no_entry_is_stale() -> None:
    assert set() == {message.id for message in _entries()} - _ours() - _marked(click.__file__)


def test_a_translation_has_the_places_of_its_original() -> None:
    def places(text: str) -> set[str]:
        return {name for _text, name, _spec, _conversion in Formatter().parse(text.replace("%(", "{")) if name}

    for message in _entries():
        original = message.id if isinstance(message.id, str) else message.id[-1]
        if "{" in original and "JSON" not in original:
            for string in _strings(message):
                assert places(original) == places(string), original


def test_every_translation_is_chinese() -> None:
    def is_chinese(text: str) -> bool:
        return bool(re.search("[\u4e00-\u9fff]", text)) or not re.search("[a-z]{3}", re.sub(r"{[^}]*}", "", text))

    assert [] == [message.id for message in _entries() if message.id and not all(map(is_chinese, _strings(message)))]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "Commands"),
        ({"LANG": "zh_CN.UTF-8"}, "命令"),
        ({"LANG": "en_US.UTF-8"}, "Commands"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "zh_TW.UTF-8"}, "命令"),
        ({"LANG": "zh_CN.UTF-8", "LANGUAGE": "en"}, "Commands"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": ""}, "命令"),
        ({"LANG": "C.UTF-8"}, "Commands"),
    ],
)
def test_the_environment_chooses_the_language(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str
) -> None:
    monkeypatch.delenv("LANGUAGE")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    i18n.choose(None)

    assert expected == i18n._("Commands")


def test_an_empty_text_stays_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "zh")
    i18n.choose(None)

    assert "" == i18n._("")


def _strings(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string)

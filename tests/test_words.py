"""What the READMEs must not forget, and must not invent."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from console.cli import caidan
from models.config import Account, Config

ROOT = Path(__file__).parents[1]
READMES = ("README.md", "README.zh-CN.md")
each_readme = pytest.mark.parametrize("readme", READMES)


def words(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def rows(name: str) -> dict[str, list[str]]:
    """The lines of the tables by what their first cell has in code marks."""
    cells = [line.strip("| ").split(" | ") for line in words(name).splitlines() if line.startswith("| `")]
    return {re.sub("[`]", "", first): others for first, *others in cells}


def verbs(group: click.Group, path: str) -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from verbs(command, f"{path} {name}")
        else:
            yield f"{path} {name}"


def headings(name: str) -> list[int]:
    return [len(marks) for marks in re.findall(r"^(#+) ", words(name), re.MULTILINE)]


@each_readme
@pytest.mark.parametrize("key", Config.model_fields)
def test_every_key_is_explained_with_its_variable_and_default(readme: str, key: str) -> None:
    variable, default, meaning = rows(readme)[key]
    value = Config.model_fields[key].default

    assert f"`CAIDAN_{key.upper()}`" == variable
    assert meaning
    if isinstance(value, bool):
        assert f"`{str(value).lower()}`" == default
    elif isinstance(value, str | int | Path):  # others depend on what else is configured
        assert f"`{value}`" == default


@each_readme
@pytest.mark.parametrize("key", Account.model_fields)
def test_every_key_of_an_account_is_explained(readme: str, key: str) -> None:
    needed, meaning = rows(readme)[key]

    assert Account.model_fields[key].is_required() == (needed in ("yes", "是"))
    assert meaning


@each_readme
def test_every_verb_is_explained_and_no_other(readme: str) -> None:
    explained = [row for row in rows(readme) if row.startswith("caidan ")]

    assert sorted(verbs(caidan, "caidan")) == sorted(explained)


@each_readme
def test_every_target_that_is_named_exists(readme: str) -> None:
    targets = re.findall(r"^([a-z-]+):", words("Makefile"), re.MULTILINE)

    named = re.findall(r"(?:`|^    )make ([a-z-]+)", words(readme), re.MULTILINE)

    assert {"demo", "test"} <= set(named) <= set(targets)


@each_readme
def test_every_file_that_is_named_exists(readme: str) -> None:
    links = re.findall(r"\]\((?!https:)([^)]+)\)", words(readme))
    paths = re.findall(r"(?<![\w/.])deploy/[\w./-]*\w", words(readme))

    assert paths
    assert [] == [path for path in links + paths if not (ROOT / path).exists()]


def test_both_readmes_have_the_same_sections() -> None:
    english, chinese = map(headings, READMES)

    assert english == chinese


def test_both_readmes_have_the_same_commands() -> None:
    told = (re.sub(r"<!-- demo:begin.*demo:end -->", "", words(name), flags=re.DOTALL) for name in READMES)
    english, chinese = (re.findall(r"^ {4}(\S[^#\n]*?) *(?:#.*)?$", text, re.MULTILINE) for text in told)
    as_written = [[line for line in lines if not line.startswith(("token", "aes_key"))] for lines in (english, chinese)]

    assert as_written[0] == as_written[1]


def test_the_licence_is_the_whole_apache_licence() -> None:
    text = words("LICENSE")

    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert 'license = "Apache-2.0"' in words("pyproject.toml")

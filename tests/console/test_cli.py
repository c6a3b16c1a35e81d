"""The command line as a whole: help, languages, exit codes."""

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from console import i18n
from console.cli import VERBS, caidan
from tests.console.runner import commands, run


@pytest.mark.parametrize("language", i18n.LANGUAGES)
@pytest.mark.parametrize("path", [path for path, _command in commands()])
def test_every_verb_has_help_in_both_languages(path: str, language: str) -> None:
    shown = run(*path.split(), "--help", "--lang", language)

    assert 0 == shown.exit_code
    usage, text = shown.output.split("\n", 2)[0], shown.output.split("\n")[2]
    assert usage.startswith("用法" if language == "zh" else "Usage")
    assert bool(re.search("[\u4e00-\u9fff]", text)) == (language == "zh"), text


@pytest.mark.parametrize("arguments", [("--lang", "zh", "db", "--help"), ("db", "--help", "--lang=zh")])
def test_the_language_may_be_given_before_or_after_the_verb(arguments: tuple[str, ...]) -> None:
    assert "数据库" in run(*arguments).output


def test_an_unknown_language_is_refused() -> None:
    refused = run("--lang", "fr", "db")

    assert 4 == refused.exit_code
    assert "'fr'" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "english", "chinese"),
    [
        (("evnt",), "No such command 'evnt'. Did you mean 'event'?", "没有 'evnt' 这个命令。"),
        (("db", "upgrade", "--dry"), "No such option '--dry'.", "没有 '--dry' 这个选项。"),
        (("db", "upgrade", "now"), "Got unexpected extra argument (now)", "多余的参数（now）"),
        (("up", "--bind"), "Option '--bind' requires an argument.", "选项 '--bind' 需要 1 个值。"),
    ],
)
def test_a_wrong_command_line_is_explained(arguments: tuple[str, ...], english: str, chinese: str) -> None:
    in_english, in_chinese = run(*arguments), run("--lang", "zh", *arguments)

    assert (4, 4) == (in_english.exit_code, in_chinese.exit_code)
    assert english in in_english.stderr
    assert chinese in in_chinese.stderr


def test_a_configuration_with_problems_ends_with_2_and_lists_them_all(tmp_path: Path) -> None:
    (tmp_path / "caidan.toml").write_text('brokr_url = "x"\nworker_processes = 0\n')

    refused = run("config")

    assert 2 == refused.exit_code
    assert "" == refused.stdout
    assert ["accounts:", "brokr_url:", "worker_processes:"] == sorted(
        line.split()[0] for line in refused.stderr.splitlines()[1:]
    )


def test_what_nobody_expected_ends_with_1_and_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr("console.settings.explain", broken)

    ended = run("config")

    assert 1 == ended.exit_code
    assert "Error: RuntimeError: the disk is gone\n" == ended.stderr


def test_the_version_is_told() -> None:
    assert re.fullmatch(r"caidan \d+\.\d+\.\d+\n", run("--version").output)


def test_help_and_the_ingress_start_without_the_heavy_libraries() -> None:
    program = "import sys, console.cli as c, console.roles; c.caidan(['--help'], standalone_mode=False); " + (
        "sys.exit(str({'sqlalchemy', 'celery', 'alembic'} & sys.modules.keys() or ''))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=Path(__file__).parents[2]
    )

    assert "" == ended.stderr.strip()


def test_every_place_of_a_verb_exists() -> None:
    context = click.Context(caidan)

    assert list(VERBS) == [getattr(caidan.get_command(context, name), "name", None) for name in VERBS]

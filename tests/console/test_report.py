"""`caidan stats … --html`: what is in the page, and where it is written. test_report_browser.py looks at it."""

import hashlib
import json
import re
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from console.report import page
from console.report_overview import means
from console.report_parts import Chart, Section
from console.stats_tables import Answer, Table, number, text
from tests.console.asked import stats

VENDORED = resources.files("console").joinpath("vendored")
VERBS = (
    "buttons", "compare 1 2", "rotation", "paths TODAY", "funnel", "cohorts", "scans", "photos", "places", "health",
)  # fmt: skip
HOSTILE = "</script><script>alert(1)</script><!--\u2028\u202e&\ud800'\""


def written(*arguments: str) -> str:
    """The page without the library."""
    done = stats(*arguments, "--account", "shop", "--html", "report.html", "--force")
    assert (0, "") == (done.exit_code, done.stdout), done.output
    library = VENDORED.joinpath("echarts.min.js").read_text()
    whole = Path("report.html").read_text()
    assert 1 == whole.count(library)
    return whole.replace(library, "")


def kinds(found: str) -> list[str]:
    """Of the charts of a page."""
    data = re.search('id="charts">(.*?)</script>', found)
    assert data
    return [chart["kind"] for chart in json.loads(data[1])["charts"]]


def test_the_library_is_the_one_that_was_published() -> None:
    manifest = json.loads(VENDORED.joinpath("manifest.json").read_text())

    assert {"echarts.min.js"} == manifest.keys()
    for name, known in manifest.items():
        content = VENDORED.joinpath(name).read_bytes()
        assert known["sha256"] == hashlib.sha256(content).hexdigest()
        assert known["version"].encode() in content
        assert not re.search(rb"</script|<!--|\r", content)  # so that it may stand in a page
        assert VENDORED.joinpath(f"{name.partition('.')[0]}-LICENSE").is_file()


@pytest.mark.usefixtures("asked_shop")
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_question_has_its_page(language: str) -> None:
    drawn = {verb.split()[0]: written(*verb.split(), "--lang", language) for verb in VERBS}

    assert {
        "buttons": ["course", "heat", "course", "bars", "differences", "bars", "bars", "cells"],
        "compare": ["bars", "differences"],
        "rotation": ["bars"],
        "paths": ["flow"],
        "funnel": ["bars"],
        "cohorts": ["heat"],
        "scans": ["bars", "bars"],
        "photos": ["bars", "bars"],
        "places": ["cells"],
        "health": ["bars"],
    } == {verb: kinds(found) for verb, found in drawn.items()}
    for found in drawn.values():
        assert f'<html lang="{ {"en": "en", "zh": "zh-CN"}[language] }">' in found
        assert not re.search(r"\bo[A-EYZ]\b", found)  # no openid
        assert not re.search(r"(?:src|href)=\"(?!data:,)", found)


@pytest.mark.usefixtures("asked_shop")
def test_the_phone_has_the_live_menu_with_its_taps() -> None:
    found = written("buttons")

    assert ["每日推荐 3", "优惠券 3", "扫码 2", "附近 3"] == [
        f"{name} {taps}" for name, taps in re.findall(r"<b>([^<]+)</b><i>([\d,]+)</i>", found)
    ]
    assert ["1.000", "1.000", "0.667", "1.000"] == re.findall(r'class="button[^>]*--share:([\d.]+)', found)


@pytest.mark.usefixtures("asked_shop")
def test_of_some_buttons_only_these_are_drawn() -> None:
    found = written("buttons", "--button", "NEAR", "--by", "day")

    assert ["course", "heat", "course"] == kinds(found)
    assert ["0", "0", "0", "3"] == re.findall(r"</b><i>([\d,]+)</i>", found)


@pytest.mark.usefixtures("asked_shop")
def test_without_events_there_is_a_page_as_well() -> None:
    assert ["course"] == kinds(written("buttons", "last-month"))
    assert [] == kinds(written("scans", "last-month"))


@pytest.mark.usefixtures("asked_shop")
def test_what_others_wrote_stays_text() -> None:
    columns = [text("name", "Name"), number("taps", "Taps")]
    table = Table(HOSTILE, columns, [{"name": HOSTILE, "taps": 1}], bars="taps")
    chart = Chart("bars", HOSTILE, {"names": [HOSTILE], "series": [], "form": "count"})
    section = Section("Title", [chart], [table], [HOSTILE])
    found = page(Answer({}, HOSTILE, {}, [HOSTILE], sections=[section]), "buttons")

    found.encode()
    data = re.search('id="charts">(.*?)</script>', found)
    assert data
    assert HOSTILE == json.loads(data[1])["charts"][0]["values"]["names"][0]
    assert 3 == found.count("</script>")
    assert "alert(1)</script>" not in found
    assert "\u2028" not in data[1]


@pytest.mark.usefixtures("asked_shop")
def test_a_file_that_is_there_is_replaced_by_wish_only() -> None:
    Path("report.html").write_text("mine")

    refused = stats("scans", "--account", "shop", "--html", "report.html")

    assert (4, "mine") == (refused.exit_code, Path("report.html").read_text())
    assert "report.html is there already; --force replaces it." in refused.stderr
    assert "mine" not in written("scans")
    assert [] == list(Path().glob(".report*"))


@pytest.mark.usefixtures("asked_shop")
@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (("--html", "no/such/report.html"), 2, "no/such/report.html cannot be written: No such file or directory"),
        (("--html", "var"), 4, "var is there already"),
        (("--html", "var", "--force"), 2, "var cannot be written: Is a directory"),
        (("--html", "report.html", "--json"), 4, "Give one of --json, --csv and --html."),
        (("--html", "report.html", "--bom"), 4, "--bom and --excel are for CSV only."),
        (("--force",), 4, "--force is for --html only."),
    ],
)
def test_where_it_cannot_be_written_is_said(options: tuple[str, ...], code: int, sentence: str) -> None:
    done = stats("photos", "--account", "shop", *options)

    assert (code, "") == (done.exit_code, done.stdout)
    assert sentence in done.stderr
    assert not Path("report.html").exists()


def test_hours_are_averaged_over_those_that_there_were() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    monday = datetime(2026, 11, 16, 8, tzinfo=zone)
    hours = [(monday, 3), (monday + timedelta(days=7), 0), (monday + timedelta(hours=1), 2)]

    assert [(8, 0, 1.5), (9, 0, 2.0)] == means(hours)

"""The pages in a real Chromium: those of `caidan stats … --html` from disk, and that of the HTTP API over HTTP."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine
from werkzeug.serving import make_server

from console.api import create_app
from models.config import Config, load
from models.db import connect
from tests.console.asked import SHOP, clock, stats
from tests.console.browser import Chromium, chromium
from tests.console.runner import run
from tests.pushes import batch_of, event_of, push
from tests.servers import NotInstalledError
from workers.record import record
from workers.rollup import roll_up

HOSTILE = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    try:
        with chromium() as page:
            yield page
    except NotInstalledError as error:
        pytest.skip(f"{error} is not installed")


def written(*arguments: str) -> str:
    """The address of the page on disk."""
    done = stats(*arguments, "--account", "shop", "--html", "report.html", "--force")
    assert 0 == done.exit_code, done.output
    return Path("report.html").absolute().as_uri()


def assert_drawn(browser: Chromium, url: str, width: int) -> None:
    """Every chart is there, nothing was asked for but the page, and nothing sticks out of it."""
    assert ([], [url]) == (browser.problems, browser.requests)
    charts = browser.ask(
        "[...document.querySelectorAll('.chart')].map((one) => one.querySelectorAll('svg path, svg text').length)"
    )
    assert charts
    assert min(charts) > 3, charts
    assert browser.ask("document.documentElement.scrollWidth") <= width


@pytest.mark.usefixtures("asked_shop")
@pytest.mark.parametrize(("language", "width", "dark"), [("en", 1280, False), ("zh", 390, True)])
def test_the_overview_is_drawn(browser: Chromium, language: str, width: int, dark: bool) -> None:
    url = written("buttons", "--lang", language)

    browser.open(url, width=width, dark=dark)

    assert_drawn(browser, url, width)
    assert 8 == browser.ask("document.querySelectorAll('.chart svg').length")
    words = {"en": "In the course of time", "zh": "随时间的变化"}[language]
    assert words in browser.ask("document.body.innerText")
    assert "每日推荐" in browser.ask("document.querySelector('.phone').innerText")


@pytest.mark.usefixtures("asked_shop")
@pytest.mark.parametrize("verb", ["rotation", "paths TODAY", "cohorts --weeks 2", "health"])
def test_what_the_overview_has_not_is_drawn(browser: Chromium, verb: str) -> None:
    url = written(*verb.split())

    browser.open(url, width=800)

    assert_drawn(browser, url, 800)


@pytest.mark.usefixtures("asked_shop")
def test_the_style_sheet_colours_the_charts(browser: Chromium, tmp_path: Path) -> None:
    """In light, in darkness and on paper: SVG takes variables, and nothing is drawn again."""
    url = written("buttons")
    fill = "getComputedStyle(document.querySelectorAll('.chart')[1].querySelector('svg path[fill^=var]')).fill"
    seen = {}
    for dark in (False, True):
        browser.open(url, dark=dark)
        seen[dark] = browser.ask(fill), browser.ask("getComputedStyle(document.body).backgroundColor")
        browser.picture(tmp_path / f"{dark}.png")

    assert {
        False: ("rgb(7, 149, 76)", "rgb(244, 245, 243)"),
        True: ("rgb(47, 184, 115)", "rgb(18, 21, 19)"),
    } == seen
    assert (tmp_path / "False.png").read_bytes() != (tmp_path / "True.png").read_bytes()


@pytest.mark.usefixtures("asked_shop")
def test_a_sheet_of_paper_is_wide_enough(browser: Chromium) -> None:
    browser.open(written("buttons"))
    widths = "[...document.querySelectorAll('.chart svg')].map((one) => one.clientWidth)"
    before = browser.ask(widths)

    browser.ask("dispatchEvent(new Event('beforeprint')) && 0")
    assert {640} == set(browser.ask(widths))
    browser.ask("dispatchEvent(new Event('afterprint')) && 0")
    assert before == browser.ask(widths)


@pytest.mark.usefixtures("asked_shop")
def test_chinese_is_seen_in_letters(browser: Chromium) -> None:
    if not _has_chinese_font():
        pytest.skip("no Chinese font is installed")
    browser.open(written("buttons", "--lang", "zh"))

    drawn, missing = browser.letters("点击人数每日推荐菜单")

    assert missing not in drawn
    assert len(drawn) == len(set(drawn))


def _has_chinese_font() -> bool:
    program = shutil.which("fc-list")
    return program is not None and bool(
        subprocess.run([program, ":lang=zh-cn"], capture_output=True, check=True).stdout
    )


def test_what_others_wrote_is_no_script(browser: Chromium, asked_shop: time_machine.Traveller) -> None:
    key = HOSTILE.replace("<", "&lt;")
    event = event_of(push(key=key, user="oA", at=int(clock("11-23 08:40").timestamp())), SHOP)
    engine = connect(load(Config).database_url.get_secret_value())
    record(engine, batch_of(event))
    while roll_up(engine, None, datetime.now(UTC)):
        pass
    engine.dispose()
    url = written("buttons", "--by", "day")

    browser.open(url)

    assert_drawn(browser, url, 1280)
    assert HOSTILE in browser.ask("document.body.textContent")
    assert browser.ask("window.hacked") is None


@pytest.mark.usefixtures("asked_shop")
def test_a_script_that_were_smuggled_in_is_not_run(browser: Chromium) -> None:
    url = written("scans")
    page = Path("report.html")
    smuggled = "<main><script>window.hacked = 1</script><img src='http://127.0.0.1:9/x' onerror='window.hacked = 2'>"
    page.write_text(page.read_text().replace("<main>", smuggled))

    browser.open(url)

    assert browser.ask("window.hacked") is None
    assert 2 <= sum("Content Security Policy" in problem for problem in browser.problems), browser.problems


@pytest.fixture
def api(asked_shop: time_machine.Traveller) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, create_app(load(Config), 1000), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/api/v1/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_the_page_of_the_api_is_read_in_both_languages(browser: Chromium, api: str, width: int, dark: bool) -> None:
    browser.open(api, width=width, dark=dark)

    assert ([], [api]) == (browser.problems, browser.requests)
    assert browser.ask("document.documentElement.scrollWidth") <= width
    assert {"accounts", "buttons", "compare", "health"} <= set(
        browser.ask("[...document.querySelectorAll('h2[id]')].map((one) => one.id)")
    )
    link = "[...document.querySelectorAll('a')].find((one) => one.textContent === '{}').href"
    browser.open(browser.ask(link.format("中文")), width=width)
    assert "zh" == browser.ask("document.documentElement.lang")
    browser.open(browser.ask(link.format("OpenAPI 3.1")))
    assert "3.1.0" == browser.ask("JSON.parse(document.body.innerText).openapi")
    assert [] == browser.problems


def test_a_browser_with_a_token_is_answered(browser: Chromium, api: str) -> None:
    token = run("api-token", "add", "Ann", "--account", "shop").stdout.strip()
    browser.call("Network.setExtraHTTPHeaders", headers={"Authorization": f"Bearer {token}"})

    browser.open(f"{api}accounts/shop/buttons?time=7d")

    assert 15 == browser.ask("JSON.parse(document.body.innerText).total.taps")
    browser.call("Network.setExtraHTTPHeaders", headers={})

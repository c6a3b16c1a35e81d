import json
import logging
import logging.config
from pathlib import Path

import pytest

from models import logs


def test_a_log_line_is_json_with_its_fields(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("info")
    logging.getLogger("workers.record").info("event recorded", extra={"kind": "click", "delay_ms": 12})

    line = json.loads(capsys.readouterr().err)

    assert line.pop("timestamp").endswith("Z")
    assert {
        "event": "event recorded",
        "level": "info",
        "logger": "workers.record",
        "kind": "click",
        "delay_ms": 12,
    } == line


def test_what_is_below_the_level_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("warning")
    logging.getLogger("workers.record").info("event recorded")

    assert "" == capsys.readouterr().err


def test_an_exception_becomes_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("info")
    try:
        Path("/cgi-bin/menu/get?access_token=SECRET").read_text()
    except OSError:
        logging.getLogger("workers").exception("menu not read")

    line = json.loads(capsys.readouterr().err)

    assert "access_token=***" in line["exception"]
    assert "SECRET" not in line["exception"]


@pytest.mark.parametrize("readable", [True, False])
def test_secrets_in_urls_are_masked_wherever_they_stand(capsys: pytest.CaptureFixture[str], readable: bool) -> None:
    logging.config.dictConfig(logs.settings("info", readable=readable))
    url = "/cgi-bin/token?grant_type=client_credential&appid=wx1&secret=SECRET&signature=SIGNED"
    logging.getLogger("any").info("refused %s", url, extra={"url": url})

    err = capsys.readouterr().err
    assert "SECRET" not in err
    assert "SIGNED" not in err
    assert 2 == err.count("appid=wx1")


def test_readable_lines_name_event_and_fields(capsys: pytest.CaptureFixture[str]) -> None:
    logging.config.dictConfig(logs.settings("info", readable=True))
    logging.getLogger("any").info("event recorded", extra={"kind": "扫码"})

    err = capsys.readouterr().err
    assert "event recorded" in err
    assert "扫码" in err

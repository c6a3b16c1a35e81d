"""`caidan journal status` (what it counts is tested with the journal)."""

import json

from tests.console.runner import run


def test_a_journal_that_is_not_there_is_empty() -> None:
    shown = json.loads(run("journal", "status", "--json").stdout)

    assert (0, 0, []) == (shown["entries"], shown["pending"], shown["segments"])
    assert shown["publisher_running"] is False


def test_the_status_is_told_in_words() -> None:
    assert "Publisher              not running" in run("journal", "status").stdout
    assert "尚未入库" in run("journal", "status", "--lang", "zh").stdout

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from console.output import print_json, print_json_line, print_pairs, print_table, printable


@dataclass(frozen=True)
class Row:
    id: UUID
    at: datetime
    latitude: Decimal | None
    raw: bytes


ROW = Row(UUID(int=1), datetime(2026, 10, 1, tzinfo=UTC), Decimal("23.134521000000001"), b"\x00\xff")


def test_json_of_a_row_loses_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    print_json([ROW])

    expected = {
        "id": "00000000-0000-0000-0000-000000000001",
        "at": "2026-10-01T00:00:00+00:00",
        "latitude": "23.134521000000001",
        "raw": "AP8=",
    }
    assert [expected] == json.loads(capsys.readouterr().out)


def test_a_json_line_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_json_line({"label": "广州\n天河"})

    assert '{"label": "广州\\n天河"}\n' == capsys.readouterr().out


def test_a_table_for_a_pipe_cuts_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("Key", "Value"), [("[bold]", "x" * 500), (None, 7)])

    out = capsys.readouterr().out
    assert "x" * 500 in out
    assert "[bold]" in out


def test_what_would_move_a_terminals_cursor_is_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    print_pairs([("event_key", "\x1b[2J\u202e菜单😀"), ("msg_id", None)])

    assert "event_key  \\x1b[2J\\u202e菜单😀\n" == capsys.readouterr().out
    assert "一 two\nthree" == printable("一 two\nthree")

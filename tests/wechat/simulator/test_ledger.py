"""The ledger survives a file, and tells broken promises from harmless differences."""

from pathlib import Path

import pytest

from wechat.simulator.ledger import Line, compare, encode, read


def line(event_id: str | None, answer: str = "success", damage: str | None = None) -> Line:
    return Line(id=event_id, answer=answer, seconds=0.01, kind="click", damage=damage)


def test_lines_are_read_back(tmp_path: Path) -> None:
    lines = [line("a"), line(None, "refused", "wrong_signature"), Line("b", "failed", 5.0, "view", 3, "timeout")]
    path = tmp_path / "ledger.ndjson"
    path.write_bytes(b"".join(encode(each) + b"\n" for each in lines))

    assert lines == list(read(path))


def test_a_line_always_says_id_answer_and_seconds() -> None:
    assert b'{"id":null,"answer":"refused","seconds":0.01,"kind":"click"}' == encode(line(None, "refused"))


def test_ledger_and_tables_agree() -> None:
    found = compare([line("a"), line("a"), line("b", "reply"), line("c", "refused")], ["a", "b"])

    assert found.agrees
    assert 2 == found.acknowledged


@pytest.mark.parametrize("answer", ["success", "empty", "reply"])
def test_what_was_acknowledged_and_is_not_stored_is_missing(answer: str) -> None:
    found = compare([line("a", answer)], [])

    assert {"a"} == found.missing
    assert not found.agrees


def test_what_was_never_sent_is_unexpected() -> None:
    found = compare([line("a")], ["a", "x"])

    assert {"x"} == found.unexpected
    assert not found.agrees


def test_what_is_stored_twice_is_repeated() -> None:
    found = compare([line("a")], ["a", "a"])

    assert {"a"} == found.repeated
    assert not found.agrees


def test_what_was_stored_without_acknowledgement_is_no_fault() -> None:
    found = compare([line("a", "failed")], ["a"])

    assert {"a"} == found.unacknowledged
    assert found.agrees


def test_an_acknowledgement_of_any_delivery_counts() -> None:
    found = compare([line("a", "failed"), line("a")], ["a"])

    assert set() == found.unacknowledged
    assert found.agrees


def test_damaged_pushes_belong_in_quarantine() -> None:
    lines = [line("a"), line("q", "empty", "garbage"), line(None, "refused", "wrong_signature")]

    assert compare(lines, ["a"], ["q"]).agrees
    assert {"q"} == compare(lines, ["a"]).missing
    assert {"a"} == compare(lines, [], ["q", "a"]).unexpected

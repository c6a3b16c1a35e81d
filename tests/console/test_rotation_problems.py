"""Every reason of workers/rotation_check.py has its sentence."""

import ast
import inspect

import pytest

from console.rotation_problems import problem_sentence
from workers import rotation_check
from workers.rotation_check import Problem


def reasons() -> list[str]:
    """All fixed words with an underscore in the module, and the few without one; columns are among them."""
    tree = ast.parse(inspect.getsource(rotation_check))
    made = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "Problem"]
    named = {node.args[1].value for node in made if isinstance(node.args[1], ast.Constant)}
    returned = {
        node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    }
    chosen = {
        part.value
        for node in ast.walk(tree)
        if isinstance(node, ast.IfExp)
        for part in (node.body, node.orelse)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    }
    return sorted(map(str, named | returned | chosen))


def test_the_reasons_are_found() -> None:
    assert {"unknown_zone", "never_starts", "unreadable_cron", "cron_with_seconds", "no_window"} <= set(reasons())


@pytest.mark.parametrize("reason", reasons())
def test_every_reason_has_a_sentence(reason: str) -> None:
    fields = ("priority", "guard_share", "guard_hours") if reason == "out_of_range" else ("duration", "lead", "author")

    for field in fields:
        assert problem_sentence(Problem(field, reason, "x", "y")).endswith((".", "?"))


def test_a_column_is_named_by_its_option() -> None:
    assert "--author is too long." == problem_sentence(Problem("author", "too_long", "x"))

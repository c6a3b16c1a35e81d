"""Schemathesis asks whatever the description of the HTTP API allows, and much that it does not."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.config import SchemathesisConfig

from console.api import create_app
from console.api_questions import questions
from models.config import Config, load
from tests.console.runner import run

# What is right by its form may still be of nothing that is there, or be no time: 404 and 422.
CONFIG = SchemathesisConfig.from_dict(
    {"checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "404", "422"]}}}
)
FEW = settings(max_examples=10, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize(("mode", "expected"), [(GenerationMode.POSITIVE, False), (GenerationMode.NEGATIVE, True)])
def test_every_answer_is_as_described(asked_shop: object, mode: GenerationMode, expected: bool) -> None:
    token = run("api-token", "add", "Schemathesis", "--account", "shop").stdout.strip()
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", create_app(load(Config), 1_000_000), config=CONFIG)

    statuses = {
        found.ok().label: asked(found.ok(), mode, {"Authorization": f"Bearer {token}"})
        for found in schema.get_all_operations()
    }

    assert len(questions()) + 1 == len(statuses)
    assert expected == (400 in set().union(*statuses.values()))


def asked(operation: Any, mode: GenerationMode, headers: dict[str, str]) -> set[int]:
    """The statuses of the answers to some queries, each of which was judged by all that is described."""
    statuses = set()

    @FEW
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Case) -> None:
        case.path_parameters = dict.fromkeys(case.path_parameters or {}, "shop")
        statuses.add(case.call_and_validate(headers=headers).status_code)

    ask()
    return statuses

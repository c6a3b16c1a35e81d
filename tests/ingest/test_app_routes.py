"""What the ingress serves besides pushes."""

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ingest import metrics
from tests.ingest.conftest import Gate, OpenGate, signed
from tests.pushes import push


def test_health_is_being_alive(gate: Gate) -> None:
    answer = gate.client.get("/healthz")

    assert (200, {"alive": True}) == (answer.status_code, answer.json)


def test_ready_is_having_made_something_durable(gate: Gate) -> None:
    answer = gate.client.get("/readyz")

    said = answer.json or {}
    assert (200, True, "journal") == (answer.status_code, said["ready"], said["durable_by"])
    assert 0 < said["seconds"] < 4
    assert [] == gate.entries()


def test_pushes_are_counted_by_account_mode_and_outcome(open_gate: OpenGate) -> None:
    gate = open_gate(name="measured")

    gate.push(push())
    gate.push(push(), "security")
    gate.push(b"", "security")
    gate.push(b"<html/>")
    gate.send(signed(token="?"), push())
    gate.send(signed(), b"x" * 70_000)

    counted = re.findall(r'caidan_pushes_total\{account="measured",mode="(\w+)",outcome="(\w+)"\} (\S+)', page(gate))
    assert {
        ("plain", "accepted", "1.0"),
        ("encrypted", "accepted", "1.0"),
        ("encrypted", "empty_message", "1.0"),
        ("plain", "not_a_push", "1.0"),
        ("plain", "bad_signature", "1.0"),
        ("unknown", "too_large", "1.0"),
    } == {*map(tuple, counted)}


def test_names_that_strangers_make_up_are_one_line_of_the_metrics(gate: Gate) -> None:
    for name in ("one", "two", "three"):
        gate.client.post(f"/wechat/{name}")

    assert {"unknown"} == set(re.findall(r'account="([^"]*)".*outcome="unknown_account"', page(gate)))


def test_every_answer_is_timed(gate: Gate) -> None:
    before = sample_of(gate, "caidan_acknowledgement_seconds_count")

    gate.push(push())
    gate.push(push(), token="wrong")

    assert before + 2 == sample_of(gate, "caidan_acknowledgement_seconds_count")


def test_commits_of_the_journal_are_counted_and_timed(gate: Gate) -> None:
    before = sample_of(gate, "caidan_journal_group_size_sum")

    gate.push(push())

    assert before + 1 == sample_of(gate, "caidan_journal_group_size_sum")
    assert sample_of(gate, "caidan_journal_commit_seconds_count") > 0


def test_every_measure_is_ours_and_has_a_sentence(gate: Gate) -> None:
    told = text_string_to_metric_families(page(gate))
    families = [family for family in told if not family.name.endswith("_created")]  # prometheus_client's own

    assert {family.name for family in metrics.REGISTRY.collect()} == {family.name for family in families}
    for family in families:
        assert family.name.startswith("caidan_")
        assert re.fullmatch("[A-Z][^.]{15,}", family.documentation), family.name


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("POST", "/", 404),
        ("POST", "/wechat", 404),
        ("GET", "/wechat/", 404),
        ("GET", "/static/x", 404),
        ("PUT", "/wechat/shop", 405),
        ("DELETE", "/wechat/shop", 405),
        ("POST", "/healthz", 405),
        ("POST", "/readyz", 405),
        ("POST", "/metrics", 405),
        ("BREW", "/wechat/shop", 405),
    ],
)
def test_nothing_else_is_served(gate: Gate, method: str, path: str, status: int) -> None:
    answer = gate.client.open(path, method=method, query_string=signed(), data=push())

    assert (status, []) == (answer.status_code, gate.entries())


def page(gate: Gate) -> str:
    return gate.client.get("/metrics").text


def sample_of(gate: Gate, name: str) -> float:
    return float(re.findall(rf"^{name} (\S+)$", page(gate), re.MULTILINE)[0])

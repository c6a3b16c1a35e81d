"""compose.yaml keeps the ingress away from the database, and secrets in files."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"
TEXT = (DEPLOY / "compose.yaml").read_text()


def section(name: str, text: str = TEXT, indent: int = 0) -> str:
    """The lines below a key, by their indentation: all of YAML that these tests need."""
    match = re.search(rf"^ {{{indent}}}{re.escape(name)}:.*\n((?: {{{indent + 1}}}.*\n|\n)*)", text, re.MULTILINE)
    assert match, name
    return match[1]


def service(name: str) -> str:
    return section(name, section("services"), indent=2)


def test_the_ingress_cannot_reach_the_database() -> None:
    assert "networks: [edge, broker]" in service("ingress")
    assert "networks: [tables]" in service("postgres")


def test_the_console_is_apart_from_the_door_and_open_to_this_host_only() -> None:
    console = service("console")

    assert "networks: [tables, asking]" in console
    assert 'ports: ["127.0.0.1:8002:8002"]' in console
    assert "profiles: [console]" in console
    assert "asking" not in service("ingress") + service("nginx")


def test_only_the_worker_has_a_way_to_wechats_servers() -> None:
    assert "networks: [broker, tables, outside]" in service("worker")
    assert "internal" not in section("outside", section("networks"), indent=2)
    assert 2 == TEXT.count("outside")


def test_the_ingress_holds_no_database_address_and_no_app_secret() -> None:
    ingress = service("ingress")

    assert "<<: *caidan" in ingress
    for forbidden in ("database", "secret_key", "app_secret", "caidan.toml", "postgres"):
        assert forbidden not in ingress + section("x-caidan")


def test_what_the_workers_get_is_what_their_example_names() -> None:
    named = set(re.findall(r'"(/etc/caidan/secrets/\w+)"', (DEPLOY / "caidan.example.toml").read_text()))

    assert named == set(re.findall(r"target: (/etc/caidan/secrets/\w+)", section("x-behind")))


def test_what_the_ingress_gets_is_what_its_example_names() -> None:
    named = set(re.findall(r'"(/etc/caidan/secrets/\w+)"', (DEPLOY / "ingress.example.toml").read_text()))

    assert named == set(re.findall(r"target: (/etc/caidan/secrets/\w+)", service("ingress")))


def test_the_worker_is_asked_for_its_health_and_has_a_place_to_note_it() -> None:
    assert "test: [CMD, caidan, worker, --health]" in service("worker")
    assert "tmpfs: [/tmp, /var/lib/caidan]" in service("worker")


def test_no_secret_is_written_into_the_file() -> None:
    secrets = re.findall(r"^  \S+:\n +file: (\S+)$", section("secrets"), re.MULTILINE)

    assert secrets
    assert all(path.startswith("./secrets/") for path in secrets)
    assert [] == re.findall(r"(?i)\w*(?:password|secret_key|token|aes_key|secret|_url):.*", section("services"))
    assert [] == re.findall(r"://[^/\s]*:[^/\s]*@", TEXT)


def test_every_secret_is_one_that_make_secrets_makes_or_asks_for() -> None:
    script = (DEPLOY / "make-secrets").read_text()
    mounted = re.findall(r"file: \./secrets/(\S+)", TEXT)

    assert [] == [name for name in mounted if not re.search(rf"keep {name}$|[ ]{name}[ ;]", script, re.MULTILINE)]


def test_make_secrets_makes_them_once(tmp_path: Path) -> None:
    script = shutil.copy(DEPLOY / "make-secrets", tmp_path)

    first = subprocess.run([script], check=True, capture_output=True, text=True, timeout=30)
    made = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    subprocess.run([script], check=True, capture_output=True, timeout=30)

    assert {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()} == made
    assert "shop_token" in first.stdout
    assert made["postgres_password"] in made["database_url"]
    assert made["rabbitmq_password"] in made["broker_url"]
    assert made["rabbitmq_password"] in made["rabbitmq.conf"]


def has_compose() -> bool:
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "compose", "version"], capture_output=True, timeout=30).returncode == 0


def test_docker_compose_accepts_the_file() -> None:
    if not has_compose():
        pytest.skip("docker compose is not installed")

    answer = subprocess.run(
        ["docker", "compose", "--file", DEPLOY / "compose.yaml", "config", "--quiet"],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (0, "") == (answer.returncode, answer.stderr)

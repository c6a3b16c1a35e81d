"""The image holds every room, is installed from pinned hashes, and runs as nobody in particular."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "deploy/Dockerfile").read_text()


def rooms() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return {package.partition(".")[0] for package in project["tool"]["setuptools"]["packages"]}


def test_every_room_is_in_the_image() -> None:
    assert rooms() == set(re.findall(r"^COPY (\w+) \1$", TEXT, re.MULTILINE))


def test_nothing_but_what_is_copied_is_sent_to_the_builder() -> None:
    allowed = set(re.findall(r"^!(\S+)$", (ROOT / "deploy/Dockerfile.dockerignore").read_text(), re.MULTILINE))
    copied = {word for line in re.findall(r"^COPY (?!--)(.+) \S+$", TEXT, re.MULTILINE) for word in line.split()}

    assert copied == allowed


def test_everything_that_is_fetched_is_pinned_by_hash() -> None:
    fetching = [line for line in re.findall(r".*pip install.*", TEXT) if "--no-deps" not in line]

    assert fetching
    assert all("--require-hashes" in line for line in fetching)


def test_the_build_backend_is_found_among_the_pinned() -> None:
    program = re.search(r"sed -n '(.+)' all\.txt", TEXT)
    assert program

    found = subprocess.run(
        ["sed", "-n", program[1], ROOT / "tests/requirements.txt"],
        check=True,
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert re.fullmatch(r"setuptools==\S+ (\\\n +--hash=sha256:[0-9a-f]{64} ?)+\n", found.stdout)


def test_the_image_does_not_run_as_root() -> None:
    assert ["10001"] == re.findall(r"^USER (.+)$", TEXT, re.MULTILINE)


def test_hadolint_finds_nothing() -> None:
    if shutil.which("hadolint") is None:
        pytest.skip("hadolint is not installed")

    answer = subprocess.run(["hadolint", ROOT / "deploy/Dockerfile"], capture_output=True, text=True, timeout=60)

    assert (0, "") == (answer.returncode, answer.stdout)

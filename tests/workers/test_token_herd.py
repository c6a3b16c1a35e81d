"""Fifty processes that need a token at the same moment: one of them fetches it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.platforms import Platform

ROOT = Path(__file__).parents[2]
COUNT = 50


@contextmanager
def herd(database_url: str, platform: Platform) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "tests.workers.herd", database_url, platform.url, str(COUNT)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


def digest_of_round(process: "subprocess.Popen[str]") -> str:
    """Let all of them call; the digest of the token that all of them have then."""
    assert process.stdin
    assert process.stdout
    process.stdin.write("\n")
    process.stdin.flush()
    lines = [process.stdout.readline() for _ in range(COUNT)]
    assert all(lines), process.communicate()
    results = [json.loads(line) for line in lines]
    assert {None} == {result["error"] for result in results}
    (digest,) = {result["digest"] for result in results}
    return str(digest)


def test_one_of_fifty_processes_fetches_and_one_refreshes(database_url: str, platform: Platform) -> None:
    with herd(database_url, platform) as process:
        first = digest_of_round(process)

        assert [0] == platform.calls("stable_token")
        assert [0] * COUNT == platform.calls("getcallbackip")

        platform.void()
        second = digest_of_round(process)
        calls = platform.calls("getcallbackip")[COUNT:]

        assert second != first
        assert [0, 0] == platform.calls("stable_token")
        assert COUNT == calls.count(0)
        assert 1 <= calls.count(40001) <= COUNT  # each at most once: those who came late read the new one
        assert {0, 40001} == set(calls)

        _rest, said = process.communicate()

    assert "token replaced by another program\n" == said  # by whoever voided it; said by one

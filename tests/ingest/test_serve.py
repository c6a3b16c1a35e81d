"""The server and its processes: what stops, is replaced or is overloaded answers all that it has taken."""

import asyncio
import os
import re
import signal
import sqlite3
import time
from collections import Counter
from pathlib import Path

from ingest.journal import PATIENT
from tests.ingest.serving import Serving, configure, eventually, repeat, serving

INGEST = ("console.cli", "ingest")


def frozen(server: Serving) -> sqlite3.Connection:
    """A disk on which nothing is written any more, until this is closed, or for the 5 seconds that SQLite waits."""
    (file,) = server.journal.glob("slot-*.journal")
    lock = sqlite3.connect(file, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    return lock


def test_a_server_that_stops_answers_what_it_has_read(tmp_path: Path) -> None:
    async def pushed(server: Serving) -> list[str]:
        disk = frozen(server)
        answers = [asyncio.create_task(server.push(f"key-{number}")) for number in range(40)]
        await asyncio.sleep(0.5)
        server.process.terminate()
        await asyncio.sleep(0.5)
        disk.close()
        return await asyncio.gather(*answers)

    with serving(tmp_path) as server:
        answers = asyncio.run(pushed(server))
        code = server.process.wait(20)

        assert ({"200 success": 40}, 0) == (Counter(answers), code)
        assert {f"key-{number}" for number in range(40)} == server.keys()
        assert "Traceback" not in server.log()


def test_a_server_that_stops_under_load_keeps_what_it_has_acknowledged(tmp_path: Path) -> None:
    acknowledged: set[str | None] = set()

    async def load(server: Serving) -> None:
        ended = asyncio.Event()

        async def act(client: int, number: int) -> str:
            answer = await server.push(f"{client}-{number}")
            if answer == "200 success":
                acknowledged.add(f"{client}-{number}")
            elif answer.startswith("connect"):
                ended.set()
            return answer

        clients = [repeat(lambda number, client=client: act(client, number), ended) for client in range(50)]
        asyncio.get_running_loop().call_later(1.0, server.process.terminate)
        await asyncio.gather(*clients)

    with serving(tmp_path) as server:
        asyncio.run(load(server))
        server.process.wait(20)

        assert acknowledged
        assert acknowledged == server.keys()
        assert "Traceback" not in server.log()


def test_a_reload_refuses_nobody_and_takes_over_new_accounts(tmp_path: Path) -> None:
    async def load(server: Serving) -> list[str]:
        done = asyncio.Event()
        clients = [
            asyncio.create_task(repeat(lambda n, c=client: server.push(f"{c}-{n}"), done, 0.01)) for client in range(10)
        ]
        before = await server.push("first", "cafe")
        configure(tmp_path, "shop", "cafe")
        server.process.send_signal(signal.SIGHUP)
        while await server.push("later", "cafe") != "200 success":
            await asyncio.sleep(0.05)
        await asyncio.sleep(1.5)  # by then the old processes are gone
        done.set()
        return [before] + [answer for answers in await asyncio.gather(*clients) for answer in answers]

    with serving(tmp_path, INGEST) as server:
        before, *answers = asyncio.run(load(server))

        assert "404 unknown_account" == before
        assert {"200 success"} == set(answers)
        eventually(lambda: "Stopped old worker-1" in server.log())


def test_a_reload_with_a_configuration_that_has_problems_changes_nothing(tmp_path: Path) -> None:
    with serving(tmp_path, INGEST) as server:
        (tmp_path / "caidan.toml").write_text("replay_windw = 1")
        server.process.send_signal(signal.SIGHUP)
        eventually(lambda: "not reloaded" in server.log())

        assert "200 success" == asyncio.run(server.push("menu"))
        assert "did you mean replay_window?" in server.log()
        assert "respawning" not in server.log()


def test_a_server_that_is_killed_refuses_nobody_while_it_is_started_again(tmp_path: Path) -> None:
    async def load(server: Serving) -> list[str]:
        done = asyncio.Event()
        client = asyncio.create_task(repeat(lambda number: server.push(f"key-{number}"), done, 0.02))
        await asyncio.sleep(0.3)
        (pid,) = re.findall(r"Starting granian \(main PID: (\d+)\)", server.log())
        os.kill(int(pid), signal.SIGKILL)
        while server.log().count("Started worker-1") < 2:
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.5)
        done.set()
        return await client

    with serving(tmp_path, INGEST) as server:
        answers = asyncio.run(load(server))

        assert [] == [answer for answer in answers if answer.startswith("connect")]
        assert "200 success" == answers[-1]


def test_with_a_disk_that_hangs_the_door_stays_responsive(tmp_path: Path) -> None:
    async def overload(server: Serving) -> tuple[list[str], list[float], str]:
        disk, over = frozen(server), asyncio.Event()
        clients = [
            asyncio.create_task(repeat(lambda n, c=client: server.push(f"{c}-{n}"), over, 0.2)) for client in range(300)
        ]
        seconds = []
        for _ in range(8):
            started = time.monotonic()
            assert (await server.health()).startswith("200")
            seconds.append(time.monotonic() - started)
            await asyncio.sleep(0.3)
        await asyncio.sleep(1.0)  # so that those who wait have given up
        over.set()
        answers = [answer for client in await asyncio.gather(*clients) for answer in client]
        disk.close()
        while (after := await server.push("after")) != "200 success":
            await asyncio.sleep(0.1)
        return answers, seconds, after

    with serving(tmp_path) as server:
        answers, seconds, after = asyncio.run(overload(server))

    counted = Counter(answers)
    assert {"503 journal_busy", "503 journal_slow"} <= set(counted)
    assert PATIENT == counted["503 journal_slow"]
    assert counted["503 journal_busy"] > 300  # at once: again and again
    assert max(seconds) < 2.5  # less than any push waits; half a second where there are processors enough
    assert "200 success" == after


def test_idle_connections_keep_nobody_out(tmp_path: Path) -> None:
    async def crowd(server: Serving) -> str:
        idle = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(600)]
        answer = await server.push("menu")
        for _, writer in idle:
            writer.close()
        return answer

    with serving(tmp_path) as server:
        assert "200 success" == asyncio.run(asyncio.wait_for(crowd(server), 20))

"""What the real server tells of who sent a push, with and without proxies in between."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

from ingest.snapshot import keep
from tests.ingest.conftest import signed
from tests.ingest.serving import Serving, serving
from tests.pushes import push

WECHAT, STRANGER = "101.226.103.61", "8.8.8.8"


def tell(folder: Path, *texts: str) -> None:
    (folder / "var").mkdir(exist_ok=True)
    made_at = datetime.now(UTC).isoformat()
    snapshot = {"revision": 1, "made_at": made_at, "callback_addresses": {"wxshop": texts}}
    keep(folder / "var/snapshot.json", json.dumps(snapshot).encode())


def answers(server: Serving, *forwarded: list[str]) -> list[str]:
    """What pushes are answered that come with these headers, one for each line."""

    async def send(lines: list[str]) -> str:
        body = push()
        head = [f"POST /wechat/shop?{urlencode(signed())} HTTP/1.1", "Host: x", "Connection: close"]
        head += [f"X-Forwarded-For: {line}" for line in lines] + [f"Content-Length: {len(body)}", "", ""]
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write("\r\n".join(head).encode("latin-1") + body)
        answer = await reader.read()
        writer.close()
        return answer.partition(b"\r\n\r\n")[2].decode()

    async def send_all() -> list[str]:
        return [await send(lines) for lines in forwarded]

    return asyncio.run(send_all())


def test_the_address_of_the_connection_counts_where_no_proxy_is_trusted(tmp_path: Path) -> None:
    tell(tmp_path, "127.0.0.0/8")
    with serving(tmp_path, CAIDAN_FOREIGN_PUSHES="refuse", CAIDAN_TRUSTED_PROXIES="10.0.0.1") as server:
        assert ["success", "success"] == answers(server, [], [STRANGER])


def test_nobody_is_believed_to_be_another(tmp_path: Path) -> None:
    tell(tmp_path, WECHAT)
    with serving(tmp_path, CAIDAN_FOREIGN_PUSHES="refuse") as server:
        assert ["foreign_address", "foreign_address"] == answers(server, [], [WECHAT])


def test_what_trusted_proxies_say_is_believed_however_many_lines_it_has(tmp_path: Path) -> None:
    tell(tmp_path, WECHAT)
    with serving(tmp_path, CAIDAN_FOREIGN_PUSHES="refuse", CAIDAN_TRUSTED_PROXIES="127.0.0.1, 10.0.0.0/8") as server:
        refused = answers(server, [STRANGER], [WECHAT, STRANGER], [f"{WECHAT}, {STRANGER}", "10.0.0.1"])
        taken = answers(server, [WECHAT], [STRANGER, WECHAT], [STRANGER, f"{WECHAT}, 10.9.9.9", "10.0.0.1"])
        unknown = answers(server, [], ["nonsense"], [STRANGER, "\xe4"], [""])

    assert {"foreign_address"} == set(refused)
    assert {"success"} == set(taken + unknown)

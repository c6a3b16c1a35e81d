"""Many processes that do the same at the same moment: `python -m tests.workers.herd DATABASE_URL API_URL COUNT`.

With each line on stdin, each makes one call with the token that all share, and prints what came of it and the digest
of the token. They are forks of one process, which has imported all there is and connected to nothing.
"""

import json
import os
import sys
from datetime import timedelta

from models.db import connect
from tests.workers.shop import KEY, SHOP
from wechat import exchange
from wechat.client import Client
from wechat.errcodes import WeChatError
from workers import token_row, tokens
from workers.api import Api

# How fast the machine is, with fifty processes and whatever else it does, is not what is asked.
exchange.CONNECT_SECONDS = exchange.READ_SECONDS = exchange.WHOLE_SECONDS = 60
token_row.LEASE, tokens.PATIENCE = timedelta(seconds=60), 70


def main(database_url: str, api_url: str, count: int) -> None:
    connect(database_url)  # not yet, but its driver is imported
    rounds = [os.pipe(), os.pipe()]
    children = [child for _ in range(count) if (child := _fork(database_url, api_url, rounds))]
    for waiting, start in rounds:
        sys.stdin.readline()
        os.close(waiting)
        os.close(start)  # wakes all who wait
    for child in children:
        os.waitpid(child, 0)


def _fork(database_url: str, api_url: str, rounds: list[tuple[int, int]]) -> int:
    if child := os.fork():
        return child
    for _waiting, start in rounds:
        os.close(start)
    try:
        api = Api(connect(database_url), Client(api_url), SHOP, KEY)
        for waiting, _start in rounds:
            os.read(waiting, 1)  # returns when the last one who holds the other end closes it
            os.write(1, json.dumps(_call(api)).encode() + b"\n")
    finally:
        sys.stderr.flush()
        os._exit(0)


def _call(api: Api) -> dict[str, str | None]:
    try:
        api.with_token(api.client.callback_addresses)
    except WeChatError as error:
        return {"error": str(error), "digest": None}
    held = api.tokens.look()
    return {"error": None, "digest": held.digest if held else None}


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))

"""The common way, as its users write it: verify, parse, one `task.delay()` per push; gunicorn with two workers.

`gunicorn tests.benchmarks.common_way:app`, with the broker in CAIDAN_BENCH_BROKER.
"""

import hashlib
import os
from typing import Any

import xmltodict
from celery import Celery
from flask import Flask, abort, request

from tests.benchmarks.load import TOKEN

celery = Celery("common_way", broker=os.environ["CAIDAN_BENCH_BROKER"])
celery.conf.update(task_ignore_result=True, task_serializer="json", broker_pool_limit=64)
app = Flask(__name__)


@celery.task(name="common_way.store")
def store(message: dict[str, Any]) -> None:
    """What a worker would do; here nobody works."""


@app.post("/wechat/<account>")
def push(account: str) -> str:
    """One push, one task."""
    parts = sorted([TOKEN, request.args["timestamp"], request.args["nonce"]])
    if hashlib.sha1("".join(parts).encode()).hexdigest() != request.args["signature"]:
        abort(403)
    store.delay(xmltodict.parse(request.data)["xml"])
    return "success"

"""The common way, as its users write it: one task per push, which looks whether the event is there, and adds it.

Fairly tuned: two processes, connections that stay open, tasks fetched ahead and acknowledged early, no results.
`celery -A tests.benchmarks.common_worker worker`, with CAIDAN_BENCH_BROKER and CAIDAN_BENCH_DATABASE.
"""

import os
from datetime import UTC, datetime
from typing import Any

import msgspec
from celery import Celery
from sqlalchemy import create_engine, select
from sqlalchemy.orm import sessionmaker

from models import event as tables
from models.account import Account
from wechat.event import Event
from workers.rows import rows

app = Celery("common", broker=os.environ["CAIDAN_BENCH_BROKER"])
app.conf.update(task_ignore_result=True, task_default_queue="common", worker_prefetch_multiplier=16)
# Lazily connected, so each process of the pool gets connections of its own.
Session = sessionmaker(create_engine(os.environ["CAIDAN_BENCH_DATABASE"], pool_size=1))


@app.task(name="common.store")
def store(message: dict[str, Any]) -> None:
    """One push: one look, its rows, one commit."""
    event = msgspec.convert(message, Event)
    with Session() as session:
        if session.get(tables.Event, (event.id, event.created_at)) is None:
            account_id = session.scalar(select(Account.id).where(Account.app_id == event.app_id))
            assert account_id is not None
            for model, made in rows(event, account_id, datetime.now(UTC)).items():
                session.add_all(model(**row) for row in made)
            session.commit()

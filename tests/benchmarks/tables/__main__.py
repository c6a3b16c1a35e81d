"""`make bench-tables`: batches into the tables, through the broker and the workers.

One run, part by part; what is compared is measured in turn. Linux only, for what it reads of processes. A part whose
server is not installed is skipped, by name.
"""

import argparse
import sys
import traceback
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from tests.benchmarks.report import Figure, report
from tests.benchmarks.tables import backlog, drivers, growth, idle, throughput
from tests.benchmarks.tables.options import Options
from tests.servers import NotInstalledError

PARTS: dict[str, Callable[[Options], list[Figure]]] = {
    "throughput": throughput.figures,
    "growth": growth.figures,
    "backlog-rabbitmq": backlog.on_rabbitmq,
    "backlog-redis": backlog.on_redis,
    "mariadb": drivers.on_mariadb,
    "sqlite": drivers.on_sqlite,
    "idle-embedded": idle.on_embedded,
    "idle-redis": idle.on_redis,
    "idle-rabbitmq": idle.on_rabbitmq,
}


def main() -> None:
    """Measure the parts that are wanted, and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--part", choices=PARTS, action="append", help="only this one, or these; all without")
    for field in fields(Options):
        parser.add_argument(f"--{field.name}", type=int, default=field.default, help=field.metadata["help"])
    arguments: dict[str, Any] = vars(parser.parse_args())
    wanted = arguments.pop("part") or list(PARTS)
    options = Options(**arguments)
    figures: list[Figure] = []
    has_failed = False
    for part in wanted:
        try:
            figures += PARTS[part](options)
        except NotInstalledError as error:
            print(f"{part}: skipped, {error} is not installed", file=sys.stderr)
        except Exception:  # the other parts took their time, and say what they say
            print(f"{part}: failed", file=sys.stderr)
            traceback.print_exc()
            has_failed = True
    report("bench-tables" if len(wanted) == len(PARTS) else f"bench-tables-{wanted[0]}", figures)
    sys.exit(1 if has_failed else 0)


if __name__ == "__main__":
    main()

"""A year, or the first days of it, from the seed of its dice."""

from collections.abc import Callable
from datetime import datetime
from random import Random

import time_machine

from models.db import connect
from tests.chaos.year.installed import Installed
from tests.chaos.year.scheduled import BEGIN, SIMULATED
from tests.chaos.year.walk import Outcome, Walk
from tests.chaos.year.weather import Spell, spells
from tests.platforms import served


def run(
    database_url: str,
    *,
    seed: int,
    days: int,
    minutes: int,
    is_calm: bool = False,
    told: Callable[[datetime], object] = lambda _now: None,
) -> Outcome:
    """With so many ticks at random besides; `told` hears of each tick. The tables are there, and empty."""
    dice = Random(seed)
    trouble: list[list[Spell]] = [] if is_calm else [spells(dice, days) for _account in SIMULATED]
    engine = connect(database_url)
    try:
        with served(*SIMULATED, followers=0) as server, time_machine.travel(BEGIN, tick=False) as clock:
            installed = Installed(engine, server.platform, server.url, dice)
            with installed.client:
                return Walk(installed, dice, days, trouble).walk(clock, minutes, told)
    finally:
        engine.dispose()

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from ingest.reader import Range
from ingest.sends import WINDOW, Batch, Sends

NOW = 1_000_000.0


@pytest.fixture
def state() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as state:
        yield state


@pytest.fixture
def sends(state: sqlite3.Connection) -> Sends:
    return Sends(state)


def send(sends: Sends, count: int = 1, now: float = NOW, first: int = 1) -> Batch:
    """A batch of so many entries, sent."""
    batch = sends.bind(Range("segment", first, first + count - 1))
    sends.mark_sent(batch, now)
    return batch


def overtake(sends: Sends, now: float) -> None:
    """A later send that has its receipt at once."""
    sends.receipts([send(sends, now=now, first=10_000).id], now)


def send_again(sends: Sends, now: float) -> list[Batch]:
    """One round of the publisher; what it sent."""
    sent = [*sends.due_again(now), *sends.unsent()]
    for batch in sent:
        sends.mark_sent(batch, now)
    return sent


def moments_of_sends(sends: Sends, until: float, step: float = 5.0) -> list[float]:
    """When something is sent again while everything else gets its receipts."""
    moments = []
    now = NOW
    while now < NOW + until:
        now += step
        overtake(sends, now)
        moments += [now - NOW for _ in send_again(sends, now)]
    return moments


def test_a_receipt_lets_go_of_its_batch_and_of_no_other(sends: Sends) -> None:
    first, second = send(sends), send(sends, first=2)

    assert sends.receipts([second.id], NOW) == 1
    assert len(sends) == 1
    assert sends.receipts([first.id], NOW) == 1
    assert len(sends) == 0


def test_receipts_of_unknown_ids_match_nothing(sends: Sends) -> None:
    batch = send(sends)

    assert sends.receipts(["", "None", "0" * 32, batch.id.upper(), batch.id[:-1]], NOW) == 0
    assert send_again(sends, NOW + 10_000) == []
    assert len(sends) == 1


def test_ids_are_128_random_bits(sends: Sends) -> None:
    ids = {send(sends).id for _ in range(100)}

    assert len(ids) == 100
    assert {len(bytes.fromhex(batch_id)) for batch_id in ids} == {16}


def test_a_batch_is_sent_again_half_a_minute_after_a_later_one_had_its_receipt(sends: Sends) -> None:
    lost = send(sends)
    overtake(sends, NOW + 100)

    assert send_again(sends, NOW + 129) == []
    assert [lost.id] == [batch.id for batch in send_again(sends, NOW + 130)]
    assert send_again(sends, NOW + 10_000) == []


def test_an_earlier_receipt_proves_nothing(sends: Sends) -> None:
    earlier = send(sends)
    send(sends, first=2)
    sends.receipts([earlier.id], NOW)

    assert send_again(sends, NOW + 10_000) == []


def test_nothing_is_sent_again_while_nothing_is_receipted(sends: Sends) -> None:
    """An hour's backlog, with workers down; then they work it off in order, slowly."""
    batches = [send(sends, first=number) for number in range(1500)]
    for minute in range(60):
        assert send_again(sends, NOW + minute * 60) == []
    for number, batch in enumerate(batches):
        sends.receipts([batch.id], NOW + 3600 + number)

        assert send_again(sends, NOW + 3600 + number) == []


def test_each_time_the_wait_doubles_up_to_a_quarter_of_an_hour(sends: Sends) -> None:
    send(sends)
    moments = [5.0, *moments_of_sends(sends, until=6000)]
    waits = [round((later - earlier) / 10) * 10 for earlier, later in itertools.pairwise(moments)]

    assert [30, 60, 120, 240, 480, 900, 900, 900, 900, 900] == waits[:10]


def test_from_the_third_send_on_a_batch_goes_out_in_halves_once_each(sends: Sends) -> None:
    send(sends, count=5)
    overtake(sends, NOW)
    (again,) = send_again(sends, NOW + 30)
    overtake(sends, NOW + 30)
    halves = send_again(sends, NOW + 90)

    assert Range("segment", 1, 5) == again.entries
    assert [Range("segment", 1, 3), Range("segment", 4, 5)] == [half.entries for half in halves]
    assert len({half.id for half in halves}) == 2
    assert len(sends) == 2


def test_a_window_that_is_full_has_one_batch_halved_at_a_time(sends: Sends) -> None:
    for number in range(WINDOW):
        send(sends, count=2, first=2 * number + 1)
    for minute in range(10):
        probe = sends.probe(NOW + minute * 1000)
        sends.receipts([probe or ""], NOW + minute * 1000)
        send_again(sends, NOW + minute * 1000 + 950)

        assert len(sends) <= WINDOW + 1


def lone_sends(sends: Sends) -> dict[int, list[bool]]:
    """By position: whether each send of the entry on its own called it a suspect."""
    found: dict[int, list[bool]] = {}
    now = NOW
    for _ in range(40):
        now += 1000
        overtake(sends, now)
        for batch in [*sends.due_again(now + 900), *sends.unsent()]:
            if batch.is_single():
                found.setdefault(batch.entries.first, []).append(batch.is_suspect())
            sends.mark_sent(batch, now + 900)
    return found


def test_an_entry_is_suspect_from_its_fifth_send_alone(sends: Sends) -> None:
    send(sends)

    assert [False, False, False, True, True] == lone_sends(sends)[1][:5]


def test_an_entry_is_not_suspect_for_the_sends_it_shared_with_others(sends: Sends) -> None:
    """One of a large batch kills workers; halving it leaves its neighbour alone, who must get a hearing."""
    send(sends, count=64)

    assert {(False, False, False, False, True)} == {tuple(said[:5]) for said in lone_sends(sends).values()}


def test_a_probe_goes_out_after_a_silent_minute_while_something_is_unreceipted(sends: Sends) -> None:
    assert sends.probe(NOW) is None

    send(sends)

    assert sends.probe(NOW + 59) is None
    assert sends.probe(NOW + 60) is not None
    assert sends.probe(NOW + 60) is None


def test_the_receipt_of_a_probe_tells_of_a_lost_tail(sends: Sends) -> None:
    lost = send(sends)
    probe = sends.probe(NOW + 60)

    assert sends.receipts([str(probe)], NOW + 61) == 0
    assert send_again(sends, NOW + 90) == []
    assert [lost.id] == [batch.id for batch in send_again(sends, NOW + 91)]


def test_a_probe_that_takes_long_still_tells(sends: Sends) -> None:
    """A queue that is always minutes behind answers the first of several probes first."""
    lost = send(sends)
    probes = [probe for second in range(60, 600, 10) if (probe := sends.probe(NOW + second))]
    sends.receipts(probes[:1], NOW + 600)

    assert len(probes) == 3
    assert [lost.id] == [batch.id for batch in send_again(sends, NOW + 630)]


def test_probes_do_not_pile_up_while_workers_are_down(sends: Sends) -> None:
    send(sends)
    probes = [probe for minute in range(24 * 60) if (probe := sends.probe(NOW + minute * 60))]

    assert len(probes) < 110


def test_a_successor_sends_nothing_again_that_was_not_overtaken(sends: Sends, state: sqlite3.Connection) -> None:
    batches = [send(sends, first=number) for number in range(5)]
    successor = Sends(state)

    assert successor.unsent() == []

    successor.receipts([batches[4].id], NOW)  # who knows in which order its predecessor sent last

    assert send_again(successor, NOW + 10_000) == []

    overtake(successor, NOW)

    assert {batch.id for batch in batches[:4]} == {batch.id for batch in send_again(successor, NOW + 30)}


def test_a_successor_goes_on_counting_sends(sends: Sends, state: sqlite3.Connection) -> None:
    lost = send(sends)
    overtake(sends, NOW)
    send_again(sends, NOW + 30)
    successor = Sends(state)
    overtake(successor, NOW + 30)

    assert successor.repeats == 1
    assert send_again(successor, NOW + 89) == []
    assert [(lost.id, 2)] == [(batch.id, batch.sends) for batch in send_again(successor, NOW + 90)]


def test_a_successor_sends_what_was_bound_and_not_sent(sends: Sends, state: sqlite3.Connection) -> None:
    bound = sends.bind(Range("segment", 1, 3))

    assert [bound] == Sends(state).unsent()


def test_a_batch_that_nobody_takes_for_a_year_is_still_sent(sends: Sends, state: sqlite3.Connection) -> None:
    batch = send(sends)
    state.execute("UPDATE batch SET sends = 40000")
    successor = Sends(state)
    overtake(successor, NOW)

    assert [batch.id] == [again.id for again in send_again(successor, NOW + 900)]


def test_batches_of_segments_that_are_gone_are_let_go(sends: Sends, state: sqlite3.Connection) -> None:
    send(sends)
    kept = sends.bind(Range("other", 1, 3))
    sends.forget_all_but({"other"})

    assert {"other"} == sends.segments()
    assert [kept] == Sends(state).unsent()

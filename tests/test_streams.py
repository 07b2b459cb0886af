"""Event streams: the newest for each client, in one piece, and nothing kept for who does not take it."""

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.limits import Limits
from api.streams import Slot, Streams
from hoflicht.catalogue import City
from tests.face import Face, facing
from tests.lane import ms
from tests.roles import eventually
from tests.test_guard import connected

NORD = "wait/hof-nord"
BOTH = frozenset([NORD, "wait/hof-sued"])
SOON_S, PATIENCE_S = 60.0, 10.0


def test_a_client_that_is_slow_is_told_the_newest_and_not_what_it_replaced() -> None:
    slot = Slot(BOTH)
    for n in range(1_000):
        slot.put({NORD: b"%d" % n})

    assert asyncio.run(slot.take(SOON_S)) == b"999"


def test_what_comes_at_once_goes_out_in_one_piece() -> None:
    slot = Slot(BOTH)
    slot.put({NORD: b"a", "wait/hof-sued": b"b", "wait/hof-west": b"c"})

    assert asyncio.run(slot.take(SOON_S)) == b"ab"


def test_who_waits_is_woken_by_what_is_for_him() -> None:
    async def listen() -> bytes:
        slot = Slot(frozenset([NORD]))
        waiting = asyncio.create_task(slot.take(SOON_S))
        await asyncio.sleep(0)
        slot.put({"wait/hof-west": b"c"})
        await asyncio.sleep(0)
        assert not waiting.done()
        slot.put({NORD: b"a"})
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert waiting.done()
        return waiting.result()

    assert asyncio.run(listen()) == b"a"


def test_who_is_woken_while_he_is_busy_does_not_wait_afterwards() -> None:
    slot = Slot(BOTH)
    slot.wake()

    assert asyncio.run(asyncio.wait_for(slot.take(SOON_S), PATIENCE_S)) == b""


def test_who_is_told_nothing_for_long_is_told_so() -> None:
    assert asyncio.run(Slot(BOTH).take(0.001)) == b""


def test_hundreds_of_streams_are_all_told_and_all_leave_their_place(city: City, tmp_path: Path) -> None:
    streams = Streams(max_clients=300, max_of_one=300)
    with facing(city, tmp_path, ms(90), streams=streams) as face, contextlib.ExitStack() as stack:
        lines = [stack.enter_context(connected(face)) for _ in range(300)]
        for line in lines:
            line.sendall(b"GET /v1/yards/hof-nord/stream HTTP/1.1\r\nHost: x\r\n\r\n")
        assert eventually(lambda: streams.is_full)
        face.tell()
        for line in lines:
            said = b""
            while b'"yard":"hof-nord"' not in said:
                said += line.recv(65_536)
        stack.close()

        assert eventually(lambda: streams.is_empty)


@pytest.fixture
def impatient(city: City, tmp_path: Path) -> Iterator[Face]:
    """Looks at its connections every tenth of a second."""
    with facing(city, tmp_path, ms(90), limits=Limits(patience_s=0.1)) as running:
        yield running


def test_a_stream_that_nobody_takes_is_cut_off(impatient: Face) -> None:
    with connected(impatient) as line:
        line.sendall(b"GET /v1/yards/hof-nord/stream HTTP/1.1\r\nHost: x\r\n\r\n")
        assert eventually(lambda: not impatient.streams.is_empty)
        impatient.streams.put({NORD: b"x" * 20_000_000})  # more than the kernel takes for both sides

        assert eventually(lambda: impatient.streams.is_empty)

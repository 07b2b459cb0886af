"""A simulated serial line on a real pseudo-terminal, with the real port at its other end."""

import selectors
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware_bridge.devices import Line
from firmware_bridge.port import Port
from simulators.wire import MAX_UNREAD, Wire

BAUD = Line(115200)


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[Wire]:
    with Wire(tmp_path / "gw" / "port") as wire:
        yield wire


def read(port: Port, expected: int) -> bytes:
    """What comes within a second or two, until it is as much as expected."""
    data = b""
    deadline = time.monotonic() + 2
    while len(data) < expected and time.monotonic() < deadline:
        data += port.read(0.05)
    return data


def heard(wire: Wire) -> bytes:
    with selectors.DefaultSelector() as selector:
        selector.register(wire, selectors.EVENT_READ)
        selector.select(2)
    return wire.read()


def test_bytes_go_both_ways_as_they_are(wire: Wire, tmp_path: Path) -> None:
    every_byte = bytes(range(256))
    with Port(str(tmp_path / "gw" / "port"), BAUD) as port:
        wire.write(every_byte)
        port.write(every_byte)

        assert read(port, 256) == every_byte
        assert heard(wire) == every_byte


def test_nobody_at_the_other_end_stops_nobody(wire: Wire) -> None:
    sent = []
    for _ in range(40):
        sent.append(wire.write(b"x" * 1_000))
        time.sleep(0.002)  # the kernel counts a little later than we write

    assert sent[0] == 1_000
    assert sent[-1] == 0
    assert MAX_UNREAD <= sum(sent) < 10_000


def test_who_comes_late_does_not_read_what_was_said_before(wire: Wire, tmp_path: Path) -> None:
    wire.write(b"an old car")
    with Port(str(tmp_path / "gw" / "port"), BAUD) as port:
        wire.write(b"a new one")

        assert read(port, 9) == b"a new one"


def test_a_reader_that_slept_gets_what_the_line_kept_and_then_the_present(wire: Wire, tmp_path: Path) -> None:
    with Port(str(tmp_path / "gw" / "port"), BAUD) as port:
        sent = sum(wire.write(b"x" * 100) for _ in range(2_000))
        kept = read(port, sent)
        wire.write(b"now")

        assert kept == b"x" * sent
        assert read(port, 3) == b"now"


def test_nothing_heard_is_no_bytes(wire: Wire) -> None:
    assert wire.read() == b""


def test_the_link_is_there_while_it_is_plugged_in(wire: Wire, tmp_path: Path) -> None:
    link = tmp_path / "gw" / "port"
    there = link.is_char_device()
    wire.unplug()
    gone = link.is_symlink()
    wire.plug_in()

    assert (there, gone, link.is_char_device()) == (True, False, True)


def test_an_unplugged_line_takes_and_gives_nothing(wire: Wire) -> None:
    wire.unplug()

    assert (wire.is_plugged_in, wire.fileno(), wire.write(b"x"), wire.read()) == (False, -1, 0, b"")


def test_a_gateways_port_comes_back_by_itself(wire: Wire, tmp_path: Path) -> None:
    with Port(str(tmp_path / "gw" / "port"), BAUD) as port:
        wire.unplug()
        port.read(0.1)
        was_open = port.is_open
        wire.plug_in()
        deadline = time.monotonic() + 5
        while not port.is_open and time.monotonic() < deadline:
            port.read(0.1)
        wire.write(b"back")

        assert (was_open, read(port, 4), port.opened, port.errors) == (False, b"back", 2, 1)


def test_a_link_left_by_a_killed_simulator_is_replaced(tmp_path: Path) -> None:
    link = tmp_path / "port"
    link.symlink_to("/dev/pts/99999")
    with Wire(link) as wire, Port(str(link), BAUD) as port:
        wire.write(b"hello")

        assert read(port, 5) == b"hello"


def test_the_end_leaves_no_link(tmp_path: Path) -> None:
    with Wire(tmp_path / "port"):
        pass

    assert list(tmp_path.iterdir()) == []

"""A serial port on a real pseudo-terminal: unplugged, back, full of garbage."""

import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware_bridge.devices import Line
from firmware_bridge.port import Port
from hoflicht import BadConfig

LINE = Line(9600)
SOON_S = 5.0  # longer than any delay the tests meet, even on a loaded machine


class Cable:
    """A device at the end of a pty; `path` stays the same over unplugging, as the names in /dev/serial/by-id do."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "by-id"
        self.plug()

    def plug(self) -> None:
        self.device, self._tty = os.openpty()
        self.path.symlink_to(os.ttyname(self._tty))

    def unplug(self) -> None:
        self.path.unlink()
        os.close(self.device)
        os.close(self._tty)


@pytest.fixture
def cable(tmp_path: Path) -> Iterator[Cable]:
    cable = Cable(tmp_path)
    yield cable
    if cable.path.is_symlink():
        cable.unplug()


@pytest.fixture
def port(cable: Cable) -> Iterator[Port]:
    with Port(str(cable.path), LINE) as port:
        yield port


def read(port: Port, length: int) -> bytes:
    """The next `length` bytes, or fewer where they do not come soon."""
    data = b""
    deadline = time.monotonic() + SOON_S
    while len(data) < length and time.monotonic() < deadline:
        data += port.read(0.2)
    return data


def until_open(port: Port, is_open: bool = True) -> None:
    deadline = time.monotonic() + SOON_S
    while port.is_open != is_open and time.monotonic() < deadline:
        port.read(0.05)


def test_bytes_come_through_as_they_are(cable: Cable, port: Port) -> None:
    garbage = bytes(range(256))
    os.write(cable.device, garbage)

    assert read(port, 256) == garbage


def test_half_a_frame_is_handed_out_at_once(cable: Cable, port: Port) -> None:
    os.write(cable.device, b"\xaa\xc0\x06")
    first = read(port, 3)
    os.write(cable.device, b"\x00\x06\x00\x58\xd9\x3d\xab")

    assert first == b"\xaa\xc0\x06"
    assert read(port, 7) == b"\x00\x06\x00\x58\xd9\x3d\xab"


def test_silence_costs_the_timeout_and_gives_nothing(port: Port) -> None:
    before_s = time.monotonic()

    assert port.read(0.1) == b""
    assert 0.1 <= time.monotonic() - before_s < SOON_S
    assert (port.is_open, port.opened, port.errors) == (True, 1, 0)


def test_what_is_written_arrives(cable: Cable, port: Port) -> None:
    assert port.write(b"\x7e\x00\x03\x00\xfc\x7e\x11\x13\r\n")
    assert os.read(cable.device, 100) == b"\x7e\x00\x03\x00\xfc\x7e\x11\x13\r\n"


@pytest.mark.parametrize("line", [Line(1200, 7, "E", 2), Line(9600, 8, "E", 1), Line(19200, 8, "O", 1)])
def test_lines_with_parity_can_be_used(cable: Cable, line: Line) -> None:
    for _ in range(2):
        with Port(str(cable.path), line) as port:
            for timeout_s in (0.01, 0.02):
                assert port.write(b"l026\r*")
                assert os.read(cable.device, 100) == b"l026\r*"
                assert port.read(timeout_s) == b""

            assert (port.opened, port.errors) == (1, 0)


def test_a_port_that_was_unplugged_comes_back(cable: Cable, port: Port, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    cable.unplug()
    until_open(port, False)
    for _ in range(3):
        assert port.read(0.3) == b""
        assert not port.write(b"x")
    cable.plug()
    until_open(port)
    os.write(cable.device, b"\xaa\xc0")

    assert read(port, 2) == b"\xaa\xc0"
    assert (port.opened, port.errors) == (2, 1)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert caplog.messages[1].startswith(f"{cable.path} is back after ")


def test_writing_notices_the_unplugged_port_too(cable: Cable, port: Port) -> None:
    cable.unplug()

    assert not port.write(b"x")
    assert (port.is_open, port.errors) == (False, 1)


def test_a_port_that_is_not_there_says_what_to_do(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Port(str(tmp_path / "none"), LINE) as port:
        assert port.read(0.01) == b""
        assert not port.write(b"x")
        assert (port.is_open, port.opened, port.errors) == (False, 0, 0)

    assert caplog.messages == [
        f"{tmp_path}/none is away: No such file or directory (is it plugged in? Stable names are in /dev/serial/by-id); "
        "trying again until it is there"
    ]


def test_a_port_has_one_owner(cable: Cable, port: Port, caplog: pytest.LogCaptureFixture) -> None:
    with Port(str(cable.path), LINE) as second:
        assert not second.is_open

    assert "another program has it open" in caplog.messages[0]


def test_a_file_that_is_no_port_is_away(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_bytes(b"\xaa")

    with Port(str(tmp_path / "file"), LINE) as port:
        assert port.read(0.01) == b""

    assert caplog.messages[0].startswith(f"{tmp_path}/file is away: Could not configure port")


def test_a_device_that_does_not_take_bytes_is_given_up(cable: Cable) -> None:
    with Port(str(cable.path), LINE, write_timeout_s=0.1) as port:
        assert not port.write(b"x" * 1_000_000)
        assert port.errors == 1


def test_line_settings_that_no_port_has_are_bad_config(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="Not a valid baudrate: -1"):
        Port(str(tmp_path / "none"), Line(-1))


def test_closing_twice_is_fine(cable: Cable) -> None:
    with Port(str(cable.path), LINE) as port:
        port.close()

    assert not port.is_open

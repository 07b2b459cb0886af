"""The registry of devices."""

import pytest

from firmware_bridge import modbus, sps30
from firmware_bridge.devices import DEVICES, Line


def test_the_devices_we_read() -> None:
    assert list(DEVICES) == ["sds011", "sps30", "tfmini", "ops243", "sdm120", "sdm630", "node"]


@pytest.mark.parametrize(
    ("driver", "line"),
    [
        ("sds011", "9600 8N1"),
        ("sps30", "115200 8N1"),
        ("tfmini", "115200 8N1"),
        ("ops243", "19200 8N1"),
        ("sdm120", "2400 8N1"),
        ("sdm630", "9600 8N1"),
        ("node", "115200 8N1"),
    ],
)
def test_lines_are_as_the_makers_set_them(driver: str, line: str) -> None:
    assert str(DEVICES[driver].line) == line


def test_a_line_reads_as_people_write_it() -> None:
    assert str(Line(1200, 7, "E", 2)) == "1200 7E2"


def test_each_port_has_a_decoder_of_its_own() -> None:
    first, second = DEVICES["node"].decoder(), DEVICES["node"].decoder()
    first.feed(b"\x01\x02")

    assert (first.pending, second.pending) == (2, 0)


def test_what_is_asked() -> None:
    assert {name: device.polls(5) for name, device in DEVICES.items() if device.poll_every_s} == {
        "sps30": (sps30.START, sps30.READ),
        "ops243": (b"OJ", b"UM", b"ON", b"Os"),
        "sdm120": (modbus.request(5, 0, 80),),
        "sdm630": (modbus.request(5, 0, 80),),
    }


def test_what_is_sent_after_opening() -> None:
    assert {name: device.start for name, device in DEVICES.items() if device.start} == {
        "sps30": (bytes.fromhex("7E 00 00 02 01 03 F9 7E"),),
        "ops243": (b"OJ", b"UM", b"ON", b"Os"),
    }

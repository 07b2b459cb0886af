"""The simulated devices: what they send is what the decoders of the gateway read, and what real devices sent."""

import os
import random
import re
from pathlib import Path

import pytest

from firmware_bridge import ibis, sps30
from firmware_bridge.devices import DEVICES
from firmware_bridge.frames import Frame, Noise, Sample
from hoflicht.catalogue import City
from simulators import devices
from simulators.city import damaged
from simulators.layout import layout
from simulators.sign import Sign
from simulators.street import Street, sun_elevation_deg
from simulators.wire import Wire

NOON_MS, NIGHT_MS = 1_795_431_600_000, 1_795_474_800_000  # 2026-11-23 12:00 and 24:00 in Duisburg


def read(driver: str, *data: bytes) -> dict[str, float]:
    """The values of the last frame."""
    decoder = DEVICES[driver].decoder()
    items = [item for part in data for item in decoder.feed(part)]
    assert [item for item in items if isinstance(item, Noise)] == []
    frame = items[-1]
    assert isinstance(frame, Frame)
    return {sample.quantity: sample.value for sample in frame.samples}


def test_frames_are_those_of_real_devices() -> None:
    assert devices.sds011(0.6, 0.6) == bytes.fromhex("AA C0 06 00 06 00 58 D9 3D AB")
    assert devices.tfmini(121, 1000, 25.0) == bytes.fromhex("59 59 79 00 E8 03 C8 08 E6")
    assert devices.sps30(0x03) == bytes.fromhex("7E 00 03 00 00 FC 7E")
    assert devices.sps30(0x00, state=0x43) == bytes.fromhex("7E 00 00 43 00 BC 7E")
    assert devices.modbus_crc(bytes.fromhex("01 04 00 00 00 02")) == bytes.fromhex("71 CB")


def test_an_sds011_tells_the_air_once_a_second() -> None:
    device = devices.Sds011(lambda _now_ms: (12.3, 20.5))

    assert read("sds011", device.said(10_000)) == {"pm2_5": 12.3, "pm10": 20.5}
    assert (device.said(10_900), len(device.said(11_000))) == (b"", 10)


def test_an_sps30_measures_once_it_is_told_to() -> None:
    device = devices.Sps30(lambda _now_ms: (10.0, 16.0))

    assert device.heard(sps30.READ) == bytes.fromhex("7E 00 03 43 00 B9 7E")
    started = device.heard(sps30.START)
    answer = device.heard(sps30.READ)

    assert started == bytes.fromhex("7E 00 00 00 00 FF 7E")
    values = read("sps30", sps30.READ, answer)
    assert (values["pm2_5"], values["pm10"], values["particle_size"]) == (10.0, 16.0, pytest.approx(0.6))


def test_a_lidar_sends_a_hundred_frames_a_second() -> None:
    device = devices.Tfmini(random.Random(1))
    device.said(1_000)

    sent = device.said(1_100)

    assert len(sent) == 10 * 9
    assert read("tfmini", sent)["distance"] == pytest.approx(4.1, abs=0.1)
    device.covered = True
    assert read("tfmini", device.said(1_200))["distance"] == pytest.approx(1.6, abs=0.1)


def test_a_radar_tells_who_passed() -> None:
    device = devices.Ops243()
    device.passed(5.5)

    assert read("ops243", device.said(0)) == {"passage": 1.0, "speed": 5.5}
    assert device.said(1) == b""


def test_a_meter_answers_with_the_sum_of_its_lamps(city: City) -> None:
    street = Street(city, seed=1)
    device = devices.Sdm630(street.cabinet)
    device.said(NIGHT_MS)
    [request] = DEVICES["sdm630"].polls(1)

    values = read("sdm630", request, device.heard(request))

    lamps_w = sum(street.power_w(name, NIGHT_MS) for name in city.lamps)
    assert values["active_power"] == pytest.approx(1.03 * lamps_w, rel=1e-3)
    assert values["frequency"] == 50.0


def test_a_node_numbers_its_frames() -> None:
    device, decoder = devices.Node(7), DEVICES["node"].decoder()
    for value in (0.0, 1.0, 0.0):
        device.tell([Sample("held", value, sensor="barrier")])
        sent = device.said(0)
        if value:
            continue  # this one is lost on the way
        frames = [item for item in decoder.feed(sent) if isinstance(item, Frame)]

    assert [frame.lost for frame in frames] == [1]


def test_a_sign_shows_the_last_telegram_and_leaves_it_in_a_file(tmp_path: Path) -> None:
    sign = Sign(tmp_path / "sign.txt")

    sign.heard(ibis.ds009("Straße gesperrt", 16) + b"noise")
    sign.heard(ibis.ds009("WARTEZEIT 15 MIN", 16))

    assert sign.text == "WARTEZEIT 15 MIN"
    assert (tmp_path / "sign.txt").read_text() == "WARTEZEIT 15 MIN\n"


def test_a_wire_carries_bytes_both_ways_unchanged(tmp_path: Path) -> None:
    everything = bytes(range(256))
    with Wire(tmp_path / "port") as wire:
        gateway = os.open(tmp_path / "port", os.O_RDWR | os.O_NOCTTY)
        wire.write(everything)
        os.write(gateway, everything[::-1])

        assert os.read(gateway, 1000) == everything
        assert wire.read() == everything[::-1]
        os.close(gateway)


def test_a_wire_that_nobody_reads_loses_bytes_and_waits_for_nobody(tmp_path: Path) -> None:
    with Wire(tmp_path / "port") as wire:
        taken = sum(wire.write(b"x" * 1000) for _ in range(1000))

    assert 0 < taken < 1_000_000


def test_an_unplugged_wire_is_gone_until_it_is_plugged_in(tmp_path: Path) -> None:
    with Wire(tmp_path / "port") as wire:
        wire.unplug()
        assert not (tmp_path / "port").exists()
        assert (wire.write(b"x"), wire.read(), wire.fileno()) == (0, b"", -1)

        wire.plug_in()

        assert (tmp_path / "port").exists()


def test_damage_is_one_bit_a_byte() -> None:
    data = bytes(10_000)

    wrong = [byte for byte in damaged(data, random.Random(1), 0.01) if byte]

    assert 60 < len(wrong) < 140
    assert {byte.bit_count() for byte in wrong} == {1}


def test_every_sensor_of_the_catalogue_hangs_at_a_port(city: City) -> None:
    plans = layout(city)

    assert plans.keys() == city.gateways.keys()
    assert [port.name for port in plans["gw-hof-nord"].ports] == ["lane-in", "lane-3", "lane-50", "lane-120", "air", "node"]
    assert {port.driver for port in plans["gw-strasse"].ports} == {"ops243", "sds011", "sdm630", "node"}
    assert [plan.sign_of for plan in plans.values()] == ["hof-nord", "hof-sued", "hof-west", "hof-mitte", None]


def test_lamps_burn_by_night_and_not_by_day(city: City) -> None:
    street = Street(city, seed=1)

    def level(name: str, at_ms: int) -> float:
        return next(s.value for s in street.lamp(name, at_ms) if s.quantity == "level_actual")

    assert [level("lamp-0001", at_ms) for at_ms in (NOON_MS, NIGHT_MS - 4 * 3_600_000, NIGHT_MS)] == [0, 100, 50]
    assert level("lamp-0017", NIGHT_MS) == 0  # has failed
    assert level("lamp-0021", NOON_MS) == 100  # burns by day


def test_meters_of_lamps_only_count_up(city: City) -> None:
    street = Street(city, seed=1)
    hours = range(NOON_MS, NOON_MS + 86_400_000, 3_600_000)
    kwh = [next(s.value for s in street.lamp("lamp-0001", at_ms) if s.quantity == "energy_import") for at_ms in hours]

    assert kwh == sorted(kwh)
    assert 0.4 < kwh[-1] - kwh[0] < 0.8  # a November night at 56 W, six hours of it at half


def test_a_street_is_the_same_for_everybody_who_asks(city: City) -> None:
    one, other = Street(city, 1), Street(city, 1)
    whole = list(one.traffic("lamp-0001", NOON_MS, NOON_MS + 7_200_000))
    halves = [*other.traffic("lamp-0001", NOON_MS, NOON_MS + 3_600_000)]
    halves += other.traffic("lamp-0001", NOON_MS + 3_600_000, NOON_MS + 7_200_000)

    assert whole == halves
    assert one.air("lamp-0012", NOON_MS) == other.air("lamp-0012", NOON_MS)


@pytest.mark.parametrize(
    ("instant_ms", "elevation_deg"),
    [
        (1_782_043_200_000 - 1_650_000, 61.99),  # summer solstice 2026, local noon in Duisburg: 90 - 51.43 + 23.44
        (1_797_854_400_000 - 1_650_000, 15.2),  # mid-December
    ],
)
def test_the_sun_stands_where_it_should(instant_ms: int, elevation_deg: float) -> None:
    highest = max(sun_elevation_deg(instant_ms + minutes * 60_000, 51.43, 6.76) for minutes in range(-120, 120))

    assert highest == pytest.approx(elevation_deg, abs=0.1)


def test_help_of_simulate_names_its_options() -> None:
    source = Path(devices.__file__).with_name("city.py").read_text()

    assert re.findall(r'"(--[a-z-]+)"', source) == ["--ports", "--signs", "--seed", "--start-at", "--faults"]

"""Simulated devices: their bytes are those of the makers' documents, and our decoders read what was meant."""

import random
from itertools import pairwise
from pathlib import Path

import pytest

from firmware_bridge import alpha, ibis, ops243, sds011, sps30, tfmini, umb
from firmware_bridge.ccitt import crc16
from firmware_bridge.devices import DEVICES
from firmware_bridge.frames import Frame, Noise, Sample
from firmware_bridge.modbus import request
from simulators import devices, meter, utility_meter
from simulators.air import Air
from simulators.devices import Gnss, Node, Ops243, Sds011, Sps30, Tfmini
from simulators.faults import Fault, Faults
from simulators.meter import SDM630, Meter
from simulators.sign import AlphaSign, Sign
from simulators.station import WS10, Station
from simulators.utility_meter import UtilityMeter

AIR = Air(pm1=5.2, pm2_5=7.4, pm4=9.1, pm10=12.3, temperature=11.0)
HOUR_MS = 3_600_000
# What a public driver writes into the text file Q, and the checksum that a sign wants.
DEMO = b"\x01Z00\x02AQtesting 1 2 3\x03048B\x04"


def decoded(driver: str, data: bytes) -> list[Frame | Noise]:
    return list(DEVICES[driver].decoder().feed(data))


# SDS011


def test_an_sds011_frame_is_the_captured_one() -> None:
    assert devices.sds011(0.9, 0.9) == bytes.fromhex("AA C0 09 00 09 00 58 D9 43 AB")


def test_an_sds011_warms_up_and_then_says_the_air_once_a_second() -> None:
    sensor = Sds011(lambda _at_ms: AIR)
    said = [sensor.said(1_000_000 + 100 * n) for n in range(50)]

    frames = decoded("sds011", b"".join(said))

    assert [bool(data) for data in said] == ([True] + [False] * 9) * 5
    assert frames == [Frame()] * 3 + [Frame((Sample("pm2_5", 7.4), Sample("pm10", 12.3)))] * 2
    assert said[0] == bytes.fromhex("AA C0 00 00 00 00 58 D9 31 AB")


# SPS30


def started_sps30() -> Sps30:
    sensor = Sps30(lambda _at_ms: AIR)
    sensor.said(10_000)
    sensor.heard(sps30.START)
    return sensor


def test_an_sps30_refuses_to_be_read_before_it_measures() -> None:
    answer = Sps30(lambda _at_ms: AIR).heard(bytes.fromhex("7E 00 03 00 FC 7E"))

    assert answer == bytes.fromhex("7E 00 03 43 00 B9 7E")


def test_an_sps30_starts_once() -> None:
    sensor = Sps30(lambda _at_ms: AIR)

    assert sensor.heard(sps30.START) == bytes.fromhex("7E 00 00 00 00 FF 7E")
    assert sensor.heard(sps30.START) == bytes.fromhex("7E 00 00 43 00 BC 7E")


def test_an_sps30_answers_with_its_values_and_then_with_none_until_there_are_new_ones() -> None:
    sensor = started_sps30()
    first, again = sensor.heard(sps30.READ), sensor.heard(sps30.READ)

    (frame,) = decoded("sps30", first)

    assert isinstance(frame, Frame)
    assert {sample.quantity: sample.value for sample in frame.samples} == pytest.approx(
        {"pm1": 5.2, "pm2_5": 7.4, "pm4": 9.1, "pm10": 12.3, "nc0_5": 26.156, "nc1": 36.764, "nc2_5": 41.288}
        | {"nc4": 42.172, "nc10": 42.276, "particle_size": 0.83}
    )
    assert again == bytes.fromhex("7E 00 03 00 00 FC 7E")


def test_an_sps30_stuffs_what_it_says() -> None:
    # From the data sheet's rule: 7E, 7D, 11 and 13 travel as 7D and the byte with bit 5 turned.
    assert devices.sps30(3, data=b"\x7e\x7d\x11\x13") == bytes.fromhex("7E 00 03 00 04 7D 5E 7D 5D 7D 31 7D 33 D9 7E")


def test_an_sps30_hears_a_request_in_pieces_and_after_noise() -> None:
    sensor = started_sps30()
    answers = [sensor.heard(bytes((byte,))) for byte in b"\x00\xff\x7e\x01" + sps30.READ]

    assert [len(answer) > 40 for answer in answers] == [False] * 9 + [True]


def test_an_sps30_without_power_forgets_that_it_measures() -> None:
    sensor = started_sps30()
    sensor.start()

    assert sensor.heard(sps30.READ) == bytes.fromhex("7E 00 03 43 00 B9 7E")


# TFmini


def test_a_tfmini_frame_is_the_one_of_the_manuals_rules() -> None:
    assert devices.tfmini(121, 1000, 25.0) == bytes.fromhex("59 59 79 00 E8 03 C8 08 E6")


def test_a_tfmini_says_a_hundred_frames_a_second_and_sees_the_car() -> None:
    lidar = Tfmini(random.Random(1))
    lidar.said(1_000_000)
    free = b"".join(lidar.said(1_000_000 + 100 * n) for n in range(1, 11))
    lidar.covered = True
    covered = b"".join(lidar.said(1_001_000 + 70 * n) for n in range(1, 11))

    distances_m = [
        [sample.value for frame in tfmini.Decoder().feed(data) if isinstance(frame, Frame) for sample in frame.samples[:1]]
        for data in (free, covered)
    ]

    assert [len(each) for each in distances_m] == [100, 70]
    assert min(distances_m[0]) > 6.0
    assert max(distances_m[1]) < 1.5


def test_a_tfmini_does_not_make_up_for_a_pause() -> None:
    lidar = Tfmini(random.Random(1))
    lidar.said(1_000_000)

    assert len(lidar.said(9_000_000)) == 20 * 9


# OPS243


def test_an_ops243_starts_with_plain_speeds() -> None:
    radar = Ops243()
    radar.passed(3.6)
    radar.passed(2.0, "outbound")

    assert radar.said(0) == b"3.6\r\n-2.0\r\n"


def test_an_ops243_that_was_set_up_says_each_vehicle_once() -> None:
    radar = Ops243()
    echoes = b"".join(radar.heard(command) for command in ops243.START)
    radar.passed(8.3)
    line = radar.said(0)

    assert echoes == b'{"Units":"m-per-sec"}\r\n'
    assert line == b'{"DetectedObjectVelocity":"8.3","direction":"inbound"}\r\n'
    assert decoded("ops243", echoes + line) == [
        Frame(),
        Frame((Sample("passage", 1.0, direction="inbound"), Sample("speed", 8.3, direction="inbound"))),
    ]


def test_an_ops243_speaks_kilometres_if_told_to() -> None:
    radar = Ops243()
    for command in (b"OJ", b"ON", b"Os", b"UK"):
        radar.heard(command)
    radar.passed(10.0)

    assert radar.said(0) == b'{"DetectedObjectVelocity":"36.0","direction":"inbound"}\r\n'


def test_an_ops243_hears_commands_in_pieces_and_without_power_forgets_them() -> None:
    radar = Ops243()
    for byte in b"OJUMONOs":
        radar.heard(bytes((byte,)))
    radar.passed(1.0)
    told = radar.said(0)
    radar.start()
    radar.passed(1.0)

    assert (told, radar.said(0)) == (b'{"DetectedObjectVelocity":"1.0","direction":"inbound"}\r\n', b"1.0\r\n")


# Meters


def sdm630(**values: float) -> Meter:
    return Meter(SDM630, lambda _at_ms: values)


def test_a_meter_answers_as_in_the_example_of_its_maker() -> None:
    assert sdm630(voltage_l1=230.20001).heard(bytes.fromhex("01 04 00 00 00 02 71 CB")) == bytes.fromhex(
        "01 04 04 43 66 33 34 1B 38"
    )


def test_a_meter_says_what_it_measures() -> None:
    question = request(1, 0, 80)
    answer = sdm630(voltage_l3=231.5, active_power=812.25, power_factor=0.96, frequency=50.01, energy_import=1234.5).heard(question)

    (frame,) = decoded("sdm630", question + answer)

    assert isinstance(frame, Frame)
    assert {sample.quantity: sample.value for sample in frame.samples if sample.value} == {
        "voltage_l3": 231.5,
        "active_power": 812.25,
        "power_factor": 0.96,
        "frequency": 50.01,
        "energy_import": 1234.5,
    }


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("01 04 01 80 00 02 71 DF", "01 84 02 C2 C1"),  # behind the last register
        ("01 03 00 00 00 02 C4 0B", "01 83 01 80 F0"),  # holding registers
    ],
)
def test_a_meter_refuses_what_it_does_not_have(question: str, answer: str) -> None:
    assert sdm630().heard(bytes.fromhex(question)) == bytes.fromhex(answer)


def test_a_meter_leaves_the_questions_of_others_alone() -> None:
    assert sdm630().heard(request(2, 0, 2)) == b""


def test_a_meter_finds_its_question_after_noise_and_in_pieces() -> None:
    slave = sdm630(voltage_l1=230.20001)
    answers = [slave.heard(bytes((byte,))) for byte in b"\x01\x04\x00" + request(1, 0, 2)]

    assert answers == [b""] * 10 + [bytes.fromhex("01 04 04 43 66 33 34 1B 38")]


def test_a_utility_meter_pushes_each_second_and_does_not_make_up_for_a_pause() -> None:
    pushing = UtilityMeter(lambda at_ms: {"energy_import": at_ms / 1e6, "active_power": -3.5})
    said = [pushing.said(at_ms) for at_ms in range(1_000_000, 1_003_000, 100)]
    late = pushing.said(9_000_300)

    assert [bool(data) for data in said] == ([True] + [False] * 9) * 3
    assert decoded("sml", b"".join(said)) == [
        Frame((Sample("energy_import", kwh), Sample("active_power", -3.5))) for kwh in (1.0, 1.001, 1.002)
    ]
    assert decoded("sml", late) == [Frame((Sample("energy_import", 9.0003), Sample("active_power", -3.5)))]
    assert pushing.heard(late) == b""


def test_a_utility_meter_without_its_pin_says_whole_kwh() -> None:
    values = {"energy_import": 4711.9, "energy_export": 0.2, "active_power": 812.3}

    assert decoded("sml", UtilityMeter(lambda _at_ms: values, has_pin=False).said(0)) == [
        Frame((Sample("energy_import", 4711.0), Sample("energy_export", 0.0)))
    ]


def test_a_reading_that_looks_like_an_escape_is_sent_twice() -> None:
    assert b"\x1b" * 8 in utility_meter.sml({"energy_import": 0x1B1B1B1B / 10_000})


# Weather station


def ws600(**values: float) -> Station:
    return Station({channel: known for channel, known in WS10.items() if channel < 900}, lambda _at_ms: values)


def test_a_station_answers_as_in_the_manual() -> None:
    asked = bytes.fromhex("01 10 01 70 01 F0 04 02 23 10 64 00 03 61 D9 04")

    assert ws600(temperature=22.5).heard(asked) == bytes.fromhex(
        "01 10 01 F0 01 70 0A 02 23 10 00 64 00 16 00 00 B4 41 03 C6 22 04"
    )


def test_a_station_says_what_it_measures_and_what_it_does_not() -> None:
    answer = ws600(temperature=-3.5, wind_speed=6.0).heard(umb.request(1))

    assert decoded("lufft-umb", answer) == [Frame((Sample("temperature", -3.5), Sample("wind_speed", 6.0)))]
    assert answer.count(bytes.fromhex("03 24")) == 6


def test_a_station_leaves_the_questions_of_others_alone() -> None:
    assert ws600(temperature=22.5).heard(umb.request(2)) == b""


def test_a_station_refuses_other_commands() -> None:
    asked = bytes.fromhex("01 10 01 70 01 F0 02 02 26 10 03 C7 05 04")
    refusal = umb.Decoder().feed(ws600().heard(asked[:-3] + crc16(asked[:-3], 0xFFFF).to_bytes(2, "little") + b"\x04"))

    assert [item.reason for item in refusal if isinstance(item, Noise)] == ["the station answers with status 0x10"]


def test_a_station_finds_its_question_after_noise_and_in_pieces() -> None:
    station = ws600(temperature=22.5)
    answers = [station.heard(bytes((byte,))) for byte in b"\xff\x01\x10\x03\x01" + umb.request(1, (100,))]

    assert [len(answer) > 0 for answer in answers] == [False] * 21 + [True]


@pytest.mark.parametrize("device", [Sps30(lambda _at_ms: AIR), Ops243(), sdm630(), ws600()])
def test_noise_for_hours_fills_no_memory(device: Sps30 | Ops243 | Meter | Station) -> None:
    rng = random.Random(1)
    for _ in range(200):
        device.heard(rng.randbytes(1_000))

    assert len(device._heard) <= meter.MAX_HEARD


# Nodes


def test_a_node_tells_in_frames_that_count_on() -> None:
    node = Node(7)
    node.tell([Sample("passage", 1.0, sensor="gate-in", age_ms=40)])
    first = node.said(0)
    node.tell([Sample("held", 1.0, sensor="barrier")])
    lost, last = node.said(0), b""
    node.tell([Sample("held", 0.0, sensor="barrier")])
    last = node.said(0)

    assert decoded("node", first + last) == [
        Frame((Sample("passage", 1.0, sensor="gate-in", age_ms=40),)),
        Frame((Sample("held", 0.0, sensor="barrier"),), lost=1),
    ]
    assert decoded("node", lost) == [Frame((Sample("held", 1.0, sensor="barrier"),))]


def test_a_node_splits_what_does_not_fit_into_one_frame() -> None:
    samples = [Sample("occupied", 1.0, sensor=f"bay-with-a-long-name-{n}") for n in range(40)]
    node = Node(7)
    node.tell(samples)

    frames = decoded("node", node.said(0))

    assert len(frames) > 1
    assert [sample for frame in frames if isinstance(frame, Frame) for sample in frame.samples] == samples
    assert [frame.lost for frame in frames if isinstance(frame, Frame)] == [0] * len(frames)


# Signs


@pytest.mark.parametrize(
    "telegram", [ibis.ds009("WARTEZEIT 15 MIN", 24), ibis.ds003a("WARTEZEIT 15 MIN"), ibis.ds021(1, "WARTEZEIT 15 MIN")]
)
def test_a_sign_shows_what_the_telegram_says(telegram: bytes) -> None:
    sign = Sign("hof-nord")
    sign.heard(telegram)

    assert sign.text == "WARTEZEIT 15 MIN"


def test_a_sign_shows_umlauts() -> None:
    sign = Sign("hof-sued")
    sign.heard(ibis.ds009("Süd geschloßen ÄÖ", 24))

    assert sign.text == "Süd geschloßen ÄÖ"


def test_a_sign_keeps_its_text_over_noise_and_broken_telegrams() -> None:
    sign = Sign("hof-nord")
    sign.heard(ibis.ds009("KEINE WARTEZEIT"))
    sign.heard(b"\xff\x00 noise \r\r" + ibis.ds009("GESCHLOSSEN")[:-1] + b"\x00" + ibis.ds001(26))

    assert sign.text == "KEINE WARTEZEIT"


def test_a_sign_answers_for_its_status() -> None:
    assert Sign("hof-nord").heard(bytes.fromhex("61 30 0D 23")) == bytes.fromhex("61 30 0D 23")


def test_a_sign_without_power_is_dark() -> None:
    sign = Sign("hof-nord")
    sign.heard(ibis.ds009("GESCHLOSSEN"))
    sign.start()

    assert sign.text == ""


def test_an_alpha_sign_shows_the_priority_file_alone() -> None:
    sign = AlphaSign("hof-sued")
    sign.heard(alpha.show("Süd 15 MIN"))
    sign.heard(b"\xff noise \x01" + alpha.show("GESCHLOSSEN")[:-1] + b"\x05" + DEMO)

    assert sign.text == "Süd 15 MIN"


def test_an_alpha_sign_that_was_without_power_shows_its_old_text_until_it_is_told_again(tmp_path: Path) -> None:
    sign = AlphaSign("hof-sued", tmp_path / "sign.txt")
    sign.heard(alpha.show("WARTEZEIT 15 MIN"))
    sign.start()
    assert (tmp_path / "sign.txt").read_text() == "WARTEZEIT 15 MIN\n"

    sign.heard(alpha.show("KEINE ANGABE"))

    assert (tmp_path / "sign.txt").read_text() == "KEINE ANGABE\n"


# Satellite receiver


def told(receiver: Gnss, from_ms: int, seconds: int) -> list[tuple[int, Frame | Noise]]:
    return [
        (at_ms, item) for at_ms in range(from_ms, from_ms + seconds * 1_000, 10) for item in decoded("nmea", receiver.said(at_ms))
    ]


def test_a_receiver_tells_each_second_where_it_is_and_when_that_was_some_tenths_late() -> None:
    start_ms = 1_795_000_000_000
    receiver = Gnss(-33.8568, 151.2153, random.Random(1))
    receiver.said(start_ms)

    items = told(receiver, start_ms + 500, 10)

    late_ms = [at_ms - frame.utc_ms for at_ms, frame in items if isinstance(frame, Frame) and frame.utc_ms is not None]
    assert len(late_ms) == 10
    assert all(120 <= late <= 500 for late in late_ms)
    for _, frame in items:
        assert isinstance(frame, Frame)
        values = {sample.quantity: sample.value for sample in frame.samples}
        assert (values["latitude"], values["longitude"]) == pytest.approx((-33.8568, 151.2153), abs=2e-4)
        assert values.get("satellites", 11) == 11


def test_a_receiver_without_its_antenna_knows_nothing() -> None:
    receiver = Gnss(51.4345, 6.7623, random.Random(1))
    receiver.has_antenna = False

    assert {frame for _, frame in told(receiver, 1_795_000_000_000, 3)} == {Frame()}


# Faults


def test_faults_come_as_often_as_they_are_told_to_and_end() -> None:
    faults = Faults(6, random.Random(1), 0)
    states = [faults.now(at_ms) for at_ms in range(0, 100 * HOUR_MS, 1_000)]
    starts = [now for before, now in pairwise(states) if before is None and now is not None]

    assert 400 < len(starts) < 700
    assert set(starts) == set(Fault)
    assert states.count(None) / len(states) > 0.7


def test_silence_says_nothing_and_noise_leaves_the_frame_whole() -> None:
    faults = Faults(1, random.Random(1), 0)

    assert faults.spoil(b"frame", Fault.SILENCE) == b""
    assert faults.spoil(b"frame", Fault.NOISE).endswith(b"frame")
    assert faults.spoil(b"frame", None) == b"frame"


def test_a_bad_contact_costs_frames_and_never_makes_other_values() -> None:
    faults = Faults(1, random.Random(1), 0)
    frames = [Frame((Sample("pm2_5", 7.4), Sample("pm10", 12.3)))]
    data = b"".join(faults.spoil(devices.sds011(7.4, 12.3), Fault.BITS) for _ in range(1_000))

    items = list(sds011.Decoder().feed(data))

    good = [item for item in items if isinstance(item, Frame)]
    assert 800 < len(good) < 1_000
    assert good == frames * len(good)

"""What healthy devices send, hour after hour: their own bytes, seeded, with values that wander, jitter and jump as real ones do."""

import math
import random
import struct
from collections.abc import Callable, Iterator, Mapping

import msgspec

from firmware_bridge import modbus, node, sps30, umb
from firmware_bridge.devices import SDM120_REGISTERS, SDM630_REGISTERS
from firmware_bridge.frames import Sample
from simulators import devices, utility_meter
from simulators.station import WS10, Station

FIRST_MS = 10_000
SINCE_MS = 1_795_000_000_000  # Unix epoch, to a device that knows it
SITE, SENSOR = "hof-nord", "gate-in"
PARTICLES_PER_PM1 = (5.03, 7.07, 7.94, 8.11, 8.13)  # as in a captured frame of PyPMS
AT_230_V = {"current": 4.0, "active_power": 900.0, "apparent_power": 950.0, "reactive_power": 50.0}
LOAD_CHANGES = 0.1  # of the polls: somebody switches something


class Sent(msgspec.Struct, frozen=True):
    """One frame on the line, and the request that it answers."""

    at_ms: int
    data: bytes
    request: bytes = b""


def _sds011(rng: random.Random) -> Iterator[Sent]:
    for n, pm2_5 in enumerate(_wander(rng, 9.0)):
        yield Sent(FIRST_MS + 1_000 * n, devices.sds011(pm2_5, 1.5 * pm2_5))


def _sps30(rng: random.Random) -> Iterator[Sent]:
    for n, pm1 in enumerate(_wander(rng, 6.0)):
        masses = (pm1, 1.4 * pm1, 1.7 * pm1, 1.9 * pm1)
        counts = (factor * pm1 for factor in PARTICLES_PER_PM1)
        values = struct.pack(">10f", *masses, *counts, rng.gauss(0.83, 0.02))
        at_ms = FIRST_MS + 5_000 * n
        yield Sent(at_ms, devices.sps30(devices.Sps30.START, devices.Sps30.NOT_ALLOWED), sps30.START)
        yield Sent(at_ms + 500, devices.sps30(devices.Sps30.READ, data=values), sps30.READ)


def _tfmini(rng: random.Random) -> Iterator[Sent]:
    at_ms, is_covered = FIRST_MS, False
    while True:
        is_covered = not is_covered
        for _ in range(rng.randrange(300, 6_000)):  # for 3 to 60 seconds
            distance_cm = (devices.Tfmini.CAR_CM if is_covered else devices.Tfmini.KERB_CM) + rng.randrange(-3, 4)
            yield Sent(at_ms, devices.tfmini(distance_cm, rng.randrange(900, 1_400), 31.5))
            at_ms += devices.Tfmini.FRAME_MS


def _ops243(rng: random.Random) -> Iterator[Sent]:
    at_ms = polled_ms = FIRST_MS
    while True:
        while polled_ms <= at_ms:
            yield Sent(polled_ms, b'{"Units":"m-per-sec"}\r\n')
            polled_ms += 60_000
        at_ms += 1_500 + round(rng.expovariate(1 / 30_000))
        report = f'{{"DetectedObjectVelocity":"{rng.uniform(2, 12):.1f}","direction":"{rng.choice(("inbound", "outbound"))}"}}\r\n'
        yield Sent(at_ms, report.encode())


def _meter(registers: Mapping[int, str], rng: random.Random) -> Iterator[Sent]:
    request = modbus.request(1, 0, modbus.MAX_REGISTERS)
    energy, load = 1_000.0, 1.0
    for n, wandering in enumerate(_wander(rng, 1.0)):
        load = rng.uniform(0.1, 3.0) if rng.random() < LOAD_CHANGES else load
        energy += load * AT_230_V["active_power"] * 10 / 3_600_000
        said = {"power_factor": 0.9, "frequency": rng.gauss(50.0, 0.02), "voltage": rng.gauss(230.0, 1.0)}
        said |= {quantity: load * wandering * typical for quantity, typical in AT_230_V.items()}
        values = bytearray(2 * modbus.MAX_REGISTERS)
        for register, quantity in registers.items():
            struct.pack_into(">f", values, 2 * register, energy if "energy" in quantity else said[quantity.split("_l")[0]])
        body = bytes((1, modbus.READ_INPUT, len(values))) + values
        yield Sent(FIRST_MS + 10_000 * n, body + modbus.crc16(body), request)


def _sml(rng: random.Random) -> Iterator[Sent]:
    energy, load = 1_000.0, 1.0
    for n, wandering in enumerate(_wander(rng, 1.0)):
        load = rng.uniform(0.1, 3.0) if rng.random() < LOAD_CHANGES else load
        energy += load * AT_230_V["active_power"] / 3_600_000
        said = {"energy_import": energy, "energy_export": 0.0, "frequency": rng.gauss(50.0, 0.02)}
        for quantity in utility_meter.VALUES:
            typical = AT_230_V.get(quantity.split("_l")[0], 0.0)
            said.setdefault(quantity, load * wandering * typical if typical else rng.gauss(230.0, 1.0))
        yield Sent(FIRST_MS + 1_000 * n, utility_meter.sml(said, n))


def _umb(rng: random.Random) -> Iterator[Sent]:
    said = dict[str, float]()
    station, request = Station(WS10, lambda _at_ms: said), umb.request(1)
    for n, wandering in enumerate(_wander(rng, 1.0)):
        said |= {"temperature": 11 + wandering, "humidity": 75 + wandering, "pressure": 1_013 + wandering / 10}
        said |= {"wind_speed": 3 * wandering, "wind_direction": rng.gauss(230, 10), "rain_intensity": max(0.0, wandering - 1)}
        said |= {"global_radiation": 300 * wandering, "illuminance": 34_000 * wandering}
        yield Sent(FIRST_MS + 10_000 * n, station.heard(request), request)


def _nmea(rng: random.Random) -> Iterator[Sent]:
    receiver = devices.Gnss(51.4345, 6.7623, rng)
    at_ms = FIRST_MS
    while True:
        at_ms += 100
        for sentence in receiver.said(SINCE_MS + at_ms).splitlines(keepends=True):
            yield Sent(at_ms, sentence)


def _node(rng: random.Random) -> Iterator[Sent]:
    at_ms, sequence = FIRST_MS, 0
    while True:
        at_ms += 1 + round(rng.expovariate(1 / 5_000))
        passage = Sample("passage", 1.0, SENSOR, age_ms=rng.randrange(3_000))
        temperature = Sample("temperature", round(rng.gauss(40, 5), 1), "driver", "lamp-0007")
        yield Sent(at_ms, node.encode(258, sequence, [passage, temperature]))
        sequence = (sequence + 1) % 0x1_0000


def _wander(rng: random.Random, typical: float) -> Iterator[float]:
    """From one sample to the next 3 % of jitter; over a quarter of an hour half as much, or twice."""
    level = 0.0
    while True:
        level = 0.999 * level + rng.gauss(0, 0.02)
        yield typical * math.exp(level + rng.gauss(0, 0.03))


SENT: Mapping[str, Callable[[random.Random], Iterator[Sent]]] = {
    "sds011": _sds011,
    "sps30": _sps30,
    "tfmini": _tfmini,
    "ops243": _ops243,
    "sdm120": lambda rng: _meter(SDM120_REGISTERS, rng),
    "sdm630": lambda rng: _meter(SDM630_REGISTERS, rng),
    "sml": _sml,
    "lufft-umb": _umb,
    "nmea": _nmea,
    "node": _node,
}

"""A DALI line: what is asked is answered, and what is not answered says why."""

from pathlib import Path

import pytest

from edge.bus import Bus, Silence
from edge.reader import Counters
from firmware_bridge import dali, luba
from firmware_bridge.dali import Command, command, dapc, short
from firmware_bridge.port import Port
from hoflicht.clock import HandClock, SystemClock
from simulators.gear import Gear
from simulators.luba import Luba, message
from simulators.luminaire import Fault
from simulators.wire import Wire as Pty
from tests.wired import NIGHT_MS, Wire

LEVEL = command(short(5), Command.QUERY_ACTUAL_LEVEL)
STRANGER = command(short(6), Command.QUERY_ACTUAL_LEVEL)


class Bench:
    """A bus with one driver at address 5."""

    def __init__(self) -> None:
        self.clock = HandClock(NIGHT_MS)
        self.gear = Gear(5)
        self.luba = Luba([self.gear])
        self.wire = Wire(self.luba, self.clock)
        self.counters = Counters()
        self.bus = Bus(self.wire, self.clock, self.counters)

    def took_ms(self, forward: dali.Forward) -> int:
        before_ms = self.clock.monotonic_ms()
        self.bus.ask(forward)
        return self.clock.monotonic_ms() - before_ms


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_question_has_the_drivers_answer(bench: Bench) -> None:
    bench.bus.ask(dapc(short(5), 170))

    assert bench.bus.ask(LEVEL) == 170


def test_a_driver_that_is_not_there_does_not_answer_and_costs_a_twentieth_of_a_second(bench: Bench) -> None:
    bench.bus.ask(LEVEL)

    assert bench.bus.ask(STRANGER) is Silence.NO
    assert bench.took_ms(STRANGER) <= 100


def test_a_setting_goes_twice(bench: Bench) -> None:
    for forward in dali.setting(short(5), Command.SET_FADE_TIME, 1):
        bench.bus.ask(forward)

    assert bench.bus.ask(command(short(5), Command.QUERY_FADE_TIME_FADE_RATE)) == 0x17


def test_an_answer_that_cannot_be_read_is_no_answer(bench: Bench) -> None:
    bench.luba.garbled = 1.0

    assert bench.bus.ask(LEVEL) is Silence.GARBLED


def test_a_bus_without_power_is_told_from_a_driver_that_is_silent(bench: Bench) -> None:
    bench.bus.ask(LEVEL)
    bench.luba.is_bus_down = True

    assert bench.bus.ask(LEVEL) is Silence.NO_POWER

    bench.luba.is_bus_down = False
    bench.clock.advance(1_000)
    assert bench.bus.ask(LEVEL) == 254


def test_a_port_that_is_away_gives_no_answers_and_costs_no_time(bench: Bench) -> None:
    bench.bus.ask(LEVEL)
    bench.wire.is_open = False

    assert bench.bus.ask(LEVEL) is Silence.NO_GATEWAY
    assert bench.took_ms(LEVEL) == 0
    assert not bench.counters.is_open


def test_a_gateway_that_was_without_power_is_set_up_again(bench: Bench) -> None:
    bench.bus.ask(LEVEL)
    bench.luba.start()

    assert bench.bus.ask(LEVEL) is Silence.NO_GATEWAY  # it takes frames and tells nothing of the bus
    bench.clock.advance(1_000)
    assert bench.bus.ask(LEVEL) == 254


def test_noise_between_the_answers_is_counted_and_harms_nothing(bench: Bench) -> None:
    bench.bus.ask(LEVEL)
    bench.wire.stray = b"\x59\x59\x00\xff"

    assert bench.bus.ask(LEVEL) == 254
    assert bench.counters.noise_bytes == 4


def test_an_answer_that_came_too_late_is_not_that_of_the_same_question_asked_again(bench: Bench) -> None:
    bench.bus.ask(LEVEL)
    bench.wire.stray = bench.luba.heard(luba.send(LEVEL.data))
    bench.luba.heard(luba.send(dapc(short(5), 170).data))

    assert bench.bus.ask(LEVEL) == 170


def test_an_answer_that_comes_before_its_question_is_on_the_bus_is_another_ones(bench: Bench) -> None:
    bench.bus.ask(LEVEL)
    bench.wire.late = message(0x31, bytes((0, 0, 0, 0x88, 99)))

    assert bench.bus.ask(LEVEL) == 254


def test_a_frame_that_the_gateway_does_not_take_was_not_sent(bench: Bench) -> None:
    bench.bus.ask(LEVEL)

    assert bench.bus.ask(dali.Forward(b"\x01\x02\x03\x04")) is Silence.NO_GATEWAY


def test_over_a_real_port_that_is_pulled_and_comes_back(tmp_path: Path) -> None:
    luba_gateway = Luba([Gear(5, level=170)])
    with Pty(tmp_path / "dali") as pty, Port(str(tmp_path / "dali"), luba.LINE) as port:
        counters = Counters()
        bus = Bus(Answering(port, pty, luba_gateway), SystemClock(), counters)
        assert bus.ask(LEVEL) == 170
        assert counters.is_open

        pty.unplug()
        assert bus.ask(LEVEL) is Silence.NO_GATEWAY


class Answering:
    """A real port whose far end answers whenever somebody reads."""

    def __init__(self, port: Port, pty: Pty, luba_gateway: Luba) -> None:
        self._port, self._pty, self._luba = port, pty, luba_gateway
        self.write = port.write

    @property
    def opened(self) -> int:
        return self._port.opened

    @property
    def errors(self) -> int:
        return self._port.errors

    @property
    def is_open(self) -> bool:
        return self._port.is_open

    def read(self, timeout_s: float) -> bytes:
        self._pty.write(self._luba.heard(self._pty.read()))
        return self._port.read(timeout_s)


def test_half_of_the_answers_missing_is_half_of_the_answers_there(bench: Bench) -> None:
    bench.bus.ask(LEVEL)
    bench.gear.lamp.faults.add(Fault.HALF_MUTE)

    answers = [bench.bus.ask(LEVEL) for _ in range(100)]

    assert set(answers) == {254, Silence.NO}

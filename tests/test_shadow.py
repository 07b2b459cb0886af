"""What the city wants of a gateway's lamps: taken, obeyed, kept, answered."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import shadow
from edge.shadow import NEXT, Happening, Shadow
from hoflicht.broker import Message
from hoflicht.clock import HandClock
from hoflicht.errors import Unavailable
from hoflicht.program import Program
from hoflicht.shadow import Command, Desired, Duty, Outcome, Reported, encode
from hoflicht.stop import Stopping
from tests.limits import files_that_do_not_grow

NOW_MS = 1_795_640_400_000
LAMPS = frozenset({"lamp-0001", "lamp-0002"})
MINUTE_MS = 60_000


class Bench:
    """A shadow with its file; `restart` is a new process, on this boot of the machine or another."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "spool.db-light"
        self.clock = HandClock(NOW_MS)
        self.restart()

    def restart(self, boot: str = "this boot") -> None:
        self.shadow = Shadow(self.file, boot, LAMPS, self.clock)
        self.shadow.recall()

    def say(self, wanted: Desired | bytes) -> None:
        self.shadow.take(Message(topic="t", payload=wanted if isinstance(wanted, bytes) else encode(wanted)))

    def level(self, lamp: str = "lamp-0001") -> float | None:
        command = self.shadow.orders().of(lamp).command
        return None if command is None else command.percent

    def outcomes(self, command: str = "c") -> dict[Outcome, tuple[str, ...]]:
        return self.shadow.report().outcomes.get(command, {})


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def wanted(version: int, *commands: Command, program: str = "") -> Desired:
    return Desired(
        version=version,
        programs={program: Program()} if program else {},
        lamps={name: Duty(program=program) for name in LAMPS},
        commands=commands,
    )


def override(percent: float | None = 20, at_ms: int = NOW_MS, lasts_ms: int = 10 * MINUTE_MS, id: str = "c") -> Command:
    return Command(id=id, lamps=("lamp-0001", "lamp-0099"), percent=percent, at_ms=at_ms, until_ms=at_ms + lasts_ms)


def test_what_the_city_says_counts_at_once(bench: Bench) -> None:
    bench.say(wanted(1, override(), program="night"))

    order = bench.shadow.orders().of("lamp-0001")
    assert (order.program, order.command and order.command.percent) == (Program(), 20)
    assert bench.shadow.orders().of("lamp-0002").command is None
    assert bench.shadow.report().version == 1


def test_what_cannot_be_followed_changes_nothing_and_is_told_with_its_reason(bench: Bench) -> None:
    bench.say(wanted(1, override()))
    bad = msgspec.structs.replace(wanted(2), lamps={"lamp-0001": Duty(program="nowhere")})

    bench.say(bad)

    report = bench.shadow.report()
    assert (report.version, report.refused_version) == (1, 2)
    assert report.refused == "lamp 'lamp-0001': there is no program 'nowhere'"
    assert bench.level() == 20
    bench.say(wanted(3))
    assert bench.shadow.report() == Reported(version=3)


def test_garbage_is_refused_without_a_version_and_an_emptied_topic_is_nothing(bench: Bench) -> None:
    bench.say(wanted(1))

    bench.say(b"")
    assert bench.shadow.report() == Reported(version=1)

    bench.say(b"\xff{")
    assert (bench.shadow.report().refused_version, bench.shadow.report().version) == (None, 1)
    assert bench.shadow.report().refused


def test_an_older_version_is_left_alone(bench: Bench) -> None:
    bench.say(wanted(NOW_MS, override(percent=20)))

    bench.say(wanted(NOW_MS - 1, override(percent=90)))

    assert bench.level() == 20
    assert bench.shadow.report().refused_version == NOW_MS - 1


def test_a_version_from_a_clock_that_was_far_ahead_shuts_out_no_later_one(bench: Bench) -> None:
    bench.say(wanted(NOW_MS + 10 * 86_400_000, override(percent=20)))

    bench.say(wanted(NOW_MS, override(percent=90)))

    assert bench.level() == 90


def test_a_restart_without_a_network_goes_on_with_what_was_kept(bench: Bench) -> None:
    bench.say(wanted(1, override(), program="night"))
    bench.shadow.orders()
    bench.shadow.keep()

    bench.clock.advance(9 * MINUTE_MS)
    bench.restart()

    assert bench.level() == 20
    assert bench.shadow.orders().of("lamp-0001").program == Program()
    bench.clock.advance(MINUTE_MS)
    assert bench.level() is None


def test_a_command_does_not_outlive_its_length_though_the_wall_clock_is_set_back_between_two_starts(bench: Bench) -> None:
    bench.say(wanted(1, override()))
    bench.shadow.orders()
    bench.shadow.keep()

    bench.clock.advance(10 * MINUTE_MS)
    bench.clock.set(NOW_MS + MINUTE_MS)
    bench.restart()

    assert bench.level() is None
    assert bench.outcomes()[Outcome.EXPIRED] == ("lamp-0001", "lamp-0099")


def test_a_program_that_starts_again_knows_the_time_although_no_time_server_is_there(bench: Bench) -> None:
    bench.say(wanted(1, override()))
    bench.shadow.orders()
    bench.shadow.keep()

    bench.clock.jump(-86_400_000)  # the kernel trusts it no more
    bench.restart()

    assert bench.shadow.orders().now_ms == NOW_MS
    assert bench.level() == 20


def test_after_another_boot_nothing_is_known_of_the_time(bench: Bench) -> None:
    bench.say(wanted(1, override()))
    bench.shadow.orders()
    bench.shadow.keep()

    bench.clock.jump(-86_400_000)
    bench.restart("another boot")

    assert bench.shadow.orders().now_ms is None
    assert bench.level() is None
    assert bench.shadow.report().version == 1


def test_a_torn_file_is_one_line_and_the_failsafe(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.file.write_bytes(b'{"desired":{"ver')

    bench.restart()

    assert bench.shadow.orders().of("lamp-0001") == shadow.Order()
    assert caplog.text.count("is lost") == 1


def test_a_full_disk_stops_no_lamp_and_is_two_lines(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    with files_that_do_not_grow(beyond_bytes=0):
        bench.say(wanted(1, override()))
        for _ in range(3):
            bench.shadow.keep()
        assert bench.level() == 20
        assert bench.shadow.report().version == 1
        assert not bench.file.exists()

    bench.shadow.keep()
    bench.restart()

    assert bench.level() == 20
    assert (caplog.text.count("cannot be kept"), caplog.text.count("kept again")) == (1, 1)


def test_the_disk_is_not_written_while_nothing_changes(bench: Bench) -> None:
    bench.say(wanted(1))
    bench.shadow.orders()
    bench.shadow.keep()
    written = bench.file.stat().st_ino

    bench.clock.advance(MINUTE_MS)
    bench.shadow.orders()
    bench.shadow.keep()

    assert bench.file.stat().st_ino == written


def test_a_command_goes_from_accepted_to_applied_to_expired(bench: Bench) -> None:
    command = override()
    bench.say(wanted(1, command))
    bench.shadow.orders()
    assert bench.outcomes() == {Outcome.ACCEPTED: ("lamp-0001",), Outcome.FAILED: ("lamp-0099",)}  # it is not ours

    bench.shadow.heed(command, "lamp-0001", Happening.FOLLOWED)
    assert bench.outcomes()[Outcome.APPLIED] == ("lamp-0001",)

    bench.clock.advance(10 * MINUTE_MS)
    bench.shadow.orders()
    assert bench.outcomes() == {Outcome.EXPIRED: ("lamp-0001", "lamp-0099")}


def test_outcomes_are_told_until_the_city_no_longer_asks(bench: Bench) -> None:
    command = override()
    bench.say(wanted(1, command))
    bench.shadow.orders()
    bench.shadow.heed(command, "lamp-0001", Happening.FOLLOWED)

    bench.say(wanted(2, command, override(id="d", at_ms=NOW_MS + 1)))
    assert bench.outcomes("c")[Outcome.APPLIED] == ("lamp-0001",)
    assert bench.outcomes("d")[Outcome.ACCEPTED] == ("lamp-0001",)

    bench.say(wanted(3))
    assert bench.shadow.report().outcomes == {}


def test_a_command_to_come_is_accepted_and_waits(bench: Bench) -> None:
    bench.say(wanted(1, override(at_ms=NOW_MS + 5 * MINUTE_MS)))

    assert bench.level() is None
    assert bench.outcomes()[Outcome.ACCEPTED] == ("lamp-0001",)

    bench.clock.advance(5 * MINUTE_MS)
    assert bench.level() == 20


@given(st.lists(st.sampled_from(list(Happening)), max_size=20))
def test_a_command_that_has_ended_stays_so_whatever_comes(happenings: list[Happening]) -> None:
    outcome, has_ended = Outcome.ACCEPTED, False
    for happening in happenings:
        outcome = NEXT[outcome, happening]
        has_ended |= happening is Happening.ENDED
        assert (outcome is Outcome.EXPIRED) == has_ended


class Ticks(Stopping):
    """Stops after so many waits; what happens before each is given."""

    def __init__(self, *before: "object") -> None:
        super().__init__()
        self._before = list(before)

    def wait(self, timeout: float | None = None) -> bool:
        if not self._before:
            return True
        act = self._before.pop(0)
        if callable(act):
            act()
        return False


def test_a_report_goes_out_when_it_has_changed_and_again_to_each_connection(bench: Bench) -> None:
    said: list[int] = []

    def connect() -> None:
        bench.shadow.births += 1

    shadow.run(
        bench.shadow,
        lambda report: said.append(report.version),
        Ticks(None, None, lambda: bench.say(wanted(1)), None, connect, None),
    )

    assert said == [0, 1, 1]


def test_a_report_that_found_no_connection_goes_out_later(bench: Bench) -> None:
    said: list[int] = []
    away = [True, True, False, False]

    def publish(report: Reported) -> None:
        if away.pop(0):
            raise Unavailable("no connection")
        said.append(report.version)

    shadow.run(bench.shadow, publish, Ticks(lambda: bench.say(wanted(1)), None, None, None))

    assert said == [1]
    assert bench.file.exists()
